package mat

import (
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
	first  []int    // how many rare units come before each panel of each block, and in all
	runs   []uint16 // those of a panel begin at its first rare unit plus its number: they are one more than its rare units
	rare   []byte
}

// compactValues is from how many elements on weights are made compact: others stay in the caches, and there a plain layout is read faster.
const compactValues = 1 << 16

// CompactT is [PackT] into fewer bytes, for weights that are read from memory: three quarters of those of bfloat16, seven eighths of those of float32. Nothing is
// lost, and products are the same bit for bit: it is the first byte of most elements, sign and exponent, that takes four bits, as in trained weights few
// exponents are frequent. Products of few rows are faster accordingly; those of some more rows than a kernel takes at once by some percent slower. Float32 that was
// widened from bfloat16 is packed as that. Float16, an odd k, small matrices, and elements with many exponents are packed as PackT packs them, and so is all else on
// levels that have no kernels for it, neon and generic.
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

// bytes is the size of what rare units have elsewhere and of what tells where they are.
func (c *compact) bytes() int {
	if c == nil {
		return 0
	}
	return 2*len(c.runs) + len(c.rare)
}

// equal reports whether o has the same rare units and first bytes.
func (c *compact) equal(o *compact) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c.highs == o.highs && slices.Equal(c.runs, o.runs) && slices.Equal(c.rare, o.rare)
}

// rareUnits returns where the runs and the rare units of the panel at column j of the block at row k0 begin.
func (c *compact) rareUnits(k0, j int) (runs *uint16, rare unsafe.Pointer) {
	i := k0/kBlock*c.panels + j/c.kernel.NR
	return &c.runs[c.first[i]+i], unsafe.Add(unsafe.Pointer(unsafe.SliceData(c.rare)), c.first[i]*c.kernel.RareBytes())
}

// eachRare calls f with each rare unit of the panel at column j of the block at row k0: its number in the panel, and its high bytes.
func (c *compact) eachRare(k0, j int, f func(unit int, rare unsafe.Pointer)) {
	i := k0/kBlock*c.panels + j/c.kernel.NR
	unit := 0
	for r := c.first[i]; r < c.first[i+1]; r++ {
		unit += int(c.runs[r+i])
		f(unit, unsafe.Pointer(&c.rare[r*c.kernel.RareBytes()]))
		unit++
	}
}

// widen sets dst to units of the panel at column j of the block at row k0, from one on that lies at src.
func (c *compact) widen(dst []float32, src unsafe.Pointer, k0, j, from int) {
	size := 2 * c.kernel.NR
	c.kernel.Widen(&dst[0], src, len(dst)/size, &c.highs)
	c.eachRare(k0, j, func(unit int, rare unsafe.Pointer) {
		if i := unit - from; i >= 0 && i*size < len(dst) {
			c.kernel.WidenRare(&dst[i*size], unsafe.Add(src, i*c.kernel.UnitBytes()), rare, &c.highs)
		}
	})
}

// plain sets dst to the panel at column j of the block at row k0, row by row in its own type.
func (c *compact) plain(dst, src unsafe.Pointer, k0, j, units int) {
	decode := func(unit int, rare unsafe.Pointer) {
		c.kernel.Decode(unsafe.Add(dst, unit*c.kernel.PlainBytes()), unsafe.Add(src, unit*c.kernel.UnitBytes()), rare, &c.highs)
	}
	for u := range units {
		decode(u, nil)
	}
	c.eachRare(k0, j, decode)
}
