package autodiff_test

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A cube is an operation of one's own: y = x³.
type cube struct{ y, x autodiff.Value }

// newCube computes and records it.
func newCube(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	y := t.New(x.Rows, x.Cols, t.Needs(x))
	t.Engine.MulElem(y.Matrix, x.Matrix, x.Matrix)
	t.Engine.MulElem(y.Matrix, y.Matrix, x.Matrix)
	if y.Needs() {
		*autodiff.Record[cube](t) = cube{y, x}
	}
	return y
}

// Backward implements autodiff.Op: dx = 3·x²·dy.
func (c *cube) Backward(t *autodiff.Tape) {
	g, ok := t.Grad(c.y)
	if !ok {
		return
	}
	t.Engine.Scale(g, g, 3)
	t.Engine.MulElem(g, g, c.x.Matrix)
	t.Engine.MulElem(g, g, c.x.Matrix)
	t.Hand(c.y, c.x)
}

func ExampleRecord() {
	derivative(row(2, -1), newCube)
	// Output: [8 -1] [12 3]
}

// A shift is an operation in place: y = y + row, for each row of y.
type shift struct{ y, row autodiff.Value }

// newShift adds row to each row of y, which nothing else has used.
func newShift(t *autodiff.Tape, y, row autodiff.Value) autodiff.Value {
	if t.Needs(row) {
		y = t.Needing(y)
		*autodiff.Record[shift](t) = shift{y, row}
	}
	for r := range y.Rows {
		t.Engine.AddRow(y.Row(r), row.Row(0))
	}
	return y
}

// Backward implements autodiff.Op: drow is the sum of the rows of dy, which stays as it is for the operation that made y.
func (s *shift) Backward(t *autodiff.Tape) {
	g, ok := t.Grad(s.y)
	if !ok {
		return
	}
	d, add := t.Into(s.row)
	if !add {
		clear(d.Row(0))
	}
	for r := range g.Rows {
		t.Engine.AddRow(d.Row(0), g.Row(r))
	}
}

func ExampleTape_Needing() {
	derivative(row(1, 2), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		y := t.New(3, 2, false) // what an operation made, say
		clear(y.Data)
		return newShift(t, y, x)
	})
	// Output: [1 2] [3 3]
}

// A difference is y = a - b.
type difference struct{ y, a, b autodiff.Value }

func newDifference(t *autodiff.Tape, a, b autodiff.Value) autodiff.Value {
	y := t.New(a.Rows, a.Cols, t.Needs(a, b))
	t.Engine.Sub(y.Matrix, a.Matrix, b.Matrix)
	if y.Needs() {
		*autodiff.Record[difference](t) = difference{y, a, b}
	}
	return y
}

// Backward implements autodiff.Op: da = dy, db = -dy.
func (d *difference) Backward(t *autodiff.Tape) {
	g, ok := t.Grad(d.y)
	if !ok {
		return
	}
	t.AddGrad(d.a, g)
	t.Engine.Scale(g, g, -1)
	t.Hand(d.y, d.b)
}

func ExampleTape_AddGrad() {
	derivative(row(5, 7), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		return newDifference(t, t.Scale(x, 3), x)
	})
	// Output: [10 14] [2 2]
}

// An absolute is y = |x|; it keeps the signs.
type absolute struct {
	y, x  autodiff.Value
	signs mat.Matrix
}

func newAbsolute(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	signs := t.Scratch(x.Rows, x.Cols)
	for r := range x.Rows {
		for c, v := range x.Row(r) {
			signs.Row(r)[c] = 1
			if v < 0 {
				signs.Row(r)[c] = -1
			}
		}
	}
	y := t.New(x.Rows, x.Cols, t.Needs(x))
	t.Engine.MulElem(y.Matrix, x.Matrix, signs)
	if y.Needs() {
		*autodiff.Record[absolute](t) = absolute{y, x, signs}
	}
	return y
}

// Backward implements autodiff.Op.
func (a *absolute) Backward(t *autodiff.Tape) {
	if g, ok := t.Grad(a.y); ok {
		t.Engine.MulElem(g, g, a.signs)
		t.Hand(a.y, a.x)
	}
}

func ExampleTape_Scratch() {
	derivative(row(-3, 2), newAbsolute)
	// Output: [3 2] [-1 1]
}
