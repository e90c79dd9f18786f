package autodiff

import "github.com/polytropon/polytropon/mat"

// A Function is a function of one number and its derivative.
type Function struct {
	Name     string // torch's
	set      func(e *mat.Engine, dst, x mat.Matrix)
	backward func(e *mat.Engine, dx, dy, x mat.Matrix) // dx = dy · f'(x); dx may be dy
}

// The functions that layers use.
var (
	ReLU     = &Function{"relu", (*mat.Engine).ReLU, (*mat.Engine).ReLUBackward}
	SiLU     = &Function{"silu", (*mat.Engine).SiLU, (*mat.Engine).SiLUBackward}
	GELU     = &Function{"gelu", (*mat.Engine).GELU, (*mat.Engine).GELUBackward}
	GELUTanh = &Function{"gelu_tanh", (*mat.Engine).GELUTanh, (*mat.Engine).GELUTanhBackward}
	Tanh     = &Function{"tanh", (*mat.Engine).Tanh, (*mat.Engine).TanhBackward}
	Sigmoid  = &Function{"sigmoid", (*mat.Engine).Sigmoid, (*mat.Engine).SigmoidBackward}
)

// Set sets dst = f(x), element by element, where no gradient is needed; dst may be x.
func (f *Function) Set(e *mat.Engine, dst, x mat.Matrix) { f.set(e, dst, x) }

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
