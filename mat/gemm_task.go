package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

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
	// callMACs bounds the multiply-adds of one call of a kernel: the runtime cannot stop a goroutine inside.
	callMACs = 1 << 21
	// groupStrips is how many strips of Aᵀ are transposed at once, so that the transpose has whole blocks.
	groupStrips = 8
	// togetherStrips is up to how many strips pass each panel together, so that it is read from memory once and while it is computed with. More of them
	// pass blocks of panels one after another.
	togetherStrips = 5
	// shortK is the length of sums up to which C is what costs. Its rows often lie a power of two apart and share a set of the
	// first-level cache, which holds no more than shortRows of them beside the operands.
	shortK    = 32
	shortRows = 7
	// setStride is the stride from which on, and its multiples, rows share a set of the first-level cache.
	setStride = 1024
	// stripPad keeps the rows of the copy from lying a power of two apart.
	stripPad = 16
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

// A worker computes one piece.
type worker struct {
	*piece
	engine *Engine
	a, b   []float32 // copies of blocks of Aᵀ and B
	wide   []float32 // some of a packed B in float32, on its way to b

	after    *piece // what is done next, if anything
	together bool   // whether all strips pass a panel before the next
	onePanel bool   // whether b holds a panel at a time
}

// halfRows is up to how many rows of A the kernels widen B themselves, each strip anew. To widen it once, and to wait for it meanwhile, costs more: here
// for any number of rows, but by count for fewer than some hundred where the instructions that widen share a port with the multiply-adds.
const halfRows = 128

func (w *worker) do() {
	p, nr := &w.product, w.tile.NR
	panels := ceilDiv(w.j1-w.j0, nr)
	kc := min(p.k(), kBlock)
	values := w.engine.level.Gemm.BlockValues
	if w.direct() {
		values = values * 3 / 4 // the next block is fetched meanwhile
	}
	blocks := ceilDiv(panels*nr*max(kc, kBlock/2), values)
	if p.left { // many strips pass a panel while it is in the first-level cache, and to transpose A more often costs more
		blocks = ceilDiv(blocks, 2)
	}
	w.together = !p.left && w.i1-w.i0 <= togetherStrips*w.most(w.tile, kc)
	w.onePanel = w.together && p.isCompact()
	if w.together && w.direct() || w.onePanel {
		blocks = 1
	}
	sizeA, sizeB, sizeWide := 0, 0, 0
	if p.left {
		sizeA = min(w.i1-w.i0, groupStrips*w.tile.MR) * (kc + stripPad)
	}
	switch {
	case w.onePanel:
		sizeB = kc * nr
	case !w.direct():
		sizeB = kc * ceilDiv(panels, blocks) * nr
	}
	if p.right && p.packed != nil && !p.packed.isFloats() {
		sizeWide = nr * p.packed.nr()
	}
	scratch := w.engine.Borrow(sizeA + sizeB + sizeWide)
	w.a, w.b, w.wide = scratch[:sizeA], scratch[sizeA:sizeA+sizeB], scratch[sizeA+sizeB:]
	for b := range blocks {
		j0, j1 := w.j0+panels*b/blocks*nr, min(w.j1, w.j0+panels*(b+1)/blocks*nr)
		for k0 := 0; k0 == 0 || k0 < p.k(); k0 += kBlock {
			after := place{j0, k0 + kBlock}
			if p.k()-after.k0 < kBlock/2 { // what is short is soon read, and too soon computed to fetch a whole block meanwhile
				after = place{j1, 0}
			}
			w.block(j0, j1, k0, min(p.k()-k0, kBlock), after)
		}
	}
	w.engine.Return(scratch)
}

// direct reports whether the kernels read all of B where it lies.
func (w *worker) direct() bool {
	p := &w.product
	return p.packed != nil && !p.right && p.packed.compact == nil && (p.packed.half == nil || w.i1-w.i0 <= halfRows)
}

// most is how many rows a strip has at most in a block of kc steps.
func (w *worker) most(tile *asm.Tile, kc int) int {
	most := tile.MR
	if kc <= shortK {
		short := tile.ShortMR
		if short == 0 {
			short = shortRows
		}
		most = min(most, short)
	}
	if tile.SetMR > 0 && !w.product.left && w.product.a.Stride%setStride == 0 {
		most = min(most, tile.SetMR)
	}
	return most
}

// block adds the products of rows k0 to k0+kc of B to columns j0 ≤ j < j1 of C. The block after it is fetched meanwhile.
func (w *worker) block(j0, j1, k0, kc int, after place) {
	p, tile := &w.product, w.tile
	b, ldb, step, size := w.operand(j0, j1, k0, kc)
	if size == 2 {
		tile = p.packed.half
	}
	nr := tile.NR
	panels := ceilDiv(j1-j0, nr)
	perCall := max(1, callMACs/(max(kc, 64)*nr*min(tile.MR, max(w.i1-w.i0, readRows))))
	most := w.most(tile, kc)
	group := w.i1 - w.i0 // rows that pass a call's panels one after another
	switch {
	case p.left:
		group = groupStrips * most
	case !w.together:
		group = most
	}
	alternate := min(group, w.i1-w.i0) > most || w.onePanel // strips take turns at each panel
	if alternate {
		perCall = 1
	}
	next := w.next(after, panels, kc)
	var turn fetch // while the strips take turns at the first panel: that one
	if alternate && p.packed != nil && !p.right && kc > 0 {
		turn = fetch{b: uintptr(p.packed.address(k0, j0)), panelBytes: p.packed.sizeOf(step), panels: 1, kc: kc}
	}
	copied := w.copied(j0, j1, kc)
	for i0 := w.i0; i0 < w.i1; {
		i1 := i0 + takeRows(tile, w.i1-i0, group)
		switch {
		case p.left:
			i1 = min(w.i1, i0+group) // whole blocks of the transpose
		case copied > 0 && i0 == w.i0 && !alternate:
			i1 = i0 + copied
		}
		a, lda := w.rows(i0, i1, k0, kc)
		for q := 0; q < panels; q += perCall {
			n := min(perCall, panels-q)
			j := j0 + q*nr
			tail := nr
			if j+n*nr > j1 {
				tail = j1 - j - (n-1)*nr
			}
			shared, from := next, q
			if turn.b != 0 { // the panel beside this one, or the first of the next block
				shared.panels, from = 1, 0
				if q+1 < panels {
					shared = turn
					shared.b += uintptr((q + 1) * turn.panelBytes)
				}
			}
			at := q * step
			if w.onePanel {
				at = 0
			}
			for i := i0; i < i1; {
				if copied > 0 && i == w.i0 {
					w.copyStrip(copied, a, lda, k0, kc, j, min(j1, j+n*nr), w.b[at:])
					i += copied
					continue
				}
				rows := takeRows(tile, i1-i, most)
				strip := unsafe.Add(unsafe.Pointer(a), 4*(i-i0)*lda)
				ahead := shared.share(i-w.i0, rows, w.i1-w.i0, from)
				switch {
				case tile.FetchA:
					if !alternate && q+n == panels {
						ahead.A = w.nextA(i+rows, k0)
					}
				case ahead.B == 0 && i > w.i0:
					ahead.B, ahead.Pace = uintptr(unsafe.Add(b, at*size)), 1 // what is at hand
				}
				tile.Strip(rows, kc, n, (*float32)(strip), lda, unsafe.Add(b, at*size), ldb, step, &p.c.Data[i*p.c.Stride+j], p.c.Stride, tail, p.add || k0 > 0, ahead)
				i += rows
			}
		}
		i0 = i1
	}
}

// takeRows returns how many of left rows a strip takes next: at most most.
func takeRows(tile *asm.Tile, left, most int) int {
	if tile.Whole && left > most {
		return most
	}
	return take(left, most)
}

// take returns how many of left rows to take next: at most most, and about as many each time.
func take(left, most int) int { return ceilDiv(left, ceilDiv(left, most)) }

// rows returns the address and stride of rows i0 ≤ i < i1 of A from column k0 on, or of a copy of them where A is to be transposed.
func (w *worker) rows(i0, i1, k0, kc int) (*float32, int) {
	a := w.product.a
	switch {
	case kc == 0:
		return nil, 0
	case w.product.left:
		stride := kc + stripPad
		w.engine.level.Gemm.Transpose(&w.a[0], stride, &a.Data[k0*a.Stride+i0], a.Stride, kc, i1-i0)
		return &w.a[0], stride
	}
	return &a.Data[i0*a.Stride+k0], a.Stride
}

// operand returns the address of rows k0 to k0+kc and columns j0 ≤ j < j1 of B, its strides and the size of its elements.
func (w *worker) operand(j0, j1, k0, kc int) (b unsafe.Pointer, ldb, step, size int) {
	p, nr := &w.product, w.tile.NR
	step = kc * nr
	switch {
	case kc == 0:
		return nil, nr, step, 4
	case p.right && p.packed != nil:
		w.packTransposed(j0, j1, k0, kc)
		return unsafe.Pointer(&w.b[0]), nr, step, 4
	case p.right:
		w.transpose(j0, j1, k0, kc)
		return unsafe.Pointer(&w.b[0]), nr, step, 4
	case p.packed == nil && (j1-j0)%nr > 0:
		w.pack(j0, j1, k0, kc)
		return unsafe.Pointer(&w.b[0]), nr, step, 4
	case w.copied(j0, j1, kc) > 0: // not yet
		return unsafe.Pointer(&w.b[0]), nr, step, 4
	case p.packed == nil:
		return unsafe.Pointer(&p.b.Data[k0*p.b.Stride+j0]), p.b.Stride, nr, 4
	case p.packed.isFloats():
		return p.packed.address(k0, j0), nr, step, 4
	case w.i1-w.i0 <= halfRows:
		return p.packed.address(k0, j0), nr, step, 2
	}
	for j := j0; j < j1; j += nr {
		p.packed.widenRows(w.b[(j-j0)*kc:], k0, j, 0, kc)
	}
	return unsafe.Pointer(&w.b[0]), nr, step, 4
}

// pack copies rows k0 to k0+kc and columns j0 ≤ j < j1 of B into a panel that they don't fill.
func (w *worker) pack(j0, j1, k0, kc int) {
	b, nr := w.product.b, w.tile.NR
	for l := range kc {
		o := (k0+l)*b.Stride + j0
		row := w.b[l*nr:][:nr]
		clear(row[copy(row, b.Data[o:o+j1-j0]):])
	}
}

// transpose copies columns k0 to k0+kc of B into panels of its rows j0 ≤ j < j1, which are columns of the transpose.
func (w *worker) transpose(j0, j1, k0, kc int) {
	b, nr := w.product.b, w.tile.NR
	for j := j0; j < j1; j += nr {
		n := min(nr, j1-j)
		dst := w.b[(j-j0)*kc:][:kc*nr]
		if n < nr {
			clear(dst)
		}
		w.engine.level.Gemm.Transpose(&dst[0], nr, &b.Data[j*b.Stride+k0], b.Stride, n, kc)
	}
}

// packTransposed copies columns k0 to k0+kc of the packed B into panels of its rows j0 ≤ j < j1, which are columns of the transpose. Each panel of B is
// read from its first row to its last: memory is faster at long runs.
func (w *worker) packTransposed(j0, j1, k0, kc int) {
	p, nr := w.product.packed, w.tile.NR
	if rest := (j1 - j0) % nr; rest > 0 {
		clear(w.b[(j1-rest-j0)*kc:][:kc*nr])
	}
	for l := k0; l < k0+kc; l += p.nr() {
		width := p.panelWidth(l)
		cols := min(width, k0+kc-l)
		for j := j0; j < j1; { // the rows that lie in one block, and belong to one panel
			block := j / kBlock * kBlock
			panel := (j - j0) / nr * nr
			to := min(j1, block+kBlock, j0+panel+nr)
			src := unsafe.Add(p.address(block, l), p.sizeOf((j-block)*width))
			if !p.isFloats() {
				p.widenRows(w.wide, block, l, j-block, to-block)
				src = unsafe.Pointer(&w.wide[0])
			}
			w.engine.level.Gemm.Transpose(&w.b[panel*kc+(l-k0)*nr+j-j0-panel], nr, (*float32)(src), width, to-j, cols)
			j = to
		}
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
