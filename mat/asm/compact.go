package asm

import "unsafe"

// Compact is the kernels for B in a layout of 12 bits an element of bfloat16, or 28 of float32, which loses nothing.
//
// The first byte of an element is its sign and seven bits of its exponent. Trained weights have few exponents: of all that are less than one part in 2¹⁶ of the
// largest, one in some thousands is smaller. So four bits tell the first byte, by a table of 16, the high bytes. Two rows of a panel make a unit:
//
//	2·NR words    the last 16 bits of each element, of float32 only
//	2·NR bytes    the byte before, or the last one of bfloat16
//	NR bytes      the number of the high byte of two elements each
//
// in an order in which vectors of the level put them together. A unit with an element that has another high byte is a raw one: it lies elsewhere, row by row.
type Compact struct {
	MR, NR int
	Strip  CompactStrip
	CopyMR int // at least so many rows a strip should have that keeps the panels for others, if there are as many: it waits for memory, the others don't

	// Widen converts n > 0 units that follow each other to float32, row by row.
	Widen func(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)

	// Encode makes units of n > 0 raw ones that follow each other. Of highs, the last eight are the first eight with a sign. rare gets a byte for each unit: 0, or
	// if it has another high byte, and its place no meaning, 1.
	Encode func(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)

	size           int           // of an element of B elsewhere, in bytes
	byteOf, wordOf [2 * 32]uint8 // the elements whose bytes and last words follow each other
}

// A CompactStrip is a Strip whose k is even and whose panels, units one after another, follow each other. runs tells how many units of the first panel
// lie before its first raw one, between two of them, and after the last one, and then of the panels that follow; raw are the raw units one after another.
// In b their places are empty. dst, if not nil, gets the panels in float32, one after another, row by row.
type CompactStrip func(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, raw unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte,
	dst *float32)

// UnitBytes is the size of a unit, RawBytes that of a raw one.
func (c *Compact) UnitBytes() int { return c.NR * (2*c.size - 1) }
func (c *Compact) RawBytes() int  { return c.NR * 2 * c.size }

// Decode sets the raw unit at dst to the unit at src.
func (c *Compact) Decode(dst, src unsafe.Pointer, highs *[16]byte) {
	low, number := c.bytes(src)
	for i, b := range low {
		h := highs[number[i%c.NR]>>(i/c.NR*4)&15]
		if c.size == 2 {
			*at((*uint16)(dst), int(c.byteOf[i])) = uint16(h)<<8 | uint16(b)
		} else {
			*at((*uint32)(dst), int(c.byteOf[i])) = uint32(h)<<24 | uint32(b)<<16
		}
	}
	if c.size == 4 {
		for i, w := range unsafe.Slice((*uint16)(src), len(low)) {
			*at((*uint32)(dst), int(c.wordOf[i])) |= uint32(w)
		}
	}
}

// bytes returns the bytes of a unit that are not words: one of each element, and the numbers.
func (c *Compact) bytes(unit unsafe.Pointer) (low, number []uint8) {
	n := 2 * c.NR
	b := unsafe.Slice((*uint8)(unsafe.Add(unit, n*(c.size-2))), n+c.NR)
	return b[:n], b[n:]
}

// WidenRaw converts a raw unit to float32.
func (c *Compact) WidenRaw(dst *float32, raw unsafe.Pointer) {
	for e := range 2 * c.NR {
		*at(dst, e) = c.element(raw, e)
	}
}

// element returns element e of a raw unit.
func (c *Compact) element(raw unsafe.Pointer, e int) float32 {
	if c.size == 2 {
		return BFloat16(*at((*uint16)(raw), e))
	}
	return *at((*float32)(raw), e)
}
