package main

// read writes the function that reads streams side by side and keeps nothing.
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
