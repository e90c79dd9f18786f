package main

// One row of A times a panel of 8 columns is a single chain of multiply-adds, each of which waits for the one before. Four at a time, of four rows and four
// panels, take as long as one: eight loads a step are 4 cycles at two a cycle, as is the latency.

// chains is how many there are.
const chains = 4

// chainsFunction writes the function.
func (x x86) chainsFunction() {
	x.line("\n// func chains%s(k int, a, b *[4]unsafe.Pointer, c *[32]float32, add bool)", x.suffix)
	x.line("TEXT ·chains%s(SB), NOSPLIT, $0-33", x.suffix)
	as, bs := [chains]string{"AX", "BX", "CX", "DX"}, [chains]string{"SI", "DI", "R8", "R9"}
	x.op("MOVQ a+8(FP), R11")
	x.op("MOVQ b+16(FP), R12")
	for i := range chains {
		x.op("MOVQ %d(R11), %s", 8*i, as[i])
		x.op("MOVQ %d(R12), %s", 8*i, bs[i])
	}
	x.zero(chains)
	x.op("MOVQ k+0(FP), R10")
	x.op("XORL R11, R11")
	x.op("XORL R12, R12")
	x.op("TESTQ R10, R10")
	x.op("JEQ done")
	x.line("\nloop:")
	for i := range chains {
		x.op("VBROADCASTSS (%s)(R11*4), Y%d", as[i], chains+i)
		x.op("VFMADD231PS (%s)(R12*1), Y%d, Y%d", bs[i], chains+i, i)
	}
	x.op("INCQ R11")
	x.op("ADDQ $32, R12")
	x.op("CMPQ R11, R10")
	x.op("JNE loop")
	x.line("\ndone:")
	x.op("MOVQ c+24(FP), AX")
	x.op("CMPB add+32(FP), $0")
	x.op("JEQ store")
	for i := range chains {
		x.op("VADDPS %d(AX), Y%d, Y%d", 32*i, i, i)
	}
	x.line("\nstore:")
	for i := range chains {
		x.op("VMOVUPS Y%d, %d(AX)", i, 32*i)
	}
	x.op("VZEROUPPER")
	x.op("RET")
}
