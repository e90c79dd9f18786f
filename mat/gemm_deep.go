package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// Where all of a part's B stays in the second-level cache, each strip of A passes it from the first row to the last: rows of A are then read in one go,
// and not once for each block of k.

// deepValues is up to how many values of B that is so, a quarter of a megabyte.
const deepValues = 1 << 16

// isDeep reports whether the part is computed by doDeep.
func (w *worker) isDeep() bool {
	p := &w.product
	return p.packed != nil && p.packed.isFloats() && !p.right && p.k() > kBlock &&
		p.k()*ceilDiv(w.j1-w.j0, w.tile.NR)*w.tile.NR <= deepValues && w.i1-w.i0 > togetherStrips*w.most(w.tile, kBlock)
}

// doDeep computes the part strip by strip.
func (w *worker) doDeep() {
	p, nr := &w.product, w.tile.NR
	panels, most := ceilDiv(w.j1-w.j0, nr), w.most(w.tile, kBlock)
	tail := w.j1 - w.j0 - (panels-1)*nr
	for i := w.i0; i < w.i1; {
		rows := takeRows(w.tile, w.i1-i, most)
		a, c := p.a.Data[i*p.a.Stride:], &p.c.Data[i*p.c.Stride+w.j0]
		for k0 := 0; k0 < p.k(); k0 += kBlock {
			kc := min(p.k()-k0, kBlock)
			var ahead asm.Ahead
			switch {
			case !w.tile.FetchA:
			case k0+kc < p.k():
				ahead.A = uintptr(unsafe.Pointer(&a[k0+kc]))
			default:
				ahead.A = w.nextA(i+rows, 0)
			}
			w.tile.Strip(rows, kc, panels, &a[k0], p.a.Stride, p.packed.address(k0, w.j0), nr, kc*nr, c, p.c.Stride, tail, p.add || k0 > 0, ahead)
		}
		i += rows
	}
}
