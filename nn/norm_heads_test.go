package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// TestRMSNormOfHeads checks that every head has the bits of a row, with a copy in place of the base's norm and on a tape.
func TestRMSNormOfHeads(t *testing.T) {
	const heads, size = 3, 5
	e, rnd := engine(t), rand.New(rand.NewPCG(7, 7))
	w, w2, rows := random(rnd, 1, size).Data, random(rnd, 1, size).Data, ragged(2, 1, 4)
	n := NewRMSNorm(w, 1e-5)
	x := random(rnd, rows.Rows(), heads*size)
	want := func(second []float32) []float32 {
		y := mat.View(values(x), rows.Rows()*heads, size)
		e.RMSNorm(y, y, w, 1e-5)
		if part := y.RowRange(rows[1]*heads, rows[2]*heads); second != nil {
			e.RMSNorm(part, mat.View(values(x.RowRange(rows[1], rows[2])), part.Rows, size), second, 1e-5)
		}
		return values(y)
	}
	d := &Delta{Replaced: map[Layer]Layer{n: n.With(e, map[string]Weights{"weight": {F32: w2}})}}
	in := autodiff.Constant(mat.View(values(x), x.Rows, x.Cols))
	if got := n.ForwardHeads(passOf(e, [][]*Delta{nil, {d}, nil}), rows, in); !equalBits(values(got.Matrix), want(w2)) {
		t.Errorf("got %v, want %v", got.Matrix, want(w2))
	}

	// On a tape it is the norm of a matrix that has a row for each head.
	tape, g := autodiff.NewTape(e), random(rnd, x.Rows, x.Cols)
	grads := func(forward func(p *Pass, x autodiff.Value) autodiff.Value, rows Ragged, cols int) (y, dx, dw []float32) {
		p := NewPass(e)
		weight := autodiff.NewParam("w", []int{size}, w)
		p.ResetTraining(tape, rows.Sequences(), &Trained{Replaced: map[Layer]Layer{n: n.WithParams(map[string]*autodiff.Param{"weight": weight})}})
		param := autodiff.NewParam("x", []int{rows.Rows(), cols}, values(x))
		out := forward(p, tape.Param(param))
		y = values(out.Matrix)
		tape.Backward(tape.Total(tape.Times(out, autodiff.Constant(mat.View(g.Data, rows.Rows(), cols)))), 1)
		return y, values(param.Grad), values(weight.Grad)
	}
	tall := ragged(rows.Rows() * heads)
	y, dx, dw := grads(func(p *Pass, x autodiff.Value) autodiff.Value { return n.ForwardHeads(p, rows, x) }, rows, heads*size)
	y2, dx2, dw2 := grads(func(p *Pass, x autodiff.Value) autodiff.Value { return n.Forward(p, tall, x) }, tall, size)
	if !equalBits(y, want(nil)) || !equalBits(y, y2) || !equalBits(dx, dx2) || !equalBits(dw, dw2) {
		t.Errorf("on a tape: got %v, %v, %v, want %v, %v, %v", y, dx, dw, y2, dx2, dw2)
	}
	panics(t, "ForwardHeads", func() { n.ForwardHeads(pass(e, 1), ragged(2), autodiff.Constant(mat.New(2, 7))) }, "heads of 5", "2×7")
}
