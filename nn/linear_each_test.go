package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
)

// Layers that share a call compute what they compute by themselves, with what adapters add to some of them for some sequences.
func TestForwardEachIsForward(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	var layers []*Linear
	for i, out := range []int{40, 7, 7} {
		l := NewLinear(e, Weights{F32: random(rnd, out, 33).Data}, out, 33)
		if i == 1 {
			l = l.WithBias(random(rnd, 1, out).Data)
		}
		layers = append(layers, l)
	}
	low := func(l *Linear) LowRank {
		return lowRank{random(rnd, 33, 4), random(rnd, 4, l.Out)}.pack(e)
	}
	first := &Delta{LowRank: map[*Linear]LowRank{layers[0]: low(layers[0]), layers[2]: low(layers[2])}}
	second := &Delta{LowRank: map[*Linear]LowRank{layers[1]: low(layers[1])}, Replaced: map[Layer]Layer{layers[2]: layers[1]}}
	p := passOf(e, [][]*Delta{{first}, nil, {second, first}, {second}})
	rows := ragged(2, 1, 3, 1)
	x := autodiff.Constant(random(rnd, rows.Rows(), 33))
	got := make([]autodiff.Value, len(layers))
	ForwardEach(p, rows, x, got, layers...)
	for i, l := range layers {
		if want := l.Forward(p, rows, x); !equalBits(values(got[i].Matrix), values(want.Matrix)) {
			t.Errorf("layer %d: got %v, want %v", i, got[i].Matrix, want.Matrix)
		}
	}
}
