package main

// rowsAhead is how many rows are fetched ahead: they lie too far apart for the hardware to do so, and often come from beyond the second-level cache. Where a strip
// of rows is copied at a time, that is the next one.
const rowsAhead = 16

// copyRows writes the function that copies rows of whole vectors.
func (x x86) copyRows() {
	x.line("\n// func copy%s(dst *float32, ldd int, src *float32, lds, rows, cols int)", x.suffix)
	x.line("TEXT ·copy%s(SB), NOSPLIT, $0-48", x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ ldd+8(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("MOVQ src+16(FP), SI")
	x.op("MOVQ lds+24(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("MOVQ rows+32(FP), R9")
	x.op("MOVQ cols+40(FP), R10")
	x.op("SHLQ $2, R10")
	x.op("IMUL3Q $%d, DX, R8", rowsAhead)
	x.op("ADDQ SI, R8")
	x.line("\nrow:")
	x.op("XORL AX, AX")
	x.line("\nvector:")
	x.op("PREFETCHT0 (R8)(AX*1)")
	x.op("VMOVUPS (SI)(AX*1), %s", x.v(0))
	x.op("VMOVUPS %s, (DI)(AX*1)", x.v(0))
	x.op("ADDQ $%d, AX", x.bytes())
	x.op("CMPQ AX, R10")
	x.op("JNE vector")
	x.op("ADDQ DX, SI")
	x.op("ADDQ DX, R8")
	x.op("ADDQ R12, DI")
	x.op("DECQ R9")
	x.op("JNE row")
	x.op("VZEROUPPER")
	x.op("RET")
}
