package main

// widen writes the conversion of n elements of a storage type, a multiple of 16.
func (n neon) widen() {
	n.line("\n// func widen%sNEON(dst *float32, src *uint16, n int)", n.storage)
	n.line("TEXT ·widen%sNEON(SB), NOSPLIT, $0-24", n.storage)
	n.op("MOVD dst+0(FP), R0")
	n.op("MOVD src+8(FP), R1")
	n.op("MOVD n+16(FP), R2")
	n.line("\nloop:")
	n.loadB(0, "R1")
	n.op("FSTPQ (F30, F31), (R0)")
	n.loadB(8, "R1")
	n.op("FSTPQ (F30, F31), 32(R0)")
	n.op("ADD $32, R1")
	n.op("ADD $64, R0")
	n.op("SUBS $16, R2")
	n.op("BNE loop")
	n.op("RET")
}
