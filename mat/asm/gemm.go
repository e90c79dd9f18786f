package asm

import (
	"runtime"
	"unsafe"
)

// Gemm is the family of matrix-product kernels of a level.
type Gemm struct {
	// Tiles are the kernels for B in float32, by descending NR.
	Tiles []Tile

	// BFloat16 and Float16 read B in those types. Their NR is that of Tiles[0].
	BFloat16, Float16 Tile

	// CompactFloat32 and CompactBFloat16 read B in those types in a layout of fewer bytes. Their NR is that of Tiles[0]. They are nil where that is not known to
	// pay: NEON would take some 13 instructions, 4 cycles, for 16 elements and a row of A, in which some cores read more than what is saved.
	CompactFloat32, CompactBFloat16 *Compact

	// Chains is for single rows and panels of 8 columns.
	Chains Chains

	// Bounds takes up to BoundsMR rows.
	Bounds   Bounds
	BoundsMR int

	// WidenBFloat16 and WidenFloat16 convert n > 0 elements, a multiple of 16, to float32.
	WidenBFloat16, WidenFloat16 func(dst *float32, src *uint16, n int)

	// Transpose sets dst[j·ldd + i] = src[i·lds + j] for 0 ≤ i < rows and 0 ≤ j < cols, which are positive. The bits are copied.
	Transpose func(dst *float32, ldd int, src *float32, lds, rows, cols int)

	// Copy sets dst[i·ldd + j] = src[i·lds + j] for 0 ≤ i < rows and 0 ≤ j < cols, which are positive. The bits are copied.
	Copy func(dst *float32, ldd int, src *float32, lds, rows, cols int)

	// CopyStrip is Tiles[0].Strip for CopyMR rows and whole panels that lie side by side, which also copies them to dst: one panel after
	// another, row by row. k is positive.
	CopyStrip func(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool)
	CopyMR    int

	// BlockValues is how many values of B stay in the second-level cache while A passes by.
	BlockValues int

	// Read reads streams > 0 runs of n values side by side, one after another in memory; n is a positive multiple of 32.
	Read func(src *float32, streams, n int)

	// Peak does n > 0 steps of PeakFlops floating-point operations each that wait for nothing: no memory, no latency.
	Peak      func(n int)
	PeakFlops int
}

// A Tile is a kernel that holds a tile of up to MR × NR sums in registers.
type Tile struct {
	MR, NR int
	Strip  Strip

	// SetMR, if not 0, is how many rows of A a strip should have at most where they share a set of the first-level cache, lest they displace each
	// other: no more than the set has lines on the machines that use the level.
	SetMR int

	// ShortMR, if not 0, is how many rows a strip should have at most where sums are so short that C is what costs.
	ShortMR int

	// Whole is whether strips of MR rows are that much faster that only the last one should have fewer.
	Whole bool

	// FetchA is whether it pays that a strip fetches the next one of A. On Intel's cores it does where panels are narrow; where they are wide what it costs is more.
	FetchA bool
}

// A Strip multiplies a strip of A by panels of B: for 0 ≤ i < m ≤ MR, 0 ≤ p < panels and 0 ≤ j < NR,
//
//	sum = Σ a[i·lda+l] · b[p·step + l·ldb + j]    for l ascending from 0 to k-1, from +0, one rounding for each product and sum
//	c[i·ldc + p·NR + j] = sum                     or, if add, += sum
//
// Of the last panel, the first tail columns of C are read and written, 1 ≤ tail ≤ NR; of B, all NR are read. The strides count
// elements. m and panels are positive; C is read only if add, and overlaps neither A nor B.
type Strip func(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

// Ahead is what a Strip may fetch into the second-level cache while it computes. Nothing depends on it, and nothing is read. So A and B are addresses,
// which may lie behind what is allocated: a pointer there would end the program when the garbage collector finds it.
type Ahead struct {
	A    uintptr // what is read of A next, with the same lda, or 0
	B    uintptr // what to fetch of B, or 0 for what follows the panels; Strips of few rows may choose the latter
	Pace int     // how many bytes from B on to fetch with each step of k in each panel
}

var gemmGeneric = Gemm{
	Tiles: []Tile{
		{MR: 4, NR: 16, Strip: strip16Generic},
		{MR: 4, NR: 8, Strip: stripGeneric(8, func(v float32) float32 { return v })},
	},
	BFloat16:      Tile{MR: 4, NR: 16, Strip: stripGeneric(16, BFloat16)},
	Float16:       Tile{MR: 4, NR: 16, Strip: stripGeneric(16, Float16)},
	Chains:        chainsBy(stripGeneric(8, func(v float32) float32 { return v })),
	Bounds:        boundsGeneric,
	BoundsMR:      1,
	WidenBFloat16: widenGeneric(BFloat16),
	WidenFloat16:  widenGeneric(Float16),
	Transpose:     transposeGeneric,
	Copy:          copyGeneric,
	CopyStrip:     copyStripGeneric,
	CopyMR:        4,
	BlockValues:   1 << 17,
	Read:          readGeneric,
	Peak:          peakGeneric,
	PeakFlops:     2,
}

var strip16Generic = stripGeneric(16, func(v float32) float32 { return v })

// stripGeneric returns the portable Strip for panels of nr columns, at most 32, whose elements widen converts.
func stripGeneric[T any](nr int, widen func(T) float32) Strip {
	return func(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, _ Ahead) {
		if k > 0 {
			_ = unsafe.Slice((*T)(b), (panels-1)*step+(k-1)*ldb+nr)
		}
		for p := range panels {
			n := nr
			if p == panels-1 {
				n = tail
			}
			for i := range m {
				var sum [32]float32
				for l := range k {
					x := *at(a, i*lda+l)
					row := unsafe.Slice(at((*T)(b), p*step+l*ldb), n)
					for j, y := range row {
						sum[j] = FMA(x, widen(y), sum[j])
					}
				}
				out := unsafe.Slice(at(c, i*ldc+p*nr), n)
				for j, s := range sum[:n] {
					if add {
						s = out[j] + s
					}
					out[j] = s
				}
			}
		}
	}
}

func widenGeneric(widen func(uint16) float32) func(dst *float32, src *uint16, n int) {
	return func(dst *float32, src *uint16, n int) {
		out := unsafe.Slice(dst, n)
		for i, v := range unsafe.Slice(src, n) {
			out[i] = widen(v)
		}
	}
}

func transposeGeneric(dst *float32, ldd int, src *float32, lds, rows, cols int) {
	for i := range rows {
		for j, v := range unsafe.Slice(at(src, i*lds), cols) {
			*at(dst, j*ldd+i) = v
		}
	}
}

func copyGeneric(dst *float32, ldd int, src *float32, lds, rows, cols int) {
	for i := range rows {
		copy(unsafe.Slice(at(dst, i*ldd), cols), unsafe.Slice(at(src, i*lds), cols))
	}
}

func copyStripGeneric(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool) {
	const mr, nr = 4, 16 // of gemmGeneric
	for p := range panels {
		for l := range k {
			copy(unsafe.Slice(at(dst, (p*k+l)*nr), nr), unsafe.Slice(at(b, l*ldb+p*nr), nr))
		}
	}
	strip16Generic(mr, k, panels, a, lda, unsafe.Pointer(b), ldb, nr, c, ldc, nr, add, Ahead{})
}

type transpose func(dst *float32, ldd int, src *float32, lds, rows, cols int)

// transposeBlocks returns a Transpose that does whole blocks of n × n with f and what is left with rest.
func transposeBlocks(n int, f, rest transpose) transpose {
	return func(dst *float32, ldd int, src *float32, lds, rows, cols int) {
		r, c := rows/n*n, cols/n*n
		if r > 0 && c > 0 {
			f(dst, ldd, src, lds, r, c)
		}
		if r > 0 && c < cols {
			rest(at(dst, c*ldd), ldd, at(src, c), lds, r, cols-c)
		}
		if r < rows {
			rest(at(dst, r), ldd, at(src, r*lds), lds, rows-r, cols)
		}
	}
}

// copyVectors returns a Copy that does whole vectors of n elements with f.
func copyVectors(n int, f func(dst *float32, ldd int, src *float32, lds, rows, cols int)) func(dst *float32, ldd int, src *float32, lds, rows, cols int) {
	return func(dst *float32, ldd int, src *float32, lds, rows, cols int) {
		c := cols / n * n
		if c > 0 {
			f(dst, ldd, src, lds, rows, c)
		}
		if c < cols {
			copyGeneric(at(dst, c), ldd, at(src, c), lds, rows, cols-c)
		}
	}
}

func readGeneric(src *float32, streams, n int) {
	var s float32
	for i := range n {
		for j := range streams {
			s += *at(src, j*n+i)
		}
	}
	runtime.KeepAlive(s) // so that the work is not optimised away
}

func peakGeneric(n int) {
	var s float32
	for range n {
		s = FMA(s, s, s)
	}
	runtime.KeepAlive(s) // so that the work is not optimised away
}

// at returns the address of element i of the array that p points to.
func at[T any](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
}
