package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// A Block is a part of a computation whose inner values need not be kept.
type Block interface {
	// Forward returns a value of x's shape. Called again, with the same x, it does the same operations. It may use other values, made
	// before the block; what it makes is not valid after it, but for the result.
	Forward(t *Tape, x Value) Value
}

// Recompute returns b.Forward(t, x), and keeps nothing of what was computed on the way, but a copy of b: Backward computes it again. That costs a
// second forward pass, but for a PlusMulPacked that is the block's last operation, and changes no bit. Blocks don't nest. (*T is a [Block].)
//
//	x = autodiff.Recompute(t, layer{weight, bias}, x)
func Recompute[T any, P interface {
	*T
	Block
}](t *Tape, b T, x Value) Value {
	t.check(x)
	r := take[recomputed[T, P]](t)
	r.block, r.x, r.y = b, x, t.New(x.Rows, x.Cols, false)
	inner, mark := t.begin(P(&r.block), x)
	t.copy(r.y.Matrix, inner.Matrix)
	needs := inner.Needs()
	r.ops = len(t.ops) - mark.ops
	t.end(mark)
	if needs {
		r.y = t.Needing(r.y)
		t.record(r)
	}
	return r.y
}

type recomputed[T any, P interface {
	*T
	Block
}] struct {
	block T
	x, y  Value
	ops   int // that it records
}

// Backward implements Op.
func (r *recomputed[T, P]) Backward(t *Tape) {
	if _, ok := t.Grad(r.y); !ok {
		return
	}
	t.last, t.result = len(t.ops)+r.ops, r.y.Matrix
	inner, mark := t.begin(P(&r.block), r.x)
	t.last = 0
	t.Hand(r.y, inner)
	t.backward(mark.ops)
	t.end(mark)
}

// known returns the value of z, which is about to be computed by an operation that is recorded, where that is the last one of a block that is computed
// again: the result of the block. (If the operation has another result, nothing depends on that.)
func (t *Tape) known(z Value) (mat.Matrix, bool) {
	return t.result, t.last > 0 && len(t.ops)+1 == t.last && z.Needs() && z.Rows == t.result.Rows && z.Cols == t.result.Cols
}

// A position is where a block began.
type position struct {
	ops, gradients int
	values         mat.Mark
}

// begin begins a block and computes it.
func (t *Tape) begin(b Block, x Value) (inner Value, began position) {
	if t.around != 0 {
		panic("autodiff: a block that is computed again within another")
	}
	began = position{len(t.ops), len(t.gradients), t.values.Mark()}
	t.eras++
	t.around, t.era = t.era, t.eras
	inner = b.Forward(t, x)
	t.check(inner)
	if inner.Rows != x.Rows || inner.Cols != x.Cols {
		panic(fmt.Sprintf("autodiff: a block of %s returns %s", x.Shape(), inner.Shape()))
	}
	return inner, began
}

// end forgets what was recorded and computed since the block began.
func (t *Tape) end(p position) {
	clear(t.ops[p.ops:])
	t.free(p.gradients, len(t.gradients))
	t.ops, t.gradients = t.ops[:p.ops], t.gradients[:p.gradients]
	t.values.Release(p.values)
	t.era, t.around = t.around, 0
}
