package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// A Block is a part of a computation whose inner values need not be kept.
type Block interface {
	// Forward returns a value of x's shape. Called again, with the same x, it does the same operations. It may use other values, made
	// before the block.
	Forward(t *Tape, x Value) Value
}

// Recompute returns b.Forward(t, x), and keeps nothing of what was computed on the way: Backward computes it again. That costs a second forward pass
// and changes no bit. Blocks don't nest.
func (t *Tape) Recompute(b Block, x Value) Value {
	if t.outer >= 0 {
		panic("autodiff: a block that is computed again within another")
	}
	y := t.values.Matrix(x.Rows, x.Cols)
	mark := t.begin()
	inner := b.Forward(t, x)
	if inner.Rows != x.Rows || inner.Cols != x.Cols {
		panic(fmt.Sprintf("autodiff: a block of %s returns %s", x.Shape(), inner.Shape()))
	}
	for r := range y.Rows {
		copy(y.Row(r), inner.Row(r))
	}
	needs := inner.Needs()
	t.end(mark)
	v := Value{Matrix: y}
	if needs {
		v = t.Needing(v)
		*Record[recomputed](t) = recomputed{b, x, v}
	}
	return v
}

type recomputed struct {
	block Block
	x, y  Value
}

func (r *recomputed) Backward(t *Tape) {
	g, ok := t.Grad(r.y)
	if !ok {
		return
	}
	mark := t.begin()
	inner := r.block.Forward(t, r.x)
	t.Add(inner, g)
	t.backward(mark.ops)
	t.end(mark)
}

// A position is where a block began.
type position struct {
	ops, gradients int
	values         mat.Mark
}

func (t *Tape) begin() position {
	t.outer = len(t.gradients)
	return position{len(t.ops), len(t.gradients), t.values.Mark()}
}

// end forgets what was recorded and computed since the block began.
func (t *Tape) end(p position) {
	clear(t.ops[p.ops:])
	t.ops, t.gradients = t.ops[:p.ops], t.gradients[:p.gradients]
	t.values.Release(p.values)
	t.outer = -1
}
