package asm

import "math"

// The operations of the portable kernels that are one or two instructions on vectors.

var negInf = float32(math.Inf(-1))

func larger(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}

func smaller(a, b float32) float32 {
	if a < b {
		return a
	}
	return b
}

func abs(a float32) float32 { return math.Float32frombits(math.Float32bits(a) &^ (1 << 31)) }

// withSign returns a ≥ 0 with the sign of b.
func withSign(a, b float32) float32 {
	return math.Float32frombits(math.Float32bits(a) | math.Float32bits(b)&(1<<31))
}

// above returns b, but 0 where a ≤ 0.
func above(a, b float32) float32 {
	if a <= 0 {
		return 0
	}
	return b
}

// below returns b where a < from, otherwise c.
func below(a, from, b, c float32) float32 {
	if a < from {
		return b
	}
	return c
}

// sqrt returns √a, rounded once: 53 bits are more than twice 24, so that rounding to float64 before changes nothing.
func sqrt(a float32) float32 { return float32(math.Sqrt(float64(a))) }

// index returns the low three of a's bits from the given one on, for lookup.
func index(a float32, from int) int { return int(math.Float32bits(a) >> from & 7) }

func lookup(table *[8]float32, i int) float32 { return table[i] }

// pow2 returns 2ⁱ, where i is the low nine bits of t less 127.
func pow2(t float32) float32 { return math.Float32frombits(math.Float32bits(t) << 23) }

// scale returns p·2ⁿ with one rounding, where n is the low nine bits of t less 254. It multiplies twice, as 2ⁿ may be no float32.
func scale(p, t float32) float32 {
	b := math.Float32bits(t)
	half := b >> 1
	return float32(float32(p*math.Float32frombits(half<<23)) * math.Float32frombits((b-half)<<23))
}

// lanes is the number of lanes of a reduction.
const lanes = 32

// foldSum adds lane i+16 to lane i, then i+8, i+4, i+2 and i+1.
func foldSum(lane *[lanes]float32) float32 {
	for n := lanes / 2; n > 0; n /= 2 {
		for i := range n {
			lane[i] += lane[i+n]
		}
	}
	return lane[0]
}

// foldMax is foldSum for the largest lane.
func foldMax(lane *[lanes]float32) float32 {
	for n := lanes / 2; n > 0; n /= 2 {
		for i := range n {
			lane[i] = larger(lane[i+n], lane[i])
		}
	}
	return lane[0]
}
