package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/train"
)

// load puts a loop at the last checkpoint in dir.
func load(t testing.TB, l *train.Loop, dir string) {
	t.Helper()
	last, err := train.LastCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(last); err != nil {
		t.Fatal(err)
	}
}

// entries returns the names in a folder.
func entries(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// meddling is a lookup with something done before each loss.
type meddling struct {
	*lookup
	before func(b *train.Batch)
}

// Loss implements train.Objective.
func (m meddling) Loss(ctx context.Context, p *nn.Pass, b *train.Batch) (autodiff.Value, error) {
	m.before(b)
	if err := ctx.Err(); err != nil {
		return autodiff.Value{}, err
	}
	return m.lookup.Loss(ctx, p, b)
}

// Replica implements train.Replicator.
func (m meddling) Replica() train.Objective { return meddling{m.lookup.Replica().(*lookup), m.before} }

// lookupConfig is a run of a lookup on ragged batches.
func lookupConfig(e *mat.Engine, o train.Objective) train.Config {
	return train.Config{
		Engine: e, Objective: o, Optimizer: newAdam(o, 0.1),
		Train: train.Shuffle(ragged(30), 7), BatchSize: 4, GradientAccumulationSteps: 3, Workers: 2, MaxSteps: 20,
	}
}

// TestCancelInAStep gives up a step; the run then goes on, in the same loop or from the checkpoint, with the bits of one that was not stopped.
func TestCancelInAStep(t *testing.T) {
	want := newLookup(10, 8, 10, 1)
	run(t, newLoop(t, lookupConfig(testEngine(t, mat.Options{Threads: 2}), want)))

	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(context.Background())
	o := meddling{newLookup(10, 8, 10, 1), func(b *train.Batch) {
		if b.Step == 7 && b.Index == 1 {
			cancel(errors.New("enough"))
		}
	}}
	c := lookupConfig(testEngine(t, mat.Options{Threads: 2}), o)
	c.OutputDir = dir
	l := newLoop(t, c)
	if err := l.Run(ctx); err == nil || err.Error() != "train: stopped after step 7: enough" {
		t.Fatalf("got %v, want it to stop after step 7", err)
	}
	if got := entries(t, dir); !slices.Equal(got, []string{"checkpoint-7"}) {
		t.Errorf("got %v, want a checkpoint of step 7", got)
	}
	run(t, l)
	if !equalBits(values(o), values(want)) {
		t.Error("got other bits where the loop went on than without a stop")
	}
}

// Who stops the run when it is evaluated gets no further step, also from an objective that does not ask the context.
func TestStopAtAnEvaluation(t *testing.T) {
	e := newEngine()
	defer e.Close()
	objective := newLookup(10, 8, 10, 1)
	ctx, stop := context.WithCancelCause(t.Context())
	enough := errors.New("good enough")
	l, err := train.New(train.Config{
		Engine: e, Objective: objective, Optimizer: newAdam(objective, 0.03), Train: successors(40, 3, 10), Eval: successors(4, 10, 10), BatchSize: 4,
		MaxSteps: 100, EvalSteps: 20, OutputDir: t.TempDir(),
		OnEvaluate: func(train.Evaluation) { stop(enough) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(ctx); !errors.Is(err, enough) || l.Position().Step != 20 {
		t.Errorf("got %v at step %d, want %v at step 20", err, l.Position().Step, enough)
	}
}

// The error of a step that fails while the run is stopped is that of the run, unless it says no more than that it was stopped.
func TestErrorWhileStopped(t *testing.T) {
	enough, failure := errors.New("good enough"), errors.New("out of paper")
	for _, test := range []struct {
		err     error
		stopped bool
	}{
		{failure, false}, {enough, true}, {context.Canceled, true},
	} {
		ctx, stop := context.WithCancelCause(t.Context())
		c := lookupConfig(testEngine(t, mat.Options{}), failing{newLookup(10, 8, 10, 1), func(b *train.Batch) error {
			if b.Step < 3 {
				return nil
			}
			stop(enough)
			return test.err
		}})
		c.Workers = 1
		err := newLoop(t, c).Run(ctx)
		if test.stopped && (!errors.Is(err, enough) || !strings.Contains(err.Error(), "stopped after step 3")) || !test.stopped && (!errors.Is(err, failure) || errors.Is(err, enough)) {
			t.Errorf("a step fails with %v: got %v, want stopped: %v", test.err, err, test.stopped)
		}
	}
}

// failing is an objective whose loss may be an error.
type failing struct {
	train.Objective
	fail func(b *train.Batch) error
}

// Loss implements train.Objective.
func (f failing) Loss(ctx context.Context, p *nn.Pass, b *train.Batch) (autodiff.Value, error) {
	if err := f.fail(b); err != nil {
		return autodiff.Value{}, err
	}
	return f.Objective.Loss(ctx, p, b)
}

// An evaluation that fails, or whose loss is not finite, ends the run.
func TestEvaluationFails(t *testing.T) {
	failure := errors.New("out of paper")
	c := lookupConfig(testEngine(t, mat.Options{}), failing{newLookup(10, 8, 10, 1), func(b *train.Batch) error {
		if b.Training {
			return nil
		}
		return failure
	}})
	c.Workers, c.Eval, c.EvalSteps = 1, ragged(3), 2
	l := newLoop(t, c)
	if err := l.Run(t.Context()); !errors.Is(err, failure) || l.Position().Step != 2 {
		t.Errorf("got %v at step %d, want %v at step 2", err, l.Position().Step, failure)
	}
	c = lookupConfig(testEngine(t, mat.Options{}), scripted{newLookup(10, 8, 10, 1), &[]float32{float32(math.Inf(1))}})
	c.Workers, c.Eval, c.EvalSteps = 1, ragged(3), 2
	err := newLoop(t, c).Run(t.Context())
	want := train.NonFiniteError{Step: 2, Name: "evaluation loss", Value: math.Inf(1)}
	if got, ok := errors.AsType[*train.NonFiniteError](err); !ok || *got != want {
		t.Errorf("got %v, want %v", err, &want)
	}
}

// TestNonFinite checks that a loss, a gradient or a factor that is not finite ends a run before the step is done, and leaves checkpoints alone.
func TestNonFinite(t *testing.T) {
	for _, c := range []struct {
		name string
		want train.NonFiniteError
		// spoil makes step 6 fail
		spoil func(o *lookup, factor *float64)
	}{
		{"loss", train.NonFiniteError{Step: 6, Name: "loss", Value: math.Inf(1)}, func(o *lookup, _ *float64) {
			o.table.Value.Data[0] = float32(math.Inf(1))
		}},
		{"norm", train.NonFiniteError{Step: 6, Name: "gradient norm", Value: math.Inf(1)}, func(o *lookup, _ *float64) {
			for i := range o.weight.Value.Data {
				o.weight.Value.Data[i] *= 1e30
				o.table.Value.Data[i] *= 1e-30
			}
		}},
		{"schedule", train.NonFiniteError{Step: 6, Name: "schedule", Value: math.Inf(-1)}, func(_ *lookup, factor *float64) { *factor = math.Inf(-1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			objective, factor := newLookup(10, 8, 10, 1), 1.0
			var before []float32
			o := meddling{objective, func(b *train.Batch) {
				if b.Step == 5 && b.Index == 0 {
					c.spoil(objective, &factor)
					before = values(objective)
				}
			}}
			config := lookupConfig(testEngine(t, mat.Options{Threads: 2}), o)
			config.Workers, config.SaveSteps, config.OutputDir = 1, 2, t.TempDir()
			config.Schedule = func(int) float64 { return factor }
			l := newLoop(t, config)
			err := l.Run(context.Background())
			var got *train.NonFiniteError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a NonFiniteError", err)
			}
			if fmt.Sprint(*got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, &c.want)
			}
			if !equalBits(values(o), before) {
				t.Error("the parameters changed")
			}
			if got := entries(t, config.OutputDir); !slices.Equal(got, []string{"checkpoint-4"}) {
				t.Errorf("got %v, want the checkpoint of step 4", got)
			}
			load(t, newLoop(t, lookupConfig(testEngine(t, mat.Options{Threads: 2}), newLookup(10, 8, 10, 1))), config.OutputDir)
		})
	}
}

// TestErrors checks what is wrong with configs, datasets and objectives.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(c *train.Config)
	}{
		{"train: Engine: got nil", func(c *train.Config) { c.Engine = nil }},
		{"train: Objective: got nil", func(c *train.Config) { c.Objective = nil }},
		{"train: Optimizer: got nil", func(c *train.Config) { c.Optimizer = nil }},
		{"train: Train: got nil", func(c *train.Config) { c.Train = nil }},
		{"train: BatchSize: got -1, want ≥ 0", func(c *train.Config) { c.BatchSize = -1 }},
		{"train: BatchTokens and BatchSize: got 0 for both, want a limit", func(c *train.Config) { c.BatchSize = 0 }},
		{"train: MaxSteps and NumTrainEpochs: got 0 for both, want a limit", func(c *train.Config) { c.MaxSteps = 0 }},
		{"train: MaxGradNorm: got NaN, want 0 or a positive number that float32 holds", func(c *train.Config) { c.MaxGradNorm = math.NaN() }},
		{"train: MaxGradNorm: got 1e-50, want 0 or a positive number that float32 holds", func(c *train.Config) { c.MaxGradNorm = 1e-50 }},
		{"train: MaxGradNorm: got 1e+50, want 0 or a positive number that float32 holds", func(c *train.Config) { c.MaxGradNorm = 1e50 }},
		{"train: Workers: got 4, want at most the micro-batches of a step, 3 (GradientAccumulationSteps)", func(c *train.Config) { c.Workers = 4 }},
		{"train: Workers: got 2, want 1 for an objective that is no Replicator", func(c *train.Config) {
			c.Objective = struct{ train.Objective }{c.Objective}
		}},
		{"train: Optimizer: got one that has done 1 steps, want a new one", func(c *train.Config) { c.Optimizer.Step(c.Engine, 1) }},
		{`train: Optimizer: group 0: got parameter "table" that is not the Objective's, want those that its Params returns`, func(c *train.Config) {
			c.Optimizer = newAdam(newLookup(10, 8, 10, 1), 0.1)
		}},
		{"train: Optimizer: got no parameters", func(c *train.Config) {
			none, err := optim.NewSGD(nil, optim.SGDOptions{})
			if err != nil {
				t.Fatal(err)
			}
			c.Optimizer = none
		}},
		{"train: epoch 0, example 3: got 4 tokens, want at most 3 (BatchTokens)", func(c *train.Config) {
			c.BatchTokens, c.Train = 3, ragged(5)
		}},
		{"train: epoch 0: got no examples, want at least one", func(c *train.Config) { c.Train = train.Slice{} }},
		{"train: epoch 0, example 1: got 0 labels, want 1", func(c *train.Config) {
			c.Train = train.Slice{{InputIDs: []int{1}, Labels: []int{1}}, {InputIDs: []int{1}}}
		}},
		{"train: epoch 0, example 0: got a size of 0 tokens, want at least 1", func(c *train.Config) { c.Train = train.Slice{{}} }},
		{"train: step 1: epoch 0, examples 0 to 0: got no labels that count, want at least one", func(c *train.Config) {
			c.Train = train.Slice{{InputIDs: []int{1}, Labels: []int{-100}}}
		}},
		{"train: step 1: epoch 0, examples 4 to 4: autodiff: label 0: got 10, want 0 ≤ label < 10 or -100", func(c *train.Config) {
			s := ragged(5)
			s[4].Labels[0] = 10
			c.Train = s
		}},
		{"train: evaluation: got no labels that count, want at least one", func(c *train.Config) { c.Eval = train.Slice{} }},
		{"train: evaluation: epoch 0, example 0: got a size of 0 tokens, want at least 1", func(c *train.Config) { c.Eval = train.Slice{{}} }},
	} {
		config := lookupConfig(testEngine(t, mat.Options{Threads: 2}), newLookup(10, 8, 10, 1))
		c.change(&config)
		l, err := train.New(config)
		if err == nil {
			err = l.Run(context.Background())
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestSomeParameters trains one of an objective's two parameters.
func TestSomeParameters(t *testing.T) {
	o := newLookup(10, 8, 10, 1)
	config := lookupConfig(testEngine(t, mat.Options{Threads: 2}), o)
	sgd, err := optim.NewSGD([]optim.Group{{Params: []*autodiff.Param{o.table}, LR: 0.1}}, optim.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config.Optimizer = sgd
	table, weight := slices.Clone(o.table.Value.Data), slices.Clone(o.weight.Value.Data)
	run(t, newLoop(t, config))
	if equalBits(o.table.Value.Data, table) || !equalBits(o.weight.Value.Data, weight) {
		t.Error("got the table unchanged or the weight changed, want the reverse")
	}
}

// TestPanic checks that a panic of one worker reaches the caller while others wait for it.
func TestPanic(t *testing.T) {
	o := meddling{newLookup(10, 8, 10, 1), func(b *train.Batch) {
		if b.Step == 3 && b.Index == 0 {
			panic("a mistake")
		}
	}}
	defer func() {
		if r := recover(); r != "a mistake" {
			t.Errorf("got panic %v, want a mistake", r)
		}
	}()
	run(t, newLoop(t, lookupConfig(testEngine(t, mat.Options{Threads: 2}), o)))
}

// A panic in a micro-batch reaches the caller of Run, though another worker waits for its gradient. There need not be another at once: the first
// worker looks for one in each step.
func TestPanicInAStep(t *testing.T) {
	var begun atomic.Int64 // the latest step whose second micro-batch has begun
	o := meddling{newLookup(10, 8, 10, 1), func(b *train.Batch) {
		if b.Index == 1 {
			begun.Store(int64(b.Step))
		}
		for start := time.Now(); b.Index == 0 && time.Since(start) < 50*time.Millisecond; runtime.Gosched() {
			if begun.Load() == int64(b.Step) && b.Step > 0 {
				panic("enough")
			}
		}
	}}
	c := lookupConfig(testEngine(t, mat.Options{Threads: 2}), o)
	c.OnStep = func(train.Progress) { time.Sleep(time.Millisecond) } // so that a thread is free when the next step begins
	l := newLoop(t, c)
	got := make(chan any)
	go func() {
		defer func() { got <- recover() }()
		l.Run(context.Background())
	}()
	select {
	case p := <-got:
		if p == nil {
			t.Skip("never were two micro-batches under way at once")
		}
		if !strings.Contains(fmt.Sprint(p), "enough") {
			t.Errorf("got the panic %v, want enough", p)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a worker waits for ever")
	}
}
