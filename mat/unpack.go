package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// UnpackT returns what [PackT] or [CompactT] was given, N × K in row-major order without gaps; false where p's elements are not of type T.
func UnpackT[T Element](p *Packed) (w []T, ok bool) {
	if f, is := any(&w).(*[]float32); is && p.narrowed {
		half := unpackT[BFloat16](p)
		*f = make([]float32, len(half))
		Widen(*f, half)
		return w, true
	}
	var half *asm.Tile
	switch any(w).(type) {
	case []BFloat16:
		half = &p.level.Gemm.BFloat16
	case []Float16:
		half = &p.level.Gemm.Float16
	}
	if p.half != half || p.narrowed {
		return nil, false
	}
	return unpackT[T](p), true
}

// unpackT is UnpackT for the type in which p is held.
func unpackT[T Element](p *Packed) []T {
	w := make([]T, p.N*p.K)
	plain := make([]T, min(p.K, kBlock)*p.nr()) // a panel
	for k0 := 0; k0 < p.K; k0 += kBlock {
		kc := min(p.K-k0, kBlock)
		for j0 := 0; j0 < p.N; j0 += p.nr() {
			width := p.panelWidth(j0)
			src := p.address(k0, j0)
			if p.compact != nil {
				p.compact.plain(unsafe.Pointer(&plain[0]), src, k0, j0, kc/2)
				src = unsafe.Pointer(&plain[0])
			}
			panel := unsafe.Slice((*T)(src), kc*width)
			for j := range min(width, p.N-j0) {
				row := w[(j0+j)*p.K+k0:][:kc]
				for l := range row {
					row[l] = panel[l*width+j]
				}
			}
		}
	}
	return w
}
