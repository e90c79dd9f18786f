package asm

import "math"

// FMA returns x·y + z with one rounding, as the FMA instructions of every level do. The product of two float32 is exact in
// float64; the sum is rounded to float64 and then to float32, which differs from one rounding only where the float64 lies exactly
// half way between two float32 (or the result is subnormal), and there the error of the sum decides.
func FMA(x, y, z float32) float32 {
	p := float64(x) * float64(y)
	c := float64(z)
	s := p + c
	b := math.Float64bits(s)
	if b&(1<<29-1) != 1<<28 && b&(0x7ff<<52) >= 897<<52 {
		return float32(s)
	}
	return fmaHalfway(p, c, s)
}

// fmaHalfway rounds p + c to odd in float64, so that the second rounding sees on which side of the middle the sum lies.
func fmaHalfway(p, c, s float64) float32 {
	t := float64(s - p)
	e := float64(p-float64(s-t)) + float64(c-t)
	b := math.Float64bits(s)
	if e != 0 && e == e && b&1 == 0 {
		if (e > 0) == (s > 0) {
			b++
		} else {
			b--
		}
	}
	return float32(math.Float64frombits(b))
}
