package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Plus returns x + y, element by element: a residual connection, say.
func (t *Tape) Plus(x, y Value) Value {
	z := t.New(x.Rows, x.Cols, x.Needs() || y.Needs())
	t.Engine.Add(z.Matrix, x.Matrix, y.Matrix)
	if z.Needs() {
		*Record[sum](t) = sum{z, x, y}
	}
	return z
}

type sum struct{ z, x, y Value }

// Backward implements Op.
func (s *sum) Backward(t *Tape) {
	if g, ok := t.Grad(s.z); ok {
		t.Add(s.x, g)
		t.Add(s.y, g)
	}
}

// PlusRow returns x with row, 1 × x.Cols, added to each of its rows: the bias of a linear layer.
func (t *Tape) PlusRow(x, row Value) Value {
	if row.Rows != 1 || row.Cols != x.Cols {
		panic(fmt.Sprintf("autodiff: %s added to the rows of %s", row.Shape(), x.Shape()))
	}
	z := t.New(x.Rows, x.Cols, x.Needs() || row.Needs())
	for r := range x.Rows {
		copy(z.Row(r), x.Row(r))
		t.Engine.AddRow(z.Row(r), row.Row(0))
	}
	if z.Needs() {
		*Record[rowSum](t) = rowSum{z, x, row}
	}
	return z
}

type rowSum struct{ z, x, row Value }

// Backward implements Op: drow is the sum of dz's rows, in ascending order.
func (s *rowSum) Backward(t *Tape) {
	g, ok := t.Grad(s.z)
	if !ok {
		return
	}
	t.Add(s.x, g)
	if s.row.Needs() {
		d, add := t.Into(s.row)
		if !add {
			clear(d.Row(0))
		}
		for r := range g.Rows {
			t.Engine.AddRow(d.Row(0), g.Row(r))
		}
	}
}

// Times returns x ⊙ y, the product element by element.
func (t *Tape) Times(x, y Value) Value {
	z := t.New(x.Rows, x.Cols, x.Needs() || y.Needs())
	t.Engine.MulElem(z.Matrix, x.Matrix, y.Matrix)
	if z.Needs() {
		*Record[times](t) = times{z, x, y}
	}
	return z
}

type times struct{ z, x, y Value }

// Backward implements Op: dx = dz ⊙ y, dy = dz ⊙ x.
func (m *times) Backward(t *Tape) {
	g, ok := t.Grad(m.z)
	if !ok {
		return
	}
	addProduct := func(to Value, factor mat.Matrix) {
		if !to.Needs() {
			return
		}
		d, add := t.Into(to)
		if !add {
			t.Engine.MulElem(d, g, factor)
			return
		}
		b := t.Engine.Borrow(g.Rows * g.Cols)
		defer t.Engine.Return(b)
		product := mat.View(b, g.Rows, g.Cols)
		t.Engine.MulElem(product, g, factor)
		t.Engine.Add(d, d, product)
	}
	addProduct(m.x, m.y.Matrix)
	addProduct(m.y, m.x.Matrix)
}

// Scale returns x · s.
func (t *Tape) Scale(x Value, s float32) Value {
	z := t.New(x.Rows, x.Cols, x.Needs())
	t.Engine.Scale(z.Matrix, x.Matrix, s)
	if z.Needs() {
		*Record[scaled](t) = scaled{z, x, s}
	}
	return z
}

type scaled struct {
	z, x Value
	s    float32
}

// Backward implements Op.
func (s *scaled) Backward(t *Tape) {
	g, ok := t.Grad(s.z)
	if !ok {
		return
	}
	if d, add := t.Into(s.x); add {
		t.Engine.AddScaled(d, d, g, s.s)
	} else {
		t.Engine.Scale(d, g, s.s)
	}
}

// Total returns the sum of x's elements, 1 × 1: rows are added in ascending order, each as mat.Engine.SumRow adds.
func (t *Tape) Total(x Value) Value {
	z := t.New(1, 1, x.Needs())
	z.Data[0] = 0
	for r := range x.Rows {
		z.Data[0] += t.Engine.SumRow(x.Row(r))
	}
	if z.Needs() {
		*Record[total](t) = total{z, x}
	}
	return z
}

type total struct{ z, x Value }

// Backward implements Op.
func (s *total) Backward(t *Tape) {
	g, ok := t.Grad(s.z)
	if !ok {
		return
	}
	d, add := t.Into(s.x)
	for r := range d.Rows {
		row := d.Row(r)
		if !add {
			clear(row)
		}
		for i := range row {
			row[i] += g.Data[0]
		}
	}
}
