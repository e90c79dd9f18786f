package nn_test

import (
	"fmt"
	"log"
	"math/rand/v2"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A tagger is a model of one's own: one layer of causal attention between an embedding and a head.
type tagger struct {
	tokens     *nn.Embedding
	norm       *nn.RMSNorm
	bias       *nn.RelativeBias
	q, k, v, o *nn.Linear
	head       *nn.Linear
}

const (
	vocabulary = 5
	width      = 8
	heads      = 2
)

// newTagger returns a tagger whose parameters are zeros.
func newTagger(e *mat.Engine) *tagger {
	linear := func(out, in int) *nn.Linear {
		return nn.NewLinear(e, nn.Weights{F32: make([]float32, out*in)}, out, in)
	}
	return &tagger{
		tokens: nn.NewEmbedding(nn.Weights{F32: make([]float32, vocabulary*width)}, vocabulary, width),
		norm:   nn.NewRMSNorm(make([]float32, width), 1e-6),
		bias:   nn.NewRelativeBias(make([]float32, 8*heads), 8, heads, 32, false),
		q:      linear(width, width), k: linear(width, width), v: linear(width, width), o: linear(width, width),
		head: linear(vocabulary, width),
	}
}

func (m *tagger) layers() []nn.Layer {
	return []nn.Layer{m.tokens, m.norm, m.bias, m.q, m.k, m.v, m.o, m.head}
}

// logits is the forward pass, to train and to use.
func (m *tagger) logits(p *nn.Pass, rows nn.Ragged, ids []int) autodiff.Value {
	x := m.tokens.Forward(p, rows, ids)
	n := m.norm.Forward(p, rows, x)
	q, k, v := m.q.Forward(p, rows, n), m.k.Forward(p, rows, n), m.v.Forward(p, rows, n)
	attention := nn.Attention{Heads: heads, HeadSize: width / heads, Causal: true}
	x = m.o.ForwardAdd(p, rows, x, attention.Forward(p, rows, rows, q, k, v, m.bias.Forward(p, rows)))
	return m.head.Forward(p, rows, x)
}

// A model of one's own learns to tell at each position which token was there two positions before.
func ExamplePass_ResetTraining() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	// Every layer is trained: in its place stands one that has parameters.
	rnd := rand.New(rand.NewPCG(1, 2))
	m := newTagger(e)
	trained := &nn.Trained{Replaced: map[nn.Layer]nn.Layer{}}
	params := map[nn.Layer]map[string]*autodiff.Param{}
	for _, l := range m.layers() {
		params[l] = map[string]*autodiff.Param{}
		for _, p := range l.Params() {
			values := make([]float32, l.Values()[p.Name].Len())
			for i := range values {
				values[i] = rnd.Float32() - 0.5
			}
			params[l][p.Name] = autodiff.NewParam(p.Name, p.Shape, values)
		}
		trained.Replaced[l] = l.WithParams(params[l])
	}

	// Each step has a batch of sequences of random tokens and lengths.
	pass, tape := nn.NewPass(e), autodiff.NewTape(e)
	const sequences, steps = 8, 41
	for step := range steps {
		rows := nn.RaggedOf(sequences, func(int) int { return 3 + rnd.IntN(8) })
		ids, labels := make([]int, rows.Rows()), make([]int, rows.Rows())
		for s := range sequences {
			for i := rows[s]; i < rows[s+1]; i++ {
				ids[i], labels[i] = rnd.IntN(vocabulary), nn.IgnoreIndex
				if i >= rows[s]+2 {
					labels[i] = ids[i-2]
				}
			}
		}
		pass.ResetTraining(tape, sequences, trained)
		loss, err := tape.CrossEntropy(m.logits(pass, rows, ids), labels, nn.IgnoreIndex, 0)
		if err != nil {
			log.Fatal(err)
		}
		tape.Backward(loss, 1)
		if step%10 == 0 {
			fmt.Printf("step %d: loss %.2f\n", step, loss.Data[0])
		}
		for _, l := range m.layers() {
			for _, p := range params[l] {
				e.AddScaled(p.Value, p.Value, p.Grad, -0.5)
				p.ZeroGrad()
			}
		}
	}

	// What was learnt is used in place of the layers that the model began with, without a tape.
	learnt := &nn.Delta{Replaced: map[nn.Layer]nn.Layer{}}
	for _, l := range m.layers() {
		values := map[string]nn.Weights{}
		for name, p := range params[l] {
			values[name] = nn.Weights{F32: p.Value.Data}
		}
		learnt.Replaced[l] = l.With(e, values)
	}
	if err := pass.Reset([][]*nn.Delta{{learnt}}); err != nil {
		log.Fatal(err)
	}
	ids := []int{4, 0, 3, 3, 1, 2, 0}
	logits := m.logits(pass, nn.Ragged{0, len(ids)}, ids)
	fmt.Print(ids, " →")
	for i := 2; i < len(ids); i++ {
		row := logits.Row(i)
		fmt.Print(" ", slices.Index(row, slices.Max(row)))
	}
	fmt.Println()
	// Output:
	// step 0: loss 1.66
	// step 10: loss 1.49
	// step 20: loss 1.25
	// step 30: loss 0.11
	// step 40: loss 0.01
	// [4 0 3 3 1 2 0] → 4 0 3 3 1
}

// An offset is a trained term of a layer's output: one number for each column.
type offset struct{ *autodiff.Param }

// AddTo implements nn.Added.
func (o offset) AddTo(p *nn.Pass, _ nn.Ragged, y, _ autodiff.Value) autodiff.Value {
	return p.Tape.PlusRow(y, p.Tape.Param(o.Param))
}

// A frozen layer with a trained term.
func ExampleAdded() {
	p, e := newPass(0)
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 2, 3, 4}}, 2, 2)
	term := offset{autodiff.NewParam("offset", []int{2}, []float32{100, 200})}

	tape := autodiff.NewTape(e)
	p.ResetTraining(tape, 1, &nn.Trained{Added: map[*nn.Linear]nn.Added{linear: term}})
	y := linear.Forward(p, nn.Ragged{0, 2}, autodiff.Constant(mat.View([]float32{1, 0, 0, 1}, 2, 2)))
	tape.Backward(tape.Total(y), 1)
	fmt.Println(y.Row(0), y.Row(1), term.Grad.Data)
	// Output: [101 203] [102 204] [2 2]
}

// With a tape an operand stays as it is; without one it is changed.
func ExampleApply() {
	p, e := newPass(1)
	defer e.Close()
	x := autodiff.Constant(mat.View([]float32{-1, 2}, 1, 2))
	y := nn.Scale(p, nn.Apply(p, autodiff.ReLU, x), 3)
	fmt.Println(x.Row(0), y.Row(0))

	p.ResetTraining(autodiff.NewTape(e), 1, nil)
	y = nn.Times(p, x, x)
	fmt.Println(x.Row(0), y.Row(0))
	// Output:
	// [0 6] [0 6]
	// [0 6] [0 36]
}

func ExampleGate() {
	p, e := newPass(1)
	defer e.Close()
	x, y := autodiff.Constant(mat.View([]float32{-1, 2}, 1, 2)), autodiff.Constant(mat.View([]float32{5, 5}, 1, 2))
	fmt.Println(nn.Gate(p, autodiff.ReLU, x, y).Row(0))
	// Output: [0 10]
}

func ExampleLinear_WithBias() {
	p, e := newPass(1)
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 2, 3, 4}}, 2, 2).WithBias([]float32{10, 20})
	fmt.Println(linear.Forward(p, nn.Ragged{0, 1}, autodiff.Constant(mat.View([]float32{1, 1}, 1, 2))).Row(0))
	// Output: [13 27]
}

func ExampleLinear_CrossEntropy() {
	p, e := newPass(0)
	defer e.Close()
	head := nn.NewLinear(e, nn.Weights{F32: []float32{0, 2}}, 2, 1)
	p.ResetTraining(autodiff.NewTape(e), 1, nil)
	x := autodiff.Constant(mat.View([]float32{0, 7}, 2, 1))
	loss, err := head.CrossEntropy(p, nn.Ragged{0, 2}, x, []int{1, nn.IgnoreIndex}, 0)
	fmt.Printf("%.4f %v\n", loss.Data[0], err)
	// Output: 0.6931 <nil>
}

// y + l(f(a) ⊙ b).
func ExampleLinear_ForwardAddGate() {
	p, e := newPass(1)
	defer e.Close()
	down := nn.NewLinear(e, nn.Weights{F32: []float32{1, 2}}, 1, 2)
	value := func(x ...float32) autodiff.Value { return autodiff.Constant(mat.View(x, 1, len(x))) }
	fmt.Println(down.ForwardAddGate(p, nn.Ragged{0, 1}, value(100), autodiff.ReLU, value(3, -1), value(5, 5)).Row(0))
	// Output: [115]
}
