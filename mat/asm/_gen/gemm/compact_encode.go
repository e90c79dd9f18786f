package main

// Registers of encode: vectors of 32 bytes, two of each unit with AVX-512, hold the elements of columns from 8·h on and as many from the panel's middle on.
const (
	yElements = 0 // one for each half of a row; then the high bytes, one for each row
	yWords    = 2 // the upper words, one for each row
	yUpper    = 4 // the upper words in elements, one for each half
	yNumbers  = 6 // the numbers of the high bytes, one for each h
	yHighs    = 8 // 8 to 15: the high bytes without a sign
)

// encode writes the function that makes n units of panels.
func (c compact) encode() {
	c.line("\n// func encodeCompact%s%s(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)", c.storage, c.suffix)
	c.line("TEXT ·encodeCompact%s%s(SB), NOSPLIT, $0-40", c.storage, c.suffix)
	c.op("MOVQ dst+0(FP), DI")
	c.op("MOVQ src+8(FP), SI")
	c.op("MOVQ n+16(FP), CX")
	c.op("MOVQ highs+24(FP), R15")
	c.op("MOVQ rare+32(FP), R8")
	for i := range 8 {
		c.op("VPBROADCASTB %d(R15), Y%d", i, yHighs+i)
	}
	c.line("\nunit:")
	c.op("XORL AX, AX")
	for h := range c.bytes() / 32 {
		for u := range 2 {
			if c.storage == "Float32" {
				c.splitFloats(h, u)
			} else {
				c.gatherWords(h, u)
			}
		}
		c.splitWords(c.lows() + 32*h)
		c.note("the number of each high byte")
		c.numbers(h)
	}
	c.storeNumbers(c.lows() + 2*c.nr())
	c.op("MOVB AX, (R8)")
	c.op("INCQ R8")
	c.op("ADDQ $%d, SI", 2*c.nr()<<c.size())
	c.op("ADDQ $%d, DI", c.unitBytes())
	c.op("DECQ CX")
	c.op("JNE unit")
	c.op("VZEROUPPER")
	c.op("RET")
}

// splitFloats loads the elements of row u, stores their lower words and keeps the upper ones.
func (c compact) splitFloats(h, u int) {
	for i := range 2 {
		c.op("VMOVDQU %d(SI), Y%d", 4*(u*c.nr()+8*h+i*c.nr()/2), yElements+i)
		c.op("VPSRLD $16, Y%d, Y%d", yElements+i, yUpper+i)
		c.op("VPAND words<>(SB), Y%d, Y%d", yElements+i, yElements+i)
	}
	c.op("VPACKUSDW Y%d, Y%d, Y%d", yUpper+1, yUpper, yWords+u)
	c.op("VPACKUSDW Y%d, Y%d, Y%d", yElements+1, yElements, yElements)
	c.op("VMOVDQU Y%d, %d(DI)", yElements, 2*u*c.nr()+32*h)
}

// gatherWords loads the elements of row u, which are words, in the order in which splitFloats leaves them.
func (c compact) gatherWords(h, u int) {
	for i := range 2 {
		c.op("VMOVDQU %d(SI), X%d", 2*(u*c.nr()+8*h+i*c.nr()/2), yElements+i)
	}
	c.op("VPUNPCKLQDQ X%d, X%d, X%d", yElements+1, yElements, yWords+u)
	c.op("VPUNPCKHQDQ X%d, X%d, X%d", yElements+1, yElements, yElements)
	c.op("VINSERTI128 $1, X%d, Y%d, Y%d", yElements, yWords+u, yWords+u)
}

// splitWords stores the low bytes of the words of both rows, and leaves the high ones in the first register.
func (c compact) splitWords(offset int) {
	for u := range 2 {
		c.op("VPSRLW $8, Y%d, Y%d", yWords+u, yElements+u)
		c.op("VPAND bytes<>(SB), Y%d, Y%d", yWords+u, yWords+u)
	}
	c.op("VPACKUSWB Y%d, Y%d, Y%d", yWords+1, yWords, yWords)
	c.op("VMOVDQU Y%d, %d(DI)", yWords, offset)
	c.op("VPACKUSWB Y%d, Y%d, Y%d", yElements+1, yElements, yElements)
}

// numbers finds the number of each high byte, with the sign as its fourth bit. AX is set where one has none: the unit is rare.
func (c compact) numbers(h int) {
	number, found, t := yNumbers+h, yWords, yWords+1
	c.op("VPSRLW $4, Y%d, Y%d", yElements, number)
	c.op("VPAND signs<>(SB), Y%d, Y%d", number, number)
	c.op("VPAND magnitudes<>(SB), Y%d, Y%d", yElements, yElements)
	c.op("VPXOR Y%d, Y%d, Y%d", found, found, found)
	for i := range 8 {
		c.op("VPCMPEQB Y%d, Y%d, Y%d", yHighs+i, yElements, t)
		c.op("VPOR Y%d, Y%d, Y%d", t, found, found)
		if i > 0 {
			c.op("VPAND numbers<>+%d(SB), Y%d, Y%d", 32*(i-1), t, t)
			c.op("VPOR Y%d, Y%d, Y%d", t, number, number)
		}
	}
	c.op("VPMOVMSKB Y%d, DX", found)
	c.op("CMPL DX, $-1")
	c.op("SETNE DX")
	c.op("ORL DX, AX")
}

// storeNumbers stores the numbers of two halves of a unit, four bits each.
func (c compact) storeNumbers(offset int) {
	if c.bytes() == 64 {
		c.op("VPSLLW $4, Y7, Y7")
		c.op("VPOR Y7, Y6, Y6")
		c.op("VMOVDQU Y6, %d(DI)", offset)
		return
	}
	c.op("VEXTRACTI128 $1, Y6, X7")
	c.op("VPSLLW $4, X7, X7")
	c.op("VPOR X7, X6, X6")
	c.op("VMOVDQU X6, %d(DI)", offset)
}
