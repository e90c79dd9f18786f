package main

// widenCompact writes the conversion of n units.
func (x x86) widenCompact() {
	x.line("\n// func widenCompact%s%s(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)", x.storage, x.suffix)
	x.line("TEXT ·widenCompact%s%s(SB), NOSPLIT, $0-32", x.storage, x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ b+8(FP), SI")
	x.op("MOVQ n+16(FP), CX")
	x.op("MOVQ highs+24(FP), R15")
	x.line("\nloop:")
	x.highs("SI")
	x.words()
	for u := range 2 {
		x.row("SI", u)
		for i := range x.vecs {
			x.op("VMOVUPS %s, %d(DI)", x.compactRegister(i), (u*x.vecs+i)*x.bytes())
		}
	}
	x.op("ADDQ $%d, SI", x.unitBytes())
	x.op("ADDQ $%d, DI", 8*x.nr())
	x.op("DECQ CX")
	x.op("JNE loop")
	x.op("VZEROUPPER")
	x.op("RET")
}
