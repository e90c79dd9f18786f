package main

import "fmt"

// A strip that copies B as it reads it: the multiply-adds hide the time that reading what is not packed takes. Its panels are whole, and lie side by side.

const (
	// copyRows is how many rows of A pass B meanwhile: with more, those of a matrix whose rows lie a power of two apart would displace each other
	// in the first-level cache.
	copyRows = 11
	// How many rows before its use a row of B is fetched, to the second-level cache and to the first: the rows lie too far apart for the hardware to see a
	// stream, and where they lie a power of two apart the first-level cache holds few of them. NEON fetches once.
	copyFar, copyNear = 64, 8
	copyNEON          = 32
)

// copyStrip writes the function for at most copyRows rows.
func (x x86) copyStrip() {
	m := min(x.mr, copyRows)
	x.line("\n// func copyStrip%s(k, panels int, a *float32, lda int, b *float32, ldb int, dst, c *float32, ldc int, add bool)", x.suffix)
	x.line("TEXT ·copyStrip%s(SB), NOSPLIT, $0-73", x.suffix)
	x.op("MOVQ panels+8(FP), R13")
	x.op("MOVQ lda+24(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("LEAQ (DX)(DX*2), DI")
	x.op("MOVQ b+32(FP), SI")
	x.op("MOVQ ldb+40(FP), R8")
	x.op("SHLQ $2, R8")
	x.op("MOVQ dst+48(FP), R14")
	x.op("MOVQ c+56(FP), R11")
	x.op("MOVQ ldc+64(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("IMUL3Q $%d, R8, R15", copyFar)
	x.op("ADDQ SI, R15")

	x.line("\npanel:")
	x.op("MOVQ a+16(FP), AX")
	x.fetchC(m, 1)
	x.bases(m)
	x.zero(m * x.vecs)
	x.op("MOVQ k+0(FP), R10")

	x.line("\nloop:")
	x.note("from a panel's end on, the panel beside it is fetched")
	x.op("CMPQ R10, $%d", copyFar)
	x.op("JNE fetch")
	x.panelBeside("R15")
	x.line("\nfetch:")
	var between []string
	for i := 0; i < 4*x.nr(); i += 64 {
		between = append(between, fmt.Sprintf("PREFETCHT1 %d(R15)", i), fmt.Sprintf("PREFETCHT0 %d(SI)(R8*%d)", i, copyNear))
	}
	for j := range x.vecs {
		x.op("VMOVUPS %d(SI), %s", j*x.bytes(), x.b(j))
		between = append(between, fmt.Sprintf("VMOVUPS %s, %d(R14)", x.b(j), j*x.bytes()))
	}
	between = append(between, "ADDQ R8, R15", "ADDQ R8, SI", fmt.Sprintf("ADDQ $%d, R14", 4*x.nr()))
	for i := range m {
		x.op("VBROADCASTSS %s, %s", x.a(i, 0), x.broadcast(i))
		for j := range x.vecs {
			x.op("VFMADD231PS %s, %s, %s", x.b(j), x.broadcast(i), x.v(i*x.vecs+j))
		}
		n := min(ceilDiv(len(between), m-i), len(between))
		for _, op := range between[:n] {
			x.op("%s", op)
		}
		between = between[n:]
	}
	x.advance(m, 1)
	x.op("DECQ R10")
	x.op("JNE loop")

	x.panelBeside("SI")
	x.op("MOVQ R11, AX")
	x.op("ADDQ $%d, R11", 4*x.nr())
	x.op("CMPB add+72(FP), $0")
	x.op("JEQ store")
	x.output(m, 1, true)
	x.op("JMP next")
	x.line("\nstore:")
	x.output(m, 1, false)
	x.line("\nnext:")
	x.op("DECQ R13")
	x.op("JNE panel")
	x.op("VZEROUPPER")
	x.op("RET")
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// panelBeside moves a pointer from the end of a panel to the start of the next.
func (x x86) panelBeside(register string) {
	x.op("MOVQ k+0(FP), R9")
	x.op("IMULQ R8, R9")
	x.op("SUBQ R9, %s", register)
	x.op("ADDQ $%d, %s", 4*x.nr(), register)
}

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

// panelBeside moves a pointer from the end of a panel to the start of the next.
func (n neon) panelBeside(register string) {
	n.op("MOVD k+0(FP), R14")
	n.op("MUL R9, R14")
	n.op("SUB R14, %s", register)
	n.op("ADD $%d, %s", 4*n.nr(), register)
}
