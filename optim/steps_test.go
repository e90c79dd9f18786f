package optim_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/safetensors"
)

func newEngine(t testing.TB, o mat.Options) *mat.Engine {
	t.Helper()
	e, err := mat.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestRecordedSteps compares every case with what PyTorch and transformers recorded. A parameter's unit in the last place is that of the
// largest value that it has had, since steps of opposite signs cancel.
func TestRecordedSteps(t *testing.T) {
	r := openRecording(t, "testdata/steps.safetensors")
	e := newEngine(t, mat.Options{})
	for _, name := range slices.Sorted(maps.Keys(r.f.Metadata())) {
		t.Run(name, func(t *testing.T) {
			params, o, schedule := r.newCase(name)
			scale := map[string][]float32{}
			for _, p := range params {
				scale[p.Name] = make([]float32, len(p.Value.Data))
				grow(scale[p.Name], p.Value.Data)
			}
			bar := barOf(name)
			var worst float64
			for step := range recordedSteps {
				r.step(e, params, o, schedule)
				for _, p := range params {
					_, want := r.values(fmt.Sprintf("%s/%d/%s", name, step, p.Name))
					grow(scale[p.Name], want)
					d := ulps(p.Value.Data, want, scale[p.Name])
					worst = max(worst, d)
					if !(d <= bar) {
						t.Errorf("step %d: %s: got a difference of %v units in the last place, want at most %v", step, p.Name, d, bar)
					}
				}
			}
			t.Logf("parameters differ by at most %v units in the last place", worst)
			r.compareState(t, name, o.State())
		})
	}
}

// barOf returns how many units in the last place a case may differ: none where PyTorch takes no sums, and rounds its roots correctly.
func barOf(name string) float64 {
	if strings.HasPrefix(name, "sgd") || strings.HasSuffix(name, "_rounded") {
		return 0
	}
	return 4
}

// compareState compares a state with the recorded one, in units in the last place of each tensor's largest element.
func (r recording) compareState(t *testing.T, name string, state []safetensors.Tensor) {
	want := 1 // step
	for _, n := range r.f.Names() {
		if strings.HasPrefix(n, name+"/state/") {
			want++
		}
	}
	if len(state) != want {
		t.Errorf("got a state of %d tensors, want %d", len(state), want)
	}
	for _, s := range state[1:] {
		got, err := s.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		shape, want := r.values(name + "/state/" + s.Name)
		if !slices.Equal(s.Shape, shape) {
			t.Errorf("%s: got shape %v, want %v", s.Name, s.Shape, shape)
			continue
		}
		scale := make([]float32, len(want))
		grow(scale, want)
		d := ulps(got, want, slices.Repeat([]float32{slices.Max(scale)}, len(want)))
		t.Logf("%s differs by at most %v units in the last place", s.Name, d)
		if bar := barOf(name); !(d <= bar) {
			t.Errorf("%s: got a difference of %v units in the last place, want at most %v", s.Name, d, bar)
		}
	}
}

// TestAdafactorRelativeStep is of steps that the recording is too short for: min(0.01, 1/√step), or min(10⁻⁶·step, 1/√step). With a DecayRate of 0
// nothing is kept of squares, so that the update of a vector is its gradient's signs.
func TestAdafactorRelativeStep(t *testing.T) {
	e := newEngine(t, mat.Options{})
	for _, c := range []struct {
		warmup bool
		step   uint64
		want   float32
	}{
		{false, 1, 0.01}, {false, 6400, 0.01}, {false, 40000, 1.0 / 200}, {false, 1 << 20, 1.0 / 1024},
		{true, 1, 1e-6}, {true, 6400, 6400e-6}, {true, 40000, 1.0 / 200}, {true, 1 << 20, 1.0 / 1024},
	} {
		o := optim.DefaultAdafactor()
		o.DecayRate, o.ScaleParameter, o.WarmupInit = 0, false, c.warmup
		p := autodiff.NewParam("w", []int{2}, make([]float32, 2))
		a, err := optim.NewAdafactor([]optim.Group{{Params: []*autodiff.Param{p}}}, o)
		if err != nil {
			t.Fatal(err)
		}
		state := a.State()
		state[0].Data = binary.LittleEndian.AppendUint64(nil, c.step-1)
		if err := a.SetState(state); err != nil {
			t.Fatal(err)
		}
		copy(p.Grad.Data, []float32{-8, 0.5})
		a.Step(e, 1)
		if got, want := p.Value.Data, []float32{c.want, -c.want}; !slices.Equal(got, want) {
			t.Errorf("warmup %t, step %d: got %v, want %v", c.warmup, c.step, got, want)
		}
	}
}

// A matrix of equal parts one below the other, or a long vector of equal parts, changes as a part alone does, though it is cut into blocks: Adafactor
// takes means of rows, columns and everything.
func TestAdafactorBlocks(t *testing.T) {
	const rows, cols, copies = 10, 30, 700
	e := newEngine(t, mat.Options{})
	for _, shapes := range [][2][]int{{{rows, cols}, {copies * rows, cols}}, {{rows * cols}, {copies * rows * cols}}} {
		random := rand.New(rand.NewPCG(1, 2))
		values := normals(random, rows*cols)
		options := optim.DefaultAdafactor()
		options.RelativeStep = false
		part := autodiff.NewParam("w", shapes[0], slices.Clone(values))
		whole := autodiff.NewParam("w", shapes[1], slices.Repeat(values, copies))
		var optimizers []optim.Optimizer
		for _, p := range []*autodiff.Param{part, whole} {
			o, err := optim.NewAdafactor([]optim.Group{{Params: []*autodiff.Param{p}, LR: 1e-2}}, options)
			if err != nil {
				t.Fatal(err)
			}
			optimizers = append(optimizers, o)
		}
		for range 3 {
			g := normals(random, rows*cols)
			copy(part.Grad.Data, g)
			copy(whole.Grad.Data, slices.Repeat(g, copies))
			for _, o := range optimizers {
				o.Step(e, 1)
			}
		}
		for i, got := range whole.Value.Data {
			if want := part.Value.Data[i%(rows*cols)]; !(math.Abs(float64(got-want)) <= 1e-6) {
				t.Fatalf("shape %v: element %d: got %v, want %v as of shape %v", shapes[1], i, got, want, shapes[0])
			}
		}
	}
}
