package asm

import "unsafe"

// BoundsCols is the number of columns of a panel of B in Bounds.
const BoundsCols = 32

// Bounds bounds the elements of products whose operands are rounded to integers: for 0 ≤ i < m, 0 ≤ p < panels and the columns j of panel p,
//
//	sum = Σ a[i·lda + l] · b[32·(p·k + l - l mod 2) + 2·j + l mod 2]    for 0 ≤ l < k, which int32 must hold
//	x = float32(sum) · scale[32·p + j]
//	most[i·ld + p] = the largest x + radius[32·p + j] · size[i]    over j, with one rounding
//	least[i·ld + p] = the largest x - radius[32·p + j] · size[i]
//
// m is at most Gemm.BoundsMR, k a multiple of 4; all three are positive. Nothing overlaps most or least. No element of a and none of b is the least of its
// type, and scale, radius and size are finite and so small that no result is infinite.
type Bounds func(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)

func boundsGeneric(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int) {
	for p := range panels {
		for i := range m {
			var sums [BoundsCols]int32
			row := unsafe.Slice(at(a, i*lda), k)
			for l := 0; l < k; l += 2 {
				even, odd := int32(row[l]), int32(row[l+1])
				line := unsafe.Slice(at(b, BoundsCols*(p*k+l)), 2*BoundsCols)
				for j := range sums {
					sums[j] += even*int32(line[2*j]) + odd*int32(line[2*j+1])
				}
			}
			var largest [2]float32
			for j, sum := range sums {
				x, r, s := float32(sum)**at(scale, BoundsCols*p+j), *at(radius, BoundsCols*p+j), *at(size, i)
				bounds := [2]float32{FMA(r, s, x), FMA(-r, s, x)}
				for n, v := range bounds {
					if j == 0 || v > largest[n] {
						largest[n] = v
					}
				}
			}
			*at(most, i*ld+p), *at(least, i*ld+p) = largest[0], largest[1]
		}
	}
}
