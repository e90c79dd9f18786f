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
