package mat

import "fmt"

// partSize is how many elements one part of an element or row function has at least, about: some microseconds of work, far more than it costs
// to hand a part to a worker.
const partSize = 8192

// size returns how many elements a part of w has, about. Where there are many, larger parts save some 3 % of the time: a kernel begins slowly.
func (e *Engine) size(w *work) int {
	return max(partSize, min(4*partSize, w.x.Rows*w.x.Cols/(8*e.threads)))
}

// A work is one call of an element or row function, cut into parts that the workers share. Works are reused.
type work struct {
	do     func(w *work, row, from, to int) // does the columns from ≤ j < to of a row
	doRows func(w *work, from, to int)      // instead of do: does the rows from ≤ r < to

	engine    *Engine
	dst, x, y Matrix
	vector    []float32 // an operand or result with one value per column or row
	labels    []int
	ignore    int
	s         float32
	unary     func(dst, x []float32)
	binary    func(dst, x, y []float32)
	scalar    func(dst, x []float32, s float32)
	scaled    func(dst, x, y []float32, s float32)

	rows, cols int // size of a part
	across     int // parts side by side
}

// work returns a work that share gives back.
func (e *Engine) work(do func(w *work, row, from, to int), dst, x Matrix) *work {
	w, ok := e.works.take()
	if !ok {
		w = &work{}
	}
	w.engine, w.do, w.dst, w.x = e, do, dst, x
	return w
}

// Do does part i.
func (w *work) Do(i int) {
	row, from := i/w.across*w.rows, i%w.across*w.cols
	to, end := min(from+w.cols, w.x.Cols), min(row+w.rows, w.x.Rows)
	if w.doRows != nil {
		w.doRows(w, row, end)
		return
	}
	for r := row; r < end; r++ {
		w.do(w, r, from, to)
	}
}

// shareElements runs a work whose elements are independent of each other; matrices without gaps are taken as one long row.
func (e *Engine) shareElements(w *work) {
	if w.dst.isDense() && w.x.isDense() && w.y.isDense() {
		w.dst, w.x, w.y = w.dst.flat(), w.x.flat(), w.y.flat()
	}
	e.share(w, min(w.x.Cols, e.size(w)))
}

// shareRows runs a work that needs whole rows.
func (e *Engine) shareRows(w *work) { e.share(w, w.x.Cols) }

// share runs a work in parts of so many columns and gives it back.
func (e *Engine) share(w *work, cols int) {
	if w.x.Rows > 0 && w.x.Cols > 0 {
		w.cols = cols
		w.rows = max(1, e.size(w)/cols)
		w.across = (w.x.Cols + cols - 1) / cols
		if n := (w.x.Rows + w.rows - 1) / w.rows * w.across; n > 1 {
			e.Run(n, w)
		} else {
			w.Do(0)
		}
	}
	*w = work{}
	e.works.put(w)
}

func (m Matrix) isDense() bool { return m.Stride == m.Cols || m.Rows <= 1 }

func (m Matrix) flat() Matrix {
	n := m.Rows * m.Cols
	return Matrix{Rows: min(1, m.Rows), Cols: n, Stride: n, Data: m.Data}
}

func checkShapes(what string, dst, x Matrix) {
	if dst.Rows != x.Rows || dst.Cols != x.Cols {
		panic(fmt.Sprintf("mat: %s of %s into %s", what, x.Shape(), dst.Shape()))
	}
}
