package train_test

import (
	"context"
	"testing"
	"time"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/train"
)

// witnessed is an objective that no other worker can compute, of which somebody sees each batch.
type witnessed struct {
	train.Objective
	see func(p *nn.Pass, b *train.Batch)
}

// Loss implements train.Objective.
func (w witnessed) Loss(ctx context.Context, p *nn.Pass, b *train.Batch) (autodiff.Value, error) {
	w.see(p, b)
	return w.Objective.Loss(ctx, p, b)
}

// TestBatches checks what an objective is told: whether a micro-batch is part of a step or of an evaluation, and a source of draws that no other has.
func TestBatches(t *testing.T) {
	draws := map[uint64]bool{}
	training, evaluating := 0, 0
	for _, seed := range []uint64{0, 1} {
		o := witnessed{newLookup(10, 8, 10, 1), func(p *nn.Pass, b *train.Batch) {
			if b.Training {
				training++
			} else {
				evaluating++
			}
			if p.Tape.Evaluating == b.Training {
				t.Errorf("step %d, micro-batch %d: got training %v on a tape that is evaluating: %v", b.Step, b.Index, b.Training, p.Tape.Evaluating)
			}
			draws[b.Source.Uint64()] = true
		}}
		c := lookupConfig(testEngine(t, mat.Options{}), o)
		c.Workers, c.MaxSteps, c.Eval, c.EvalSteps, c.Seed = 1, 4, ragged(30), 2, seed
		c.OnEvaluate = func(e train.Evaluation) {
			if e.Examples != 30 || e.Tokens != 73 || e.Labels != 73 {
				t.Errorf("got an evaluation of %d examples, %d tokens and %d labels, want 30, 73 and 73", e.Examples, e.Tokens, e.Labels)
			}
		}
		run(t, newLoop(t, c))
	}
	if training == 0 || evaluating == 0 || len(draws) != training+evaluating {
		t.Errorf("got %d different draws of %d micro-batches of steps and %d of evaluations", len(draws), training, evaluating)
	}
}

// TestTimes checks that the parts of a step take together no more time than there was, and the forward pass that which its loss sleeps.
func TestTimes(t *testing.T) {
	c := lookupConfig(testEngine(t, mat.Options{}), witnessed{newLookup(10, 8, 10, 1), func(*nn.Pass, *train.Batch) { time.Sleep(time.Millisecond) }})
	c.Workers, c.MaxSteps = 1, 5
	start := time.Now()
	c.OnStep = func(p train.Progress) {
		now, asleep := time.Now(), time.Duration(p.MicroBatches)*time.Millisecond
		if p.Forward < asleep || p.Backward < 0 || p.Update < 0 || p.Forward+p.Backward+p.Update > now.Sub(start) {
			t.Errorf("step %d: got %v, %v and %v of %v", p.Step, p.Forward, p.Backward, p.Update, now.Sub(start))
		}
		start = now
	}
	run(t, newLoop(t, c))
}
