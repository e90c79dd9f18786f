package main

// Bounds multiplies pairs of steps: a line of B is a pair of elements of each of 32 columns, in 8 bits. Widened to 16, an instruction multiplies them by a pair
// of A's and adds the two products.
//
// For one row of A a line takes 64 bytes from memory, some 6 cycles, and on AVX-512 two loads that widen, a broadcast, two multiplications and two additions,
// on AVX2 twice as many but for the broadcast: 2 and 4 cycles. So memory bounds it, up to some four rows. Where AVX-512 has VNNI an instruction multiplies and
// adds, and eight rows take 9 cycles.

// boundsLine is the size of a line in bytes.
const boundsLine = 64

// bounds writes the function for up to so many rows.
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
		boundsTile{x, m, vnni}.write()
	}
}

// A boundsTile writes the code of bounds for m rows.
type boundsTile struct {
	x86
	m    int
	vnni bool
}

// vecs is how many vectors hold the sums of a row of A.
func (t boundsTile) vecs() int { return 32 * 4 / t.bytes() }

// chains is how many sums of a row and column there are: an instruction that multiplies and adds has a latency of 4 or 5 cycles, and few rows have too few others.
func (t boundsTile) chains() int {
	if t.vnni && t.m <= t.boundsRows {
		return 2
	}
	return 1
}

// The registers of the v-th sums of row i, of a vector of B, of products and of a pair of elements of row i of A.
func (t boundsTile) sum(i, v int) string { return t.v(i*t.vecs() + v) }
func (t boundsTile) b() string           { return t.v(t.regs - 1) }
func (t boundsTile) product() string     { return t.v(t.regs - 2) }
func (t boundsTile) a(i int) string      { return t.v(t.regs - 3 - i) }

// write writes the loop over panels.
func (t boundsTile) write() {
	t.line("\nrows%d:", t.m)
	t.op("MOVQ a+24(FP), AX")
	t.op("MOVQ k+8(FP), CX")
	t.op("SHRQ $2, CX")
	if t.m > 5 {
		t.fiveRows("AX", "R14")
	}
	t.zero(t.chains() * t.m * t.vecs())
	t.startFetches()
	t.line("\nloop%d:", t.m)
	for line := range 2 {
		t.multiply(line)
	}
	t.op("ADDQ $8, AX")
	if t.m > 5 {
		t.op("ADDQ $8, R14")
	}
	t.op("ADDQ $%d, SI", 2*boundsLine)
	t.op("ADDQ R12, R15")
	t.op("DECQ CX")
	t.op("JNE loop%d", t.m)
	for i := range (t.chains() - 1) * t.m * t.vecs() {
		t.op("VPADDD %s, %[2]s, %[2]s", t.v(t.m*t.vecs()+i), t.v(i))
	}
	t.note("the largest of each row's bounds")
	t.op("MOVQ most+72(FP), R11")
	t.op("MOVQ least+80(FP), R12")
	t.op("MOVQ ld+88(FP), BX")
	t.op("SHLQ $2, BX")
	t.op("XORL AX, AX")
	for i := range t.m {
		t.ofRow(i)
	}
	t.op("ADDQ $128, R8")
	t.op("ADDQ $128, R9")
	t.op("ADDQ $4, most+72(FP)")
	t.op("ADDQ $4, least+80(FP)")
	t.op("DECQ R13")
	t.op("JNE rows%d", t.m)
	t.op("VZEROUPPER")
	t.op("RET")
}

// startFetches sets what of B is fetched: the lines that follow, two at a time or, where many rows run on Intel's cores, one of each half of the next panel.
func (t boundsTile) startFetches() {
	t.op("MOVQ ·boundsNear(SB), BX")
	t.op("MOVQ ·boundsFar(SB), R15")
	t.op("ADDQ SI, R15")
	t.op("MOVQ $%d, R11", boundsLine)
	t.op("MOVQ $%d, R12", 2*boundsLine)
	if t.m > t.boundsRows {
		t.op("CMPB ·isIntel(SB), $0")
		t.op("JEQ loop%d", t.m)
		t.op("MOVQ $%d, R12", boundsLine)
		t.op("IMUL3Q $%d, CX, R11", boundsLine)
		t.op("LEAQ (SI)(R11*2), R15")
	}
}

// multiply adds the products of one of two lines.
func (t boundsTile) multiply(line int) {
	t.op("PREFETCHT1 (R15)%s", []string{"", "(R11*1)"}[line])
	t.op("PREFETCHT0 %d(SI)(BX*1)", boundsLine*line)
	for i := range t.m {
		t.op("VPBROADCASTD %s, %s", address(4*line, i, "AX", "R14"), t.a(i))
	}
	for v := range t.vecs() {
		t.op("VPMOVSXBW %d(SI), %s", boundsLine*line+v*t.bytes()/2, t.b())
		for i := range t.m {
			if t.vnni {
				t.op("VPDPWSSD %s, %s, %s", t.b(), t.a(i), t.v((line%t.chains()*t.m+i)*t.vecs()+v))
				continue
			}
			t.op("VPMADDWD %s, %s, %s", t.b(), t.a(i), t.product())
			t.op("VPADDD %s, %[2]s, %[2]s", t.product(), t.sum(i, v))
		}
	}
}

// ofRow stores the largest bounds of row i, sum · scale ± radius · size, and goes on to the next row.
func (t boundsTile) ofRow(i int) {
	size, most, least := t.a(0), t.regs-4, i*t.vecs() // as is a(1), most is free once all is multiplied
	t.op("VBROADCASTSS %d(R10), %s", 4*i, size)
	for v := range t.vecs() {
		sum, radius, above := t.sum(i, v), t.b(), t.product()
		t.op("VCVTDQ2PS %s, %s", sum, sum)
		t.op("VMULPS %d(R8), %s, %s", v*t.bytes(), sum, sum)
		t.op("VMOVUPS %d(R9), %s", v*t.bytes(), radius)
		t.op("VMOVAPS %s, %s", sum, above)
		t.op("VFMADD231PS %s, %s, %s", radius, size, above)
		t.op("VFNMADD231PS %s, %s, %s", radius, size, sum)
		if v == 0 {
			t.op("VMOVAPS %s, %s", above, t.v(most))
		} else {
			t.op("VMAXPS %s, %[2]s, %[2]s", above, t.v(most))
			t.op("VMAXPS %s, %[2]s, %[2]s", sum, t.v(least))
		}
	}
	t.largest(most, t.regs-1)
	t.largest(least, t.regs-1)
	t.op("VMOVSS X%d, (R11)(AX*1)", most)
	t.op("VMOVSS X%d, (R12)(AX*1)", least)
	if i < t.m-1 {
		t.op("ADDQ BX, AX")
	}
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
