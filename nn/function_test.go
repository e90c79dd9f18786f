package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A gate is the function and then the product, bit by bit, with a tape and without.
func TestGate(t *testing.T) {
	for name, f := range map[string]*autodiff.Function{
		"SiLU": autodiff.SiLU, "GELUTanh": autodiff.GELUTanh, "GELU": autodiff.GELU, "ReLU": autodiff.ReLU,
	} {
		t.Run(name, func(t *testing.T) {
			sameBits(t, func(t *testing.T, e *mat.Engine) mat.Matrix {
				rnd := rand.New(rand.NewPCG(5, 6))
				x, y := autodiff.Constant(random(rnd, 7, 45)), autodiff.Constant(random(rnd, 7, 45))
				p := NewPass(e)
				p.ResetTraining(autodiff.NewTape(e), 1, nil)
				want := values(Times(p, Apply(p, f, x), y).Matrix)
				if !equalBits(values(Gate(p, f, x, y).Matrix), want) {
					t.Error("the bits differ on a tape")
				}
				got := Gate(pass(e, 1), f, x, y)
				if !equalBits(values(got.Matrix), want) {
					t.Error("the bits differ")
				}
				if &got.Data[0] != &x.Data[0] {
					t.Error("without a tape it isn't x that was changed")
				}
				return got.Matrix
			})
		})
	}
}
