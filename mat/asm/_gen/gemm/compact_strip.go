package main

import "fmt"

// compactStrip writes the function that multiplies, for the cores that are named. More rows than it has code for are those of the other one.
func (x x86) compactStrip(cores string, rows int) {
	x.line(`
// Other registers than those of the strip kernels: R8 is runs, R9 rare, R15 highs; R10 is the units before the next rare one, R14 those of the panel behind them; until the sums of a panel are
// complete, R12 is dst and R11 how far ahead B is fetched; or R11 is a line of a quarter to fetch and R13 how far it is to the next quarter. Of two panels at once, R12 is the second one, CX its
// R10, R14 all units left; its R8 and R9 are in the arguments. The last four vector registers hold what of B is being put together, and broadcast elements of A.`)
	x.line("\n// func compact%s%s%s(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)",
		x.storage, cores, x.suffix)
	x.line("TEXT ·compact%s%s%s(SB), NOSPLIT, $0-112", x.storage, cores, x.suffix)
	x.op("MOVQ panels+16(FP), R13")
	x.op("MOVQ lda+32(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("LEAQ (DX)(DX*2), DI")
	x.op("MOVQ b+40(FP), SI")
	x.op("MOVQ runs+48(FP), R8")
	x.op("MOVQ rare+56(FP), R9")
	for i := 0; i < rareAhead; i += 64 {
		x.op("PREFETCHT0 %d(R9)", i)
	}
	x.op("MOVQ c+64(FP), R11")
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("MOVQ highs+96(FP), R15")
	x.tailMasks()
	x.note("the code for m rows")
	x.op("MOVQ m+0(FP), AX")
	for m := rows; m > 0; m-- {
		x.op("CMPQ AX, $%d", m)
		x.op("JEQ rows%d", m)
	}
	if rows < x.mr {
		x.op("JMP ·compact%s%s(SB)", x.storage, x.suffix)
	}
	for m := 1; m <= rows; m++ {
		x.line("\nrows%d:", m)
		if x.intel && m <= x.pairRows() {
			x.compactPairs(m)
		}
		x.compactTile(m)
	}
}

// compactTile writes the loop over panels for m rows.
func (x x86) compactTile(m int) {
	x.line("\npanel%d:", m)
	x.op("MOVQ a+24(FP), AX")
	x.note("%d × %d: fetch C ahead, clear the sums", m, x.nr())
	x.fetchC(m, 1)
	x.bases(m)
	x.zero(m * x.vecs)
	x.op("MOVQ k+8(FP), R14")
	x.op("SHRQ $1, R14")
	x.op("MOVQ dst+104(FP), R12")
	x.op("MOVQ R11, c+64(FP)")
	x.startFetches(m, 1)
	x.op("MOVWLZX (R8), R10")
	x.op("ADDQ $2, R8")
	x.op("SUBQ R10, R14")
	x.op("TESTQ R10, R10")
	x.op("JEQ rare%d", m)
	x.line("\nunit%d:", m)
	x.compactUnit(unit{m: m, base: "SI", label: fmt.Sprintf("%d", m), panels: 1})
	x.op("ADDQ $%d, SI", x.unitBytes())
	x.nextFetches(m, 1)
	x.advance(m, 2)
	x.op("DECQ R10")
	x.op("JNE unit%d", m)
	x.op("TESTQ R14, R14")
	x.op("JEQ done%d", m)
	x.note("a rare unit, and those before the next one")
	x.line("\nrare%d:", m)
	x.rareHighs("SI", "R9")
	x.op("MOVWLZX (R8), R10")
	x.op("ADDQ $2, R8")
	x.op("INCQ R10")
	x.op("SUBQ R10, R14")
	x.op("JMP highs%d", m)
	for u := range 2 {
		x.keepRow(fmt.Sprintf("%dx%d", m, u))
	}
	x.line("\ndone%d:", m)
	x.op("MOVQ R12, dst+104(FP)")
	x.op("MOVQ c+64(FP), R11")
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.endFetches(m)
	x.finish(m)
}
