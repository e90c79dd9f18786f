package mat

import (
	"fmt"
	"unsafe"
)

// pack packs b, which holds k × n values, or n × k if they are to be transposed.
func pack[T Element](e *Engine, b []T, k, n, stride int, transposed bool) *Packed {
	p := &Packed{K: k, N: n, level: e.level, size: int(unsafe.Sizeof(*new(T)))}
	g := &e.level.Gemm
	switch any(b).(type) {
	case []BFloat16:
		p.half, p.widen = &g.BFloat16, g.WidenBFloat16
	case []Float16:
		p.half, p.widen = &g.Float16, g.WidenFloat16
	}
	p.memory = unsafe.Pointer(unsafe.SliceData(aligned[T](k * p.width())))
	t := &packTask[T]{packed: p, src: b, stride: stride, transposed: transposed}
	t.run(e)
	return p
}

// Repack overwrites p, which holds float32, with b, K × N, sharing the work. No product with p may be in progress.
func (p *Packed) Repack(e *Engine, b Matrix) { p.repack(e, b, p.K, p.N, false) }

// RepackT overwrites p, which holds float32, with the transpose of w, N × K, sharing the work. No product with p may be in progress.
func (p *Packed) RepackT(e *Engine, w Matrix) { p.repack(e, w, p.N, p.K, true) }

func (p *Packed) repack(e *Engine, b Matrix, rows, cols int, transposed bool) {
	b.check()
	if p.half != nil || p.level != e.level || b.Rows != rows || b.Cols != cols {
		panic(fmt.Sprintf("mat: %s packed anew on %s, over %d×%d of %d bytes an element on %s", b.Shape(), e.level.Name, rows, cols, p.size, p.level.Name))
	}
	raceRead(b)
	t, ok := e.packs.take()
	if !ok {
		t = &packTask[float32]{}
	}
	*t = packTask[float32]{packed: p, src: b.Data, stride: b.Stride, transposed: transposed}
	t.run(e)
	*t = packTask[float32]{}
	e.packs.put(t)
}

// A packTask is a packing in progress. A part is a panel of a block of rows.
type packTask[T Element] struct {
	packed     *Packed
	src        []T
	stride     int
	transposed bool
}

func (t *packTask[T]) run(e *Engine) {
	n := ceilDiv(t.packed.K, kBlock) * t.panels()
	if t.packed.K*t.packed.N > partSize {
		e.Run(n, t)
		return
	}
	for i := range n {
		t.Do(i)
	}
}

func (t *packTask[T]) panels() int { return ceilDiv(t.packed.N, t.packed.nr()) }

// Do implements Task.
func (t *packTask[T]) Do(i int) {
	p := t.packed
	k0, j0 := i/t.panels()*kBlock, i%t.panels()*p.nr()
	kc, width := min(p.K-k0, kBlock), p.panelWidth(j0)
	n := min(width, p.N-j0)
	dst := unsafe.Slice((*T)(p.address(k0, j0)), kc*width)
	if n < width {
		clear(dst)
	}
	if !t.transposed {
		for l := range kc {
			copy(dst[l*width:][:n], t.src[(k0+l)*t.stride+j0:])
		}
		return
	}
	src := t.src[j0*t.stride+k0:]
	if s, ok := any(src).([]float32); ok {
		p.level.Gemm.Transpose((*float32)(p.address(k0, j0)), width, &s[0], t.stride, n, kc)
		return
	}
	const tile = 32 // rows whose part of the panel stays in the first-level cache while the columns pass by
	for from := 0; from < kc; from += tile {
		to := min(from+tile, kc)
		for j := range n {
			for l, v := range src[j*t.stride+from : j*t.stride+to] {
				dst[(from+l)*width+j] = v
			}
		}
	}
}
