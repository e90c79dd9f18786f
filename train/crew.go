package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A worker computes micro-batches, one after another.
type worker struct {
	objective Objective
	params    []*autodiff.Param
	pass      *nn.Pass
	tape      *autodiff.Tape
	source    *rand.ChaCha8
	forward   time.Duration
	backward  time.Duration
}

func newWorker(e *mat.Engine, o Objective) *worker {
	return &worker{objective: o, params: o.Params(), pass: nn.NewPass(e), tape: autodiff.NewTape(e), source: rand.NewChaCha8([32]byte{})}
}

// compute returns the loss of a micro-batch, and leaves its gradient, if it is part of a step, in the parameters.
func (w *worker) compute(ctx context.Context, b *Batch, seed uint64) (float32, error) {
	purpose := evaluating
	if b.Training {
		purpose = training
	}
	w.source.Seed(sourceKey(seed, purpose, b.Step, b.Index))
	b.Source = w.source

	start := time.Now()
	w.tape.Evaluating = !b.Training
	w.pass.ResetTraining(w.tape, len(b.Examples), nil)
	loss, err := w.objective.Loss(ctx, w.pass, b)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", b.describe(), err)
	}
	if loss.Rows != 1 || loss.Cols != 1 {
		panic(fmt.Sprintf("train: a loss of %s, want 1×1", loss.Shape()))
	}
	middle := time.Now()
	w.forward += middle.Sub(start)
	if b.Training {
		for _, p := range w.params {
			p.ZeroGrad()
		}
		w.tape.Backward(loss, 1)
		w.backward += time.Since(middle)
	}
	return loss.Data[0], nil
}

// A crew computes micro-batches, several at once. Their gradients are added up in their order, whoever finds them, so that no bit
// depends on the number of workers.
type crew struct {
	engine  *mat.Engine
	workers []*worker
	seed    uint64
	sums    []mat.Matrix // of the gradients so far, for each parameter; none where steps have one micro-batch

	ctx     context.Context
	batches []*Batch // of the present call
	losses  []float32
	errs    []error
	next    atomic.Int64 // the next micro-batch to begin

	mu     sync.Mutex
	moved  sync.Cond // turn or broken has changed
	turn   int       // the micro-batch whose gradient is added next
	broken bool      // a worker panicked
}

func newCrew(c *Config) *crew {
	w := &crew{engine: c.Engine, seed: c.Seed, workers: []*worker{newWorker(c.Engine, c.Objective)}}
	for len(w.workers) < c.Workers {
		w.workers = append(w.workers, newWorker(c.Engine, c.Objective.(Replicator).Replica()))
	}
	if c.GradientAccumulationSteps > 1 {
		for _, p := range w.workers[0].params {
			w.sums = append(w.sums, mat.New(p.Grad.Rows, p.Grad.Cols))
		}
	}
	w.moved.L = &w.mu
	return w
}

// run computes the losses of micro-batches, all of a step or some of an evaluation. The gradients of a step are then in the parameters of
// the first worker, the objective's own.
func (c *crew) run(ctx context.Context, batches []*Batch) error {
	c.ctx, c.batches, c.turn, c.broken = ctx, batches, 0, false
	c.next.Store(0)
	c.losses = append(c.losses[:0], make([]float32, len(batches))...)
	c.errs = append(c.errs[:0], make([]error, len(batches))...)
	c.engine.Run(min(len(c.workers), len(batches)), c)
	for _, err := range c.errs {
		if err != nil {
			return err
		}
	}
	if c.adds() {
		for i, p := range c.workers[0].params {
			copy(p.Grad.Data, c.sums[i].Data)
		}
	}
	return nil
}

// Do implements mat.Task: worker i takes micro-batches until there are none.
func (c *crew) Do(i int) {
	w, ended := c.workers[i], false
	defer func() {
		if !ended {
			c.abandon()
		}
	}()
	for {
		m := int(c.next.Add(1)) - 1
		if m >= len(c.batches) {
			break
		}
		c.losses[m], c.errs[m] = w.compute(c.ctx, c.batches[m], c.seed)
		if !c.await(m) {
			break
		}
		if c.adds() && c.errs[m] == nil {
			c.add(w, m == 0)
		}
		c.advance()
	}
	ended = true
}

// adds reports whether there are gradients to add up: those of a single micro-batch are where they belong, with the first worker.
func (c *crew) adds() bool { return c.batches[0].Training && len(c.batches) > 1 }

// add adds a worker's gradients to the sums.
func (c *crew) add(w *worker, first bool) {
	for i, p := range w.params {
		if first {
			copy(c.sums[i].Data, p.Grad.Data)
		} else {
			c.engine.Add(c.sums[i], c.sums[i], p.Grad)
		}
	}
}

// await returns once all micro-batches before m have been added, or false where one never will be. Those who compute them don't wait for m.
func (c *crew) await(m int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.turn < m && !c.broken {
		c.moved.Wait()
	}
	return !c.broken
}

func (c *crew) advance() {
	c.mu.Lock()
	c.turn++
	c.mu.Unlock()
	c.moved.Broadcast()
}

func (c *crew) abandon() {
	c.mu.Lock()
	c.broken = true
	c.mu.Unlock()
	c.moved.Broadcast()
}
