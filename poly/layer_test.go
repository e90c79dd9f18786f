package poly_test

import (
	"math"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/poly"
)

// ramp returns arange(n)·scale − 0.3, as torch computes it.
func ramp(n int, scale float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(float64(float32(i)*float32(scale)) - 0.3)
	}
	return x
}

// outputsOfPEFT is what PEFT's layer of known values gives for the examples of the tasks 1 and 0.
var outputsOfPEFT = [][]float64{
	{0.474280119, -0.103747949, -0.670018613, -1.248046637, 0.114655577, -0.143288225, -0.388972282, -0.646916032, -0.244968966, -0.182828516, -0.107925855, -0.045785382},
	{-0.605778396, -0.223314673, 0.173647866, 0.556111693, -0.967372954, -0.264530510, 0.455039471, 1.157882094, -1.328967571, -0.305746347, 0.736431062, 1.759652257},
}

// PEFT's layer of known values: every tensor holds arange(n)·scale − 0.3, the input arange(24)/10 − 1; the examples have the tasks 1 and 0.
func TestLayerOfPEFT(t *testing.T) {
	l := poly.Layer{
		Bank:   poly.Bank{Splits: 2, Skills: 2, R: 2, In: 4, Out: 4, A: ramp(16, 0.04), B: ramp(16, 0.03)},
		Router: poly.Router{Tasks: 2, Splits: 2, Skills: 2, Logits: ramp(8, 0.5)},
	}
	weights := [][]float64{{0.436294049, 0.563705921, 0.465081036, 0.534919024}, {0.484329492, 0.515670538, 0.493727773, 0.506272256}}
	e := newEngine(t)
	base := mat.PackT(e, ramp(16, 0.05), 4, 4, 4)
	bias := ramp(4, 0.1)
	for i, task := range []int{1, 0} {
		for j, x := range l.Router.Weights(e, task).Data {
			if math.Abs(float64(x)-weights[task][j]) > 1e-7 {
				t.Errorf("task %d: weight %d: got %v, want %v", task, j, x, weights[task][j])
			}
		}
		a, b := l.Mixture(e, task)
		x := mat.New(3, 4)
		for j := range x.Data {
			x.Data[j] = float32(i*12+j)*0.1 - 1
		}
		y, h := mat.New(3, 4), mat.New(3, 2)
		e.Mul(y, x, base)
		e.MulMatrix(h, x, a)
		e.MulAddMatrix(y, h, b)
		for j, got := range y.Data {
			if got += bias[j%4]; math.Abs(float64(got)-outputsOfPEFT[i][j]) > 2e-6 {
				t.Errorf("example %d, element %d: got %v, want %v", i, j, got, outputsOfPEFT[i][j])
			}
		}
	}
}

// Weights that are as small as what is added to their sum do not sum to 1 (PEFT's PolyRouter: weights / (weights.sum(-1) + EPS)).
func TestRouterOfSmallWeights(t *testing.T) {
	e := newEngine(t)
	z := []float32{-28, -27, -40, -60, -30, 2}
	r := poly.Router{Tasks: 1, Splits: 3, Skills: 2, Logits: z}
	w := r.Weights(e, 0)
	for q := range r.Splits {
		var y [2]float64
		for s := range y {
			y[s] = 1 / (1 + math.Exp(-float64(z[2*q+s])))
		}
		for s, got := range w.Row(q) {
			if want := y[s] / (y[0] + y[1] + 1e-12); math.Abs(float64(got)-want) > 1e-6*want {
				t.Errorf("split %d, skill %d: got %v, want %v", q, s, got, want)
			}
		}
	}
}
