package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Angles says by which angles Rotate turns: a row for each row of its operand, a column for each pair of elements of a head.
type Angles struct{ Cos, Sin mat.Matrix }

// NewAngles returns angles of arbitrary value, to be filled in, that are valid as long as what layers return. Without a tape that is until p releases
// them.
func NewAngles(p *Pass, rows, pairs int) Angles {
	if p.Tape != nil {
		return Angles{p.Tape.Scratch(rows, pairs), p.Tape.Scratch(rows, pairs)}
	}
	return Angles{p.Matrix(rows, pairs), p.Matrix(rows, pairs)}
}

// Rotate turns, in each row of x, the elements i and i + n of every head of 2·n by the row's angle i: rotary position embedding (Su et al. 2021;
// transformers' apply_rotary_pos_emb). x.Cols is a multiple of 2·n. Without a tape it is x that is changed and returned.
func Rotate(p *Pass, x autodiff.Value, a Angles) autodiff.Value {
	size := 2 * a.Cos.Cols
	if a.Cos.Rows != x.Rows || size == 0 || x.Cols%size != 0 {
		panic(fmt.Sprintf("nn: %s turned by angles of %s", x.Shape(), a.Cos.Shape()))
	}
	if p.Tape == nil {
		p.Engine.Rope(x.Matrix, x.Cols/size, size, a.Cos, a.Sin)
		return x
	}
	y := p.Tape.New(x.Rows, x.Cols, p.Tape.Needs(x))
	p.Engine.Scale(y.Matrix, x.Matrix, 1) // a copy that the threads share
	p.Engine.Rope(y.Matrix, x.Cols/size, size, a.Cos, a.Sin)
	if y.Needs() {
		*autodiff.Record[rotation](p.Tape) = rotation{y, x, a}
	}
	return y
}

type rotation struct {
	y, x   autodiff.Value
	angles Angles
}

// Backward implements autodiff.Op: the gradient is turned back.
func (o *rotation) Backward(t *autodiff.Tape) {
	if g, ok := t.Grad(o.y); ok {
		size := 2 * o.angles.Cos.Cols
		t.Engine.RopeBackward(g, g.Cols/size, size, o.angles.Cos, o.angles.Sin)
		t.Hand(o.y, o.x)
	}
}
