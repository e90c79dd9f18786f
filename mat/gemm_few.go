package mat

import "github.com/polytropon/polytropon/mat/asm"

// What takes time in products of few rows, as in decoding, is to read B, and to begin reading anew takes as long as some panels. So the panels of all
// products of a group are cut together, as if they lay one after another, into as many parts for each thread, which may go from one product into the
// next: what a thread reads lies in one piece.

const (
	// fewTiles is up to how many tiles of rows are few. Each part has all of them.
	fewTiles = 4
	// fewMACs is how much a thread has at least, as cost counts multiply-adds, where its work is cut in two: three quarters, and one that another thread
	// may do that is ready before.
	fewMACs = 1 << 21
)

// isFew reports whether a product with the given tile is one of these.
func (p *product) isFew(tile *asm.Tile) bool {
	return p.packed != nil && !p.right && p.c.Rows <= fewTiles*tile.MR
}

// cutEnd is the cost of the first n cuts.
func (t *gemmTask) cutEnd(n int) int {
	if !t.isShared() {
		return 2*t.cost + n // more than there is, as panels are rounded
	}
	each := max(1, ceilDiv(t.cost, t.engine.threads))
	if each < fewMACs {
		return n * each
	}
	return (n+1)/2*each - n%2*each/4
}

// cutFew appends the parts of columns j0 ≤ j < j1 of product i, before which the group has products of such a cost.
func (t *gemmTask) cutFew(i int, tile *asm.Tile, j0, j1, before int) {
	p := &t.products[i]
	panels, panel := ceilDiv(j1-j0, tile.NR), max(1, max(p.c.Rows, readRows)*p.k()*tile.NR)
	n := 1
	for t.cutEnd(n) <= before {
		n++
	}
	for from := 0; from < panels; n++ {
		to := min(panels, max(from, (t.cutEnd(n)-before+panel/2)/panel)) // the nearest panel
		if to > from {
			t.add(piece{product: *p, tile: tile, i1: p.c.Rows, j0: j0 + from*tile.NR, j1: min(j1, j0+to*tile.NR)}, n)
		}
		from = to
	}
}
