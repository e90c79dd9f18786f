package main

// The transposes work on whole blocks, 16 × 16, 8 × 8 or, with NEON, 4 × 4; along a row of blocks they read the rows of the source side by side. Two shuffles for
// each vector and level of the butterfly make 16 bytes per cycle on one shuffle port, more than caches beyond the first deliver.

// transpose writes the function that transposes whole blocks.
func (x x86) transpose() {
	n := x.bytes() / 4
	x.line("\n// func transpose%s(dst *float32, ldd int, src *float32, lds, rows, cols int)", x.suffix)
	x.line("TEXT ·transpose%s(SB), NOSPLIT, $0-48", x.suffix)
	x.op("MOVQ ldd+8(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("MOVQ lds+24(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("MOVQ rows+32(FP), R9")
	x.line("\nrows:")
	x.op("MOVQ src+16(FP), SI")
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ cols+40(FP), R10")
	x.line("\nblock:")
	x.op("MOVQ SI, AX")
	x.op("ADDQ $%d, SI", 4*n)
	if n == 16 {
		x.block16()
	} else {
		x.block8()
	}
	x.op("SUBQ $%d, R10", n)
	x.op("JNE block")
	x.op("MOVQ DX, AX")
	x.op("SHLQ $%d, AX", map[int]int{8: 3, 16: 4}[n])
	x.op("ADDQ AX, src+16(FP)")
	x.op("ADDQ $%d, dst+0(FP)", 4*n)
	x.op("SUBQ $%d, R9", n)
	x.op("JNE rows")
	x.op("VZEROUPPER")
	x.op("RET")
}

// storeRows stores registers as rows of the transpose.
func (x x86) storeRows(registers ...int) {
	for _, r := range registers {
		x.op("VMOVUPS %s, (DI)", x.v(r))
		x.op("ADDQ R12, DI")
	}
}

func (x x86) block16() {
	for i := range 16 {
		x.op("VMOVUPS (AX), Z%d", i)
		if i < 15 {
			x.op("ADDQ DX, AX")
		}
	}
	x.note("pairs, then quads of rows")
	for i := 0; i < 16; i += 2 {
		x.op("VUNPCKLPS Z%d, Z%d, Z%d", i+1, i, 16+i)
		x.op("VUNPCKHPS Z%d, Z%d, Z%d", i+1, i, 17+i)
	}
	for g := 0; g < 16; g += 4 {
		for h := range 2 {
			x.op("VUNPCKLPD Z%d, Z%d, Z%d", 18+g+h, 16+g+h, g+2*h)
			x.op("VUNPCKHPD Z%d, Z%d, Z%d", 18+g+h, 16+g+h, g+2*h+1)
		}
	}
	x.note("Z(g+c) holds columns c, 4+c, 8+c, 12+c of rows g to g+3")
	for c := range 4 {
		for h := range 2 {
			x.op("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 8*h+4+c, 8*h+c, 16+c+8*h)
			x.op("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 8*h+4+c, 8*h+c, 20+c+8*h)
		}
	}
	for c := range 4 {
		for h := range 2 {
			x.op("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 24+4*h+c, 16+4*h+c, 4*h+c)
			x.op("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 24+4*h+c, 16+4*h+c, 8+4*h+c)
		}
	}
	x.storeRows(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
}

func (x x86) block8() {
	x.op("LEAQ (AX)(DX*4), BX")
	for i := range 4 {
		x.op("VMOVUPS (AX), X%d", i)
		x.op("VMOVUPS 16(AX), X%d", 4+i)
		x.op("VINSERTF128 $1, (BX), Y%d, Y%d", i, i)
		x.op("VINSERTF128 $1, 16(BX), Y%d, Y%d", 4+i, 4+i)
		if i < 3 {
			x.op("ADDQ DX, AX")
			x.op("ADDQ DX, BX")
		}
	}
	x.note("Yi holds four columns of rows i and i+4")
	for g := 0; g < 8; g += 4 {
		for i := 0; i < 4; i += 2 {
			x.op("VUNPCKLPS Y%d, Y%d, Y%d", g+i+1, g+i, 8+g+i)
			x.op("VUNPCKHPS Y%d, Y%d, Y%d", g+i+1, g+i, 9+g+i)
		}
		for i := range 2 {
			x.op("VUNPCKLPD Y%d, Y%d, Y%d", 10+g+i, 8+g+i, g+2*i)
			x.op("VUNPCKHPD Y%d, Y%d, Y%d", 10+g+i, 8+g+i, g+2*i+1)
		}
	}
	x.storeRows(0, 1, 2, 3, 4, 5, 6, 7)
}
