package asm

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRope compares with the portable kernel, for all lengths around the unrolled loops and between guard pages, and that with the
// definition.
func TestRope(t *testing.T) {
	accelerated(t, func(t *testing.T, l *Level) {
		rnd := rand.New(rand.NewPCG(3, 4))
		for n := range 3*64 + 2 {
			for _, place := range []placer{atStart, atEnd} {
				x, y, cos, sin := placed[float32](place, n), placed[float32](place, n), placed[float32](place, n), placed[float32](place, n)
				for i := range x {
					x[i], y[i], cos[i], sin[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64()), float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
					if rnd.IntN(40) == 0 {
						x[i], sin[i] = specials[rnd.IntN(len(specials))], specials[rnd.IntN(len(specials))]
					}
				}
				for _, sign := range []float32{1, -1} {
					x0, y0 := slices.Clone(x), slices.Clone(y)
					generic.Elem.Rope(x0, y0, cos, sin, sign)
					for i := range x {
						a := float32(x[i]*cos[i]) - float32(y[i]*sin[i]*sign)
						b := float32(y[i]*cos[i]) + float32(x[i]*sin[i]*sign)
						if !same(x0[i], a) || !same(y0[i], b) {
							t.Fatalf("%d elements: [%d] = %x, %x, want %x, %x", n, i, x0[i], y0[i], a, b)
						}
					}
					l.Elem.Rope(x, y, cos, sin, sign)
					for i := range x {
						if !same(x[i], x0[i]) || !same(y[i], y0[i]) {
							t.Fatalf("%d elements: [%d] = %x, %x, want %x, %x", n, i, x[i], y[i], x0[i], y0[i])
						}
					}
				}
			}
		}
	})
}
