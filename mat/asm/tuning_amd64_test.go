//go:build !purego && !noasm

package asm

func init() {
	if gemmAVX512.BoundsMR > 4 { // there is VNNI
		otherBounds["avx512"] = boundsKernel{boundsAVX512, 4}
	}
	otherTiles["avx512"] = []Tile{
		{MR: 14, NR: 32, Strip: pick[Strip](strip32AVX512, strip32IntelAVX512)},
		{MR: 14, NR: 16, Strip: pick[Strip](strip16AVX512, strip16IntelAVX512)},
		{MR: 16, NR: 8, Strip: pick[Strip](strip8AVX512, strip8IntelAVX512)},
	}
	otherCompact["avx512"] = [2]CompactStrip{
		pick[CompactStrip](compactFloat32AVX512, compactFloat32IntelAVX512),
		pick[CompactStrip](compactBFloat16AVX512, compactBFloat16IntelAVX512),
	}
}
