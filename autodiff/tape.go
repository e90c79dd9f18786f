package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// A Tape records operations and finds gradients. It belongs to one goroutine at a time. After Reset it is used again with the memory that it
// has, so that steps of the same size don't allocate.
//
// Gradients are added up in the reverse order of the operations, so they have the same bits with any number of threads. Operations panic where
// an operand is of another tape, from before Reset, or from inside a [Block] that has ended.
type Tape struct {
	Engine *mat.Engine

	// Evaluating says that no gradients are wanted: parameters are constants, and nothing is recorded. Reset leaves it as it is.
	Evaluating bool

	ops       []recorded
	spent     bool       // Backward has run
	gradients []gradient // of the value with id i, at i-1
	pools     []resetter
	values    mat.Arena    // what operations return
	grads     gradients    // memory
	views     []mat.Matrix // of an operation in progress
	labels    []int        // of an operation in progress

	// A value is valid in the era in which it was made, and inside a block of it. Reset begins a new one, and so does each block, which
	// ends it.
	era, eras uint64
	around    uint64 // inside a block: the era outside; else 0

	// Inside a block that is computed again: how many operations there are with the last one, and the block's result.
	last   int
	result mat.Matrix
}

// An Op is a recorded operation.
type Op interface {
	// Backward adds to the gradients of the operands what the gradient of the result implies. What it takes from Scratch is
	// free again when it returns.
	Backward(t *Tape)
}

type recorded struct {
	Op
	gradients int // how many there were when it was recorded
}

// NewTape returns an empty tape that computes on e.
func NewTape(e *mat.Engine) *Tape { return &Tape{Engine: e, era: 1, eras: 1} }

// Reset forgets all operations and values.
func (t *Tape) Reset() {
	clear(t.ops)
	t.ops, t.gradients, t.spent = t.ops[:0], t.gradients[:0], false
	for _, p := range t.pools {
		p.reset()
	}
	t.values.Release(mat.Mark{})
	t.grads.reset()
	t.eras++
	t.era, t.around, t.last = t.eras, 0, 0
}

// Param returns p's value as an operand. Its gradient is added to p.Grad.
func (t *Tape) Param(p *Param) Value {
	if t.Evaluating {
		return Constant(p.Value)
	}
	t.gradients = append(t.gradients, gradient{Matrix: p.Grad, rows: p.Value.Rows, cols: p.Value.Cols, set: true})
	return Value{p.Value, t, t.era, len(t.gradients)}
}

// Needs reports whether one of an operation's operands needs a gradient, so that its result does. It panics where one of them does not
// belong here.
func (t *Tape) Needs(operands ...Value) bool {
	needs := false
	for _, v := range operands {
		t.check(v)
		needs = needs || v.id != 0
	}
	return needs
}

// check panics where v is not valid.
func (t *Tape) check(v Value) {
	switch {
	case v.tape == nil || v.tape == t && (v.era == t.era || v.era == t.around):
	case v.tape != t:
		panic(fmt.Sprintf("autodiff: a value of %s is of another tape", v.Shape()))
	default:
		panic(fmt.Sprintf("autodiff: a value of %s is from before Reset, or from inside a block that has ended", v.Shape()))
	}
}

// New returns a value of rows × cols with arbitrary contents, for an operation's result; needs says whether one of its operands needs a
// gradient (see [Tape.Needs]).
func (t *Tape) New(rows, cols int, needs bool) Value {
	v := Value{Matrix: t.values.Matrix(rows, cols), tape: t, era: t.era}
	if needs {
		v = t.Needing(v)
	}
	return v
}

// Needing returns v as a value that needs a gradient: an operation that adds a trained term to v in place returns it. Nothing but the
// operation that made v may have used it, and only an operation that does not need its result again may have made it, as products don't. Inside
// a block v is from inside it.
func (t *Tape) Needing(v Value) Value {
	t.check(v)
	if v.tape == t && v.era != t.era {
		panic(fmt.Sprintf("autodiff: a value of %s from outside a block is changed inside it", v.Shape()))
	}
	if v.id == 0 {
		t.gradients = append(t.gradients, gradient{rows: v.Rows, cols: v.Cols})
		v.tape, v.era, v.id = t, t.era, len(t.gradients)
	}
	return v
}

// Scratch returns a matrix of rows × cols with arbitrary contents that is valid until Reset: what an operation keeps for its Backward. Inside
// Backward it is valid until that returns.
func (t *Tape) Scratch(rows, cols int) mat.Matrix { return t.values.Matrix(rows, cols) }

// Backward adds to the Grad of every parameter the gradient of loss, a 1 × 1 value of this tape, times scale. Then the tape records nothing
// more before Reset; values can still be read.
func (t *Tape) Backward(loss Value, scale float32) {
	if loss.Rows != 1 || loss.Cols != 1 {
		panic(fmt.Sprintf("autodiff: backward from a value of %s, want 1×1", loss.Shape()))
	}
	if t.spent {
		panic("autodiff: Backward twice without Reset")
	}
	if !t.Needs(loss) {
		return // nothing that is trained led to it
	}
	if g, add := t.Into(loss); add {
		g.Data[0] += scale // a parameter is its own gradient
	} else {
		g.Data[0] = scale
	}
	t.backward(0)
	t.spent = true
}

// backward runs the operations from number first on in reverse and forgets them.
func (t *Tape) backward(first int) {
	live := len(t.gradients)
	for i := len(t.ops) - 1; i >= first; i-- {
		op := t.ops[i]
		mark := t.values.Mark()
		op.Backward(t)
		t.values.Release(mark)
		// What was made after this operation was recorded is used by later ones only, which are done.
		t.free(op.gradients, live)
		live = op.gradients
	}
	clear(t.ops[first:])
	t.ops = t.ops[:first]
}
