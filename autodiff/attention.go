package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Attention returns mat.Engine.Attention's output: q.Rows × q.Cols. Where bias needs a gradient it is the one bias of all sequences,
// heads × 2n-1, in every entry of a.Bias. The tape keeps the slices of a until it is reset.
func (t *Tape) Attention(q, k, v, bias Value, a mat.Attention) Value {
	checkBias(bias, a)
	out := t.New(q.Rows, q.Cols, t.Needs(q, k, v, bias))
	t.Engine.Attention(out.Matrix, q.Matrix, k.Matrix, v.Matrix, a)
	if out.Needs() {
		*Record[attention](t) = attention{out, q, k, v, bias, a}
	}
	return out
}

// checkBias panics where bias is trained and a sequence has another.
func checkBias(bias Value, a mat.Attention) {
	if !bias.Needs() {
		return
	}
	same := len(a.Bias) == len(a.Queries)-1
	for _, b := range a.Bias {
		same = same && b.Rows == bias.Rows && b.Cols == bias.Cols && &b.Data[0] == &bias.Data[0]
	}
	if !same {
		panic(fmt.Sprintf("autodiff: attention with a trained bias of %s that is not the bias of all %d sequences", bias.Shape(), len(a.Queries)-1))
	}
}

type attention struct {
	out, q, k, v, bias Value
	a                  mat.Attention
}

// Backward implements Op. The gradients of all operands are found at once, and set.
func (o *attention) Backward(t *Tape) {
	g, ok := t.Grad(o.out)
	if !ok {
		return
	}
	var d mat.AttentionGradients
	operands := [...]struct {
		of Value
		to *mat.Matrix
		// The gradient is found in memory of its own, as something is there already, and added.
		add bool
	}{{of: o.q, to: &d.Q}, {of: o.k, to: &d.K}, {of: o.v, to: &d.V}}
	for i := range operands {
		p := &operands[i]
		if p.of.Needs() {
			*p.to, p.add = t.Into(p.of)
		}
		if p.add || !p.of.Needs() {
			*p.to = t.Scratch(p.of.Rows, p.of.Cols)
		}
	}
	if o.bias.Needs() {
		t.views = t.views[:0]
		for range o.a.Bias {
			b := t.Scratch(o.bias.Rows, o.bias.Cols)
			clear(b.Data)
			t.views = append(t.views, b)
		}
		d.Bias = t.views
	}
	t.Engine.AttentionBackward(d, g, o.out.Matrix, o.q.Matrix, o.k.Matrix, o.v.Matrix, o.a)
	for _, p := range operands {
		if p.add {
			t.AddGrad(p.of, *p.to)
		}
	}
	for _, b := range d.Bias {
		t.AddGrad(o.bias, b)
	}
}
