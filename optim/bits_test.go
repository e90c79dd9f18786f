package optim_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
)

// A kind is an optimiser with everything on, or without state.
var kinds = []struct {
	name string
	make func(groups []optim.Group) (optim.Optimizer, error)
}{
	{"Adam", func(g []optim.Group) (optim.Optimizer, error) { return optim.NewAdam(g, optim.DefaultAdam()) }},
	{"AdamW", func(g []optim.Group) (optim.Optimizer, error) { return optim.NewAdamW(g, optim.DefaultAdam()) }},
	{"SGD", func(g []optim.Group) (optim.Optimizer, error) { return optim.NewSGD(g, optim.SGDOptions{}) }},
	{"momentum", func(g []optim.Group) (optim.Optimizer, error) {
		return optim.NewSGD(g, optim.SGDOptions{Momentum: 0.9, Dampening: 0.1})
	}},
	{"Adafactor", func(g []optim.Group) (optim.Optimizer, error) {
		o := optim.DefaultAdafactor()
		o.RelativeStep, o.Beta1 = false, 0.9
		return optim.NewAdafactor(g, o)
	}},
}

// A run is a training run without a model: gradients are random numbers, the same for the same step.
type run struct {
	params    []*autodiff.Param
	optimizer optim.Optimizer
	clip      *optim.Clip
	schedule  optim.Schedule
}

// newRun has parameters that are cut into many parts, in rows and in columns, and small ones.
func newRun(t testing.TB, newOptimizer func(groups []optim.Group) (optim.Optimizer, error)) *run {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var params []*autodiff.Param
	for i, shape := range [][]int{{150, 129}, {2, 2100, 8}, {70, 131}, {20001}, {}, {0, 3}} {
		n := 1
		for _, d := range shape {
			n *= d
		}
		params = append(params, autodiff.NewParam(fmt.Sprint("p", i), shape, normals(random, n)))
	}
	o, err := newOptimizer([]optim.Group{
		{Params: params[:2], LR: 1e-3, WeightDecay: 0.01},
		{Params: params[2:], LR: 0.1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &run{params, o, optim.NewClip(params, 100), optim.Cosine(2, 20)}
}

func normals(random *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(random.NormFloat64())
	}
	return v
}

func (r *run) steps(e *mat.Engine, n int) {
	for range n {
		random := rand.New(rand.NewPCG(3, uint64(r.optimizer.Steps())))
		for _, p := range r.params {
			copy(p.Grad.Data, normals(random, len(p.Grad.Data)))
		}
		r.clip.Apply(e)
		r.optimizer.Step(e, r.schedule(r.optimizer.Steps()))
	}
}

// sum is the hash of all parameters and the state.
func (r *run) sum() string {
	h := sha256.New()
	for _, p := range r.params {
		binary.Write(h, binary.LittleEndian, p.Value.Data)
	}
	for _, s := range r.optimizer.State() {
		fmt.Fprint(h, s.Name, s.Shape)
		h.Write(s.Data)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestSameBits runs each optimiser on every level with several numbers of threads.
func TestSameBits(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			var want string
			for _, level := range mat.Levels() {
				for _, threads := range []int{1, 3} {
					r := newRun(t, kind.make)
					r.steps(newEngine(t, mat.Options{Level: level, Threads: threads}), 2)
					if want == "" {
						want = r.sum()
					}
					if got := r.sum(); got != want {
						t.Errorf("%s, %d threads: got other bits than on %s with one thread", level, threads, mat.Levels()[0])
					}
				}
			}
		})
	}
}

// TestResume stops a run, resumes it from files, and wants the bits of one that went through.
func TestResume(t *testing.T) {
	e := newEngine(t, mat.Options{})
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			through := newRun(t, kind.make)
			through.steps(e, 5)

			stopped := newRun(t, kind.make)
			stopped.steps(e, 2)
			path := filepath.Join(t.TempDir(), "optimizer.safetensors")
			if err := optim.Save(path, stopped.optimizer); err != nil {
				t.Fatal(err)
			}
			resumed := newRun(t, kind.make)
			resumed.steps(e, 1) // a state to be replaced
			for i, p := range resumed.params {
				copy(p.Value.Data, stopped.params[i].Value.Data)
			}
			if err := optim.Load(path, resumed.optimizer); err != nil {
				t.Fatal(err)
			}
			if got := resumed.optimizer.Steps(); got != 2 {
				t.Errorf("got %d steps, want 2", got)
			}
			resumed.steps(e, 3)
			if got, want := resumed.sum(), through.sum(); got != want {
				t.Errorf("got other bits after resuming")
			}
		})
	}
}

// TestAllocations counts what steps allocate after the first.
func TestAllocations(t *testing.T) {
	e := newEngine(t, mat.Options{Threads: 2})
	for _, kind := range kinds {
		r := newRun(t, kind.make)
		r.steps(e, 1)
		n := testing.AllocsPerRun(20, func() {
			r.clip.Apply(e)
			r.optimizer.Step(e, r.schedule(r.optimizer.Steps()))
		})
		if n != 0 {
			t.Errorf("%s: got %v allocations a step, want 0", kind.name, n)
		}
	}
}
