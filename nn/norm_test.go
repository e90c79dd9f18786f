package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// TestRMSNormIsWithinRounding compares with float64. All terms of the mean are positive, so its relative error is that of its longest chain.
func TestRMSNormIsWithinRounding(t *testing.T) {
	e := engine(t)
	for _, cols := range []int{1, 3, 31, 32, 33, 512, 1000} {
		rnd := rand.New(rand.NewPCG(uint64(cols), 0))
		x, weight := random(rnd, 9, cols+1).ColRange(1, cols+1), random(rnd, 1, cols).Data
		for i := range cols {
			x.Row(7)[i] = 0
			x.Row(8)[i] *= 1e-12 // of squares far below epsilon
		}
		n := NewRMSNorm(weight, 1e-6)
		y := n.Forward(pass(e, 2), ragged(4, 5), autodiff.Constant(x))
		for r := range x.Rows {
			mean := 0.0
			for _, v := range x.Row(r) {
				mean += float64(v) * float64(v) / float64(cols)
			}
			for i, v := range x.Row(r) {
				want := float64(v) / math.Sqrt(mean+float64(float32(1e-6))) * float64(weight[i])
				if bound := float64(cols/32+12) * 0x1p-24 * math.Abs(want); math.Abs(float64(y.Row(r)[i])-want) > bound {
					t.Errorf("%d columns: [%d, %d] = %v, want %v ± %v", cols, r, i, y.Row(r)[i], want, bound)
				}
			}
		}
		want := values(y.Matrix)
		if n.ForwardInPlace(pass(e, 2), ragged(9, 0), autodiff.Constant(x)); !equalBits(values(x), want) {
			t.Errorf("%d columns: other bits in place", cols)
		}
	}
}

func TestRMSNormReplaced(t *testing.T) {
	e := engine(t)
	base := NewRMSNorm([]float32{1, 1}, 1e-6)
	x := mat.View([]float32{3, 3, 3, 3, 3, 3}, 3, 2)
	// 2 and -1 in each type
	for name, w := range map[string]Weights{"F32": {F32: []float32{2, -1}}, "BF16": {BF16: []mat.BFloat16{0x4000, 0xbf80}}, "F16": {F16: []mat.Float16{0x4000, 0xbc00}}} {
		d := &Delta{Replaced: map[Layer]Layer{base: base.With(e, map[string]Weights{"weight": w})}}
		got := values(base.Forward(passOf(e, [][]*Delta{nil, {d}, nil}), ragged(1, 1, 1), autodiff.Constant(x)).Matrix)
		for i, want := range []float32{1, 1, 2, -1, 1, 1} {
			if math.Abs(float64(got[i]-want)) > 1e-6 {
				t.Errorf("%s: got %v", name, got)
			}
		}
	}
}

func TestRMSNormHasTheSameBitsOnEveryEngine(t *testing.T) {
	sameBits(t, func(t *testing.T, e *mat.Engine) mat.Matrix {
		rnd := rand.New(rand.NewPCG(6, 6))
		return NewRMSNorm(random(rnd, 1, 777).Data, 1e-6).Forward(pass(e, 3), ragged(1, 0, 9), autodiff.Constant(random(rnd, 10, 777))).Matrix
	})
}
