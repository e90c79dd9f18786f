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

// Rotate turns, in each row of x, the elements i and i + n of every head of 2·n by the row's angle i: rotary position embedding (Su et al. 2021; transformers'
// apply_rotary_pos_emb). x.Cols is a multiple of 2·n. Without a tape it is x that is changed and returned.
func Rotate(p *Pass, x autodiff.Value, a Angles) autodiff.Value {
	if n := 2 * a.Cos.Cols; a.Cos.Rows != x.Rows || a.Sin.Rows != x.Rows || a.Sin.Cols != a.Cos.Cols || n == 0 || x.Cols%n != 0 {
		panic(fmt.Sprintf("nn: %s turned by angles of %s and %s", x.Shape(), a.Cos.Shape(), a.Sin.Shape()))
	}
	if p.Tape == nil {
		rotate(x.Matrix, a.Cos, a.Sin, 1)
		return x
	}
	y := p.Tape.New(x.Rows, x.Cols, x.Needs())
	for r := range x.Rows {
		copy(y.Row(r), x.Row(r))
	}
	rotate(y.Matrix, a.Cos, a.Sin, 1)
	if y.Needs() {
		*autodiff.Record[rotation](p.Tape) = rotation{y, x, a}
	}
	return y
}

func rotate(x, cos, sin mat.Matrix, sign float32) {
	n := cos.Cols
	for r := range x.Rows {
		c, s, row := cos.Row(r), sin.Row(r), x.Row(r)
		for h := 0; h < len(row); h += 2 * n {
			a, b := row[h:h+n], row[h+n:h+2*n]
			for i := range a {
				p, q := a[i], b[i]
				a[i] = float32(p*c[i]) - float32(q*s[i]*sign)
				b[i] = float32(q*c[i]) + float32(p*s[i]*sign)
			}
		}
	}
}

type rotation struct {
	y, x autodiff.Value
	a    Angles
}

// Backward implements autodiff.Op: the gradient is turned back.
func (o *rotation) Backward(t *autodiff.Tape) {
	g, ok := t.Grad(o.y)
	if !ok {
		return
	}
	d, add := t.Into(o.x)
	back := d
	if add {
		b := t.Engine.Borrow(g.Rows * g.Cols)
		defer t.Engine.Return(b)
		back = mat.View(b, g.Rows, g.Cols)
	}
	for r := range g.Rows {
		copy(back.Row(r), g.Row(r))
	}
	rotate(back, o.a.Cos, o.a.Sin, -1)
	if add {
		t.Engine.Add(d, d, back)
	}
}
