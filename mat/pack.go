package mat

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// Packed is the right operand of a product, K × N, in the layout that the kernels of one level read and in the storage type that it
// came in. It is immutable.
//
// The layout: for each block of kBlock rows, one panel after another; a panel is NR columns of the block's rows, row by row. The
// last panel is as wide as the narrowest kernel allows, and padded with zeros. Or panels are compact, as [CompactT] makes them: units of two rows in
// place of rows, and all panels equally wide.
type Packed struct {
	K, N   int
	level  *asm.Level
	memory unsafe.Pointer
	size   int // of an element in bytes
	// In BFloat16 and Float16, the kernel for the type and the conversion to float32.
	half  *asm.Tile
	widen func(*float32, *uint16, int)

	compact  *compact // nil in the layout above
	narrowed bool     // given as float32, and held as BFloat16
}

// Pack copies b, k × n in row-major order with the given stride between rows.
func Pack[T Element](e *Engine, b []T, k, n, stride int) *Packed {
	checkRows(len(b), k, n, stride, "Pack")
	return pack(e, b, k, n, stride, false)
}

// PackT copies the transpose of w, n × k in row-major order with the given stride between rows: the weight of a linear layer, whose
// product is x·wᵀ.
func PackT[T Element](e *Engine, w []T, n, k, stride int) *Packed {
	checkRows(len(w), n, k, stride, "PackT")
	return pack(e, w, k, n, stride, true)
}

// Equal reports whether o holds the same bits as p, in the same storage type and for the same level.
func (p *Packed) Equal(o *Packed) bool {
	if p.K != o.K || p.N != o.N || p.level != o.level || p.size != o.size || p.half != o.half || p.narrowed != o.narrowed || !p.compact.equal(o.compact) {
		return false
	}
	n := p.bytes()
	return bytes.Equal(unsafe.Slice((*byte)(p.memory), n), unsafe.Slice((*byte)(o.memory), n))
}

// checkRows panics unless rows × cols values with the given stride fit in a slice of the given length.
func checkRows(length, rows, cols, stride int, caller string) {
	if rows < 0 || cols < 0 || stride < cols || rows > 0 && cols > 0 && length < (rows-1)*stride+cols {
		panic(fmt.Sprintf("mat: %s: %d×%d with stride %d in %d values", caller, rows, cols, stride, length))
	}
}

// Bytes is the size of the packed values in memory.
func (p *Packed) Bytes() int { return p.bytes() + p.compact.bytes() }

// bytes is the size of what address finds.
func (p *Packed) bytes() int { return p.sizeOf(p.K * p.width()) }

// sizeOf is the size of n elements: of rows of a panel, of an even number of rows where p is compact.
func (p *Packed) sizeOf(n int) int {
	if p.compact != nil {
		return n / (2 * p.nr()) * p.compact.kernel.UnitBytes()
	}
	return n * p.size
}

// isFloats reports whether panels are float32 row by row.
func (p *Packed) isFloats() bool { return p.half == nil && p.compact == nil }

func (p *Packed) nr() int { return p.level.Gemm.Tiles[0].NR }

// panelWidth is the width of the panel that begins at column j.
func (p *Packed) panelWidth(j int) int {
	if !p.isFloats() {
		return p.nr()
	}
	return narrowest(p.level, p.N-j).NR
}

// width is the number of columns with the padding.
func (p *Packed) width() int {
	last := p.N / p.nr() * p.nr()
	if last == p.N {
		return p.N
	}
	return last + p.panelWidth(last)
}

// offset is the index of the first element of the panel that begins at column j, in the block that begins at row k0.
func (p *Packed) offset(k0, j int) int { return k0*p.width() + j*min(p.K-k0, kBlock) }

// address is where the panel at offset begins.
func (p *Packed) address(k0, j int) unsafe.Pointer {
	return unsafe.Add(p.memory, p.sizeOf(p.offset(k0, j)))
}

// widenRows sets dst to rows from ≤ l < to, counted in the block that begins at row k0, of the panel that begins at column j. They are even where p is compact.
func (p *Packed) widenRows(dst []float32, k0, j, from, to int) {
	width := p.panelWidth(j)
	src := unsafe.Add(p.address(k0, j), p.sizeOf(from*width))
	switch n := (to - from) * width; {
	case p.compact != nil:
		p.compact.widen(dst[:n], src, k0, j, from/2)
	case p.half != nil:
		p.widen(&dst[:n][0], (*uint16)(src), n)
	default:
		copy(dst, unsafe.Slice((*float32)(src), n))
	}
}

// narrowest returns the narrowest of a level's kernels that computes n columns in one panel, or the widest kernel.
func narrowest(l *asm.Level, n int) *asm.Tile {
	tiles := l.Gemm.Tiles
	i := 0
	for i+1 < len(tiles) && tiles[i+1].NR >= n {
		i++
	}
	return &tiles[i]
}
