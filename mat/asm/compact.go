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

// newCompact returns the kernels for elements of the given size on a level with such vectors, in bytes.
func newCompact(size, mr, nr, vector int, strip CompactStrip, widen func(*float32, unsafe.Pointer, int, *[16]byte),
	encode func(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)) *Compact {
	c := &Compact{MR: mr, NR: nr, Strip: strip, Widen: widen, Encode: encode, size: size}
	// Bytes are made words, and words floats, by instructions that take halves of each 16 bytes of two vectors and put them side by side.
	for e := range 2 * nr {
		quarter := vector / 4 // as many elements have a vector of floats
		lane := e % quarter / 4
		c.byteOf[e/vector*vector+16*lane+e%vector/quarter*4+e%4] = uint8(e)
		c.wordOf[e/(vector/2)*(vector/2)+8*lane+e%(vector/2)/quarter*4+e%4] = uint8(e)
	}
	if strip == nil {
		c.Strip, c.Widen = c.strip, c.widen
	}
	if encode == nil {
		c.Encode = c.encode
	}
	return c
}

// UnitBytes is the size of a unit, RawBytes that of a raw one.
func (c *Compact) UnitBytes() int { return c.NR * (2*c.size - 1) }
func (c *Compact) RawBytes() int  { return c.NR * 2 * c.size }

// encode is the portable Encode.
func (c *Compact) encode(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8) {
	var numbers [256]uint8
	for i := range numbers {
		numbers[i] = 255
	}
	for i, h := range highs {
		numbers[h] = uint8(i)
	}
	for u := range n {
		*at(rare, u) = c.unit(unsafe.Add(dst, u*c.UnitBytes()), unsafe.Add(src, u*c.RawBytes()), &numbers)
	}
}

// unit sets the unit at dst to the raw unit at src, numbers being the numbers of high bytes and 255 for others. It returns 1 if there is one of these.
func (c *Compact) unit(dst, src unsafe.Pointer, numbers *[256]uint8) uint8 {
	n := 2 * c.NR
	low, number := c.bytes(dst)
	first, second := c.byteOf[:c.NR], c.byteOf[c.NR:n] // whose numbers come into one byte
	all := uint8(0)
	if c.size == 2 {
		from := unsafe.Slice((*uint16)(src), n)
		for i := range number {
			v, w := from[first[i]], from[second[i]]
			low[i], low[len(number)+i] = uint8(v), uint8(w)
			a, b := numbers[v>>8], numbers[w>>8]
			number[i] = a&15 | b<<4
			all |= a | b
		}
		return all >> 7
	}
	from := unsafe.Slice((*uint32)(src), n)
	for i := range number {
		v, w := from[first[i]], from[second[i]]
		low[i], low[len(number)+i] = uint8(v>>16), uint8(w>>16)
		a, b := numbers[v>>24], numbers[w>>24]
		number[i] = a&15 | b<<4
		all |= a | b
	}
	words := unsafe.Slice((*uint16)(dst), n)
	for i, e := range c.wordOf[:n] {
		words[i] = uint16(from[e])
	}
	return all >> 7
}

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

// widen is the portable Widen.
func (c *Compact) widen(dst *float32, b unsafe.Pointer, n int, highs *[16]byte) {
	var unit [2 * 32]float32
	for u := range n {
		c.Decode(unsafe.Pointer(&unit), unsafe.Add(b, u*c.UnitBytes()), highs)
		c.WidenRaw(at(dst, u*2*c.NR), unsafe.Pointer(&unit))
	}
}

// strip is the portable Strip.
func (c *Compact) strip(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, raw unsafe.Pointer, out *float32, ldc, tail int, add bool, highs *[16]byte,
	dst *float32) {
	var unit [2 * 32]float32
	for p := range panels {
		var sums [4][32]float32 // of gemmGeneric
		left := int(*runs)
		for u := range k / 2 {
			if left > 0 {
				c.widen(&unit[0], b, 1, highs)
				left--
			} else {
				c.WidenRaw(&unit[0], raw)
				raw, runs = unsafe.Add(raw, c.RawBytes()), at(runs, 1)
				left = int(*runs)
			}
			b = unsafe.Add(b, c.UnitBytes())
			if dst != nil {
				copy(unsafe.Slice(dst, 2*c.NR), unit[:])
				dst = at(dst, 2*c.NR)
			}
			for i := range m {
				for e, y := range unit[:2*c.NR] {
					j := e % c.NR
					sums[i][j] = FMA(*at(a, i*lda+2*u+e/c.NR), y, sums[i][j])
				}
			}
		}
		runs = at(runs, 1)
		n := c.NR
		if p == panels-1 {
			n = tail
		}
		for i := range m {
			row := unsafe.Slice(at(out, i*ldc+p*c.NR), n)
			for j, s := range sums[i][:n] {
				if add {
					s = row[j] + s
				}
				row[j] = s
			}
		}
	}
}
