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
// in an order in which vectors of the level put them together. A unit with an element that has another high byte is a rare one: all its high bytes lie elsewhere, in
// the order of its bytes.
type Compact struct {
	MR, NR int
	Strip  CompactStrip
	CopyMR int // at least so many rows a strip should have that keeps the panels for others, if there are as many: it waits for memory, the others don't

	// Widen converts n > 0 units that follow each other to float32, row by row.
	Widen func(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)

	// Encode makes units of n > 0 pairs of rows in their own type, row by row. Of highs, the last eight are the first eight with a sign. rare gets a byte for each
	// unit: 1 if it is a rare one, whose numbers have no meaning, or 0.
	Encode func(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)

	size           int           // of an element of B elsewhere, in bytes
	byteOf, wordOf [2 * 32]uint8 // the elements whose bytes and last words follow each other
}

// A CompactStrip is a Strip whose k is even and positive and whose panels, units one after another, follow each other. runs tells how many units of the first panel
// lie before its first rare one, between two of them, and after the last one, and then of the panels that follow; rare are the high bytes of the rare units one
// after another. dst, if not nil, gets the panels in float32, one after another, row by row.
type CompactStrip func(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte,
	dst *float32)

// UnitBytes is the size of a unit, RareBytes that of the high bytes of a rare one, and PlainBytes that of two rows in their own type.
func (c *Compact) UnitBytes() int  { return c.NR * (2*c.size - 1) }
func (c *Compact) RareBytes() int  { return c.NR * 2 }
func (c *Compact) PlainBytes() int { return c.NR * 2 * c.size }

// AppendRare appends the high bytes of the rare unit that Encode has made of src, and clears its numbers.
func (c *Compact) AppendRare(dst []byte, unit, src unsafe.Pointer) []byte {
	for _, e := range c.byteOf[:c.RareBytes()] {
		dst = append(dst, *at((*byte)(src), (int(e)+1)*c.size-1))
	}
	_, numbers := c.bytes(unit)
	clear(numbers)
	return dst
}

// Decode sets the two rows at dst, in their own type, to the unit. rare are its high bytes if it is a rare one, and else nil.
func (c *Compact) Decode(dst, unit, rare unsafe.Pointer, highs *[16]byte) {
	low, numbers := c.bytes(unit)
	for i, b := range low {
		h := highs[numbers[i%c.NR]>>(i/c.NR*4)&15]
		if rare != nil {
			h = *at((*byte)(rare), i)
		}
		if c.size == 2 {
			*at((*uint16)(dst), int(c.byteOf[i])) = uint16(h)<<8 | uint16(b)
		} else {
			*at((*uint32)(dst), int(c.byteOf[i])) = uint32(h)<<24 | uint32(b)<<16
		}
	}
	if c.size == 4 {
		for i, w := range unsafe.Slice((*uint16)(unit), len(low)) {
			*at((*uint32)(dst), int(c.wordOf[i])) |= uint32(w)
		}
	}
}

// bytes returns the bytes of a unit that are not words: one of each element, and the numbers.
func (c *Compact) bytes(unit unsafe.Pointer) (low, numbers []uint8) {
	n := 2 * c.NR
	b := unsafe.Slice((*uint8)(unsafe.Add(unit, n*(c.size-2))), n+c.NR)
	return b[:n], b[n:]
}

// WidenRare converts a rare unit to float32, as Widen does others.
func (c *Compact) WidenRare(dst *float32, unit, rare unsafe.Pointer, highs *[16]byte) {
	c.Decode(unsafe.Pointer(dst), unit, rare, highs)
	if c.size == 2 { // in the first half of dst
		for e := 2*c.NR - 1; e >= 0; e-- {
			*at(dst, e) = BFloat16(*at((*uint16)(unsafe.Pointer(dst)), e))
		}
	}
}
