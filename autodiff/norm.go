package autodiff

import "fmt"

// RMSNorm returns x / √(mean(x²) + eps) · weight, row by row; weight is 1 × x.Cols.
func (t *Tape) RMSNorm(x, weight Value, eps float32) Value {
	if weight.Rows != 1 || weight.Cols != x.Cols {
		panic(fmt.Sprintf("autodiff: norm of %s with a weight of %s", x.Shape(), weight.Shape()))
	}
	y := t.New(x.Rows, x.Cols, t.Needs(x, weight))
	t.Engine.RMSNorm(y.Matrix, x.Matrix, weight.Row(0), eps)
	if y.Needs() {
		*Record[norm](t) = norm{y, x, weight, eps}
	}
	return y
}

type norm struct {
	y, x, weight Value
	eps          float32
}

// Backward implements Op.
func (n *norm) Backward(t *Tape) {
	g, ok := t.Grad(n.y)
	if !ok {
		return
	}
	e := t.Engine
	if n.weight.Needs() {
		d, add := t.Into(n.weight)
		if !add {
			clear(d.Row(0))
		}
		e.RMSNormWeightBackward(d.Row(0), g, n.x.Matrix, n.eps)
	}
	if n.x.Needs() {
		e.RMSNormBackward(g, g, n.x.Matrix, n.weight.Row(0), n.eps)
		t.Hand(n.y, n.x)
	}
}

// Softmax returns exp(x - max) / sum(exp(x - max)), row by row.
func (t *Tape) Softmax(x Value) Value {
	y := t.New(x.Rows, x.Cols, t.Needs(x))
	t.Engine.Softmax(y.Matrix, x.Matrix)
	if y.Needs() {
		*Record[softmax](t) = softmax{y, x}
	}
	return y
}

type softmax struct{ y, x Value }

// Backward implements Op.
func (s *softmax) Backward(t *Tape) {
	if g, ok := t.Grad(s.y); ok {
		t.Engine.SoftmaxBackward(g, g, s.y.Matrix)
		t.Hand(s.y, s.x)
	}
}
