package nn

import "github.com/polytropon/polytropon/mat"

// An arena hands out scratch matrices and takes them back in the reverse order. Its memory grows to what the largest call needs and
// is used again by the next.
type arena struct {
	slabs [][]float32
	at    Mark
}

// A Mark is a position in the memory of a [Pass].
type Mark struct{ slab, used int }

const slabSize = 1 << 20

// Matrix returns a matrix of rows × cols with arbitrary contents. It is valid until Release goes back to a mark that was taken before, or
// until Reset.
func (a *arena) Matrix(rows, cols int) mat.Matrix {
	n := rows * cols
	for ; a.at.slab < len(a.slabs); a.at = (Mark{a.at.slab + 1, 0}) {
		if s := a.slabs[a.at.slab]; len(s)-a.at.used >= n {
			m := mat.View(s[a.at.used:a.at.used+n], rows, cols)
			a.at.used += (n + 15) &^ 15 // rows of the next one start on a cache line
			a.at.used = min(a.at.used, len(s))
			return m
		}
	}
	a.slabs = append(a.slabs, make([]float32, max(n, slabSize)))
	return a.Matrix(rows, cols)
}

// Mark returns the position to which Release can go back.
func (a *arena) Mark() Mark { return a.at }

// Release frees all matrices handed out since the mark was taken.
func (a *arena) Release(m Mark) { a.at = m }
