package mat

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

const (
	// compactRare is how many units there are at least for each rare one in weights that are made compact.
	compactRare = 16
	// compactSamples is how many rows tell which first bytes there are.
	compactSamples = 128
)

// compactT is CompactT for a large matrix.
func compactT[T Element](e *Engine, w []T, n, k, stride int) *Packed {
	kernel := compactKernel[T](e.level)
	if kernel == nil || k%2 > 0 {
		return pack(e, w, k, n, stride, true)
	}
	p := newPacked[T](e, k, n)
	p.compact = &compact{kernel: kernel, panels: ceilDiv(n, kernel.NR)}
	rare, all := p.compact.choose(firstBytes(w, n, k, stride))
	t := &compactTask[T]{packTask: packTask[T]{engine: e, packed: p, src: w, stride: stride, transposed: true}}
	// A rare element makes a unit of 2·NR a rare one, which it may share with another.
	if rare*kernel.NR*compactRare > all || !t.run() {
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

// choose sets highs to the most frequent first bytes, and returns how many of all elements have another one.
func (c *compact) choose(counts [128]int) (rare, all int) {
	order := make([]int, len(counts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	for i, h := range order[:8] {
		c.highs[i], c.highs[8+i] = byte(h), byte(h)|0x80
	}
	for i, h := range order {
		all += counts[h]
		if i >= 8 {
			rare += counts[h]
		}
	}
	return rare, all
}

// A compactTask is weights that are made compact. A part is a panel of a block of rows.
type compactTask[T Element] struct {
	packTask[T]
	parts []compactPart
}

// A compactPart is what a panel's units leave.
type compactPart struct {
	runs []uint16
	rare []byte
}

// run does the work. It reports whether few units are rare and the weights smaller than before; otherwise they are not complete.
func (t *compactTask[T]) run() bool {
	c := t.packed.compact
	t.parts = make([]compactPart, ceilDiv(t.packed.K, kBlock)*c.panels)
	t.packed.memory = t.engine.weights.take(t.packed.bytes())
	t.engine.Run(len(t.parts), t)
	c.first = make([]int, 1, len(t.parts)+1)
	for i := range t.parts {
		c.first = append(c.first, c.first[i]+len(t.parts[i].runs)-1)
	}
	rare := c.first[len(t.parts)]
	if rare*compactRare > t.packed.K/2*c.panels || t.packed.Bytes() >= newPacked[T](t.engine, t.packed.K, t.packed.N).bytes() {
		return false
	}
	c.runs = make([]uint16, 0, rare+len(t.parts))
	c.rare = make([]byte, 0, (rare+1)*c.kernel.RareBytes()) // rareUnits may point behind the last one
	for _, p := range t.parts {
		c.runs, c.rare = append(c.runs, p.runs...), append(c.rare, p.rare...)
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
				row[j] = row[0] // a zero might make the unit a rare one
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
		part.rare = c.kernel.AppendRare(part.rare, unsafe.Add(dst, u*c.kernel.UnitBytes()), unsafe.Add(plain, u*c.kernel.PlainBytes()))
		part.runs = append(part.runs, run)
		run = 0
	}
	part.runs = append(part.runs, run)
}
