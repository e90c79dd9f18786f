package main

// A line of B is as x86_bounds.go says. NEON takes 8 instructions to widen it and 16 to multiply and add, 12 cycles at two a cycle, which one core's share of
// memory rarely outruns.

// bounds writes the function, for one row.
func (n neon) bounds() {
	n.line("\n// func boundsNEON(m, k, panels int, a *int16, lda int, b *int8, scale, radius, size, most, least *float32, ld int)")
	n.line("TEXT ·boundsNEON(SB), NOSPLIT, $0-96")
	n.op("MOVD panels+16(FP), R2")
	n.op("MOVD b+40(FP), R1")
	n.op("MOVD scale+48(FP), R4")
	n.op("MOVD radius+56(FP), R5")
	n.op("MOVD size+64(FP), R6")
	n.op("MOVD most+72(FP), R7")
	n.op("MOVD least+80(FP), R8")
	n.op("VLD1R (R6), [V29.S4]")
	n.line("\npanel:")
	n.op("MOVD a+24(FP), R0")
	n.op("MOVD k+8(FP), R3")
	n.zero(16)
	n.line("\nloop:")
	n.op("VLD1R.P 4(R0), [V28.S4]")
	n.multiplyLine()
	n.op("ADD $%d, R1", boundsLine)
	n.op("SUBS $2, R3")
	n.op("BNE loop")
	n.note("the largest bounds: V26 and V27")
	for v := range 8 {
		n.joinBounds(v)
	}
	n.op("WORD $0x%08x // FMAXV S26, V26.4S", 0x6e30f800|26<<5|26)
	n.op("WORD $0x%08x // FMAXV S27, V27.4S", 0x6e30f800|27<<5|27)
	n.op("FMOVS.P F26, 4(R7)")
	n.op("FMOVS.P F27, 4(R8)")
	n.op("ADD $128, R4")
	n.op("ADD $128, R5")
	n.op("SUBS $1, R2")
	n.op("BNE panel")
	n.op("RET")
}

// multiplyLine adds the products of a line of B and the pair of elements in V28.
func (n neon) multiplyLine() {
	for h := range 2 {
		n.op("FLDPQ %d(R1), (F16, F17)", 32*h)
		for q := range 2 {
			b, sum := 16+q, 8*h+4*q
			n.op("WORD $0x%08x // SXTL V18.8H, V%d.8B", 0x0f08a400|b<<5|18, b)
			n.op("WORD $0x%08x // SXTL2 V19.8H, V%d.16B", 0x4f08a400|b<<5|19, b)
			for i := range 2 {
				d := sum + 2*i
				n.op("WORD $0x%08x // SMLAL V%d.4S, V%d.4H, V28.4H", 0x0e608000|28<<16|(18+i)<<5|d, d, 18+i)
				n.op("WORD $0x%08x // SMLAL2 V%d.4S, V%d.8H, V28.8H", 0x4e608000|28<<16|(18+i)<<5|d+1, d+1, 18+i)
			}
		}
	}
}

// joinBounds joins the bounds of the v-th four columns, sum · scale ± radius · size, to the largest.
func (n neon) joinBounds(v int) {
	n.op("VADDP V%d.S4, V%d.S4, V16.S4", 2*v+1, 2*v)
	n.op("FMOVQ %d(R4), F17", 16*v)
	n.op("FMOVQ %d(R5), F18", 16*v)
	n.op("WORD $0x%08x // SCVTF V16.4S, V16.4S", 0x4e21d800|16<<5|16)
	n.op("WORD $0x%08x // FMUL V16.4S, V16.4S, V17.4S", 0x6e20dc00|17<<16|16<<5|16)
	n.op("VMOV V16.B16, V19.B16")
	n.op("WORD $0x%08x // FMLA V19.4S, V18.4S, V29.4S", 0x4e20cc00|29<<16|18<<5|19)
	n.op("WORD $0x%08x // FMLS V16.4S, V18.4S, V29.4S", 0x4ea0cc00|29<<16|18<<5|16)
	if v == 0 {
		n.op("VMOV V19.B16, V26.B16")
		n.op("VMOV V16.B16, V27.B16")
		return
	}
	n.op("WORD $0x%08x // FMAX V26.4S, V26.4S, V19.4S", 0x4e20f400|19<<16|26<<5|26)
	n.op("WORD $0x%08x // FMAX V27.4S, V27.4S, V16.4S", 0x4e20f400|16<<16|27<<5|27)
}
