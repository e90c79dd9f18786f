package autodiff

import "github.com/polytropon/polytropon/mat"

// A Function is a function of one number and its derivative.
type Function struct {
	set      func(e *mat.Engine, dst, x mat.Matrix)
	backward func(e *mat.Engine, dx, dy, x mat.Matrix) // dx = dy · f'(x); dx may be dy
	gate     func(e *mat.Engine, dst, x, y mat.Matrix) // dst = f(x) ⊙ y in one pass; nil where there is none
}

// The functions that layers use.
var (
	ReLU     = &Function{(*mat.Engine).ReLU, (*mat.Engine).ReLUBackward, nil}
	SiLU     = &Function{(*mat.Engine).SiLU, (*mat.Engine).SiLUBackward, (*mat.Engine).GateSiLU}
	GELU     = &Function{(*mat.Engine).GELU, (*mat.Engine).GELUBackward, nil}
	GELUTanh = &Function{(*mat.Engine).GELUTanh, (*mat.Engine).GELUTanhBackward, (*mat.Engine).GateGELUTanh}
	Tanh     = &Function{(*mat.Engine).Tanh, (*mat.Engine).TanhBackward, nil}
	Sigmoid  = &Function{(*mat.Engine).Sigmoid, (*mat.Engine).SigmoidBackward, nil}
)

// Set sets dst = f(x), element by element, where no gradient is needed; dst may be x.
func (f *Function) Set(e *mat.Engine, dst, x mat.Matrix) { f.set(e, dst, x) }

// SetGate sets dst = f(x) ⊙ y, element by element, where no gradient is needed; dst may be x, and must not overlap y.
func (f *Function) SetGate(e *mat.Engine, dst, x, y mat.Matrix) {
	if f.gate != nil {
		f.gate(e, dst, x, y)
		return
	}
	f.set(e, dst, x)
	e.MulElem(dst, dst, y)
}

// Apply returns f(x), element by element.
func (t *Tape) Apply(f *Function, x Value) Value {
	y := t.New(x.Rows, x.Cols, t.Needs(x))
	f.set(t.Engine, y.Matrix, x.Matrix)
	if y.Needs() {
		*Record[applied](t) = applied{y, x, f}
	}
	return y
}

type applied struct {
	y, x Value
	f    *Function
}

// Backward implements Op.
func (a *applied) Backward(t *Tape) {
	if g, ok := t.Grad(a.y); ok {
		a.f.backward(t.Engine, g, g, a.x.Matrix)
		t.Hand(a.y, a.x)
	}
}

// Gate returns f(x) ⊙ y, element by element: the gate of a feed-forward layer. f(x) is not kept but computed again on the way back.
func (t *Tape) Gate(f *Function, x, y Value) Value {
	z := t.New(x.Rows, x.Cols, t.Needs(x, y))
	f.SetGate(t.Engine, z.Matrix, x.Matrix, y.Matrix)
	if z.Needs() {
		*Record[gated](t) = gated{z, x, y, f}
	}
	return z
}

type gated struct {
	z, x, y Value
	f       *Function
}

// Backward implements Op: dy = dz ⊙ f(x), dx = dz ⊙ y ⊙ f'(x).
func (o *gated) Backward(t *Tape) {
	g, ok := t.Grad(o.z)
	if !ok {
		return
	}
	t.accumulate(o.y, func(d mat.Matrix) { o.f.SetGate(t.Engine, d, o.x.Matrix, g) })
	if o.x.Needs() {
		t.Engine.MulElem(g, g, o.y.Matrix)
		o.f.backward(t.Engine, g, g, o.x.Matrix)
		t.Hand(o.z, o.x)
	}
}
