package mat

import (
	"fmt"
	"unsafe"
)

// A Matrix is a view of Rows × Cols float32 in row-major order: element (i, j) is Data[i*Stride+j]. Views share memory.
type Matrix struct {
	Rows, Cols, Stride int
	Data               []float32
}

// New returns a zero matrix of rows × cols.
func New(rows, cols int) Matrix { return View(make([]float32, rows*cols), rows, cols) }

// View returns data, which holds at least rows·cols values in row-major order, as a matrix.
func View(data []float32, rows, cols int) Matrix {
	if rows < 0 || cols < 0 || len(data) < rows*cols {
		panic(fmt.Sprintf("mat: %d values viewed as %d×%d", len(data), rows, cols))
	}
	return Matrix{Rows: rows, Cols: cols, Stride: cols, Data: data[:rows*cols]}
}

// Row returns row i; it aliases m.
func (m Matrix) Row(i int) []float32 {
	if m.Cols == 0 {
		return nil // an empty range of columns keeps its stride, but no data
	}
	o := i * m.Stride
	return m.Data[o : o+m.Cols : o+m.Cols]
}

// RowRange returns rows from ≤ i < to; it aliases m.
func (m Matrix) RowRange(from, to int) Matrix { return m.Range(from, to, 0, m.Cols) }

// ColRange returns columns from ≤ j < to; it aliases m.
func (m Matrix) ColRange(from, to int) Matrix { return m.Range(0, m.Rows, from, to) }

// Range returns the rows r0 ≤ i < r1 and columns c0 ≤ j < c1; it aliases m.
func (m Matrix) Range(r0, r1, c0, c1 int) Matrix {
	if r0 < 0 || r1 < r0 || r1 > m.Rows || c0 < 0 || c1 < c0 || c1 > m.Cols {
		panic(fmt.Sprintf("mat: range [%d:%d, %d:%d] of %s", r0, r1, c0, c1, m.Shape()))
	}
	v := Matrix{Rows: r1 - r0, Cols: c1 - c0, Stride: m.Stride}
	if v.Rows > 0 && v.Cols > 0 {
		o := r0*m.Stride + c0
		v.Data = m.Data[o : o+(v.Rows-1)*m.Stride+v.Cols]
	}
	return v
}

// Shape returns "rows×cols", for messages.
func (m Matrix) Shape() string { return fmt.Sprintf("%d×%d", m.Rows, m.Cols) }

// check panics where the fields of m contradict each other.
func (m Matrix) check() {
	if m.Rows < 0 || m.Cols < 0 || m.Rows > 0 && m.Cols > 0 && (m.Stride < m.Cols || len(m.Data) < (m.Rows-1)*m.Stride+m.Cols) {
		panic(fmt.Sprintf("mat: matrix of %s with stride %d in %d values", m.Shape(), m.Stride, len(m.Data)))
	}
}

// overlaps reports whether m and o share an element. Views of one matrix may lie side by side; matrices of different strides
// overlap where their memory does.
func (m Matrix) overlaps(o Matrix) bool {
	if m.Rows == 0 || m.Cols == 0 || o.Rows == 0 || o.Cols == 0 {
		return false
	}
	extent := func(v Matrix) (from, to uintptr) {
		from = uintptr(unsafe.Pointer(&v.Data[0]))
		return from, from + uintptr((v.Rows-1)*v.Stride+v.Cols)*4
	}
	mFrom, mTo := extent(m)
	oFrom, oTo := extent(o)
	if mTo <= oFrom || oTo <= mFrom {
		return false
	}
	if m.Stride != o.Stride && m.Rows > 1 && o.Rows > 1 {
		return true
	}
	stride := max(m.Stride, o.Stride)
	if m.Rows == 1 {
		stride = o.Stride
	} else if o.Rows == 1 {
		stride = m.Stride
	}
	if mFrom > oFrom {
		m, o, mFrom, oFrom = o, m, oFrom, mFrom
	}
	// o begins in a row of m's, or of m's stride, at column c; it overlaps unless it lies between m's columns.
	c := int(oFrom-mFrom) / 4 % stride
	return c < m.Cols || c+o.Cols > stride
}
