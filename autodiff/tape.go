package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// A Tape records operations and finds gradients. It belongs to one goroutine at a time. After Reset it is used again with the memory that it
// has, so that steps of the same size don't allocate.
//
// Gradients are added up in the reverse order of the operations, so they have the same bits with any number of threads.
type Tape struct {
	Engine *mat.Engine

	ops       []Op
	gradients []gradient // of the value with id i, at i-1
	pools     []resetter
	values    mat.Arena // what operations return
	grads     mat.Arena // gradients of values
	outer     int       // while a block is being computed again: how many gradients belong to values outside it; else -1
}

// An Op is a recorded operation.
type Op interface {
	// Backward adds to the gradients of the operands what the gradient of the result implies.
	Backward(t *Tape)
}

type gradient struct {
	mat.Matrix      // no data before something is added
	rows, cols int  // of the value
	set        bool // something has been added
}

// NewTape returns an empty tape that computes on e.
func NewTape(e *mat.Engine) *Tape { return &Tape{Engine: e, outer: -1} }

// Reset forgets all operations and values.
func (t *Tape) Reset() {
	clear(t.ops)
	t.ops, t.gradients = t.ops[:0], t.gradients[:0]
	for _, p := range t.pools {
		p.reset()
	}
	t.values.Release(mat.Mark{})
	t.grads.Release(mat.Mark{})
}

// Param returns p's value as an operand. Its gradient is added to p.Grad.
func (t *Tape) Param(p *Param) Value {
	t.gradients = append(t.gradients, gradient{Matrix: p.Grad, rows: p.Value.Rows, cols: p.Value.Cols, set: true})
	return Value{p.Value, len(t.gradients)}
}

// New returns a value of rows × cols with arbitrary contents, for an operation's result; needs says whether one of its operands needs a
// gradient.
func (t *Tape) New(rows, cols int, needs bool) Value {
	v := Value{Matrix: t.values.Matrix(rows, cols)}
	if needs {
		v = t.Needing(v)
	}
	return v
}

// Needing returns v as a value that needs a gradient: an operation that adds a trained term to v in place returns it.
func (t *Tape) Needing(v Value) Value {
	if v.id == 0 {
		t.gradients = append(t.gradients, gradient{rows: v.Rows, cols: v.Cols})
		v.id = len(t.gradients)
	}
	return v
}

// Scratch returns a matrix of rows × cols with arbitrary contents that is valid until Reset: what an operation keeps for its Backward.
func (t *Tape) Scratch(rows, cols int) mat.Matrix { return t.values.Matrix(rows, cols) }

// Backward adds to the Grad of every parameter the gradient of loss, a 1 × 1 value of this tape, times scale. It may be called once
// between resets.
func (t *Tape) Backward(loss Value, scale float32) {
	if loss.Rows != 1 || loss.Cols != 1 {
		panic(fmt.Sprintf("autodiff: backward from a value of %s, want 1×1", loss.Shape()))
	}
	if !loss.Needs() {
		return // nothing that is trained led to it
	}
	g, _ := t.Into(loss)
	g.Data[0] = scale
	t.backward(0)
}

// backward runs the operations from number first on in reverse and forgets them.
func (t *Tape) backward(first int) {
	for i := len(t.ops) - 1; i >= first; i-- {
		t.ops[i].Backward(t)
	}
	clear(t.ops[first:])
	t.ops = t.ops[:first]
}

// Grad returns the gradient of v, for the Backward of the operation whose result v is; false where v needs none or nothing depends on it.
func (t *Tape) Grad(v Value) (mat.Matrix, bool) {
	if v.id == 0 {
		return mat.Matrix{}, false
	}
	g := &t.gradients[v.id-1]
	return g.Matrix, g.set
}

// Into returns where an operation puts the gradient of an operand that needs one: with add it must be added to what is there, otherwise
// what is there is to be overwritten, all of it.
func (t *Tape) Into(v Value) (m mat.Matrix, add bool) {
	g := &t.gradients[v.id-1]
	if add = g.set; !add {
		arena := &t.grads
		if t.outer >= 0 && v.id > t.outer {
			arena = &t.values // of the block that is being computed again
		}
		g.Matrix, g.set = arena.Matrix(g.rows, g.cols), true
	}
	return g.Matrix, add
}

// Add adds m to the gradient of v, if v needs one.
func (t *Tape) Add(v Value, m mat.Matrix) {
	if v.id == 0 {
		return
	}
	g, add := t.Into(v)
	if add {
		t.Engine.Add(g, g, m)
		return
	}
	for r := range m.Rows {
		copy(g.Row(r), m.Row(r))
	}
}
