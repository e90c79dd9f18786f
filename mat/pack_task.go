package mat

import (
	"encoding/binary"
	"unsafe"
)

// pack packs b, which holds k × n values, or n × k if they are to be transposed.
func pack[T Element](e *Engine, b []T, k, n, stride int, transposed bool) *Packed {
	p := newPacked[T](e, k, n)
	p.memory = e.weights.take(p.bytes())
	t := &packTask[T]{engine: e, packed: p, src: b, stride: stride, transposed: transposed}
	t.run()
	return p
}

// newPacked returns packed weights without memory.
func newPacked[T Element](e *Engine, k, n int) *Packed {
	p := &Packed{K: k, N: n, level: e.level, size: int(unsafe.Sizeof(*new(T)))}
	g := &e.level.Gemm
	switch any(*new(T)).(type) {
	case BFloat16:
		p.half, p.widen = &g.BFloat16, g.WidenBFloat16
	case Float16:
		p.half, p.widen = &g.Float16, g.WidenFloat16
	}
	return p
}

// A packTask is a packing in progress. A part is a panel of a block of rows.
type packTask[T Element] struct {
	engine     *Engine
	packed     *Packed
	src        []T
	stride     int
	transposed bool
}

func (t *packTask[T]) run() {
	n := ceilDiv(t.packed.K, kBlock) * t.panels()
	if t.packed.K*t.packed.N > partSize {
		t.engine.Run(n, t)
		return
	}
	for i := range n {
		t.Do(i)
	}
}

func (t *packTask[T]) panels() int { return ceilDiv(t.packed.N, t.packed.nr()) }

// Do implements Task.
func (t *packTask[T]) Do(i int) {
	k0, j0 := i/t.panels()*kBlock, i%t.panels()*t.packed.nr()
	t.panel(t.packed.address(k0, j0), k0, j0)
}

// panel lays out the panel at column j0 of the block at row k0, row by row, from the address to on.
func (t *packTask[T]) panel(to unsafe.Pointer, k0, j0 int) {
	p := t.packed
	kc, width := min(p.K-k0, kBlock), p.panelWidth(j0)
	n := min(width, p.N-j0)
	dst := unsafe.Slice((*T)(to), kc*width)
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
		p.level.Gemm.Transpose((*float32)(to), width, &s[0], t.stride, n, kc)
		return
	}
	done := 0
	if littleEndian && t.stride%2 == 0 && uintptr(unsafe.Pointer(&src[0]))%4 == 0 {
		done = t.pairs(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), width, n, kc)
	}
	const tile = 32 // rows whose part of the panel stays in the first-level cache while the columns pass by
	for from := done; from < kc; from += tile {
		to := min(from+tile, kc)
		for j := range n {
			for l, v := range src[j*t.stride+from : j*t.stride+to] {
				dst[(from+l)*width+j] = v
			}
		}
	}
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// pairs does an even number of the rows of a panel of 16-bit values, and returns how many: each pair of rows is transposed as a row of words, and
// then taken apart, as words of a little-endian machine.
func (t *packTask[T]) pairs(dst, src unsafe.Pointer, width, n, rows int) int {
	const tile = 16 // pairs at a time, which stay in the first-level cache
	words := t.engine.Borrow(tile * width)
	defer t.engine.Return(words)
	clear(words)
	for from := 0; from+2 <= rows; from += 2 * tile {
		pairs := min(tile, (rows-from)/2)
		t.packed.level.Gemm.Transpose(&words[0], width, (*float32)(unsafe.Add(src, 2*from)), t.stride/2, n, pairs)
		for l := range pairs {
			row := unsafe.Slice((*uint32)(unsafe.Pointer(&words[l*width])), width)
			low := unsafe.Slice((*uint32)(unsafe.Add(dst, 2*(from+2*l)*width)), width/2)
			high := unsafe.Slice((*uint32)(unsafe.Add(dst, 2*(from+2*l+1)*width)), width/2)
			for j := range low {
				a, b := row[2*j], row[2*j+1]
				low[j] = a&0xffff | b<<16
				high[j] = a>>16 | b&^0xffff
			}
		}
	}
	return rows &^ 1
}
