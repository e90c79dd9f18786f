package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Mul returns a·b: a is M × K, b is K × N, the result M × N.
func (t *Tape) Mul(a, b Value) Value {
	y := t.New(a.Rows, b.Cols, t.Needs(a, b))
	t.Engine.MulMatrix(y.Matrix, a.Matrix, b.Matrix)
	if y.Needs() {
		*Record[product](t) = product{y: y, a: a, b: b}
	}
	return y
}

// MulT returns a·bᵀ: a is M × K, b is N × K, as torch keeps the weight of a linear layer; the result is M × N.
func (t *Tape) MulT(a, b Value) Value {
	y := t.New(a.Rows, b.Rows, t.Needs(a, b))
	t.Engine.MulMatrixT(y.Matrix, a.Matrix, b.Matrix)
	if y.Needs() {
		*Record[product](t) = product{y: y, a: a, b: b, transposed: true}
	}
	return y
}

// product is y = a·b or, if transposed, y = a·bᵀ.
type product struct {
	y, a, b    Value
	transposed bool
}

// Backward implements Op: da = dy·bᵀ, db = aᵀ·dy; transposed: da = dy·b, db = dyᵀ·a.
func (p *product) Backward(t *Tape) {
	g, ok := t.Grad(p.y)
	if !ok {
		return
	}
	if p.a.Needs() {
		da, add := t.Into(p.a)
		switch {
		case p.transposed && add:
			t.Engine.MulAddMatrix(da, g, p.b.Matrix)
		case p.transposed:
			t.Engine.MulMatrix(da, g, p.b.Matrix)
		case add:
			t.Engine.MulAddMatrixT(da, g, p.b.Matrix)
		default:
			t.Engine.MulMatrixT(da, g, p.b.Matrix)
		}
	}
	if p.b.Needs() {
		left, right := p.a.Matrix, g
		if p.transposed {
			left, right = g, p.a.Matrix
		}
		if db, add := t.Into(p.b); add {
			t.Engine.MulAddTMatrix(db, left, right)
		} else {
			t.Engine.MulTMatrix(db, left, right)
		}
	}
}

// MulPacked returns a·w for a weight that is not trained: a is M × K, w is K × N, the result M × N.
func (t *Tape) MulPacked(a Value, w *mat.Packed) Value {
	z := t.New(a.Rows, w.N, t.Needs(a))
	t.Engine.Mul(z.Matrix, a.Matrix, w)
	if z.Needs() {
		*Record[frozen](t) = frozen{z: z, a: a, w: w}
	}
	return z
}

// PlusMulPacked returns y + a·w, y being M × N: a residual connection, with fewer passes over memory than Plus and MulPacked, and with the bits of
// mat.Engine.MulAdd.
func (t *Tape) PlusMulPacked(y, a Value, w *mat.Packed) Value {
	if y.Rows != a.Rows || y.Cols != w.N {
		panic(fmt.Sprintf("autodiff: %s plus the product of %s and %d×%d", y.Shape(), a.Shape(), w.K, w.N))
	}
	z := t.New(y.Rows, y.Cols, t.Needs(y, a))
	if result, ok := t.known(z); ok {
		t.copy(z.Matrix, result)
	} else {
		t.copy(z.Matrix, y.Matrix)
		t.Engine.MulAdd(z.Matrix, a.Matrix, w)
	}
	if z.Needs() {
		*Record[frozen](t) = frozen{z, y, a, w}
	}
	return z
}

// frozen is z = y + a·w, or a·w with y zero, with w not trained.
type frozen struct {
	z, y, a Value
	w       *mat.Packed
}

// Backward implements Op: da = dz·wᵀ, dy = dz.
func (f *frozen) Backward(t *Tape) {
	g, ok := t.Grad(f.z)
	if !ok {
		return
	}
	if f.a.Needs() {
		if da, add := t.Into(f.a); add {
			t.Engine.MulAddT(da, g, f.w)
		} else {
			t.Engine.MulT(da, g, f.w)
		}
	}
	t.Hand(f.z, f.y)
}
