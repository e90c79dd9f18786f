package main

// Bounds multiplies pairs of steps: a line of B is a pair of elements of each of 32 columns, in 8 bits. Widened to 16, an instruction multiplies them by a pair
// of A's and adds the two products.
//
// For one row of A a line takes 64 bytes from memory, some 6 cycles, and on AVX-512 two loads that widen, a broadcast, two multiplications and two additions,
// on AVX2 twice as many but for the broadcast: 2 and 4 cycles. So memory bounds it, up to some four rows. Where AVX-512 has VNNI an instruction multiplies and
// adds, and eight rows take 9 cycles.

const boundsLine = 64 // bytes

// bounds writes the function for up to so many rows. Registers from 0 up are sums, row by row; AX is A, DX and DI are lda and 3·lda, R14 is row 5 of A, SI is B,
// R8 to R10 are scale, radius and size, CX the pairs of lines left of R13 panels, BX how far ahead B is fetched to the first-level cache; R15 and R11 past it are
// what is fetched of it to the second, which moves by R12; once a panel's sums are complete, R11 and R12 are most and least, BX is ld and AX a row of both.
//
// On Intel's cores many rows, that need not wait for memory, fetch the halves of the next panel side by side: from the third-level cache they come faster so.
func (x x86) bounds(rows int, vnni bool) {
	name := "bounds"
	if vnni {
		name = "boundsVNNI"
	}
	x.line("\n// func %s%s(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)", name, x.suffix)
	x.line("TEXT ·%s%s(SB), NOSPLIT, $0-96", name, x.suffix)
	x.op("MOVQ panels+16(FP), R13")
	x.op("MOVQ lda+32(FP), DX")
	x.op("SHLQ $1, DX")
	x.op("LEAQ (DX)(DX*2), DI")
	x.op("MOVQ b+40(FP), SI")
	x.op("MOVQ scale+48(FP), R8")
	x.op("MOVQ radius+56(FP), R9")
	x.op("MOVQ size+64(FP), R10")
	x.op("MOVQ m+0(FP), AX")
	for m := rows; m > 1; m-- {
		x.op("CMPQ AX, $%d", m)
		x.op("JEQ rows%d", m)
	}
	for m := 1; m <= rows; m++ {
		x.boundsOf(m, vnni)
	}
}

// boundsOf writes the code for m rows.
func (x x86) boundsOf(m int, vnni bool) {
	vecs := 32 * 4 / x.bytes() // of sums of a panel
	b, product := x.v(x.regs-1), x.v(x.regs-2)
	a := func(i int) string { return x.v(x.regs - 3 - i) }
	x.line("\nrows%d:", m)
	x.op("MOVQ a+24(FP), AX")
	x.op("MOVQ k+8(FP), CX")
	x.op("SHRQ $2, CX")
	if m > 5 {
		x.op("LEAQ (AX)(DX*4), R14")
		x.op("ADDQ DX, R14")
	}
	x.zero(m * vecs)
	x.op("MOVQ ·boundsNear(SB), BX")
	x.op("MOVQ ·boundsFar(SB), R15")
	x.op("ADDQ SI, R15")
	x.op("MOVQ $%d, R11", boundsLine)
	x.op("MOVQ $%d, R12", 2*boundsLine)
	if m > x.boundsRows {
		x.op("CMPB ·isIntel(SB), $0")
		x.op("JEQ loop%d", m)
		x.op("MOVQ $%d, R12", boundsLine)
		x.op("IMUL3Q $%d, CX, R11", boundsLine)
		x.op("LEAQ (SI)(R11*2), R15")
	}
	x.line("\nloop%d:", m)
	for line := range 2 {
		x.op("PREFETCHT1 (R15)%s", []string{"", "(R11*1)"}[line])
		x.op("PREFETCHT0 %d(SI)(BX*1)", boundsLine*line)
		for i := range m {
			x.op("VPBROADCASTD %d(%s)%s, %s", 4*line, []string{"AX", "R14"}[i/5], []string{"", "(DX*1)", "(DX*2)", "(DI*1)", "(DX*4)"}[i%5], a(i))
		}
		for v := range vecs {
			x.op("VPMOVSXBW %d(SI), %s", boundsLine*line+v*x.bytes()/2, b)
			for i := range m {
				sum := x.v(i*vecs + v)
				if vnni {
					x.op("VPDPWSSD %s, %s, %s", b, a(i), sum)
					continue
				}
				x.op("VPMADDWD %s, %s, %s", b, a(i), product)
				x.op("VPADDD %s, %[2]s, %[2]s", product, sum)
			}
		}
	}
	x.op("ADDQ $8, AX")
	if m > 5 {
		x.op("ADDQ $8, R14")
	}
	x.op("ADDQ $%d, SI", 2*boundsLine)
	x.op("ADDQ R12, R15")
	x.op("DECQ CX")
	x.op("JNE loop%d", m)
	x.note("the largest of each row's bounds")
	x.op("MOVQ most+72(FP), R11")
	x.op("MOVQ least+80(FP), R12")
	x.op("MOVQ ld+88(FP), BX")
	x.op("SHLQ $2, BX")
	x.op("XORL AX, AX")
	for i := range m {
		x.op("VBROADCASTSS %d(R10), %s", 4*i, a(0))
		for v := range vecs {
			sum := x.v(i*vecs + v)
			x.op("VCVTDQ2PS %s, %s", sum, sum)
			x.op("VMULPS %d(R8), %s, %s", v*x.bytes(), sum, sum)
			x.op("VMOVUPS %d(R9), %s", v*x.bytes(), b)
			x.op("VMOVAPS %s, %s", sum, product)
			x.op("VFMADD231PS %s, %s, %s", b, a(0), product)
			x.op("VFNMADD231PS %s, %s, %s", b, a(0), sum)
			if v == 0 {
				x.op("VMOVAPS %s, %s", product, a(1))
			} else {
				x.op("VMAXPS %s, %[2]s, %[2]s", product, a(1))
				x.op("VMAXPS %s, %[2]s, %[2]s", sum, x.v(i*vecs))
			}
		}
		most, least := x.regs-4, i*vecs
		x.largest(most, x.regs-1)
		x.largest(least, x.regs-1)
		x.op("VMOVSS X%d, (R11)(AX*1)", most)
		x.op("VMOVSS X%d, (R12)(AX*1)", least)
		if i < m-1 {
			x.op("ADDQ BX, AX")
		}
	}
	x.op("ADDQ $128, R8")
	x.op("ADDQ $128, R9")
	x.op("ADDQ $4, most+72(FP)")
	x.op("ADDQ $4, least+80(FP)")
	x.op("DECQ R13")
	x.op("JNE rows%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
}

// largest puts the largest element of register r into its first one. Register t is overwritten.
func (x x86) largest(r, t int) {
	if x.masks {
		x.op("VEXTRACTF64X4 $1, Z%d, Y%d", r, t)
		x.op("VMAXPS Y%d, Y%d, Y%d", t, r, r)
		x.op("VEXTRACTF32X4 $1, Y%d, X%d", r, t)
	} else {
		x.op("VEXTRACTF128 $1, Y%d, X%d", r, t)
	}
	x.op("VMAXPS X%d, X%d, X%d", t, r, r)
	x.op("VPERMILPS $0x4e, X%d, X%d", r, t)
	x.op("VMAXPS X%d, X%d, X%d", t, r, r)
	x.op("VPERMILPS $0xb1, X%d, X%d", r, t)
	x.op("VMAXPS X%d, X%d, X%d", t, r, r)
}
