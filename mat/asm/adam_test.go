package asm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// An adamArgs is what a step of Adam is given besides its vectors.
type adamArgs struct{ keep, toward, squareKeep, squareGain, scale, eps, rate float32 }

func (a adamArgs) call(k *Elem, w, g, m, v []float32) {
	k.Adam(w, g, m, v, a.keep, a.toward, a.squareKeep, a.squareGain, a.scale, a.eps, a.rate)
}

// define is the definition of a step, for one element.
func (a adamArgs) define(w, g, m, v float32) (float32, float32, float32) {
	mean, toward := m, a.toward
	if toward <= 0 {
		mean = g
	}
	mean = FMA(toward, g-m, mean)
	square := FMA(float32(a.squareGain*g), g, float32(v*a.squareKeep))
	root := float32(math.Sqrt(float64(square)))/a.scale + a.eps
	return float32(w*a.keep) + float32(mean*a.rate)/root, mean, square
}

// TestAdam compares with the portable kernel, for all lengths around the unrolled loops and between guard pages, and that with the definition.
func TestAdam(t *testing.T) {
	steps := []adamArgs{
		{1, 0.1, 0.999, 0.001, 0.03, 1e-8, -0.01},
		{0.99, 0x1p-50, 0, 1, 1, 1e-30, -1},
		{1, 0, 0.9, 0.1, 1, 1, 0},
		{1, -0.25, 0.5, 0.5, 0.7, 1e-8, -0.1},
	}
	for _, l := range Levels() {
		t.Run(l.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, 4))
			value := func() float32 {
				switch rnd.IntN(40) {
				case 0:
					return specials[rnd.IntN(len(specials))]
				case 1:
					return math.Float32frombits(rnd.Uint32())
				}
				return float32(rnd.NormFloat64())
			}
			for n := range 3*64 + 2 {
				for _, place := range []placer{atStart, atEnd} {
					for _, args := range steps {
						w, g, m, v := placed[float32](place, n), placed[float32](place, n), placed[float32](place, n), placed[float32](place, n)
						for i := range w {
							w[i], g[i], m[i], v[i] = value(), value(), value(), abs(value())
						}
						w0, g0, m0, v0 := slices.Clone(w), slices.Clone(g), slices.Clone(m), slices.Clone(v)
						args.call(&l.Elem, w, g, m, v)
						for i := range w {
							w1, m1, v1 := args.define(w0[i], g0[i], m0[i], v0[i])
							if !same(w[i], w1) || !same(g[i], g0[i]) || !same(m[i], m1) || !same(v[i], v1) {
								t.Fatalf("%d elements, %v: [%d] of %x, %x, %x, %x = %x, %x, %x, %x, want %x, %x, %x, %x",
									n, args, i, w0[i], g0[i], m0[i], v0[i], w[i], g[i], m[i], v[i], w1, g0[i], m1, v1)
							}
						}
					}
				}
			}
		})
	}
}
