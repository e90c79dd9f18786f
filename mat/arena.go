package mat

// An Arena hands out scratch matrices and takes them back in the reverse order. Its memory grows to what the largest use needs and is
// used again by the next. The zero Arena is empty and ready. It belongs to one goroutine at a time.
type Arena struct {
	slabs [][]float32
	at    Mark
}

// A Mark is a position in the memory of an [Arena].
type Mark struct{ slab, used int }

const slabSize = 1 << 20

// Matrix returns a matrix of rows × cols with arbitrary contents. It is valid until Release goes back to a mark that was taken before.
func (a *Arena) Matrix(rows, cols int) Matrix {
	n := rows * cols
	for ; a.at.slab < len(a.slabs); a.at = (Mark{a.at.slab + 1, 0}) {
		if s := a.slabs[a.at.slab]; len(s)-a.at.used >= n {
			m := View(s[a.at.used:a.at.used+n], rows, cols)
			a.at.used += (n + 15) &^ 15 // rows of the next one start on a cache line
			a.at.used = min(a.at.used, len(s))
			return m
		}
	}
	a.slabs = append(a.slabs, make([]float32, max(n, slabSize)))
	return a.Matrix(rows, cols)
}

// Mark returns the position to which Release can go back.
func (a *Arena) Mark() Mark { return a.at }

// Release frees all matrices handed out since the mark was taken; Release(Mark{}) frees all.
func (a *Arena) Release(m Mark) { a.at = m }
