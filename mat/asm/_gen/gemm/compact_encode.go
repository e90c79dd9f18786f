package main

// encodeCompact writes the reverse. It uses vectors of 32 bytes, two of each unit with AVX-512: they hold the elements of columns from 8·h on and as many from the
// panel's middle on, of both rows. Y8 to Y15 are the high bytes without a sign; Y6 and Y7 are the numbers.
func (x x86) encodeCompact() {
	const elements, words, bytes = 0, 2, 4 // registers of both rows
	nr := x.nr()
	x.line("\n// func encodeCompact%s%s(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)", x.storage, x.suffix)
	x.line("TEXT ·encodeCompact%s%s(SB), NOSPLIT, $0-40", x.storage, x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ src+8(FP), SI")
	x.op("MOVQ n+16(FP), CX")
	x.op("MOVQ highs+24(FP), R15")
	x.op("MOVQ rare+32(FP), R8")
	for i := range 8 {
		x.op("VPBROADCASTB %d(R15), Y%d", i, 8+i)
	}
	x.line("\nunit:")
	x.op("XORL AX, AX")
	lows := 0
	if x.storage == "Float32" {
		lows = 4 * nr
	}
	for h := range x.bytes() / 32 {
		for u := range 2 {
			w := words + u
			if x.storage == "Float32" {
				for i := range 2 {
					x.op("VMOVDQU %d(SI), Y%d", 4*(u*nr+8*h+i*nr/2), elements+i)
					x.op("VPSRLD $16, Y%d, Y%d", elements+i, bytes+i)
					x.op("VPAND words<>(SB), Y%d, Y%d", elements+i, elements+i)
				}
				x.op("VPACKUSDW Y%d, Y%d, Y%d", bytes+1, bytes, w)
				x.op("VPACKUSDW Y%d, Y%d, Y%d", elements+1, elements, elements)
				x.op("VMOVDQU Y%d, %d(DI)", elements, 2*u*nr+32*h)
			} else {
				for i := range 2 {
					x.op("VMOVDQU %d(SI), X%d", 2*(u*nr+8*h+i*nr/2), elements+i)
				}
				x.op("VPUNPCKLQDQ X%d, X%d, X%d", elements+1, elements, w)
				x.op("VPUNPCKHQDQ X%d, X%d, X%d", elements+1, elements, elements)
				x.op("VINSERTI128 $1, X%d, Y%d, Y%d", elements, w, w)
			}
		}
		for u := range 2 {
			x.op("VPSRLW $8, Y%d, Y%d", words+u, elements+u)
			x.op("VPAND bytes<>(SB), Y%d, Y%d", words+u, words+u)
		}
		x.op("VPACKUSWB Y%d, Y%d, Y%d", words+1, words, words)
		x.op("VMOVDQU Y%d, %d(DI)", words, lows+32*h)
		x.op("VPACKUSWB Y%d, Y%d, Y%d", elements+1, elements, elements)
		x.note("the number of each high byte")
		number, found, t := 6+h, words, words+1
		x.op("VPSRLW $4, Y%d, Y%d", elements, number)
		x.op("VPAND signs<>(SB), Y%d, Y%d", number, number)
		x.op("VPAND magnitudes<>(SB), Y%d, Y%d", elements, elements)
		x.op("VPXOR Y%d, Y%d, Y%d", found, found, found)
		for i := range 8 {
			x.op("VPCMPEQB Y%d, Y%d, Y%d", 8+i, elements, t)
			x.op("VPOR Y%d, Y%d, Y%d", t, found, found)
			if i > 0 {
				x.op("VPAND numbers<>+%d(SB), Y%d, Y%d", 32*(i-1), t, t)
				x.op("VPOR Y%d, Y%d, Y%d", t, number, number)
			}
		}
		x.op("VPMOVMSKB Y%d, DX", found)
		x.op("CMPL DX, $-1")
		x.op("SETNE DX")
		x.op("ORL DX, AX")
	}
	if x.bytes() == 64 {
		x.op("VPSLLW $4, Y7, Y7")
		x.op("VPOR Y7, Y6, Y6")
		x.op("VMOVDQU Y6, %d(DI)", lows+2*nr)
	} else {
		x.op("VEXTRACTI128 $1, Y6, X7")
		x.op("VPSLLW $4, X7, X7")
		x.op("VPOR X7, X6, X6")
		x.op("VMOVDQU X6, %d(DI)", lows+2*nr)
	}
	x.op("MOVB AX, (R8)")
	x.op("INCQ R8")
	x.op("ADDQ $%d, SI", 2*nr<<x.size())
	x.op("ADDQ $%d, DI", x.unitBytes())
	x.op("DECQ CX")
	x.op("JNE unit")
	x.op("VZEROUPPER")
	x.op("RET")
}
