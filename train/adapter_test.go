package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/train"
)

// adapterRun is a run of a Poly adapter on a T5: relaxed Bernoulli, a prior, accumulation, clipping, a schedule.
type adapterRun struct {
	engine mat.Options
	new    func(groups []optim.Group) (optim.Optimizer, error)
	change func(c *train.Config)
}

func (r adapterRun) loop(t testing.TB) (*train.Loop, *train.PolyModel) {
	t.Helper()
	e := testEngine(t, r.engine)
	base, err := model.Open(filepath.Join(t5, "base"), e)
	if err != nil {
		t.Fatal(err)
	}
	adapter, err := poly.Open(filepath.Join(t5, "adapter"), base)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := poly.NewTrainer(adapter, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.new == nil {
		r.new = adamOf
	}
	optimizer, err := r.new(optim.TwoSpeed(trainer.Skills(), trainer.Routing(), 0.01))
	if err != nil {
		t.Fatal(err)
	}
	m := &train.PolyModel{Base: base, Trainer: trainer, Relaxation: poly.RelaxedBernoulli, Prior: poly.Prior{IBP: 1e-3, Entropy: 1e-2}}
	c := train.Config{
		Engine: e, Objective: m, Optimizer: optimizer, Schedule: optim.Cosine(2, 12),
		Train: train.Shuffle(sentences(20, 5), 3), Eval: sentences(5, 9),
		BatchTokens: 30, BatchSize: 3, GradientAccumulationSteps: 4, MaxGradNorm: 1, MaxSteps: 6, Seed: 11,
	}
	if r.change != nil {
		r.change(&c)
	}
	return newLoop(t, c), m
}

// What cannot be trained on is an error that says where it is.
func TestAdapterErrors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(c *train.Config)
	}{
		{"a label beyond the vocabulary", "train: epoch 0, example 3: labels[1]: got 256, want 0 ≤ label < 256 or -100", func(c *train.Config) {
			s := sentences(5, 5)
			s[3].Labels = []int{-100, 256}
			c.Train = s
		}},
		{"a trainer of another model", "train: step 1: epoch 0, examples 0 to 2: got a loss that depends on nothing that is trained, want a Trainer of an adapter that " +
			"was made for Base", func(c *train.Config) {
			base, err := model.Open(filepath.Join(t5, "base"), c.Engine)
			if err != nil {
				t.Fatal(err)
			}
			c.Objective.(*train.PolyModel).Base = base
		}},
	} {
		l, _ := adapterRun{change: c.change}.loop(t)
		if err := l.Run(t.Context()); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func adamOf(groups []optim.Group) (optim.Optimizer, error) {
	return optim.NewAdamW(groups, optim.DefaultAdam())
}

func adafactorOf(groups []optim.Group) (optim.Optimizer, error) {
	o := optim.DefaultAdafactor()
	o.RelativeStep, o.Beta1 = false, 0.9
	return optim.NewAdafactor(groups, o)
}

// sentences are examples of 3 tasks with sequences of 1 to 9 tokens.
func sentences(count int, seed uint64) train.Slice {
	source := rand.New(rand.NewPCG(seed, 0))
	ids := func() []int {
		ids := make([]int, 1+source.IntN(9))
		for i := range ids {
			ids[i] = 2 + source.IntN(200)
		}
		return ids
	}
	var s train.Slice
	for i := range count {
		s = append(s, train.Example{InputIDs: ids(), Labels: ids(), Task: i % 3})
	}
	s[1].Labels[0] = -100
	return s
}

// TestSameBits checks that a run has the same bits on every level with any number of threads and workers.
func TestSameBits(t *testing.T) {
	var want []float32
	for _, level := range mat.Levels() {
		for _, n := range []struct{ threads, workers int }{{1, 1}, {2, 1}, {2, 2}, {3, 3}, {1, 4}} {
			t.Run(fmt.Sprintf("%s, %d threads, %d workers", level, n.threads, n.workers), func(t *testing.T) {
				if level == "generic" && testing.Short() && (n.threads != 2 || n.workers != 2) {
					t.Skip("one is enough of the slowest level")
				}
				var found []float32 // losses and norms
				l, m := adapterRun{engine: mat.Options{Level: level, Threads: n.threads}, change: func(c *train.Config) {
					c.Workers = n.workers
					c.OnStep = func(p train.Progress) { found = append(found, float32(p.Loss), p.Norm) }
					c.OnEvaluate = func(e train.Evaluation) { found = append(found, float32(e.Loss)) }
				}}.loop(t)
				run(t, l)
				found = append(found, values(m)...)
				if want == nil {
					want = found
				}
				if !equalBits(found, want) {
					t.Errorf("got other bits than the first: losses, norms and evaluation %v, want %v", found[:13], want[:13])
				}
			})
		}
	}
}

// watched is a base model that tells whether passes recompute.
type watched struct {
	*model.Model
	recompute *atomic.Bool
}

func (w watched) Loss(ctx context.Context, p *nn.Pass, batch []model.Sequence, labels []int, n int) (autodiff.Value, error) {
	w.recompute.Store(p.Recompute)
	return w.Model.Loss(ctx, p, batch, labels, n)
}

// TestSeed checks that relaxed routing draws in training, from the run's own source.
func TestSeed(t *testing.T) {
	trained := func(seed uint64) []float32 {
		l, m := adapterRun{change: func(c *train.Config) { c.Seed, c.MaxSteps = seed, 2 }}.loop(t)
		run(t, l)
		return values(m)
	}
	if first := trained(1); !equalBits(trained(1), first) || equalBits(trained(2), first) {
		t.Error("want the same bits with the same seed, others with another")
	}
}

// Blocks that are computed again change no bit.
func TestRecompute(t *testing.T) {
	var want []float32
	for _, recompute := range []bool{false, true} {
		var found atomic.Bool
		l, m := adapterRun{change: func(c *train.Config) {
			o := c.Objective.(*train.PolyModel)
			o.Base, o.Recompute = watched{o.Base.(*model.Model), &found}, recompute
			c.MaxSteps, c.Workers = 2, 2
		}}.loop(t)
		run(t, l)
		if found.Load() != recompute {
			t.Errorf("recompute %v: got %v in passes", recompute, found.Load())
		}
		if want == nil {
			want = values(m)
		}
		if !equalBits(values(m), want) {
			t.Error("got other bits than without")
		}
	}
}

// A prior is added to the loss of a step once, however many micro-batches the step has, and not to that of an evaluation.
func TestPrior(t *testing.T) {
	var losses, evaluations []float64
	var norms []float32
	var want float64
	for _, prior := range []poly.Prior{{}, {IBP: 0.1, Entropy: 2, L1: 3}} {
		still := func(groups []optim.Group) (optim.Optimizer, error) {
			return optim.NewSGD([]optim.Group{{Params: slices.Concat(groups[0].Params, groups[1].Params)}}, optim.SGDOptions{})
		}
		l, m := adapterRun{new: still, change: func(c *train.Config) {
			o := c.Objective.(*train.PolyModel)
			o.Relaxation, o.Prior = poly.Sigmoid, prior
			c.MaxSteps = 1
			c.OnStep = func(p train.Progress) {
				if p.MicroBatches < 2 {
					t.Errorf("got %d micro-batches, want several", p.MicroBatches)
				}
				losses, norms = append(losses, p.Loss), append(norms, p.Norm)
			}
			c.OnEvaluate = func(e train.Evaluation) { evaluations = append(evaluations, e.Loss) }
		}}.loop(t)
		want = float64(m.Trainer.Prior(autodiff.NewTape(m.Base.Engine()), prior).Data[0])
		run(t, l)
	}
	if got := losses[1] - losses[0]; want < 1 || math.Abs(got-want) > 1e-5*want {
		t.Errorf("got a loss that is %v more with the prior, want %v", got, want)
	}
	if evaluations[0] != evaluations[1] {
		t.Errorf("got the evaluation losses %v without and with it, want the same", evaluations)
	}
	if norms[0] == norms[1] {
		t.Error("the gradient is the same with the prior")
	}
}

// TestResume stops runs after every step, and compares them with one that was not stopped.
func TestResume(t *testing.T) {
	for _, o := range []struct {
		name string
		new  func([]optim.Group) (optim.Optimizer, error)
	}{{"AdamW", adamOf}, {"Adafactor", adafactorOf}} {
		t.Run(o.name, func(t *testing.T) {
			type result struct {
				losses []float64
				values []float32
				end    train.Position
			}
			whole := func() (r result) {
				l, m := adapterRun{new: o.new, change: func(c *train.Config) {
					c.EvalSteps = 2
					c.OnStep = func(p train.Progress) { r.losses = append(r.losses, p.Loss) }
				}}.loop(t)
				run(t, l)
				r.values, r.end = values(m), l.Position()
				return r
			}()
			dir := t.TempDir()
			var losses []float64
			for stop := 1; stop <= len(whole.losses); stop++ {
				ctx, cancel := context.WithCancel(context.Background())
				l, m := adapterRun{new: o.new, change: func(c *train.Config) {
					c.EvalSteps, c.SaveSteps, c.OutputDir = 2, 3, dir
					c.Workers = 1 + stop%2
					c.OnStep = func(p train.Progress) {
						if losses = append(losses, p.Loss); p.Step == stop && stop < len(whole.losses) {
							cancel()
						}
					}
				}}.loop(t)
				if stop > 1 {
					load(t, l, dir)
				}
				err := l.Run(ctx)
				if stop < len(whole.losses) {
					if !errors.Is(err, context.Canceled) {
						t.Fatalf("stop %d: got %v, want %v", stop, err, context.Canceled)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if !equalBits(values(m), whole.values) {
					t.Error("got other bits of the parameters than without stops")
				}
				if l.Position() != whole.end {
					t.Errorf("got position %+v, want %+v", l.Position(), whole.end)
				}
			}
			for i, loss := range losses {
				if loss != whole.losses[i] {
					t.Errorf("step %d: got loss %v, want %v", i+1, loss, whole.losses[i])
				}
			}
		})
	}
}

// TestAccumulation checks that a step's gradient is that of the mean over all its labels, however it is cut.
func TestAccumulation(t *testing.T) {
	gradient := func(size, accumulation int) []float32 {
		objective := newLookup(10, 8, 10, 1)
		run(t, newLoop(t, train.Config{
			Engine: testEngine(t, mat.Options{}), Objective: objective, Optimizer: newAdam(objective, 0),
			Train: ragged(12), BatchSize: size, GradientAccumulationSteps: accumulation, MaxSteps: 1,
		}))
		var g []float32
		for _, p := range objective.Params() {
			g = append(g, p.Grad.Data...)
		}
		return g
	}
	want := gradient(12, 1)
	for _, n := range []struct{ size, accumulation int }{{1, 12}, {5, 3}, {6, 2}} {
		for i, g := range gradient(n.size, n.accumulation) {
			if d := g - want[i]; d > 1e-7 || d < -1e-7 {
				t.Errorf("%d × %d examples: element %d: got %v, want %v", n.accumulation, n.size, i, g, want[i])
			}
		}
	}
}

// ragged are examples of 1, 2, 3, 4, 1, … tokens.
func ragged(count int) train.Slice {
	s := successors(count, 4, 10)
	for i := range s {
		s[i].InputIDs, s[i].Labels = s[i].InputIDs[:1+i%4], s[i].Labels[:1+i%4]
	}
	return s
}
