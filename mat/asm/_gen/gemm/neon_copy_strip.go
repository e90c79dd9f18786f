package main

// copyStrip writes the function for mr rows.
func (n neon) copyStrip() {
	n.line("\n// func copyStripNEON(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool)")
	n.line("TEXT ·copyStripNEON(SB), NOSPLIT, $0-73")
	n.op("MOVD panels+8(FP), R13")
	n.op("MOVD b+32(FP), R20")
	n.op("MOVD ldb+40(FP), R9")
	n.op("LSL $2, R9")
	n.op("MOVD dst+48(FP), R16")
	n.op("MOVD c+56(FP), R11")
	n.op("MOVD ldc+64(FP), R12")
	n.op("LSL $2, R12")
	n.op("MOVD $%d, R14", copyNEON)
	n.op("MUL R9, R14")
	n.op("ADD R20, R14, R17")

	n.line("\npanel:")
	n.op("MOVD a+16(FP), R0")
	n.op("MOVD lda+24(FP), R14")
	for i := 1; i < n.mr; i++ {
		n.op("ADD R14<<2, R%d, R%d", i-1, i)
	}
	n.zero(n.mr * n.vecs)
	n.op("MOVD k+0(FP), R10")

	n.line("\nloop:")
	n.note("from a panel's end on, the panel beside it is fetched")
	n.op("CMP $%d, R10", copyNEON)
	n.op("BNE fetch")
	n.panelBeside("R17")
	n.line("\nfetch:")
	n.copyStep()
	n.op("SUBS $1, R10")
	n.op("BNE loop")

	n.panelBeside("R20")
	n.op("MOVD R11, R14")
	n.op("ADD $%d, R11", 4*n.nr())
	n.op("MOVBU add+72(FP), R15")
	n.op("CBZ R15, store")
	n.output(n.mr, n.vecs, true)
	n.op("B next")
	n.line("\nstore:")
	n.output(n.mr, n.vecs, false)
	n.line("\nnext:")
	n.op("SUBS $1, R13")
	n.op("BNE panel")
	n.op("RET")
}

// copyStep writes a step of k.
func (n neon) copyStep() {
	n.op("PRFM (R17), PLDL1KEEP")
	for i := range n.mr {
		n.op("FMOVS.P 4(R%d), F%d", i, n.a(i))
	}
	for h := 0; h < n.vecs; h += 2 {
		n.loadB(4*h, "R20")
		n.op("FSTPQ (F30, F31), %d(R16)", 16*h)
		for i := range n.mr {
			n.fmla(30, n.a(i), 0, i*n.vecs+h)
			n.fmla(31, n.a(i), 0, i*n.vecs+h+1)
		}
	}
	n.op("ADD R9, R17")
	n.op("ADD R9, R20")
	n.op("ADD $%d, R16", 4*n.nr())
}

// panelBeside moves a pointer from the end of a panel to the start of the next.
func (n neon) panelBeside(register string) {
	n.op("MOVD k+0(FP), R14")
	n.op("MUL R9, R14")
	n.op("SUB R14, %s", register)
	n.op("ADD $%d, %s", 4*n.nr(), register)
}
