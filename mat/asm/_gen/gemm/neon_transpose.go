package main

// transpose writes the function that transposes whole blocks of 4 × 4.
func (n neon) transpose() {
	n.line("\n// func transposeNEON(dst *float32, ldd int, src *float32, lds, rows, cols int)")
	n.line("TEXT ·transposeNEON(SB), NOSPLIT, $0-48")
	n.op("MOVD dst+0(FP), R0")
	n.op("MOVD ldd+8(FP), R1")
	n.op("LSL $2, R1")
	n.op("MOVD src+16(FP), R2")
	n.op("MOVD lds+24(FP), R3")
	n.op("LSL $2, R3")
	n.op("MOVD rows+32(FP), R4")
	n.line("\nrows:")
	n.op("MOVD R2, R5")
	n.op("MOVD R0, R6")
	n.op("MOVD cols+40(FP), R7")
	n.line("\nblock:")
	n.op("MOVD R5, R8")
	n.op("ADD $16, R5")
	for i := range 4 {
		n.op("FMOVQ (R8), F%d", i)
		if i < 3 {
			n.op("ADD R3, R8")
		}
	}
	for i := 0; i < 4; i += 2 {
		n.op("VTRN1 V%d.S4, V%d.S4, V%d.S4", i+1, i, 4+i)
		n.op("VTRN2 V%d.S4, V%d.S4, V%d.S4", i+1, i, 5+i)
	}
	for i := range 2 {
		n.op("VTRN1 V%d.D2, V%d.D2, V%d.D2", 6+i, 4+i, i)
		n.op("VTRN2 V%d.D2, V%d.D2, V%d.D2", 6+i, 4+i, 2+i)
	}
	for i := range 4 {
		n.op("FMOVQ F%d, (R6)", i)
		n.op("ADD R1, R6")
	}
	n.op("SUBS $4, R7")
	n.op("BNE block")
	n.op("ADD R3<<2, R2")
	n.op("ADD $16, R0")
	n.op("SUBS $4, R4")
	n.op("BNE rows")
	n.op("RET")
}
