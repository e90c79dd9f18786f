package optim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
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
