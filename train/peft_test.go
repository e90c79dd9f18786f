package train_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
	"github.com/polytropon/polytropon/train"
)

// A reference is the batch of a case and what PEFT computed from it.
type reference struct {
	t *testing.T
	f *safetensors.File
}

func (r reference) ints(name string) (values []int, width int) {
	x, err := r.f.Tensor(name)
	if err != nil {
		r.t.Fatal(err)
	}
	all, err := x.Int64s()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, v := range all {
		values = append(values, int(v))
	}
	return values, x.Shape[len(x.Shape)-1]
}

// examples returns the batch without padding.
func (r reference) examples(encodes bool) (examples train.Slice) {
	inputs, n := r.ints("input_ids")
	mask, _ := r.ints("attention_mask")
	labels, m := r.ints("labels")
	tasks, _ := r.ints("task_ids")
	for i, task := range tasks {
		x := train.Example{Task: task}
		for j := i * n; j < (i+1)*n; j++ {
			if mask[j] != 0 {
				x.InputIDs = append(x.InputIDs, inputs[j])
				if !encodes {
					x.Labels = append(x.Labels, labels[j])
				}
			}
		}
		if encodes {
			x.Labels = labels[i*m : (i+1)*m]
		}
		examples = append(examples, x)
	}
	return examples
}

const peft = "../poly/testdata/peft-0.21/"

// TestPEFT compares ten steps of Adam with PEFT's: its losses, however the batch is cut.
func TestPEFT(t *testing.T) {
	for _, dir := range []string{t5, peft + "t5-edges", peft + "t5v1-mhr", peft + "llama-rope", peft + "llama-head"} {
		for _, workers := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s, %d workers", filepath.Base(dir), workers), func(t *testing.T) {
				e := testEngine(t, mat.Options{Threads: 2})
				base, err := model.Open(filepath.Join(dir, "base"), e)
				if err != nil {
					t.Fatal(err)
				}
				adapter, err := poly.Open(filepath.Join(dir, "adapter"), base)
				if err != nil {
					t.Fatal(err)
				}
				trainer, err := poly.NewTrainer(adapter, nil)
				if err != nil {
					t.Fatal(err)
				}
				adam, err := optim.NewAdam([]optim.Group{{Params: trainer.Params(), LR: 1e-2}}, optim.DefaultAdam())
				if err != nil {
					t.Fatal(err)
				}
				f, err := safetensors.Open(filepath.Join(dir, "reference.safetensors"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				losses, err := f.Tensor("adam.losses")
				if err != nil {
					t.Fatal(err)
				}
				want, err := losses.Float32s()
				if err != nil {
					t.Fatal(err)
				}
				c := train.Config{
					Engine: e, Objective: &train.PolyModel{Base: base, Trainer: trainer}, Optimizer: adam,
					Train: reference{t, f}.examples(base.Architecture().EncoderLayers > 0), BatchSize: 100, MaxSteps: len(want), Workers: workers,
					OnStep: func(p train.Progress) {
						w := float64(want[p.Step-1])
						if !(math.Abs(p.Loss-w) <= 1e-3*w) {
							t.Errorf("step %d: got loss %v, want %v", p.Step, p.Loss, w)
						}
					},
				}
				if workers > 0 {
					c.BatchSize, c.GradientAccumulationSteps = 1, 100
				}
				run(t, newLoop(t, c))
			})
		}
	}
}

// startless is a model with other ids to begin with and to stand where there is no token.
type startless struct {
	train.LanguageModel
	start, pad int
}

func (s startless) StartID() int { return s.start }
func (s startless) PadID() int   { return s.pad }

// TestMeasure checks what a PolyModel takes.
func TestMeasure(t *testing.T) {
	_, t5Model := adapterRun{}.loop(t)
	base, err := model.Open(peft+"llama-rope/base", testEngine(t, mat.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	llama := &train.PolyModel{Base: base}
	without := func(m *train.PolyModel, start, pad int) *train.PolyModel {
		return &train.PolyModel{Base: startless{m.Base, start, pad}}
	}
	ignored := train.Example{InputIDs: []int{3, 4}, Labels: []int{nn.IgnoreIndex, 0}}
	for _, c := range []struct {
		m    *train.PolyModel
		x    train.Example
		want train.Size
		err  string
	}{
		{t5Model, train.Example{InputIDs: []int{3, 4, 5}, Labels: []int{6, nn.IgnoreIndex, 1}}, train.Size{Tokens: 6, Labels: 2}, "<nil>"},
		{t5Model, train.Example{Labels: []int{6}}, train.Size{}, "input_ids: got none, want at least one"},
		{t5Model, train.Example{InputIDs: []int{6}}, train.Size{}, "labels: got none, want at least one"},
		{llama, train.Example{InputIDs: []int{3, 4, 5}, Labels: []int{3, nn.IgnoreIndex, 5}}, train.Size{Tokens: 3, Labels: 1}, "<nil>"},
		{llama, train.Example{InputIDs: []int{3, 4, 5}, Labels: []int{4, 5}}, train.Size{}, "labels: got 2, want one for each of the 3 input_ids"},
		{llama, train.Example{InputIDs: []int{3, 4}, Labels: []int{4, -1}}, train.Size{}, "labels[1]: got -1, want 0 ≤ label < 48 or -100"},
		{without(t5Model, -1, 0), ignored, train.Size{}, "the model has no decoder_start_token_id and no pad_token_id, want one to begin with"},
		{without(t5Model, 0, -1), ignored, train.Size{}, "labels: got -100, want none, as the model has no pad_token_id to stand for it"},
		{without(t5Model, 0, -1), train.Example{InputIDs: []int{3}, Labels: []int{0}}, train.Size{Tokens: 2, Labels: 1}, "<nil>"},
		{without(llama, -1, -1), ignored, train.Size{Tokens: 2, Labels: 1}, "<nil>"},
	} {
		size, err := c.m.Measure(c.x)
		if size != c.want || fmt.Sprint(err) != c.err {
			t.Errorf("%v: got %v, %v, want %v, %s", c.x, size, err, c.want, c.err)
		}
	}
}
