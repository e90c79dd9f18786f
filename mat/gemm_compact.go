package mat

import "unsafe"

// A compact B is put together by the kernels: by those of few rows in registers alone. Of more rows the first ones keep it for the others.

// isCompact reports whether B is compact and is read as it lies.
func (p *product) isCompact() bool { return p.packed != nil && p.packed.compact != nil && !p.right }

// compactColumns computes the columns j0 ≤ j < j1, whole panels, of the product with a compact B, and of no more rows than its kernel takes.
func (p *product) compactColumns(j0, j1 int) {
	nr := p.packed.nr()
	for k0 := 0; k0 < p.k(); k0 += kBlock {
		kc := min(p.k()-k0, kBlock)
		step := nr * max(1, callMACs/(max(kc, 64)*nr*max(p.c.Rows, readRows)))
		for j := j0; j < j1; j += step {
			p.compactStrip(0, p.c.Rows, k0, kc, j, min(j1, j+step), nil)
		}
	}
}

// compactStrip adds the products of rows k0 to k0+kc of a compact B, in columns j0 ≤ j < j1, whole panels, to rows i ≤ r < i+rows of C, and sets dst, if there is
// one, to those panels in float32.
func (p *product) compactStrip(i, rows, k0, kc, j0, j1 int, dst []float32) {
	b := p.packed
	c := b.compact
	panels := ceilDiv(j1-j0, b.nr())
	runs, rare := c.rareUnits(k0, j0)
	c.kernel.Strip(rows, kc, panels, &p.a.Data[i*p.a.Stride+k0], p.a.Stride, b.address(k0, j0), runs, rare, &p.c.Data[i*p.c.Stride+j0], p.c.Stride,
		j1-j0-(panels-1)*b.nr(), p.add || k0 > 0, &c.highs, unsafe.SliceData(dst))
}
