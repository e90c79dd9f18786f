package main

import (
	"math"
	"os"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// openTraining opens a case for training.
func openTraining(t *testing.T, dir string) *training {
	e, err := mat.NewEngine(mat.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	m, err := model.OpenFS(os.DirFS(dir+"/base"), e)
	if err != nil {
		t.Fatal(err)
	}
	a, err := poly.OpenFS(os.DirFS(dir+"/adapter"), m)
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(dir + "/reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	r, err := readReference(f)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := (&verifier{m, a, nil, r}).training()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// trainCases are models of different kinds.
var trainCases = []string{"testdata/t5-mhr", "../../poly/testdata/peft-0.21/t5v1-mhr"}

// Computing blocks again changes no bit of the loss and the gradients.
func TestRecompute(t *testing.T) {
	for _, dir := range trainCases {
		tr := openTraining(t, dir)
		gradients := func() (float32, string) {
			loss, err := tr.step(t.Context(), poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: tr.reference})
			if err != nil {
				t.Fatal(err)
			}
			var all []float32
			for _, p := range tr.trainer.Params() {
				all = append(all, p.Grad.Data...)
			}
			return loss, digest(all)
		}
		loss, kept := gradients()
		tr.pass.Recompute = true
		if again, computed := gradients(); again != loss || computed != kept {
			t.Errorf("%s: other bits: loss %v and %v", dir, again, loss)
		}
	}
}

// The bar of Adam's result: all within 1e-2, and 99.9 % within 1e-3.
func TestAdamBar(t *testing.T) {
	tr := openTraining(t, "testdata/t5-mhr")
	for _, test := range []struct {
		off   float32
		every int // number of elements of which one is off
		ok    bool
	}{
		{0, 1, true}, {0.0009, 1, true}, {0.005, 2000, true}, {0.005, 500, false}, {0.02, 2000, false}, {float32(math.NaN()), 2000, false},
	} {
		n := 0
		c, err := tr.compareParams("adam.final", adamBar, func(p *autodiff.Param) []float32 {
			values, err := tr.floats("adam.final." + p.Name)
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Clone(values)
			for i := range got {
				if n++; n%test.every == 0 {
					got[i] += test.off
				}
			}
			return got
		})
		if err != nil || *c.OK != test.ok {
			t.Errorf("%g off in one of %d: got ok %v, %v", test.off, test.every, *c.OK, err)
		}
		if off := float64(test.off); math.Abs(float64(c.MaxAbs)-off) > 1e-6 || math.IsNaN(float64(c.MaxAbs)) != math.IsNaN(off) {
			t.Errorf("%g off in one of %d: got a largest difference of %g", test.off, test.every, float64(c.MaxAbs))
		}
	}
}
