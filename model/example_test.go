package model_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

func open() (*model.Model, *mat.Engine) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := model.Open("testdata/t5", e)
	if err != nil {
		log.Fatal(err)
	}
	return m, e
}

func Example() {
	e, err := mat.NewEngine(mat.Options{Threads: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	m, err := model.Open("testdata/t5", e)
	if err != nil {
		log.Fatal(err)
	}
	// A ragged batch: each sequence has the tokens that it has.
	logits, err := m.Logits(context.Background(), []model.Sequence{
		{InputIDs: []int{5, 1}, DecoderInputIDs: []int{0, 4, 9}},
		{InputIDs: []int{7, 2, 3, 11, 1}, DecoderInputIDs: []int{0}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(logits.Shape(), logits.Of(0).Shape(), logits.Of(1).Shape())
	fmt.Printf("%.4f\n", logits.Of(0).Row(2)[:3])
	// Output:
	// 4×13 3×13 1×13
	// [0.0353 -0.2728 0.0252]
}

// A decoder-only model takes InputIDs alone.
func Example_decoder() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	m, err := model.Open("testdata/llama", e)
	if err != nil {
		log.Fatal(err)
	}
	logits, err := m.Logits(context.Background(), []model.Sequence{{InputIDs: []int{5, 1}}, {InputIDs: []int{7}}})
	if err != nil {
		log.Fatal(err)
	}
	a := m.Architecture()
	fmt.Println(a.Type, a.DecoderLayers, a.Heads, a.KVHeads, a.Rope, logits.Shape())
	fmt.Printf("%.4f\n", logits.Of(0).Row(1)[:3])
	// Output:
	// llama 2 4 2 llama3 3×13
	// [-1.1627 -1.5041 -2.2193]
}

func ExampleModel_Logits() {
	m, e := open()
	defer e.Close()
	_, err := m.Logits(context.Background(), []model.Sequence{{InputIDs: []int{5, 13}, DecoderInputIDs: []int{0}}})
	fmt.Println(err)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = m.Logits(ctx, []model.Sequence{{InputIDs: []int{5}, DecoderInputIDs: []int{0}}})
	fmt.Println(err)
	// Output:
	// model: sequence 0: input_ids[1]: got 13, want 0 ≤ id < 13
	// context canceled
}

// A pass of one's own is used again by the next batch. Its deltas are what adapters add: none here.
func ExampleModel_Forward() {
	m, e := open()
	defer e.Close()
	pass := nn.NewPass(e)
	for _, decoder := range [][]int{{0}, {0, 4, 9}} {
		if err := pass.Reset(make([][]*nn.Delta, 1)); err != nil {
			log.Fatal(err)
		}
		logits, rows, err := m.Forward(context.Background(), pass, []model.Sequence{{InputIDs: []int{5, 1}, DecoderInputIDs: decoder}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v %.4f\n", rows, logits.Row(rows[1] - 1)[:3])
	}
	// Output:
	// [0 1] [0.2030 -0.1217 -0.0600]
	// [0 3] [0.0353 -0.2728 0.0252]
}

// A decoder's input in training is its labels, shifted right.
func ExampleModel_StartID() {
	m, e := open()
	defer e.Close()
	labels := []int{4, 9, 1}
	fmt.Println(append([]int{m.StartID()}, labels[:2]...))
	// Output: [0 4 9]
}

// Libraries that want sequences of one length fill them up; here a batch is ragged.
func ExampleModel_PadID() {
	m, e := open()
	defer e.Close()
	ids := []int{5, 1}
	for len(ids) < 4 {
		ids = append(ids, m.PadID())
	}
	fmt.Println(ids)
	// Output: [5 1 0 0]
}

func ExampleModel_Architecture() {
	m, e := open()
	defer e.Close()
	a := m.Architecture()
	fmt.Println(a.Type, a.EncoderLayers, a.DecoderLayers, a.Heads, a.HeadSize, a.FeedForward, a.TiedHead, a.Parameters)
	// Output: t5 2 1 3 4 relu true 5776
}

func ExampleModel_Modules() {
	m, e := open()
	defer e.Close()
	for _, module := range m.Modules()[8:12] {
		fmt.Println(module.Path, module.Type, module.Layer.Params()[0].Shape)
	}
	// Output:
	// encoder.block.0.layer.0.SelfAttention.q Linear [12 16]
	// encoder.block.0.layer.0.SelfAttention.k Linear [12 16]
	// encoder.block.0.layer.0.SelfAttention.v Linear [12 16]
	// encoder.block.0.layer.0.SelfAttention.o Linear [16 12]
}

// OpenFS takes any file system: an embed.FS puts a model into the binary.
func ExampleOpenFS() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	m, err := model.OpenFS(os.DirFS("testdata/t5"), e)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Type(), m.Vocabulary())
	_, err = model.OpenFS(os.DirFS("testdata"), e)
	fmt.Println(err)
	// Output:
	// t5 13
	// model: open config.json: no such file or directory
}

// A config and tensors that lie elsewhere than in a folder.
func ExampleNew() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	tensors, err := safetensors.Open("testdata/t5/model.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer tensors.Close()
	config := `{"model_type": "t5", "vocab_size": 13, "d_model": 16, "d_kv": 4, "d_ff": 24, "num_heads": 3, "num_layers": 2, "num_decoder_layers": 1}`
	_, err = model.New([]byte(config), tensors, e)
	fmt.Println(err)
	// Output: model: tensor encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight: got shape [8 3], want [32 3]
}

// A loss without what is trained, so that it has no gradients.
func ExampleModel_Loss() {
	m, e := open()
	defer e.Close()
	pass, tape := nn.NewPass(e), autodiff.NewTape(e)
	pass.ResetTraining(tape, 1, nil)
	batch := []model.Sequence{{InputIDs: []int{5, 1}, DecoderInputIDs: []int{0, 4, 9}}}
	loss, err := m.Loss(context.Background(), pass, batch, []int{4, 9, nn.IgnoreIndex}, 0)
	fmt.Printf("%.4f %v\n", loss.Data[0], err)
	// Output: 2.5793 <nil>
}
