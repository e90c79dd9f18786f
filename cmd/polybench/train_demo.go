package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/train"
)

// The adapter of the demo and its training.
const (
	demoRank, demoSkills, demoSplits = 4, 3, 2

	demoSkillLR      = 5e-3 // above optim.SkillLR: the base is small and knows nothing
	demoMaxGradNorm  = 1
	demoBatch        = 12 // examples of a micro-batch: two of each task
	demoMicroBatches = 2  // of a step
)

// A demo trains an adapter on toyTasks. With a number of steps its adapter depends on that and the seed alone.
type demo struct {
	seconds int
	steps   int // 0: as many as there is time for; else time is no limit
	seed    uint64
	out     string // where the adapter is saved; "": in a new folder

	base  *model.Model
	start time.Time // of the training
}

// run trains, saves the adapter, opens it again and prints what it does. It fails where the loss on held-out examples did not fall and where the opened
// adapter gives other logits.
func (d *demo) run(ctx context.Context, w io.Writer, e *mat.Engine) error {
	if err := d.checkOut(); err != nil {
		return err
	}
	if err := d.open(e); err != nil {
		return err
	}
	fresh, err := d.fresh()
	if err != nil {
		return err
	}
	before, _, err := d.evaluate(ctx, fresh)
	if err != nil {
		return err
	}
	trained, losses, err := d.train(ctx, fresh)
	if err != nil {
		return err
	}
	after, logits, err := d.evaluate(ctx, trained)
	if err != nil {
		return err
	}
	if err := d.save(trained); err != nil {
		return err
	}
	opened, err := d.reopen(ctx, logits)
	if err != nil {
		return err
	}
	if err := d.report(ctx, w, opened, losses, before, after); err != nil {
		return err
	}
	if from, to := meanLoss(before), meanLoss(after); !(to < from) {
		return fmt.Errorf("the loss on held-out examples did not fall: got %.3f after %.3f", to, from)
	}
	return nil
}

// checkOut makes the folder that out names and tries to write there: better before the training than behind it.
func (d *demo) checkOut() error {
	if d.out == "" {
		return nil
	}
	if err := os.MkdirAll(d.out, 0o777); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	f, err := os.CreateTemp(d.out, ".*.tmp")
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// open opens the embedded base, whose weights are random.
func (d *demo) open(e *mat.Engine) error {
	dir, err := fs.Sub(example, "testdata/t5-mhr/base")
	if err != nil {
		return err
	}
	d.base, err = model.OpenFS(dir, e)
	return err
}

// fresh returns an adapter of all linear layers that has learnt nothing.
func (d *demo) fresh() (*poly.Adapter, error) {
	c := poly.NewConfig()
	c.R, c.NSkills, c.NSplits, c.NTasks = demoRank, demoSkills, demoSplits, len(toyTasks)
	c.TargetModules = poly.ModulePattern("all-linear")
	c.TaskType = new("SEQ_2_SEQ_LM") // without one PEFT does not generate
	return poly.Init(c, d.base, rand.NewPCG(d.seed, 0))
}

// errTime says that the training's time is up.
var errTime = errors.New("time is up")

// train returns what becomes of an adapter, and the loss of each step.
func (d *demo) train(ctx context.Context, fresh *poly.Adapter) (*poly.Adapter, []float64, error) {
	trainer, err := poly.NewTrainer(fresh, nil)
	if err != nil {
		return nil, nil, err
	}
	groups := optim.TwoSpeed(trainer.Skills(), trainer.Routing(), 0)
	groups[0].LR = demoSkillLR
	adam, err := optim.NewAdam(groups, optim.DefaultAdam())
	if err != nil {
		return nil, nil, err
	}
	config := train.Config{
		Engine:    d.base.Engine(),
		Objective: &train.PolyModel{Base: d.base, Trainer: trainer, Relaxation: poly.RelaxedBernoulli},
		Optimizer: adam,
		Schedule:  func(step int) float64 { return max(0, 1-d.share(step)) },
		Train:     d.examples(false),

		BatchSize:                 demoBatch,
		GradientAccumulationSteps: demoMicroBatches,
		Workers:                   min(demoMicroBatches, d.base.Engine().Threads()),
		MaxGradNorm:               demoMaxGradNorm,
		MaxSteps:                  d.steps,
		Seed:                      d.seed,
	}
	if d.steps == 0 {
		config.NumTrainEpochs = 1 // which has no end
		limited, cancel := context.WithTimeoutCause(ctx, time.Duration(d.seconds)*time.Second, errTime)
		defer cancel()
		ctx = limited
	}
	var losses []float64
	line := demoProgress{progress: newProgress(), demo: d}
	defer line.done()
	config.OnStep = func(p train.Progress) {
		losses = append(losses, p.Loss)
		line.tell(losses)
	}
	loop, err := train.New(config)
	if err != nil {
		return nil, nil, err
	}
	d.start = time.Now()
	if err := loop.Run(ctx); err != nil && !errors.Is(err, errTime) {
		return nil, nil, err
	}
	return trainer.Adapter(), losses, nil
}

// share returns how much of the training is done after a number of steps.
func (d *demo) share(steps int) float64 {
	if d.steps > 0 {
		return float64(steps) / float64(d.steps)
	}
	return time.Since(d.start).Seconds() / float64(d.seconds)
}

// examples returns those that are trained on, or those that are not.
func (d *demo) examples(heldOut bool) toySet {
	return toySet{seed: d.seed, end: d.base.StopIDs()[0], heldOut: heldOut}
}

// save saves an adapter.
func (d *demo) save(a *poly.Adapter) (err error) {
	if d.out == "" {
		if d.out, err = os.MkdirTemp("", "polybench-demo-"); err != nil {
			return err
		}
	}
	return a.Save(d.out)
}

// reopen opens what was saved, which must give the logits that the saved adapter gave.
func (d *demo) reopen(ctx context.Context, want []float32) (*poly.Adapter, error) {
	a, err := poly.Open(d.out, d.base)
	if err != nil {
		return nil, err
	}
	_, got, err := d.evaluate(ctx, a)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(got, want) {
		return nil, fmt.Errorf("%s: the opened adapter gives other logits than the one that was saved", d.out)
	}
	return a, nil
}
