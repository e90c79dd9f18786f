//go:build !purego && !noasm

package asm

import "unsafe"

//go:generate -command gen go -C _gen run
//go:generate gen ./gemm

var gemmAVX512 = Gemm{
	Tiles: []Tile{
		{MR: 14, NR: 32, Strip: pick[Strip](strip32IntelAVX512, strip32AVX512), SetMR: pick(12, 11), ShortMR: pick(6, 0), FetchA: !isIntel},
		{MR: 14, NR: 16, Strip: pick[Strip](strip16IntelAVX512, strip16AVX512), SetMR: pick(10, 11), FetchA: true},
		{MR: 16, NR: 8, Strip: pick[Strip](strip8IntelAVX512, strip8AVX512), Whole: isIntel, FetchA: true},
	},
	BFloat16:        Tile{MR: 14, NR: 32, Strip: strip32BFloat16AVX512, FetchA: !isIntel},
	Float16:         Tile{MR: 14, NR: 32, Strip: strip32Float16AVX512, FetchA: !isIntel},
	CompactFloat32:  newCompact(4, 14, 32, pick[CompactStrip](compactFloat32IntelAVX512, compactFloat32AVX512), widenCompactFloat32AVX512, encodeCompactFloat32AVX512),
	CompactBFloat16: newCompact(2, 14, 32, pick[CompactStrip](compactBFloat16IntelAVX512, compactBFloat16AVX512), widenCompactBFloat16AVX512, encodeCompactBFloat16AVX512),
	Chains:          chainsAVX2,
	Bounds:          bounds512,
	BoundsMR:        bounds512MR,
	WidenBFloat16:   widenBFloat16AVX512,
	WidenFloat16:    widenFloat16AVX512,
	Transpose:       transposeBlocks(16, transposeAVX512, transposeBlocks(8, transposeAVX2, transposeGeneric)),
	Copy:            copyVectors(16, copyAVX512),
	CopyStrip:       copyStripAVX512,
	CopyMR:          11,
	BlockValues:     blockValues,
	Read:            readAVX512,
	Peak:            peakAVX512,
	PeakFlops:       12 * 16 * 2,
}

var gemmAVX2 = Gemm{
	Tiles: []Tile{
		{MR: 6, NR: 16, Strip: strip16AVX2, FetchA: !isIntel},
		{MR: 11, NR: 8, Strip: strip8AVX2, SetMR: 8},
	},
	BFloat16:        Tile{MR: 6, NR: 16, Strip: strip16BFloat16AVX2, FetchA: !isIntel},
	Float16:         Tile{MR: 6, NR: 16, Strip: strip16Float16AVX2, FetchA: !isIntel},
	CompactFloat32:  newCompact(4, 6, 16, compactFloat32AVX2, widenCompactFloat32AVX2, encodeCompactFloat32AVX2),
	CompactBFloat16: newCompact(2, 6, 16, compactBFloat16AVX2, widenCompactBFloat16AVX2, encodeCompactBFloat16AVX2),
	Chains:          chainsAVX2,
	Bounds:          boundsAVX2,
	BoundsMR:        2,
	WidenBFloat16:   widenBFloat16AVX2,
	WidenFloat16:    widenFloat16AVX2,
	Transpose:       transposeBlocks(8, transposeAVX2, transposeGeneric),
	Copy:            copyVectors(8, copyAVX2),
	CopyStrip:       copyStripAVX2,
	CopyMR:          6,
	BlockValues:     blockValues,
	Read:            readAVX2,
	Peak:            peakAVX2,
	PeakFlops:       12 * 8 * 2,
}

//go:noescape
func strip32AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip32IntelAVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16IntelAVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip8AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip8IntelAVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip32BFloat16AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip32Float16AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16AVX2(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip8AVX2(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16BFloat16AVX2(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func strip16Float16AVX2(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)

//go:noescape
func widenBFloat16AVX512(dst *float32, src *uint16, n int)

//go:noescape
func widenFloat16AVX512(dst *float32, src *uint16, n int)

//go:noescape
func widenBFloat16AVX2(dst *float32, src *uint16, n int)

//go:noescape
func widenFloat16AVX2(dst *float32, src *uint16, n int)

func peakAVX512(n int)

func peakAVX2(n int)

//go:noescape
func transposeAVX512(dst *float32, ldd int, src *float32, lds, rows, cols int)

//go:noescape
func transposeAVX2(dst *float32, ldd int, src *float32, lds, rows, cols int)

//go:noescape
func copyAVX512(dst *float32, ldd int, src *float32, lds, rows, cols int)

//go:noescape
func copyAVX2(dst *float32, ldd int, src *float32, lds, rows, cols int)

//go:noescape
func copyStripAVX512(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool)

//go:noescape
func copyStripAVX2(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool)

//go:noescape
func readAVX512(src *float32, streams, n int)

//go:noescape
func readAVX2(src *float32, streams, n int)

//go:noescape
func chainsAVX2(k int, a, b *[4]unsafe.Pointer, c *[32]float32, add bool)

//go:noescape
func boundsAVX512(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)

//go:noescape
func boundsVNNIAVX512(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)

//go:noescape
func boundsAVX2(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)

//go:noescape
func compactFloat32AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)

//go:noescape
func compactFloat32IntelAVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)

//go:noescape
func widenCompactFloat32AVX512(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)

//go:noescape
func encodeCompactFloat32AVX512(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)

//go:noescape
func compactBFloat16AVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)

//go:noescape
func compactBFloat16IntelAVX512(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)

//go:noescape
func widenCompactBFloat16AVX512(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)

//go:noescape
func encodeCompactBFloat16AVX512(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)

//go:noescape
func compactFloat32AVX2(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)

//go:noescape
func widenCompactFloat32AVX2(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)

//go:noescape
func encodeCompactFloat32AVX2(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)

//go:noescape
func compactBFloat16AVX2(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)

//go:noescape
func widenCompactBFloat16AVX2(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)

//go:noescape
func encodeCompactBFloat16AVX2(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)
