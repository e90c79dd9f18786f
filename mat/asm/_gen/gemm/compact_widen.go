package main

// widenUnits writes the conversion of n units.
func (c compact) widenUnits() {
	c.line("\n// func widenCompact%s%s(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)", c.storage, c.suffix)
	c.line("TEXT ·widenCompact%s%s(SB), NOSPLIT, $0-32", c.storage, c.suffix)
	c.op("MOVQ dst+0(FP), DI")
	c.op("MOVQ b+8(FP), SI")
	c.op("MOVQ n+16(FP), CX")
	c.op("MOVQ highs+24(FP), R15")
	c.line("\nloop:")
	c.highs("SI")
	c.words()
	for u := range 2 {
		c.row("SI", u)
		for i := range c.vecs {
			c.op("VMOVUPS %s, %d(DI)", c.register(i), (u*c.vecs+i)*c.bytes())
		}
	}
	c.op("ADDQ $%d, SI", c.unitBytes())
	c.op("ADDQ $%d, DI", 8*c.nr())
	c.op("DECQ CX")
	c.op("JNE loop")
	c.op("VZEROUPPER")
	c.op("RET")
}
