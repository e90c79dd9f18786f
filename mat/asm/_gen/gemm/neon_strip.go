package main

func (n neon) function() {
	n.line("\n// func %s(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)", n.name)
	n.line("TEXT ·%s(SB), NOSPLIT, $0-120", n.name)
	n.op("MOVD panels+16(FP), R13")
	n.op("MOVD b+40(FP), R20")
	n.op("MOVD ldb+48(FP), R9")
	n.op("LSL $%d, R9", n.size())
	n.op("MOVD c+64(FP), R11")
	n.op("MOVD ldc+72(FP), R12")
	n.op("LSL $2, R12")
	n.note("the code for m rows")
	n.op("MOVD m+0(FP), R14")
	for m := n.mr; m > 1; m-- {
		n.op("CMP $%d, R14", m)
		n.op("BEQ rows%d", m)
	}
	for m := 1; m <= n.mr; m++ {
		n.line("\nrows%d:", m)
		if n.wide[m] > 1 {
			n.op("MOVD tail+80(FP), R14")
			n.op("CMP $%d, R14", n.nr())
			n.op("CSET LT, R14")
			n.op("SUB R14, R13, R14")
			n.op("CMP $%d, R14", n.wide[m])
			n.op("BLT panel%d", m)
			n.tile(m, n.wide[m], "group")
			n.op("CBNZ R13, rows%d", m)
			n.op("RET")
		}
		n.tile(m, 1, "panel")
		n.op("CBNZ R13, panel%d", m)
		n.op("RET")
		n.line("\ntail%d:", m)
		n.tail(m)
		n.op("RET")
	}
}
