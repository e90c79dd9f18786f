package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Reshape returns x's elements, in their order, as rows × cols. The memory is x's.
func (t *Tape) Reshape(x Value, rows, cols int) Value {
	if rows*cols != x.Rows*x.Cols || x.Stride != x.Cols && x.Rows > 1 {
		panic(fmt.Sprintf("autodiff: %s with stride %d reshaped to %d×%d", x.Shape(), x.Stride, rows, cols))
	}
	needs := t.Needs(x)
	y := Value{Matrix: mat.View(x.Data, rows, cols), tape: t, era: t.era}
	if needs {
		y = t.Needing(y)
		*Record[reshaped](t) = reshaped{y, x}
	}
	return y
}

type reshaped struct{ y, x Value }

// Backward implements Op.
func (r *reshaped) Backward(t *Tape) {
	if _, ok := t.Grad(r.y); ok {
		t.Hand(r.y, r.x)
	}
}
