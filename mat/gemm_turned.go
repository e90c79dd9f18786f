package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// C = Aᵀ·B with few columns, the gradient of a narrow weight, is computed turned: Cᵀ = Bᵀ·A. The rows of A are then what the kernels read
// panels of, where they lie, and it is the small B and C that are transposed. The sums are the same, bit by bit, as a product does not
// depend on the order of its factors.

// turn appends the parts of product i that are computed turned, and returns how many rows of C those are, from the first on: whole panels. What
// fills the narrowest kernel and two half-empty strips of the widest is left to the former.
func (t *gemmTask) turn(i, share int) int {
	p, tiles := &t.products[i], t.engine.level.Gemm.Tiles
	wide, narrow := &tiles[0], &tiles[len(tiles)-1]
	panels := p.c.Rows / wide.NR
	if !p.left || p.c.Cols > 2*wide.MR || p.c.Cols > wide.MR && p.c.Cols <= narrow.NR || p.k() == 0 || panels == 0 {
		return 0
	}
	parts := min(panels, max(1, p.cost()/max(1, share)))
	for n := range parts {
		t.add(piece{
			product: *p, tile: wide, turned: true,
			i0: panels * n / parts * wide.NR, i1: panels * (n + 1) / parts * wide.NR, j1: p.c.Cols,
		}, 0)
	}
	return panels * wide.NR
}

// doTurned computes the part where it is turned.
func (w *worker) doTurned() {
	p, tile, g := &w.product, w.tile, &w.engine.level.Gemm
	rows, cols := w.i1-w.i0, w.j1
	strideB, strideC := min(p.k(), kBlock)+stripPad, rows+stripPad
	scratch := w.engine.Borrow(cols * (strideB + strideC))
	b, c := scratch[:cols*strideB], scratch[cols*strideB:]
	out := &p.c.Data[w.i0*p.c.Stride]
	if p.add {
		g.Transpose(&c[0], strideC, out, p.c.Stride, rows, cols)
	}
	for k0 := 0; k0 < p.k(); k0 += kBlock {
		kc := min(p.k()-k0, kBlock)
		g.Transpose(&b[0], strideB, &p.b.Data[k0*p.b.Stride], p.b.Stride, kc, cols)
		perCall := max(1, callMACs/(max(kc, 64)*tile.NR*cols))
		if cols > tile.MR {
			perCall = 1 // both strips pass a panel while it is in the second-level cache
		}
		for i := 0; i < rows; i += perCall * tile.NR {
			n := min(perCall, (rows-i)/tile.NR)
			panel := unsafe.Pointer(&p.a.Data[k0*p.a.Stride+w.i0+i])
			for j := 0; j < cols; {
				strip := take(cols-j, tile.MR)
				tile.Strip(strip, kc, n, &b[j*strideB], strideB, panel, p.a.Stride, tile.NR, &c[j*strideC+i], strideC, tile.NR, p.add || k0 > 0, asm.Ahead{})
				j += strip
			}
		}
	}
	g.Transpose(out, p.c.Stride, &c[0], strideC, cols, rows)
	w.engine.Return(scratch)
}
