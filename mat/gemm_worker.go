package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

const (
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
)

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

// do computes the piece block by block.
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

// A block is what strips of A pass: rows k0 to k0+kc and columns j0 ≤ j < j1 of B.
type block struct {
	j0, j1, k0, kc int
	tile           *asm.Tile      // the kernel that reads it
	at             unsafe.Pointer // its first panel
	ldb, step      int            // from a row of a panel, and from a panel, to the next
	size           int            // of an element in bytes
	panels         int
	most           int      // rows of a strip
	copied         int      // rows of the first strip if it copies the block, otherwise 0
	alternate      bool     // whether strips take turns at each panel
	next           fetch    // the block after it
	turn           fetch    // while the strips take turns at the first panel: that one
	a              *float32 // the rows of A that pass it now
	lda            int
}

// block adds the products of rows k0 to k0+kc of B to columns j0 ≤ j < j1 of C. The block after it is fetched meanwhile.
func (w *worker) block(j0, j1, k0, kc int, after place) {
	p := &w.product
	var b block // set field by field: to copy what was just written makes the processor wait
	b.j0, b.j1, b.k0, b.kc = j0, j1, k0, kc
	w.lay(&b)
	b.panels, b.most, b.copied = ceilDiv(j1-j0, b.tile.NR), w.most(b.tile, kc), w.copied(j0, j1, kc)
	group := w.i1 - w.i0 // rows that pass a call's panels one after another
	switch {
	case p.left:
		group = groupStrips * b.most
	case !w.together:
		group = b.most
	}
	perCall := max(1, callMACs/(max(kc, 64)*b.tile.NR*min(b.tile.MR, max(w.i1-w.i0, readRows))))
	if b.alternate = min(group, w.i1-w.i0) > b.most || w.onePanel; b.alternate {
		perCall = 1
	}
	b.next = w.next(after, b.panels, kc)
	if b.alternate && p.packed != nil && !p.right && kc > 0 {
		b.turn = fetch{b: uintptr(p.packed.address(k0, j0)), panelBytes: p.packed.sizeOf(b.step), panels: 1, kc: kc}
	}
	for i0 := w.i0; i0 < w.i1; {
		i1 := i0 + takeRows(b.tile, w.i1-i0, group)
		switch {
		case p.left:
			i1 = min(w.i1, i0+group) // whole blocks of the transpose
		case b.copied > 0 && i0 == w.i0 && !b.alternate:
			i1 = i0 + b.copied
		}
		b.a, b.lda = w.rows(i0, i1, k0, kc)
		for q := 0; q < b.panels; q += perCall {
			w.strips(&b, i0, i1, q, min(perCall, b.panels-q))
		}
		i0 = i1
	}
}

// strips lets rows i0 ≤ i < i1 of A, strip by strip, pass n panels of b from panel q on.
func (w *worker) strips(b *block, i0, i1, q, n int) {
	p, tile := &w.product, b.tile
	j := b.j0 + q*tile.NR
	j1 := min(b.j1, j+n*tile.NR)
	tail := j1 - j - (n-1)*tile.NR
	shared, from := b.next, q
	if b.turn.b != 0 { // the panel beside this one, or the first of the next block
		shared.panels, from = 1, 0
		if q+1 < b.panels {
			shared = b.turn
			shared.b += uintptr((q + 1) * b.turn.panelBytes)
		}
	}
	at := q * b.step
	if w.onePanel {
		at = 0
	}
	for i := i0; i < i1; {
		if b.copied > 0 && i == w.i0 {
			w.copyStrip(b.copied, b.a, b.lda, b.k0, b.kc, j, j1, w.b[at:])
			i += b.copied
			continue
		}
		rows := takeRows(tile, i1-i, b.most)
		a, panel := unsafe.Add(unsafe.Pointer(b.a), 4*(i-i0)*b.lda), unsafe.Add(b.at, at*b.size)
		ahead := shared.share(i-w.i0, rows, w.i1-w.i0, from)
		switch {
		case tile.FetchA:
			if !b.alternate && q+n == b.panels {
				ahead.A = w.nextA(i+rows, b.k0)
			}
		case ahead.B == 0 && i > w.i0:
			ahead.B, ahead.Pace = uintptr(panel), 1 // what is at hand
		}
		tile.Strip(rows, b.kc, n, (*float32)(a), b.lda, panel, b.ldb, b.step, &p.c.Data[i*p.c.Stride+j], p.c.Stride, tail, p.add || b.k0 > 0, ahead)
		i += rows
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
