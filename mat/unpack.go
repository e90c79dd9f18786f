package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// UnpackT returns what [PackT] was given, N × K in row-major order without gaps; false where p's elements are not of type T.
func UnpackT[T Element](p *Packed) (w []T, ok bool) {
	var half *asm.Tile
	switch any(w).(type) {
	case []BFloat16:
		half = &p.level.Gemm.BFloat16
	case []Float16:
		half = &p.level.Gemm.Float16
	}
	if p.half != half {
		return nil, false
	}
	w = make([]T, p.N*p.K)
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
	return w, true
}
