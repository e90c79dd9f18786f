package asm

import (
	"math"
	"testing"
)

// derivatives are the kernels of the way back and the derivatives by which they multiply.
var derivatives = []struct {
	name string
	of   func(k *Elem) func(dst, x, y []float32)
	ref  func(x float64) float64
	// The error is at most units in the last place or absolute, whichever is more, in -limit ≤ x ≤ limit; beyond, below 2⁻¹¹⁸.
	units, absolute, limit float64
	atMinusInf, atZero     float32 // the derivative at +Inf is 1 less that at -Inf, or 0
}{
	{"ReLUBackward", func(k *Elem) func(dst, x, y []float32) { return k.ReLUBackward }, func(x float64) float64 {
		if x > 0 {
			return 1
		}
		return 0
	}, 0, 0, math.Inf(1), 0, 0},
	{"SigmoidBackward", func(k *Elem) func(dst, x, y []float32) { return k.SigmoidBackward }, func(x float64) float64 { return sigmoid(x) * sigmoid(-x) }, 2, 0, 87, 0, 0.25},
	{"TanhBackward", func(k *Elem) func(dst, x, y []float32) { return k.TanhBackward }, func(x float64) float64 { return 4 * sigmoid(2*x) * sigmoid(-2*x) }, 2, 0, 43, 0, 1},
	{"SiLUBackward", func(k *Elem) func(dst, x, y []float32) { return k.SiLUBackward }, func(x float64) float64 { return sigmoid(x) * (1 + x*sigmoid(-x)) }, 3, 0x1p-25, 87, 0, 0.5},
	{"GELUBackward", func(k *Elem) func(dst, x, y []float32) { return k.GELUBackward }, func(x float64) float64 {
		return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	}, 3, 0x1p-25, 12.8, 0, 0.5},
	{"GELUTanhBackward", func(k *Elem) func(dst, x, y []float32) { return k.GELUTanhBackward }, func(x float64) float64 {
		z := 2 * math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x)
		slope := 2 * math.Sqrt(2/math.Pi) * (1 + 3*0.044715*x*x)
		return sigmoid(z) * (1 + x*slope*sigmoid(-z))
	}, 4, 0x1p-25, 9.9, 0, 0.5},
}

// TestDerivatives tries float32 from all over the range, for a gradient of 1: every level gives the portable kernel's bits, and these are
// within the bounds.
func TestDerivatives(t *testing.T) {
	step := uint64(4999) // coprime to powers of two
	if testing.Short() {
		step *= 64
	}
	x, one, got, want := make([]float32, 1<<12), make([]float32, 1<<12), make([]float32, 1<<12), make([]float32, 1<<12)
	for i := range one {
		one[i] = 1
	}
	for _, f := range derivatives {
		t.Run(f.name, func(t *testing.T) {
			worst, at := 0.0, float32(0)
			for b := uint64(0); b < 1<<32; {
				for i := range x {
					x[i] = math.Float32frombits(uint32(b))
					b += step
				}
				f.of(&generic.Elem)(want, x, one)
				for _, l := range Levels() {
					f.of(&l.Elem)(got, x, one)
					for i := range got {
						if !same(got[i], want[i]) {
							t.Fatalf("%s: at %x: %x, want %x", l.Name, x[i], got[i], want[i])
						}
					}
				}
				for i, v := range x {
					if v != v {
						continue
					}
					ref := f.ref(float64(v))
					if math.Abs(float64(v)) > f.limit {
						if !(math.Abs(float64(want[i])-ref) < 0x1p-118) {
							t.Fatalf("at %v: %v, want %v", v, want[i], ref)
						}
						continue
					}
					if math.Abs(float64(want[i])-ref) <= f.absolute {
						continue
					}
					if d := float64(distance(want[i], float32(ref))); d > worst {
						worst, at = d, v
					}
				}
			}
			if worst > f.units {
				t.Errorf("%v units off at %v", worst, at)
			}
		})
	}
}

func TestDerivativesAtSpecialValues(t *testing.T) {
	nan := float32(math.NaN())
	for _, l := range Levels() {
		for _, f := range derivatives {
			atInf, atNaN := 1-f.atMinusInf, nan
			switch f.name {
			case "SigmoidBackward", "TanhBackward":
				atInf = 0
			case "ReLUBackward":
				atNaN = 1 // as PyTorch does
			}
			x, want := []float32{-inf, minusZero, 0, inf, nan}, []float32{f.atMinusInf, f.atZero, f.atZero, atInf, atNaN}
			got := []float32{1, 1, 1, 1, 1}
			f.of(&l.Elem)(got, x, got)
			for i := range x {
				if !same(got[i], want[i]) {
					t.Errorf("%s: %s(%v) = %v, want %v", l.Name, f.name, x[i], got[i], want[i])
				}
			}
		}
	}
}
