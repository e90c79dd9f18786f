package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/polytropon/polytropon/optim"
)

// A Loop trains an objective: what transformers calls a Trainer. It belongs to one goroutine at a time.
type Loop struct {
	config   Config
	crew     *crew
	clip     *optim.Clip
	train    batcher
	batches  []*Batch      // memory of a step's, or of some of an evaluation's
	groups   []optim.Group // the optimiser's
	rates    []float64     // memory of Progress.LearningRates
	position Position
	saved    Position // of the last checkpoint in OutputDir
}

// New returns a loop at step 0. A config that cannot be used is an error that names the field.
func New(c Config) (*Loop, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l := &Loop{config: c, crew: newCrew(&c), groups: c.Optimizer.Groups()}
	limit := c.MaxGradNorm
	if limit == 0 {
		limit = math.Inf(1)
	}
	l.clip = optim.NewClip(c.Objective.Params(), limit)
	l.train = l.batcher(c.Train)
	for range c.GradientAccumulationSteps {
		l.batches = append(l.batches, new(Batch))
	}
	return l, nil
}

func (l *Loop) batcher(d Dataset) batcher {
	return batcher{data: d, measure: l.config.Objective.Measure, maxTokens: l.config.BatchTokens, maxLen: l.config.BatchSize}
}

// Position returns how far the run is.
func (l *Loop) Position() Position { return l.position }

// Run trains until MaxSteps or NumTrainEpochs is reached, from where the loop is: at the start, where Load put it, or where an earlier Run was
// stopped. Steps allocate no memory, once it has grown to what the largest need, besides what the dataset and the objective allocate; an epoch
// needs an iterator.
//
// Once ctx is done, Run stops after the last whole step, keeps a checkpoint of it and returns an error that wraps ctx's cause; a step in progress is
// given up. A loss or a factor of the schedule that is not finite ends it with a [*NonFiniteError]; a step without a label that counts has no loss,
// which is an error too. So are checkpoints in OutputDir that are ahead of the loop, or that it did not come from. After an error, Run can be called
// again.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.checkOutput(); err != nil {
		return err
	}
	l.train.open(l.position.Epoch, l.position.Example)
	defer l.train.close()
	for {
		err := l.settle(ctx)
		if err == nil && l.finished() {
			return nil
		}
		if err == nil {
			err = l.step(ctx)
		}
		if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
			return l.interrupted(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// finished reports whether there is nothing left to do.
func (l *Loop) finished() bool {
	c, p := &l.config, &l.position
	return c.MaxSteps > 0 && p.Step >= c.MaxSteps || c.NumTrainEpochs > 0 && p.Epoch >= c.NumTrainEpochs
}

// settle does what is due between two steps.
func (l *Loop) settle(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, p := &l.config, &l.position
	if p.Step == 0 {
		return nil
	}
	due := func(every int) bool { return l.finished() || every > 0 && p.Step%every == 0 }
	if c.Eval != nil && p.Evaluated != p.Step && due(c.EvalSteps) {
		if err := l.evaluate(ctx); err != nil {
			return err
		}
	}
	if due(c.SaveSteps) || p.BestStep == p.Step {
		return l.keep()
	}
	return nil
}

// interrupted keeps a checkpoint and returns why the run stops.
func (l *Loop) interrupted(ctx context.Context) error {
	cause := fmt.Errorf("train: stopped after step %d: %w", l.position.Step, context.Cause(ctx))
	if err := l.keep(); err != nil {
		return fmt.Errorf("%w; %w", cause, err)
	}
	return cause
}

// step does a step.
func (l *Loop) step(ctx context.Context) error {
	if err := ctx.Err(); err != nil { // done by OnEvaluate, say, and an objective need not ask
		return err
	}
	batches, progress, err := l.gather()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	for _, w := range l.crew.workers {
		w.forward, w.backward = 0, 0
	}
	if err := l.crew.run(ctx, batches); err != nil {
		return fmt.Errorf("train: step %d: %w", progress.Step, err)
	}
	for _, loss := range l.crew.losses {
		progress.Loss += float64(loss)
	}
	for _, w := range l.crew.workers {
		progress.Forward += w.forward
		progress.Backward += w.backward
	}
	if err := finite(progress.Step, "loss", progress.Loss); err != nil {
		return err
	}
	start := time.Now()
	progress.Norm = l.clip.Apply(l.config.Engine)
	if err := finite(progress.Step, "gradient norm", float64(progress.Norm)); err != nil {
		return err
	}
	progress.Factor = l.config.Schedule(l.config.Optimizer.Steps())
	if err := finite(progress.Step, "schedule", progress.Factor); err != nil {
		return err
	}
	l.rates = l.rates[:0]
	for _, g := range l.groups {
		l.rates = append(l.rates, float64(g.LR*progress.Factor))
	}
	progress.LearningRates = l.rates
	l.config.Optimizer.Step(l.config.Engine, progress.Factor)
	progress.Update = time.Since(start)

	l.position.Step = progress.Step
	l.position.Epoch, l.position.Example = l.train.epoch, l.train.number
	l.position.Tokens += int64(progress.Tokens)
	if l.config.OnStep != nil {
		l.config.OnStep(progress)
	}
	return nil
}

// gather returns the next step's micro-batches. A step does not reach into the next epoch.
func (l *Loop) gather() ([]*Batch, Progress, error) {
	progress := Progress{Step: l.position.Step + 1, Epoch: l.train.epoch}
	n := 0
	for n < len(l.batches) {
		more, err := l.train.fill(l.batches[n])
		if err != nil {
			return nil, progress, err
		}
		if !more {
			break
		}
		n++
	}
	batches := l.batches[:n]
	for _, b := range batches {
		progress.Examples += len(b.Examples)
		progress.Tokens += b.size.Tokens
		progress.Labels += b.size.Labels
	}
	for i, b := range batches {
		b.Training, b.Step, b.Index, b.Labels = true, l.position.Step, i, progress.Labels
	}
	progress.MicroBatches = n
	switch ended, err := l.train.ended(); {
	case err != nil:
		return nil, progress, err
	case n == 0:
		return nil, progress, fmt.Errorf("epoch %d: got no examples, want at least one", progress.Epoch)
	case progress.Labels == 0:
		return nil, progress, fmt.Errorf("step %d: %s: got no labels that count, want at least one", progress.Step, batches[0].describe())
	case ended:
		l.train.open(l.train.epoch+1, 0)
	}
	return batches, progress, nil
}

func finite(step int, name string, value float64) error {
	if value-value != 0 {
		return &NonFiniteError{step, name, value}
	}
	return nil
}
