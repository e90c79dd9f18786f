//go:build !purego && !noasm

package asm

import "unsafe"

//go:generate -command gen go -C _gen run
//go:generate gen ./gemm

var gemmNEON = Gemm{
	Tiles: []Tile{
		{MR: 6, NR: 16, Strip: strip16NEON},
		{MR: 8, NR: 8, Strip: strip8NEON},
	},
	BFloat16:      Tile{MR: 6, NR: 16, Strip: strip16BFloat16NEON},
	Float16:       Tile{MR: 6, NR: 16, Strip: strip16Float16NEON},
	Chains:        chainsBy(strip8NEON),
	Bounds:        boundsNEON,
	BoundsMR:      1,
	WidenBFloat16: widenBFloat16NEON,
	WidenFloat16:  widenFloat16NEON,
	Transpose:     transposeBlocks(4, transposeNEON, transposeGeneric),
	Copy:          copyGeneric,
	CopyStrip:     copyStripNEON,
	CopyMR:        6,
	BlockValues:   1 << 17,
	Read:          readNEON,
	Peak:          peakNEON,
	PeakFlops:     24 * 4 * 2,
}

//go:noescape
func strip16NEON(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip8NEON(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16BFloat16NEON(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16Float16NEON(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func widenBFloat16NEON(dst *float32, src *uint16, n int)

//go:noescape
func widenFloat16NEON(dst *float32, src *uint16, n int)

func peakNEON(n int)

//go:noescape
func transposeNEON(dst *float32, ldd int, src *float32, lds, rows, cols int)

//go:noescape
func copyStripNEON(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool)

//go:noescape
func readNEON(src *float32, streams, n int)

//go:noescape
func boundsNEON(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)
