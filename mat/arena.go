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
	for at := a.at; at.slab < len(a.slabs); at = (Mark{at.slab + 1, 0}) {
		if s := a.slabs[at.slab][at.used:]; len(s) >= n {
			a.at = Mark{at.slab, at.used + min((n+15)&^15, len(s))} // rows of the next one start on a cache line
			return View(s[:n], rows, cols)
		}
	}
	a.grow(n)
	return a.Matrix(rows, cols)
}

// grow makes one slab, with room for n values, of all that are free: they are too small, and would never be used where matrices become ever larger.
func (a *Arena) grow(n int) {
	if a.at.used > 0 {
		a.at = Mark{a.at.slab + 1, 0}
	}
	free := 0
	for _, s := range a.slabs[a.at.slab:] {
		free += len(s)
	}
	clear(a.slabs[a.at.slab:])
	a.slabs = append(a.slabs[:a.at.slab], make([]float32, max(n, free, slabSize)))
}

// Mark returns the position to which Release can go back.
func (a *Arena) Mark() Mark { return a.at }

// Release frees all matrices handed out since the mark was taken; Release(Mark{}) frees all.
func (a *Arena) Release(m Mark) { a.at = m }
