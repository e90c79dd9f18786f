package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
)

// mostSeconds is thirty years; a time.Duration does not hold much more.
const mostSeconds = 1_000_000_000

// trainAdapter measures training steps of a T5-small shape or runs the demo.
func trainAdapter(ctx context.Context, args []string, w io.Writer) error {
	flags := flag.NewFlagSet("train", flag.ContinueOnError)
	seconds := flags.Int("seconds", 0, "")
	isDemo := flags.Bool("demo", false, "")
	var d demo
	flags.IntVar(&d.steps, "steps", 0, "")
	flags.Uint64Var(&d.seed, "seed", 1, "")
	flags.StringVar(&d.out, "out", "", "")
	options := engineFlags(flags)
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	given := given(flags)
	switch {
	case !*isDemo && (given["steps"] || given["seed"] || given["out"]):
		return usageError("-steps, -seed and -out are of train -demo")
	case given["steps"] && given["seconds"]:
		return usageError("-steps and -seconds exclude each other")
	case given["steps"] && d.steps < 1:
		return usageError(fmt.Sprintf("-steps: got %d, want ≥ 1", d.steps))
	case *seconds < 0 || *seconds > mostSeconds:
		return usageError(fmt.Sprintf("-seconds: got %d, want 0 ≤ seconds ≤ %d", *seconds, mostSeconds))
	case !given["seconds"] && *isDemo:
		*seconds = 60
	case !given["seconds"]:
		*seconds = 30
	}
	e, err := newEngine(options)
	if err != nil {
		return err
	}
	defer e.Close()
	if *isDemo {
		d.seconds = *seconds
		return d.run(ctx, w, e)
	}
	return measureTraining(ctx, w, e, time.Duration(*seconds)*time.Second)
}

// measureTraining measures training steps of a T5-small shape.
func measureTraining(ctx context.Context, w io.Writer, e *mat.Engine, long time.Duration) error {
	progress := newProgress()
	defer progress.done()
	progress.step("making the weights of a T5-small shape")
	size := batchSize{8, 128, 32}
	if e.Level() == "generic" {
		size = batchSize{1, 16, 4} // the portable code is some hundred times slower
	}
	adapted, err := newSmallTraining(e, size)
	if err != nil {
		return err
	}
	bare := adapted.withoutAdapters()
	var steps []stepTimes
	var ratios, shares []float64
	deadline := time.Now().Add(long)
	for round := 0; round < 3 || time.Now().Before(deadline); round++ {
		progress.step(fmt.Sprintf("measuring, round %d", round+1))
		before := ceiling(e)
		step, err := adapted.step(ctx)
		if err != nil {
			return err
		}
		peak := (before + ceiling(e)) / 2
		base, err := bare.step(ctx)
		if err != nil {
			return err
		}
		if round == 0 {
			continue // memory is new
		}
		steps = append(steps, step)
		ratios = append(ratios, base.total()/step.total())
		shares = append(shares, size.stepFlops()/step.total()/1e9/peak)
	}
	progress.done()
	of := func(f func(stepTimes) float64) float64 {
		x := make([]float64, len(steps))
		for i, s := range steps {
			x[i] = f(s)
		}
		return median(x)
	}
	total := of(stepTimes.total)
	fmt.Fprintf(w, "%s/%s, level %s, %d threads\n\n", runtime.GOOS, runtime.GOARCH, e.Level(), e.Threads())
	fmt.Fprintf(w, "T5-small shape, %d × (%d + %d) tokens, a training step, MHR r %d, %d skills, %d splits on q and v, %d tasks mixed, Adam\n",
		size.sequences, size.source, size.target, smallRank, smallSkills, smallSplits, smallTasks)
	fmt.Fprintf(w, "step       %8.1f ms, %.0f tokens/s, the median of %d\n", 1e3*total, float64(size.sequences*(size.source+size.target))/total, len(steps))
	fmt.Fprintf(w, "forward    %8.1f ms\n", 1e3*of(func(s stepTimes) float64 { return s.forward }))
	fmt.Fprintf(w, "backward   %8.1f ms\n", 1e3*of(func(s stepTimes) float64 { return s.backward }))
	fmt.Fprintf(w, "update     %8.1f ms\n", 1e3*of(func(s stepTimes) float64 { return s.update }))
	if e.Level() != "generic" { // whose loop of multiply-adds is no ceiling
		fmt.Fprintf(w, "products   %8.1f GFLOP a step, at %.0f %% of the multiply-add ceiling of all threads over the whole step\n", size.stepFlops()/1e9, 100*median(shares))
	}
	fmt.Fprintf(w, "adapter    %8.1f %% of the step, against the same gradients down to the adapted layers without adapters\n", 100*(1-median(ratios)))
	return nil
}

// stepFlops returns the floating-point operations of the matrix products of a training step, without those of the adapter and those that attention does
// again on the way back. A product y = x·w of the frozen base has one more, dx = dy·wᵀ, except where x depends on nothing that is trained; the two
// products of an attention have four more.
func (b batchSize) stepFlops() float64 {
	source, target := float64(b.sequences*b.source), float64(b.sequences*b.target)
	attention := smallDim * smallLayers * (source*float64(b.source) + target*float64(b.target) + target*float64(b.source))
	first := 3 * smallDim * smallDim * (source + target) // q, k and v of the first layers
	return 2*b.flops() + 2*(2*attention-first)
}

// stepTimes are the seconds of the parts of a step.
type stepTimes struct{ forward, backward, update float64 }

func (s stepTimes) total() float64 { return s.forward + s.backward + s.update }

// smallTraining is the T5-small shape in training.
type smallTraining struct {
	model   *model.Model
	batch   []model.Sequence
	labels  []int
	tasks   []int
	trainer *poly.Trainer // nil where there are no adapters
	trained *nn.Trained
	adam    *optim.Adam
	pass    *nn.Pass
	tape    *autodiff.Tape
	routing poly.Routing
}

func newSmallTraining(e *mat.Engine, size batchSize) (*smallTraining, error) {
	s, err := newSmall(e)
	if err != nil {
		return nil, err
	}
	trainer, err := poly.NewTrainer(s.adapter, nil)
	if err != nil {
		return nil, err
	}
	adam, err := optim.NewAdam(optim.TwoSpeed(trainer.Skills(), trainer.Routing(), 0), optim.DefaultAdam())
	if err != nil {
		return nil, err
	}
	t := &smallTraining{model: s.model, batch: s.batch(size, false), trainer: trainer, trained: trainer.Trained(), adam: adam, pass: nn.NewPass(e), tape: autodiff.NewTape(e)}
	for i, sequence := range t.batch {
		t.tasks = append(t.tasks, i%smallTasks)
		t.labels = append(t.labels, sequence.DecoderInputIDs[1:]...)
		t.labels = append(t.labels, 1)
	}
	t.routing = poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: poly.RandomUniforms(rand.NewPCG(3, 4))}
	return t, nil
}

// withoutAdapters returns a training in which the outputs of the adapted layers need gradients and nothing is trained.
func (t *smallTraining) withoutAdapters() *smallTraining {
	bare := *t
	bare.trainer, bare.adam = nil, nil
	bare.trained = &nn.Trained{Added: map[*nn.Linear]nn.Added{}}
	for l := range t.trained.Added {
		bare.trained.Added[l] = needed{}
	}
	return &bare
}

// needed adds nothing to a layer's output, whose gradient is then found.
type needed struct{}

// AddTo implements nn.Added.
func (needed) AddTo(p *nn.Pass, _ nn.Ragged, y, _ autodiff.Value) autodiff.Value {
	return p.Tape.Needing(y)
}

// step does one training step.
func (t *smallTraining) step(ctx context.Context) (stepTimes, error) {
	start := time.Now()
	var s stepTimes
	lap := func(to *float64) {
		now := time.Now()
		*to += now.Sub(start).Seconds()
		start = now
	}
	if t.trainer != nil {
		if err := t.trainer.Begin(t.tasks, t.routing); err != nil {
			return s, err
		}
	}
	t.pass.ResetTraining(t.tape, len(t.batch), t.trained)
	loss, err := t.model.Loss(ctx, t.pass, t.batch, t.labels, 0)
	if err != nil {
		return s, err
	}
	lap(&s.forward)
	t.tape.Backward(loss, 1)
	lap(&s.backward)
	if t.trainer != nil {
		t.adam.Step(t.pass.Engine, 1)
		for _, p := range t.trainer.Params() {
			p.ZeroGrad()
		}
		lap(&s.update)
	}
	return s, nil
}
