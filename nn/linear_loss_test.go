package nn

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// TestLinearCrossEntropy compares the loss of a head and its gradients with those of all logits, bit by bit: of a head that is frozen, has a bias, is
// replaced, is trained and has a trained term.
func TestLinearCrossEntropy(t *testing.T) {
	const in, out = 6, 9
	e, rnd := engine(t), rand.New(rand.NewPCG(1, 2))
	rows, labels := ragged(3, 2), []int{4, IgnoreIndex, 0, 8, 2}
	head := NewLinear(e, Weights{F32: small(rnd, out, in).Data}, out, in)
	biased := head.WithBias(small(rnd, 1, out).Data)
	weight := paramsOf(rnd, head)
	for _, c := range []struct {
		name    string
		head    *Linear
		trained *Trained
		params  []*autodiff.Param
	}{
		{"frozen", head, nil, nil},
		{"with a bias", biased, nil, nil},
		{"replaced", head, &Trained{Replaced: map[Layer]Layer{head: head.With(e, weightsOf(weight))}}, nil},
		{"trained", head, &Trained{Replaced: map[Layer]Layer{head: head.WithParams(weight)}}, []*autodiff.Param{weight["weight"]}},
		{"with a trained term", head, &Trained{Added: map[*Linear]Added{head: lowRankAdded{
			autodiff.NewParam("A", []int{in, 2}, small(rnd, in, 2).Data), autodiff.NewParam("B", []int{2, out}, small(rnd, 2, out).Data),
		}}}, nil},
	} {
		x := autodiff.NewParam("x", []int{rows.Rows(), in}, random(rnd, rows.Rows(), in).Data)
		found := func(loss func(p *Pass, x autodiff.Value) (autodiff.Value, error)) []float32 {
			p := training(e, rows.Sequences(), c.trained)
			l, err := loss(p, p.Tape.Param(x))
			if err != nil {
				t.Fatal(err)
			}
			all := []float32{l.Data[0]}
			p.Tape.Backward(l, 1)
			for _, p := range append(c.params, x) {
				all = append(all, p.Grad.Data...)
				p.ZeroGrad()
			}
			return all
		}
		got := found(func(p *Pass, x autodiff.Value) (autodiff.Value, error) {
			return c.head.CrossEntropy(p, rows, x, labels, 7)
		})
		want := found(func(p *Pass, x autodiff.Value) (autodiff.Value, error) {
			return p.Tape.CrossEntropy(c.head.Forward(p, rows, x), labels, IgnoreIndex, 7)
		})
		if !slices.Equal(got, want) {
			t.Errorf("a head %s: got the loss and the gradients %v, want %v", c.name, got, want)
		}
	}
	p := training(e, rows.Sequences(), nil)
	if _, err := head.CrossEntropy(p, rows, autodiff.Constant(mat.New(rows.Rows(), in)), []int{0, 0, 0, 0, out}, 0); err == nil {
		t.Error("a label that is no column: got no error")
	}
}
