package main

// rowsAhead is how many rows before its use a row of a panel's source is fetched: the rows lie too far apart for the hardware to see a stream.
const rowsAhead = 16

// copyPanel writes the function that copies rows of nr values of a row-major matrix close together.
func (x x86) copyPanel(nr int) {
	x.line("\n// func panel%s(dst, src *float32, lds, rows int)", x.suffix)
	x.line("TEXT ·panel%s(SB), NOSPLIT, $0-32", x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ src+8(FP), SI")
	x.op("MOVQ lds+16(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("MOVQ rows+24(FP), CX")
	x.op("MOVQ DX, R9")
	x.op("IMULQ $%d, R9", rowsAhead)
	x.line("\nloop:")
	for o := 0; o < 4*nr; o += 64 {
		x.op("PREFETCHT0 %d(SI)(R9*1)", o)
	}
	for i := range 4 * nr / x.bytes() {
		x.op("VMOVUPS %d(SI), %s", i*x.bytes(), x.v(i))
		x.op("VMOVUPS %s, %d(DI)", x.v(i), i*x.bytes())
	}
	x.op("ADDQ DX, SI")
	x.op("ADDQ $%d, DI", 4*nr)
	x.op("DECQ CX")
	x.op("JNE loop")
	x.op("VZEROUPPER")
	x.op("RET")
}

// read writes the function that reads streams side by side and keeps nothing.
func (x x86) read() {
	x.line("\n// func read%s(src *float32, streams, n int)", x.suffix)
	x.line("TEXT ·read%s(SB), NOSPLIT, $0-24", x.suffix)
	x.op("MOVQ src+0(FP), SI")
	x.op("MOVQ streams+8(FP), R8")
	x.op("MOVQ n+16(FP), CX")
	x.op("LEAQ (CX*4), DX")
	x.line("\nloop:")
	x.op("MOVQ SI, AX")
	x.op("MOVQ R8, R9")
	x.line("\nstream:")
	for o := 0; o < 128; o += x.bytes() {
		x.op("VMOVUPS %d(AX), %s", o, x.v(o/x.bytes()))
	}
	x.op("ADDQ DX, AX")
	x.op("DECQ R9")
	x.op("JNE stream")
	x.op("ADDQ $128, SI")
	x.op("SUBQ $32, CX")
	x.op("JNE loop")
	x.op("VZEROUPPER")
	x.op("RET")
}

func (n neon) copyPanel(nr int) {
	n.line("\n// func panelNEON(dst, src *float32, lds, rows int)")
	n.line("TEXT ·panelNEON(SB), NOSPLIT, $0-32")
	n.op("MOVD dst+0(FP), R0")
	n.op("MOVD src+8(FP), R1")
	n.op("MOVD lds+16(FP), R2")
	n.op("MOVD rows+24(FP), R3")
	n.op("ADD R2<<%d, R1, R4", 2+4) // rowsAhead rows on
	n.line("\nloop:")
	n.op("PRFM (R4), PLDL1KEEP")
	for i := 0; i < nr; i += 8 {
		n.op("FLDPQ %d(R1), (F%d, F%d)", 4*i, i/4, i/4+1)
		n.op("FSTPQ (F%d, F%d), %d(R0)", i/4, i/4+1, 4*i)
	}
	n.op("ADD R2<<2, R1")
	n.op("ADD R2<<2, R4")
	n.op("ADD $%d, R0", 4*nr)
	n.op("SUBS $1, R3")
	n.op("BNE loop")
	n.op("RET")
}

func (n neon) read() {
	n.line("\n// func readNEON(src *float32, streams, n int)")
	n.line("TEXT ·readNEON(SB), NOSPLIT, $0-24")
	n.op("MOVD src+0(FP), R0")
	n.op("MOVD streams+8(FP), R1")
	n.op("MOVD n+16(FP), R2")
	n.op("LSL $2, R2, R3")
	n.line("\nloop:")
	n.op("MOVD R0, R4")
	n.op("MOVD R1, R5")
	n.line("\nstream:")
	for i := 0; i < 8; i += 2 {
		n.op("FLDPQ %d(R4), (F%d, F%d)", 16*i, i, i+1)
	}
	n.op("ADD R3, R4")
	n.op("SUBS $1, R5")
	n.op("BNE stream")
	n.op("ADD $128, R0")
	n.op("SUBS $32, R2")
	n.op("BNE loop")
	n.op("RET")
}
