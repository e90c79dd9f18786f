package mat

import "github.com/polytropon/polytropon/mat/asm"

// What takes time in products of few rows, as in decoding, is to read B, and to begin reading anew takes as long as some panels. So the panels of all
// products of a group are cut together, as if they lay one after another, into fewPerThread equal parts for each thread, which may go from one product
// into the next: with the workers beginning at the end, what a thread reads lies in one piece.

const fewPerThread = 2

// isFew reports whether the product is one of these.
func (p *product) isFew() bool { return p.packed != nil && !p.right && p.c.Rows <= readRows }

// cut appends the parts of columns j0 ≤ j < j1 of product i, which begins so many multiply-adds, as cost counts them, after the first of the group. share is
// what a part would be with partsPerThread for each thread.
func (t *gemmTask) cut(i int, tile *asm.Tile, j0, j1, share, before int) {
	p := &t.products[i]
	panels, panel := ceilDiv(j1-j0, tile.NR), max(1, readRows*p.k()*tile.NR)
	share = max(1, share*partsPerThread/fewPerThread)
	for g, from := before/share, 0; from < panels; g++ {
		to := min(panels, max(from, ((g+1)*share-before+panel/2)/panel)) // the nearest panel
		if to > from {
			t.parts = append(t.parts, part{product: i, tile: tile, i1: p.c.Rows, j0: j0 + from*tile.NR, j1: min(j1, j0+to*tile.NR)})
		}
		from = to
	}
}
