package mat

import "github.com/polytropon/polytropon/mat/asm"

// columns computes the columns j0 ≤ j < j1, whole panels, of the product with a packed B that is not transposed.
func (p *product) columns(j0, j1 int) {
	b := p.packed
	if b.compact != nil {
		p.compactColumns(j0, j1)
		return
	}
	wide, whole := &b.level.Gemm.Tiles[0], b.N/b.nr()*b.nr()
	if b.half != nil {
		wide, whole = b.half, j1
	}
	for k0 := 0; k0 == 0 || k0 < p.k(); k0 += kBlock {
		kc := min(p.k()-k0, kBlock)
		if mid := min(j1, whole); j0 < mid {
			p.panels(wide, k0, kc, j0, mid)
		}
		if from := max(j0, whole); from < j1 {
			p.panels(narrowest(b.level, b.N-from), k0, kc, from, j1)
		}
	}
}

// panels adds the products of rows k0 to k0+kc of B, in the columns j0 ≤ j < j1, which are panels of one kernel.
func (p *product) panels(tile *asm.Tile, k0, kc, j0, j1 int) {
	count := ceilDiv(j1-j0, tile.NR)
	var a *float32
	if kc > 0 {
		a = &p.a.Data[k0]
	}
	tile.Strip(p.c.Rows, kc, count, a, p.a.Stride, p.packed.address(k0, j0), tile.NR, kc*tile.NR, &p.c.Data[j0], p.c.Stride, j1-j0-(count-1)*tile.NR,
		p.add || k0 > 0, asm.Ahead{})
}
