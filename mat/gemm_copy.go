package mat

// The first strip may copy B while it multiplies, for the strips that follow.

// copied is how many rows the first strip has if it copies columns j0 ≤ j < j1 of B, and otherwise 0. It does so if B is compact. If B is not packed, it does
// where the strips are many, or where the rows of B would displace each other in the caches.
func (w *worker) copied(j0, j1, kc int) int {
	p, g, rows := &w.product, &w.engine.level.Gemm, w.i1-w.i0
	wide := &g.Tiles[0]
	switch {
	case p.isCompact():
		kernel := p.packed.compact.kernel
		return min(kernel.MR, max(ceilDiv(rows, 2), kernel.CopyMR), rows)
	case p.packed == nil && !p.right && kc > 0 && w.tile == wide && j1-j0 >= wide.NR && rows > wide.MR &&
		(rows >= minRows || p.b.Stride%(setStride/2) == 0):
		return g.CopyMR
	}
	return 0
}

// copyStrip adds to the first rows of C, in columns j0 ≤ j < j1, the products of the rows at a with rows k0 to k0+kc of B, and copies that part of B to dst, panel by
// panel.
func (w *worker) copyStrip(rows int, a *float32, lda, k0, kc, j0, j1 int, dst []float32) {
	p := &w.product
	if p.isCompact() {
		p.compactStrip(w.i0, rows, k0, kc, j0, j1, dst)
		return
	}
	w.engine.level.Gemm.CopyStrip(kc, (j1-j0)/w.tile.NR, a, lda, &p.b.Data[k0*p.b.Stride+j0], p.b.Stride, &dst[0], &p.c.Data[w.i0*p.c.Stride+j0], p.c.Stride, p.add || k0 > 0)
}
