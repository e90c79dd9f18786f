package main

import "fmt"

// rows is the number of rows of the largest tile.
func (c compact) rows() int {
	if c.intel && c.storage == "BFloat16" {
		return 10 // more wait less for memory
	}
	return c.mr
}

// strip writes the function that multiplies.
func (c compact) strip() {
	c.line("%s", compactRegisters)
	c.line("\n// func compact%s%s%s(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)",
		c.storage, c.cores(), c.suffix)
	c.line("TEXT ·compact%s%s%s(SB), NOSPLIT, $0-112", c.storage, c.cores(), c.suffix)
	c.op("MOVQ panels+16(FP), R13")
	c.op("MOVQ lda+32(FP), DX")
	c.op("SHLQ $2, DX")
	c.op("LEAQ (DX)(DX*2), DI")
	c.op("MOVQ b+40(FP), SI")
	c.op("MOVQ runs+48(FP), R8")
	c.op("MOVQ rare+56(FP), R9")
	for i := 0; i < rareAhead; i += 64 {
		c.op("PREFETCHT0 %d(R9)", i)
	}
	c.op("MOVQ c+64(FP), R11")
	c.op("MOVQ ldc+72(FP), R12")
	c.op("SHLQ $2, R12")
	c.op("MOVQ highs+96(FP), R15")
	c.tailMasks()
	c.note("the code for m rows")
	c.op("MOVQ m+0(FP), AX")
	for m := c.rows(); m > 0; m-- {
		c.op("CMPQ AX, $%d", m)
		c.op("JEQ rows%d", m)
	}
	if c.rows() < c.mr {
		c.op("JMP ·compact%s%s(SB)", c.storage, c.suffix)
	}
	for m := 1; m <= c.rows(); m++ {
		c.line("\nrows%d:", m)
		if c.intel && m <= c.pairRows() {
			c.pairs(m)
		}
		c.single(m)
	}
}

// single writes the loop over panels for m rows. A run of units that aren't rare goes before each rare one.
func (c compact) single(m int) {
	c.line("\npanel%d:", m)
	c.op("MOVQ a+24(FP), AX")
	c.note("%d × %d: fetch C ahead, clear the sums", m, c.nr())
	c.fetchC(m, 1)
	c.bases(m)
	c.zero(m * c.vecs)
	c.op("MOVQ k+8(FP), R14")
	c.op("SHRQ $1, R14")
	c.op("MOVQ dst+104(FP), R12")
	c.op("MOVQ R11, c+64(FP)")
	c.startFetches(m, 1)
	c.nextRun("R10")
	c.op("SUBQ R10, R14")
	c.op("TESTQ R10, R10")
	c.op("JEQ rare%d", m)
	c.line("\nunit%d:", m)
	c.multiply(unit{m: m, base: "SI", label: fmt.Sprintf("%d", m), panels: 1})
	c.op("ADDQ $%d, SI", c.unitBytes())
	c.nextFetches(m, 1)
	c.advance(m, 2)
	c.op("DECQ R10")
	c.op("JNE unit%d", m)
	c.op("TESTQ R14, R14")
	c.op("JEQ done%d", m)
	c.note("a rare unit, and those before the next one")
	c.line("\nrare%d:", m)
	c.rareHighs("SI", "R9")
	c.nextRun("R10")
	c.op("INCQ R10")
	c.op("SUBQ R10, R14")
	c.op("JMP highs%d", m)
	for u := range 2 {
		c.keepRow(fmt.Sprintf("%dx%d", m, u))
	}
	c.line("\ndone%d:", m)
	c.op("MOVQ R12, dst+104(FP)")
	c.op("MOVQ c+64(FP), R11")
	c.op("MOVQ ldc+72(FP), R12")
	c.op("SHLQ $2, R12")
	c.endFetches(m)
	c.finish(m)
}

// nextRun reads how many units come before the next rare one.
func (c compact) nextRun(to string) {
	c.op("MOVWLZX (R8), %s", to)
	c.op("ADDQ $2, R8")
}
