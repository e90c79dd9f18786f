package mat

import "github.com/polytropon/polytropon/mat/asm"

// What takes time in products of few rows, as in decoding, is to read B, and to begin reading anew takes as long as some panels. So the panels of all
// products of a group are cut together, as if they lay one after another, into as many equal parts for each thread, which may go from one product
// into the next: with the workers beginning at the end, what a thread reads lies in one piece.

const (
	// fewTiles is up to how many tiles of rows are few. Each part has all of them.
	fewTiles = 4
	// fewPerThread is how many parts a thread gets, and fewMACs how large they are then at least, as cost counts multiply-adds.
	fewPerThread = 2
	fewMACs      = 1 << 20
)

// isFew reports whether a product with the given tile is one of these.
func (p *product) isFew(tile *asm.Tile) bool {
	return p.packed != nil && !p.right && p.c.Rows <= fewTiles*tile.MR
}

// fewShare is the cost of a part.
func (t *gemmTask) fewShare() int {
	if !t.isShared() {
		return 2 * t.cost // more than there is, as panels are rounded
	}
	threads := t.engine.threads
	return ceilDiv(t.cost, threads*max(1, min(fewPerThread, t.cost/(threads*fewMACs))))
}

// cut appends the parts of columns j0 ≤ j < j1 of product i, before which the group has products of such a cost.
func (t *gemmTask) cut(i int, tile *asm.Tile, j0, j1, before int) {
	p, share := &t.products[i], max(1, t.fewShare())
	panels, panel := ceilDiv(j1-j0, tile.NR), max(1, max(p.c.Rows, readRows)*p.k()*tile.NR)
	for g, from := before/share, 0; from < panels; g++ {
		to := min(panels, max(from, ((g+1)*share-before+panel/2)/panel)) // the nearest panel
		if to > from {
			t.parts = append(t.parts, part{product: i, tile: tile, i1: p.c.Rows, j0: j0 + from*tile.NR, j1: min(j1, j0+to*tile.NR)})
		}
		from = to
	}
}
