package mat

import (
	"cmp"
	"math"
	"slices"
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// A compact is what packed weights in the layout of asm.Compact have besides.
type compact struct {
	kernel *asm.Compact
	highs  [16]byte // the first bytes that elements have
	panels int      // in a block of rows
	first  []int    // how many raw units come before each panel of each block, and in all
	runs   []uint16 // those of a panel begin at its first raw unit plus its number: they are one more than its raw units
	raw    []byte
}

const (
	// compactValues is from how many elements on weights are made compact: others stay in the caches, and there a plain layout is read faster.
	compactValues = 1 << 16
	// compactRaw is how many units there may be for each raw one at least.
	compactRaw = 16
	// compactSamples is how many rows tell which first bytes there are.
	compactSamples = 128
)

// CompactT is [PackT] into fewer bytes, for weights that are read from memory: three quarters of those of bfloat16, seven eighths of those of float32. Nothing is
// lost, and products are the same bit for bit: it is the first byte of most elements, sign and exponent, that takes four bits, as in trained weights few
// exponents are frequent. Products of few rows are faster accordingly; those of some more rows than a kernel takes at once by some percent slower. Float32 that was
// widened from bfloat16 is packed as that. Float16, an odd k, small matrices, and elements with many exponents are packed as PackT packs them.
func CompactT[T Element](e *Engine, w []T, n, k, stride int) *Packed {
	checkRows(len(w), n, k, stride, "CompactT")
	if k*n < compactValues {
		return pack(e, w, k, n, stride, true)
	}
	if f, ok := any(w).([]float32); ok {
		if half := narrowed(f, n, k, stride); half != nil {
			p := compactT(e, half, n, k, k)
			p.narrowed = true
			return p
		}
	}
	return compactT(e, w, n, k, stride)
}

// narrowed returns the rows of w, n × k, as bfloat16 if that loses nothing, and else nil.
func narrowed(w []float32, n, k, stride int) []BFloat16 {
	var half []BFloat16
	for i := range n {
		for _, v := range w[i*stride:][:k] {
			b := math.Float32bits(v)
			if b&0xffff != 0 {
				return nil
			}
			if half == nil {
				half = make([]BFloat16, 0, n*k)
			}
			half = append(half, BFloat16(b>>16))
		}
	}
	return half
}

// compactT is CompactT for a large matrix.
func compactT[T Element](e *Engine, w []T, n, k, stride int) *Packed {
	kernel := compactKernel[T](e.level)
	if kernel == nil || k%2 > 0 {
		return pack(e, w, k, n, stride, true)
	}
	p := newPacked[T](e, k, n)
	p.compact = &compact{kernel: kernel, panels: ceilDiv(n, kernel.NR)}
	p.compact.choose(firstBytes(w, n, k, stride))
	t := &compactTask[T]{packTask: packTask[T]{engine: e, packed: p, src: w, stride: stride, transposed: true}}
	if !t.run() {
		return pack(e, w, k, n, stride, true)
	}
	return p
}

func compactKernel[T Element](l *asm.Level) *asm.Compact {
	switch any(*new(T)).(type) {
	case float32:
		return l.Gemm.CompactFloat32
	case BFloat16:
		return l.Gemm.CompactBFloat16
	}
	return nil
}

// firstBytes counts the first bytes, less the signs, of some rows.
func firstBytes[T Element](w []T, n, k, stride int) (counts [128]int) {
	rows := min(n, compactSamples)
	for i := range rows {
		for _, v := range w[i*n/rows*stride:][:k] {
			counts[firstByte(v)&0x7f]++
		}
	}
	return counts
}

func firstByte[T Element](v T) byte {
	if unsafe.Sizeof(v) == 2 {
		return byte(*(*uint16)(unsafe.Pointer(&v)) >> 8)
	}
	return byte(*(*uint32)(unsafe.Pointer(&v)) >> 24)
}

// choose sets highs to the most frequent first bytes.
func (c *compact) choose(counts [128]int) {
	order := make([]int, len(counts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	for i, h := range order[:8] {
		c.highs[i], c.highs[8+i] = byte(h), byte(h)|0x80
	}
}

// A compactTask is weights that are made compact. A part is a panel of a block of rows.
type compactTask[T Element] struct {
	packTask[T]
	parts []compactPart
}

// A compactPart is what a panel's units leave.
type compactPart struct {
	runs []uint16
	raw  []byte
}

// run does the work. It reports whether few units are raw and the weights smaller than before; otherwise they are not complete.
func (t *compactTask[T]) run() bool {
	c := t.packed.compact
	t.parts = make([]compactPart, ceilDiv(t.packed.K, kBlock)*c.panels)
	t.packed.memory = t.engine.weights.take(t.packed.Bytes())
	t.engine.Run(len(t.parts), t)
	c.first = make([]int, 1, len(t.parts)+1)
	for i := range t.parts {
		c.first = append(c.first, c.first[i]+len(t.parts[i].runs)-1)
	}
	raw := c.first[len(t.parts)]
	if raw*compactRaw > t.packed.K/2*c.panels || t.packed.Bytes() >= newPacked[T](t.engine, t.packed.K, t.packed.N).bytes() {
		return false
	}
	c.runs = make([]uint16, 0, raw+len(t.parts))
	c.raw = make([]byte, 0, (raw+1)*c.kernel.RawBytes()) // rawUnits may point behind the last one
	for _, p := range t.parts {
		c.runs, c.raw = append(c.runs, p.runs...), append(c.raw, p.raw...)
	}
	return true
}

// Do implements Task.
func (t *compactTask[T]) Do(i int) {
	p := t.packed
	c := p.compact
	k0, j0 := i/c.panels*kBlock, i%c.panels*c.kernel.NR
	kc := min(p.K-k0, kBlock)
	scratch := t.engine.Borrow(kc * c.kernel.NR * p.size / 4)
	defer t.engine.Return(scratch)
	plain, dst := unsafe.Pointer(&scratch[0]), p.address(k0, j0)
	t.panel(plain, k0, j0)
	if n := p.N - j0; n < c.kernel.NR {
		rows := unsafe.Slice((*T)(plain), kc*c.kernel.NR)
		for row := range slices.Chunk(rows, c.kernel.NR) {
			for j := n; j < len(row); j++ {
				row[j] = row[0] // a zero might make the unit a raw one
			}
		}
	}
	var rare [kBlock / 2]uint8
	c.kernel.Encode(dst, plain, kc/2, &c.highs, &rare[0])
	part := &t.parts[i]
	run := uint16(0)
	for u, is := range rare[:kc/2] {
		if is == 0 {
			run++
			continue
		}
		clear(unsafe.Slice((*byte)(unsafe.Add(dst, u*c.kernel.UnitBytes())), c.kernel.UnitBytes()))
		part.raw = append(part.raw, unsafe.Slice((*byte)(unsafe.Add(plain, u*c.kernel.RawBytes())), c.kernel.RawBytes())...)
		part.runs = append(part.runs, run)
		run = 0
	}
	part.runs = append(part.runs, run)
}

// bytes is the size of the raw units and of what tells where they belong.
func (c *compact) bytes() int {
	if c == nil {
		return 0
	}
	return 2*len(c.runs) + len(c.raw)
}

// equal reports whether o has the same raw units and first bytes.
func (c *compact) equal(o *compact) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c.highs == o.highs && slices.Equal(c.runs, o.runs) && slices.Equal(c.raw, o.raw)
}

// rawUnits returns where the runs and the raw units of the panel at column j of the block at row k0 begin.
func (c *compact) rawUnits(k0, j int) (runs *uint16, raw unsafe.Pointer) {
	i := k0/kBlock*c.panels + j/c.kernel.NR
	return &c.runs[c.first[i]+i], unsafe.Add(unsafe.Pointer(unsafe.SliceData(c.raw)), c.first[i]*c.kernel.RawBytes())
}

// eachRaw calls f with each raw unit of the panel at column j of the block at row k0, and with its number in the panel.
func (c *compact) eachRaw(k0, j int, f func(unit int, raw unsafe.Pointer)) {
	i := k0/kBlock*c.panels + j/c.kernel.NR
	unit := 0
	for r := c.first[i]; r < c.first[i+1]; r++ {
		unit += int(c.runs[r+i])
		f(unit, unsafe.Pointer(&c.raw[r*c.kernel.RawBytes()]))
		unit++
	}
}

// widen sets dst to units of the panel at column j of the block at row k0, from one on that lies at src.
func (c *compact) widen(dst []float32, src unsafe.Pointer, k0, j, from int) {
	size := 2 * c.kernel.NR
	c.kernel.Widen(&dst[0], src, len(dst)/size, &c.highs)
	c.eachRaw(k0, j, func(unit int, raw unsafe.Pointer) {
		if at := (unit - from) * size; at >= 0 && at < len(dst) {
			c.kernel.WidenRaw(&dst[at], raw)
		}
	})
}

// plain sets dst to the panel at column j of the block at row k0, row by row in its own type.
func (c *compact) plain(dst, src unsafe.Pointer, k0, j, units int) {
	size := c.kernel.RawBytes()
	for u := range units {
		c.kernel.Decode(unsafe.Add(dst, u*size), unsafe.Add(src, u*c.kernel.UnitBytes()), &c.highs)
	}
	c.eachRaw(k0, j, func(unit int, raw unsafe.Pointer) {
		copy(unsafe.Slice((*byte)(unsafe.Add(dst, unit*size)), size), unsafe.Slice((*byte)(raw), size))
	})
}
