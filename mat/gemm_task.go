package mat

import "github.com/polytropon/polytropon/mat/asm"

const (
	// shareMACs is the number of multiply-adds from which on sharing a product pays. Parts are no smaller, unless a thread would get none.
	shareMACs = 1 << 19
	// readRows is how many rows of A take about as long as reading B from memory does.
	readRows = 8
	// partsPerThread is how many parts a thread gets, so that one that is disturbed holds up the others for a part of the time only.
	partsPerThread = 4
	// partValues is how many values of A a part has at most, unless it has minRows rows: they pass one block of B's columns after another, and should
	// stay in the third-level cache.
	partValues = 1 << 19
	minRows    = 256
)

// A gemmTask is a list of products in progress. Tasks are reused.
type gemmTask struct {
	engine   *Engine
	products []product
	cost     int // of all products
	pieces   []piece
	parts    []int // the first piece of each
	cut      int   // of the last part, 0 if it is none
}

// A piece is a rectangle of C that one worker computes with one kernel. It has all that a worker needs to know, as a core waits for each thing that
// another core has written.
type piece struct {
	product        product
	tile           *asm.Tile
	i0, i1, j0, j1 int
	turned         bool // by doTurned
}

// task returns an empty task.
func (e *Engine) task() *gemmTask {
	t, ok := e.tasks.take()
	if !ok {
		t = &gemmTask{engine: e}
	}
	return t
}

// run computes the products and gives the task back.
func (t *gemmTask) run() {
	for i := range t.products {
		t.products[i].check(t.engine)
	}
	t.divide()
	t.engine.Run(len(t.parts), t)
	t.free()
}

// divide sets the parts.
func (t *gemmTask) divide() {
	t.cost = 0
	for i := range t.products {
		t.cost += t.products[i].cost()
	}
	share := t.cost
	if t.isShared() {
		share = max(min(shareMACs, t.cost/t.engine.threads), t.cost/(t.engine.threads*partsPerThread))
	}
	before := 0
	for i := range t.products {
		t.split(i, share, before)
		before += t.products[i].cost()
	}
}

// isShared reports whether several threads get parts.
func (t *gemmTask) isShared() bool { return t.engine.threads > 1 && t.cost >= shareMACs }

// add appends a piece: to the part before if both are of the same cut, and else as another part.
func (t *gemmTask) add(p piece, cut int) {
	if cut == 0 || cut != t.cut {
		t.parts = append(t.parts, len(t.pieces))
	}
	t.pieces, t.cut = append(t.pieces, p), cut
}

// free gives the task back.
func (t *gemmTask) free() {
	clear(t.products)
	clear(t.pieces)
	t.products, t.pieces, t.parts, t.cut = t.products[:0], t.pieces[:0], t.parts[:0], 0
	t.engine.tasks.put(t)
}

// split appends the parts of product i, of about share multiply-adds each. So many are in the products before.
func (t *gemmTask) split(i, share, before int) {
	p := &t.products[i]
	if p.c.Rows == 0 || p.c.Cols == 0 {
		return
	}
	top := t.turn(i, share)
	if top == p.c.Rows {
		return
	}
	wide := &t.engine.level.Gemm.Tiles[0]
	whole := p.c.Cols / wide.NR * wide.NR
	if rest := p.c.Cols - whole; rest > 0 {
		tail := narrowest(t.engine.level, rest)
		// A strip copies whole panels only.
		if tail == wide && (p.right || p.packed != nil) || !p.right && p.packed != nil && !p.packed.isFloats() {
			whole = p.c.Cols
		} else {
			t.grid(i, tail, top, whole, p.c.Cols, share, before)
		}
	}
	if whole > 0 {
		t.grid(i, wide, top, 0, whole, share, before)
	}
}

// grid appends the parts of the rows from top on and columns j0 ≤ j < j1 of product i.
func (t *gemmTask) grid(i int, tile *asm.Tile, top, j0, j1, share, before int) {
	p := &t.products[i]
	if top == 0 && p.isFew(tile) {
		t.cutFew(i, tile, j0, j1, before)
		return
	}
	m, panels := p.c.Rows-top, ceilDiv(j1-j0, tile.NR)
	parts := max(1, max(m, readRows)*(j1-j0)*p.k()/max(1, share))
	// Rows first: each part reads all of a packed B, which is cheaper than reading A more than once. What is not packed yet is split so that parts read
	// the least, each its rows of A and columns of B, unless C is what costs; narrow parts would read A too often.
	var rows, cols int
	if p.k() <= shortK || p.packed != nil && !p.right && !p.isCompact() {
		rows = min(max(parts, ceilDiv(m, max(minRows, partValues/max(1, p.k())))), ceilDiv(m, fewTiles*tile.MR))
		cols = min(ceilDiv(parts, rows), panels)
	} else {
		rows, cols = 1, parts
		for cols > 1 && 2*rows*tile.MR <= m && (cols*m > 2*rows*(j1-j0) || panels < 3*cols) {
			if p.packed != nil && rows == 2 {
				break // to transpose packed weights more often costs more than to read A
			}
			rows *= 2
			cols = ceilDiv(parts, rows)
		}
		cols = min(cols, panels)
	}
	row := func(r int) int {
		i := m * r / rows
		if tile.Whole && r < rows {
			i = i / tile.MR * tile.MR
		}
		return top + i
	}
	for r := range rows {
		for c := range cols {
			t.add(piece{
				product: *p, tile: tile,
				i0: row(r), i1: row(r + 1),
				j0: j0 + panels*c/cols*tile.NR, j1: min(j1, j0+panels*(c+1)/cols*tile.NR),
			}, 0)
		}
	}
}

// Do computes part i.
func (t *gemmTask) Do(i int) {
	end := len(t.pieces)
	if i+1 < len(t.parts) {
		end = t.parts[i+1]
	}
	for k := t.parts[i]; k < end; k++ {
		w := worker{piece: &t.pieces[k], engine: t.engine}
		if k+1 < len(t.pieces) {
			w.after = &t.pieces[k+1]
		}
		switch {
		case w.turned:
			w.doTurned()
		case w.isDeep():
			w.doDeep()
		case w.product.isCompact() && w.product.c.Rows <= w.product.packed.compact.kernel.MR:
			w.product.columns(w.j0, w.j1)
		default:
			w.do()
		}
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
