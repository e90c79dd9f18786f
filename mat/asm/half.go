package asm

import "math"

// BFloat16 returns the value of the bfloat16 with the given bits, exactly.
func BFloat16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// Float16 returns the value of the IEEE binary16 with the given bits, exactly; a signalling NaN becomes quiet.
func Float16(h uint16) float32 {
	sign, exp, frac := uint32(h)>>15<<31, uint32(h)>>10&31, uint32(h)&1023
	switch {
	case exp == 31 && frac != 0:
		return math.Float32frombits(sign | 0x7fc00000 | frac<<13)
	case exp == 31:
		return math.Float32frombits(sign | 0x7f800000)
	case exp == 0: // zero or subnormal: frac · 2^-24, exact
		return math.Float32frombits(math.Float32bits(float32(frac)*0x1p-24) | sign)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
