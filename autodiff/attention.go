package autodiff

import "github.com/polytropon/polytropon/mat"

// Attention returns mat.Engine.Attention's output: q.Rows × q.Cols. Where bias needs a gradient it is the one bias of all sequences,
// heads × 2n-1, in every entry of a.Bias.
func (t *Tape) Attention(q, k, v, bias Value, a mat.Attention) Value {
	out := t.New(q.Rows, q.Cols, q.Needs() || k.Needs() || v.Needs() || bias.Needs())
	t.Engine.Attention(out.Matrix, q.Matrix, k.Matrix, v.Matrix, a)
	if out.Needs() {
		*Record[attention](t) = attention{out, q, k, v, bias, a}
	}
	return out
}

type attention struct {
	out, q, k, v, bias Value
	a                  mat.Attention
}

// Backward implements Op.
func (o *attention) Backward(t *Tape) {
	g, ok := t.Grad(o.out)
	if !ok {
		return
	}
	// Attention finds the gradients of all its operands at once, and sets them.
	place := func(v Value) (m mat.Matrix, after bool) {
		if v.Needs() {
			if m, add := t.Into(v); !add {
				return m, false
			}
			return t.Scratch(v.Rows, v.Cols), true
		}
		return t.Scratch(v.Rows, v.Cols), false
	}
	var d mat.AttentionGradients
	var addQ, addK, addV bool
	d.Q, addQ = place(o.q)
	d.K, addK = place(o.k)
	d.V, addV = place(o.v)
	if o.bias.Needs() {
		d.Bias = make([]mat.Matrix, len(o.a.Bias))
		for s := range d.Bias {
			d.Bias[s] = t.Scratch(o.bias.Rows, o.bias.Cols)
			clear(d.Bias[s].Data)
		}
	}
	t.Engine.AttentionBackward(d, g, o.out.Matrix, o.q.Matrix, o.k.Matrix, o.v.Matrix, o.a)
	for _, b := range d.Bias {
		t.Add(o.bias, b)
	}
	for _, late := range [...]struct {
		add bool
		to  Value
		m   mat.Matrix
	}{{addQ, o.q, d.Q}, {addK, o.k, d.K}, {addV, o.v, d.V}} {
		if late.add {
			t.Add(late.to, late.m)
		}
	}
}
