package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Plus returns x + y, element by element: a residual connection, say.
func (t *Tape) Plus(x, y Value) Value {
	z := t.New(x.Rows, x.Cols, t.Needs(x, y))
	t.Engine.Add(z.Matrix, x.Matrix, y.Matrix)
	if z.Needs() {
		*Record[sum](t) = sum{z, x, y}
	}
	return z
}

type sum struct{ z, x, y Value }

// Backward implements Op.
func (s *sum) Backward(t *Tape) {
	g, ok := t.Grad(s.z)
	if !ok {
		return
	}
	x, y := s.x, s.y
	if !x.Needs() {
		x, y = y, x
	}
	t.AddGrad(y, g)
	t.Hand(s.z, x)
}

// PlusRow returns x with row, 1 × x.Cols, added to each of its rows: the bias of a linear layer.
func (t *Tape) PlusRow(x, row Value) Value {
	if row.Rows != 1 || row.Cols != x.Cols {
		panic(fmt.Sprintf("autodiff: %s added to the rows of %s", row.Shape(), x.Shape()))
	}
	z := t.New(x.Rows, x.Cols, t.Needs(x, row))
	t.copy(z.Matrix, x.Matrix)
	for r := range x.Rows {
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
	if s.row.Needs() {
		d, add := t.Into(s.row)
		if !add {
			clear(d.Row(0))
		}
		for r := range g.Rows {
			t.Engine.AddRow(d.Row(0), g.Row(r))
		}
	}
	t.Hand(s.z, s.x)
}

// Times returns x ⊙ y, the product element by element.
func (t *Tape) Times(x, y Value) Value {
	z := t.New(x.Rows, x.Cols, t.Needs(x, y))
	t.Engine.MulElem(z.Matrix, x.Matrix, y.Matrix)
	if z.Needs() {
		*Record[times](t) = times{z, x, y}
	}
	return z
}

type times struct{ z, x, y Value }

// Backward implements Op: dy = dz ⊙ x, dx = dz ⊙ y.
func (m *times) Backward(t *Tape) {
	g, ok := t.Grad(m.z)
	if !ok {
		return
	}
	t.accumulate(m.y, func(d mat.Matrix) { t.Engine.MulElem(d, g, m.x.Matrix) })
	if m.x.Needs() {
		t.Engine.MulElem(g, g, m.y.Matrix)
		t.Hand(m.z, m.x)
	}
}

// Scale returns x · s.
func (t *Tape) Scale(x Value, s float32) Value {
	z := t.New(x.Rows, x.Cols, t.Needs(x))
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

// Backward implements Op: dx = dz · s.
func (s *scaled) Backward(t *Tape) {
	if g, ok := t.Grad(s.z); ok {
		t.Engine.Scale(g, g, s.s)
		t.Hand(s.z, s.x)
	}
}

// Total returns the sum of x's elements, 1 × 1: rows are added in ascending order, each as mat.Engine.SumRow adds.
func (t *Tape) Total(x Value) Value {
	z := t.New(1, 1, t.Needs(x))
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

// Backward implements Op: each element of dx is dz.
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
