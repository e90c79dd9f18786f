package mat

import "unsafe"

// The kernels read B in panels, where it lies or from a copy, and rows of A. What does not lie so is laid out block by block.

// stripPad keeps the rows of the copy of Aᵀ from lying a power of two apart.
const stripPad = 16

// halfRows is up to how many rows of A the kernels widen B themselves, each strip anew. To widen it once, and to wait for it meanwhile, costs more: here
// for any number of rows, but by count for fewer than some hundred where the instructions that widen share a port with the multiply-adds.
const halfRows = 128

// direct reports whether the kernels read all of B where it lies.
func (w *worker) direct() bool {
	p := &w.product
	return p.packed != nil && !p.right && p.packed.compact == nil && (p.packed.half == nil || w.i1-w.i0 <= halfRows)
}

// rows returns the address and stride of rows i0 ≤ i < i1 of A from column k0 on, or of a copy of them where A is to be transposed.
func (w *worker) rows(i0, i1, k0, kc int) (*float32, int) {
	a := w.product.a
	switch {
	case kc == 0:
		return nil, 0
	case w.product.left:
		stride := kc + stripPad
		w.engine.level.Gemm.Transpose(&w.a[0], stride, &a.Data[k0*a.Stride+i0], a.Stride, kc, i1-i0)
		return &w.a[0], stride
	}
	return &a.Data[i0*a.Stride+k0], a.Stride
}

// lay sets where b is, once it lies as kernels read it.
func (w *worker) lay(b *block) {
	p, nr := &w.product, w.tile.NR
	b.tile, b.at, b.ldb, b.step, b.size = w.tile, unsafe.Pointer(unsafe.SliceData(w.b)), nr, b.kc*nr, 4
	switch {
	case b.kc == 0: // nothing
	case p.right && p.packed != nil:
		w.packTransposed(b.j0, b.j1, b.k0, b.kc)
	case p.right:
		w.transpose(b.j0, b.j1, b.k0, b.kc)
	case p.packed == nil && (b.j1-b.j0)%nr > 0:
		w.pack(b.j0, b.j1, b.k0, b.kc)
	case w.copied(b.j0, b.j1, b.kc) > 0: // not yet
	case p.packed == nil:
		b.at, b.ldb, b.step = unsafe.Pointer(&p.b.Data[b.k0*p.b.Stride+b.j0]), p.b.Stride, nr
	case p.packed.isFloats():
		b.at = p.packed.address(b.k0, b.j0)
	case w.i1-w.i0 <= halfRows:
		b.tile, b.at, b.size = p.packed.half, p.packed.address(b.k0, b.j0), 2
	default:
		for j := b.j0; j < b.j1; j += nr {
			p.packed.widenRows(w.b[(j-b.j0)*b.kc:], b.k0, j, 0, b.kc)
		}
	}
}

// pack copies rows k0 to k0+kc and columns j0 ≤ j < j1 of B into a panel that they don't fill.
func (w *worker) pack(j0, j1, k0, kc int) {
	b, nr := w.product.b, w.tile.NR
	for l := range kc {
		o := (k0+l)*b.Stride + j0
		row := w.b[l*nr:][:nr]
		clear(row[copy(row, b.Data[o:o+j1-j0]):])
	}
}

// transpose copies columns k0 to k0+kc of B into panels of its rows j0 ≤ j < j1, which are columns of the transpose.
func (w *worker) transpose(j0, j1, k0, kc int) {
	b, nr := w.product.b, w.tile.NR
	for j := j0; j < j1; j += nr {
		n := min(nr, j1-j)
		dst := w.b[(j-j0)*kc:][:kc*nr]
		if n < nr {
			clear(dst)
		}
		w.engine.level.Gemm.Transpose(&dst[0], nr, &b.Data[j*b.Stride+k0], b.Stride, n, kc)
	}
}

// packTransposed copies columns k0 to k0+kc of the packed B into panels of its rows j0 ≤ j < j1, which are columns of the transpose. Each panel of B is
// read from its first row to its last: memory is faster at long runs.
func (w *worker) packTransposed(j0, j1, k0, kc int) {
	p, nr := w.product.packed, w.tile.NR
	if rest := (j1 - j0) % nr; rest > 0 {
		clear(w.b[(j1-rest-j0)*kc:][:kc*nr])
	}
	for l := k0; l < k0+kc; l += p.nr() {
		width := p.panelWidth(l)
		cols := min(width, k0+kc-l)
		for j := j0; j < j1; { // the rows that lie in one block, and belong to one panel
			block := j / kBlock * kBlock
			panel := (j - j0) / nr * nr
			to := min(j1, block+kBlock, j0+panel+nr)
			src := unsafe.Add(p.address(block, l), p.sizeOf((j-block)*width))
			if !p.isFloats() {
				p.widenRows(w.wide, block, l, j-block, to-block)
				src = unsafe.Pointer(&w.wide[0])
			}
			w.engine.level.Gemm.Transpose(&w.b[panel*kc+(l-k0)*nr+j-j0-panel], nr, (*float32)(src), width, to-j, cols)
			j = to
		}
	}
}
