//go:build !purego && !noasm

package asm

import "unsafe"

// newCompact returns the kernels for elements of the given size, in bytes. A row of a panel is two vectors of floats, and the bytes of a unit are one.
func newCompact(size, mr, nr int, strip CompactStrip, widen func(*float32, unsafe.Pointer, int, *[16]byte),
	encode func(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)) *Compact {
	c := &Compact{MR: mr, NR: nr, Strip: strip, Widen: widen, Encode: encode, size: size, CopyMR: pick(6*mr/7, 1)}
	// Bytes are made words, and words floats, by instructions that take halves of each 16 bytes of two vectors and put them side by side.
	for e := range 2 * nr {
		vector, lane := e/(nr/2), e%(nr/2)/4
		c.byteOf[16*lane+4*vector+e%4] = uint8(e)
		c.wordOf[e/nr*nr+8*lane+vector%2*4+e%4] = uint8(e)
	}
	return c
}
