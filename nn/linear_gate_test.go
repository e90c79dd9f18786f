package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
)

// TestForwardAddGate compares the end of a feed-forward layer and its gradients with those of the gate and the product one after another, bit by bit: of a
// layer that is frozen, has a bias, is replaced, is trained and has a trained term; with and without a gate.
func TestForwardAddGate(t *testing.T) {
	const in, out = 6, 5
	e, rnd := engine(t), rand.New(rand.NewPCG(1, 2))
	rows := ragged(3, 0, 2)
	down := NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in)
	biased := down.WithBias(random(rnd, 1, out).Data)
	weight, both := paramsOf(rnd, down), paramsOf(rnd, biased)
	a, b := autodiff.NewParam("A", []int{in, 2}, random(rnd, in, 2).Data), autodiff.NewParam("B", []int{2, out}, random(rnd, 2, out).Data)
	x := map[string]*autodiff.Param{}
	for name, cols := range map[string]int{"y": out, "a": in, "b": in} {
		x[name] = autodiff.NewParam(name, []int{rows.Rows(), cols}, random(rnd, rows.Rows(), cols).Data)
	}
	wanted := random(rnd, rows.Rows(), out)
	for _, c := range []struct {
		name    string
		down    *Linear
		trained *Trained
		params  []*autodiff.Param
	}{
		{"frozen", down, nil, nil},
		{"with a bias", biased, nil, nil},
		{"replaced", down, &Trained{Replaced: map[Layer]Layer{down: down.With(e, weightsOf(weight))}}, nil},
		{"trained", down, &Trained{Replaced: map[Layer]Layer{down: down.WithParams(weight)}}, []*autodiff.Param{weight["weight"]}},
		{"trained with its bias", biased, &Trained{Replaced: map[Layer]Layer{biased: biased.WithParams(both)}}, []*autodiff.Param{both["weight"], both["bias"]}},
		{"with a trained term", down, &Trained{Added: map[*Linear]Added{down: lowRankAdded{a, b}}}, []*autodiff.Param{a, b}},
	} {
		for _, gated := range []bool{true, false} {
			found := func(end func(p *Pass, y, a, b autodiff.Value) autodiff.Value) []float32 {
				p := training(e, rows.Sequences(), c.trained)
				var b autodiff.Value
				if gated {
					b = p.Tape.Param(x["b"])
				}
				z := end(p, p.Tape.Param(x["y"]), p.Tape.Param(x["a"]), b)
				all := values(z.Matrix)
				backward(p, z, wanted)
				for _, p := range append([]*autodiff.Param{x["y"], x["a"], x["b"]}, c.params...) {
					all = append(all, p.Grad.Data...)
					p.ZeroGrad()
				}
				return all
			}
			got := found(func(p *Pass, y, a, b autodiff.Value) autodiff.Value {
				return c.down.ForwardAddGate(p, rows, y, autodiff.SiLU, a, b)
			})
			want := found(func(p *Pass, y, a, b autodiff.Value) autodiff.Value {
				if gated {
					return c.down.ForwardAdd(p, rows, y, Gate(p, autodiff.SiLU, a, b))
				}
				return c.down.ForwardAdd(p, rows, y, Apply(p, autodiff.SiLU, a))
			})
			if !equalBits(got, want) {
				t.Errorf("a layer %s, gated %t: got the result and the gradients %v, want %v", c.name, gated, got, want)
			}
		}
	}
}
