package train_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/train"
)

const t5 = "../cmd/polybench/testdata/t5-mhr"

func testEngine(t testing.TB, o mat.Options) *mat.Engine {
	t.Helper()
	e, err := mat.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func newLoop(t testing.TB, c train.Config) *train.Loop {
	t.Helper()
	l, err := train.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func run(t testing.TB, l *train.Loop) {
	t.Helper()
	if err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// values returns a copy of all parameters.
func values(o train.Objective) []float32 {
	var all []float32
	for _, p := range o.Params() {
		all = append(all, p.Value.Data...)
	}
	return all
}

// equalBits compares floats by their bits.
func equalBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// TestTransformersTrainer compares a run with what transformers' Trainer did (testdata/record.py).
func TestTransformersTrainer(t *testing.T) {
	data, err := os.ReadFile("testdata/trainer.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Tokens, Dim, Labels int
		Options             struct {
			BatchSize    int     `json:"per_device_train_batch_size"`
			Accumulation int     `json:"gradient_accumulation_steps"`
			Epochs       int     `json:"num_train_epochs"`
			MaxGradNorm  float64 `json:"max_grad_norm"`
			LR           float64 `json:"learning_rate"`
			WeightDecay  float64 `json:"weight_decay"`
			Warmup       int     `json:"warmup_steps"`
		}
		Examples []struct {
			InputIDs []int `json:"input_ids"`
			Labels   []int
		}
		Before, After map[string][]float32
		Steps         []struct {
			Loss float64
			Norm float64 `json:"grad_norm"`
			LR   float64 `json:"learning_rate"`
		}
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	o := want.Options
	objective := &lookup{
		table:  autodiff.NewParam("table", []int{want.Tokens, want.Dim}, want.Before["table"]),
		weight: autodiff.NewParam("weight", []int{want.Labels, want.Dim}, want.Before["weight"]),
	}
	groups := []optim.Group{{Params: objective.Params(), LR: o.LR, WeightDecay: o.WeightDecay}}
	adam, err := optim.NewAdamW(groups, optim.DefaultAdam())
	if err != nil {
		t.Fatal(err)
	}
	var examples train.Slice
	for _, x := range want.Examples {
		examples = append(examples, train.Example{InputIDs: x.InputIDs, Labels: x.Labels})
	}
	near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-5*math.Abs(want) }
	steps := 0
	run(t, newLoop(t, train.Config{
		Engine: testEngine(t, mat.Options{}), Objective: objective, Optimizer: adam, Schedule: optim.Linear(o.Warmup, len(want.Steps)),
		Train: examples, BatchSize: o.BatchSize, GradientAccumulationSteps: o.Accumulation, NumTrainEpochs: o.Epochs, MaxGradNorm: o.MaxGradNorm,
		OnStep: func(p train.Progress) {
			w := want.Steps[steps]
			if steps++; p.Step != steps {
				t.Errorf("got step %d, want %d", p.Step, steps)
			}
			if !near(p.Loss, w.Loss) || !near(float64(p.Norm), w.Norm) || !near(p.LearningRates[0], w.LR) {
				t.Errorf("step %d: got loss %v, norm %v, rate %v, want %v, %v, %v", p.Step, p.Loss, p.Norm, p.LearningRates[0], w.Loss, w.Norm, w.LR)
			}
		},
	}))
	if steps != len(want.Steps) {
		t.Errorf("got %d steps, want %d", steps, len(want.Steps))
	}
	for _, p := range objective.Params() {
		for i, w := range want.After[p.Name] {
			if g := p.Value.Data[i]; math.Abs(float64(g-w)) > 1e-6 {
				t.Errorf("%s[%d]: got %v, want %v", p.Name, i, g, w)
			}
		}
	}
}
