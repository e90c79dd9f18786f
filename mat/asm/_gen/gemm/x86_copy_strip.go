package main

import "fmt"

// A strip that copies B as it reads it: the multiply-adds hide the time that reading what is not packed takes. Its panels are whole, and lie side by side.

// copyRows is how many rows of A pass B meanwhile: with more, those of a matrix whose rows lie a power of two apart would displace each other in the first-level cache.
const copyRows = 11

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
	x.copyStep(m)
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

// copyStep writes a step of k. What fetches and copies goes between the multiply-adds of the rows, as evenly as may be.
func (x x86) copyStep(m int) {
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
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// panelBeside moves a pointer from the end of a panel to the start of the next.
func (x x86) panelBeside(register string) {
	x.op("MOVQ k+0(FP), R9")
	x.op("IMULQ R8, R9")
	x.op("SUBQ R9, %s", register)
	x.op("ADDQ $%d, %s", 4*x.nr(), register)
}
