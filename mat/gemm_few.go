package mat

import (
	"math"

	"github.com/polytropon/polytropon/mat/asm"
)

// What takes time in products of few rows, as in decoding, is to read B, and to begin reading anew takes as long as some panels. So the panels of all
// products of a group are cut together, as if they lay one after another, into as many parts for each thread, which may go from one product into the
// next: what a thread reads lies in one piece.

const (
	// fewTiles is up to how many tiles of rows are few. Each part has all of them.
	fewTiles = 4
	// fewMACs is how much a thread has at least, as cost counts multiply-adds, where its work is cut in two: three quarters, and a quarter that another
	// thread may do if it is ready before.
	fewMACs = 1 << 21
	// fewPartMACs is how large parts are at least where a thread has four to eight: the system may hold up a thread for longer than a product takes.
	fewPartMACs = 1 << 23
)

// isFew reports whether a product with the given tile is one of these.
func (p *product) isFew(tile *asm.Tile) bool {
	return p.packed != nil && !p.right && p.c.Rows <= fewTiles*tile.MR
}

// cutEnd is the cost of the first n cuts.
func (t *gemmTask) cutEnd(n int) int {
	threads := t.engine.threads
	each, cuts := ceilDiv(t.cost, threads), 2
	switch {
	case each < fewMACs:
		cuts = 1
	case each >= 4*fewPartMACs:
		cuts = min(each/fewPartMACs, 8)
	}
	if n >= threads*cuts || !t.isShared() {
		return math.MaxInt / 2 // all that is left, however panels are rounded
	}
	end := n/cuts*each + n%cuts*(each/cuts)
	if cuts == 2 {
		end += n % 2 * each / 4
	}
	return end
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
