package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

type gradient struct {
	mat.Matrix      // no data before something is added
	rows, cols int  // of the value
	set        bool // something has been added
	own        bool // the matrix is the tape's, not a parameter's
}

func (t *Tape) gradient(v Value) *gradient {
	t.check(v)
	if v.id == 0 {
		panic(fmt.Sprintf("autodiff: the gradient of a value of %s that needs none", v.Shape()))
	}
	return &t.gradients[v.id-1]
}

// Grad returns the gradient of v, for the Backward of an operation whose result v is; false where v needs none or nothing depends on it.
func (t *Tape) Grad(v Value) (mat.Matrix, bool) {
	if v.id == 0 {
		return mat.Matrix{}, false
	}
	g := t.gradient(v)
	return g.Matrix, g.set
}

// Into returns where an operation puts the gradient of an operand that needs one: with add it must be added to what is there, otherwise
// what is there is to be overwritten, all of it. The gradient of a parameter is always added to.
func (t *Tape) Into(v Value) (m mat.Matrix, add bool) {
	g := t.gradient(v)
	if add = g.set; !add {
		g.Matrix, g.set, g.own = t.grads.take(g.rows, g.cols), true, true
	}
	return g.Matrix, add
}

// AddGrad adds m, of v's shape, to the gradient of v, if v needs one.
func (t *Tape) AddGrad(v Value, m mat.Matrix) {
	if m.Rows != v.Rows || m.Cols != v.Cols {
		panic(fmt.Sprintf("autodiff: gradient of %s for a value of %s", m.Shape(), v.Shape()))
	}
	if v.id == 0 {
		return
	}
	if g, add := t.Into(v); add {
		t.Engine.Add(g, g, m)
	} else {
		t.copy(g, m)
	}
}

// accumulate adds to the gradient of v, if v needs one, what set sets.
func (t *Tape) accumulate(v Value, set func(d mat.Matrix)) {
	if v.id == 0 {
		return
	}
	d, add := t.Into(v)
	if !add {
		set(d)
		return
	}
	m := t.Scratch(d.Rows, d.Cols)
	set(m)
	t.Engine.Add(d, d, m)
}

// Hand adds the gradient of from to that of to, which has as many elements in the same order, if to needs one. Where nothing is there yet it hands
// over the memory. It is the last thing that an operation does that made from: its Backward is the last to read the gradient of from, so
// it can have changed it in place to what to's is to be.
func (t *Tape) Hand(from, to Value) {
	if to.id == 0 {
		return
	}
	if from.Rows*from.Cols != to.Rows*to.Cols {
		panic(fmt.Sprintf("autodiff: the gradient of %s handed to a value of %s", from.Shape(), to.Shape()))
	}
	f, g := t.gradient(from), t.gradient(to)
	m := mat.View(f.Data, to.Rows, to.Cols)
	if g.set || !f.own {
		t.AddGrad(to, m)
		return
	}
	g.Matrix, g.set, g.own = m, true, true
	*f = gradient{rows: f.rows, cols: f.cols}
}

// copy sets dst to m: with one factor that is shared among the threads.
func (t *Tape) copy(dst, m mat.Matrix) { t.Engine.Scale(dst, m, 1) }

// free frees the gradients with the numbers from ≤ i < to.
func (t *Tape) free(from, to int) {
	for i := from; i < to; i++ {
		if g := &t.gradients[i]; g.own {
			t.grads.put(g.Matrix)
			*g = gradient{rows: g.rows, cols: g.cols}
		}
	}
}

// gradients is the memory of gradients: most live only from one operation to another, so that a few matrices do for all.
type gradients struct {
	arena mat.Arena
	spare []mat.Matrix
}

func (g *gradients) take(rows, cols int) mat.Matrix {
	for i := len(g.spare) - 1; i >= 0; i-- {
		if m := g.spare[i]; len(m.Data) == rows*cols {
			last := len(g.spare) - 1
			g.spare[i], g.spare = g.spare[last], g.spare[:last]
			return mat.View(m.Data, rows, cols)
		}
	}
	return g.arena.Matrix(rows, cols)
}

func (g *gradients) put(m mat.Matrix) { g.spare = append(g.spare, m) }

func (g *gradients) reset() {
	g.arena.Release(mat.Mark{})
	g.spare = g.spare[:0]
}
