package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// PlusGateMulPacked returns y + (f(a) ⊙ b)·w, or y + f(a)·w where b is the zero Value: the end of a feed-forward layer. It has the bits of PlusMulPacked
// of Gate or Apply, and keeps nothing but its result: what w is multiplied by is not needed on the way back.
func (t *Tape) PlusGateMulPacked(y Value, f *Function, a, b Value, w *mat.Packed) Value {
	if y.Rows != a.Rows || y.Cols != w.N {
		panic(fmt.Sprintf("autodiff: %s plus the product of %s and %d×%d", y.Shape(), a.Shape(), w.K, w.N))
	}
	z := t.New(y.Rows, y.Cols, t.Needs(y, a, b))
	if result, ok := t.known(z); ok {
		t.copy(z.Matrix, result)
	} else {
		mark := t.values.Mark()
		h := t.Scratch(a.Rows, a.Cols)
		f.setGate(t.Engine, h, a, b)
		t.copy(z.Matrix, y.Matrix)
		t.Engine.MulAdd(z.Matrix, h, w)
		t.values.Release(mark)
	}
	if z.Needs() {
		*Record[frozenGate](t) = frozenGate{z, y, a, b, f, w}
	}
	return z
}

// setGate sets dst = f(a) ⊙ b, or f(a) where b is the zero Value.
func (f *Function) setGate(e *mat.Engine, dst mat.Matrix, a, b Value) {
	if b.Data == nil {
		f.set(e, dst, a.Matrix)
		return
	}
	f.SetGate(e, dst, a.Matrix, b.Matrix)
}

type frozenGate struct {
	z, y, a, b Value
	f          *Function
	w          *mat.Packed
}

// Backward implements Op: with dh = dz·wᵀ, db = f(a) ⊙ dh, da = dh ⊙ b ⊙ f'(a), dy = dz.
func (o *frozenGate) Backward(t *Tape) {
	g, ok := t.Grad(o.z)
	if !ok {
		return
	}
	if o.a.Needs() || o.b.Needs() {
		dh := t.Scratch(o.a.Rows, o.a.Cols)
		t.Engine.MulT(dh, g, o.w)
		t.accumulate(o.b, func(d mat.Matrix) { o.f.SetGate(t.Engine, d, o.a.Matrix, dh) })
		if o.b.Data != nil {
			t.Engine.MulElem(dh, dh, o.b.Matrix)
		}
		t.accumulate(o.a, func(d mat.Matrix) { o.f.backward(t.Engine, d, dh, o.a.Matrix) })
	}
	t.Hand(o.z, o.y)
}
