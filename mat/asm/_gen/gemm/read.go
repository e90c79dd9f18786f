package main

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
