package main

import "fmt"

// Two panels at once: Intel's cores read two streams faster than one. A unit of the first panel is multiplied, and then that of the second one, whose runs and rare units
// are in the arguments of those names.

// pairRows is up to how many rows take two panels at once.
func (c compact) pairRows() int {
	if c.storage == "BFloat16" {
		return 7
	}
	return 5
}

// pairs writes the loop over pairs of panels for m rows. What is left goes on at label panel, as do panels that are copied to dst.
func (c compact) pairs(m int) {
	c.op("CMPQ dst+104(FP), $0")
	c.op("JNE panel%d", m)
	c.line("\npair%d:", m)
	c.unlessWhole(2, fmt.Sprintf("panel%d", m))
	c.note("%d × 2·%d: where the runs and the rare units of the second panel begin", m, c.nr())
	c.findSecond(m)
	c.op("MOVQ R11, c+64(FP)")
	c.startFetches(m, 2)
	c.op("MOVQ a+24(FP), AX")
	c.bases(m)
	c.zero(m * 2 * c.vecs)
	c.pairUnits(m)
	c.endPair(m)
	c.op("SUBQ $2, R13")
	c.op("JNE pair%d", m)
	c.op("VZEROUPPER")
	c.op("RET")
	c.rareFirst(m)
	c.rareSecond(m)
}

// findSecond passes over the runs and the rare units of the first panel to those of the second, and reads the first run of each.
func (c compact) findSecond(m int) {
	c.op("MOVQ k+8(FP), R14")
	c.op("SHRQ $1, R14")
	c.op("MOVQ R14, R10")
	c.op("MOVQ R8, R12")
	c.op("MOVQ R9, CX")
	c.line("\nfind%d:", m)
	c.op("MOVWLZX (R12), AX")
	c.op("ADDQ $2, R12")
	c.op("SUBQ AX, R10")
	c.op("JEQ found%d", m)
	c.op("ADDQ $%d, CX", 2*c.nr())
	c.op("DECQ R10")
	c.op("JMP find%d", m)
	c.line("\nfound%d:", m)
	c.op("MOVQ CX, rare+56(FP)")
	c.nextRun("R10")
	c.op("MOVWLZX (R12), CX")
	c.op("ADDQ $2, R12")
	c.op("MOVQ R12, runs+48(FP)")
	c.op("IMUL3Q $%d, R14, R12", c.unitBytes())
	c.op("ADDQ SI, R12")
}

// pairUnits writes the loop over the units of both panels.
func (c compact) pairUnits(m int) {
	c.line("\nunits%d:", m)
	c.op("SUBQ $1, R10")
	c.op("JCS rarefirst%d", m)
	c.multiply(unit{m: m, base: "SI", label: fmt.Sprintf("first%d", m), panels: 2})
	c.op("SUBQ $1, CX")
	c.op("JCS raresecond%d", m)
	c.multiply(unit{m: m, base: "R12", label: fmt.Sprintf("second%d", m), panel: 1, panels: 2})
	c.op("ADDQ $%d, SI", c.unitBytes())
	c.op("ADDQ $%d, R12", c.unitBytes())
	c.nextFetches(m, 2)
	c.advance(m, 2)
	c.op("DECQ R14")
	c.op("JNE units%d", m)
}

// endPair goes from the end of the second panel to the next pair, and writes the sums to C.
func (c compact) endPair(m int) {
	c.op("MOVQ R12, SI")
	c.op("MOVQ runs+48(FP), R8")
	c.op("MOVQ rare+56(FP), R9")
	c.op("MOVQ c+64(FP), AX")
	c.op("LEAQ %d(AX), R11", 2*4*c.nr())
	c.op("MOVQ ldc+72(FP), R12")
	c.op("SHLQ $2, R12")
	c.addOrStore(m, 2, fmt.Sprintf("storepair%d", m), fmt.Sprintf("endpair%d", m))
	c.endFetches(m)
}

// rareFirst writes the way round the high bytes for a rare unit of the first panel.
func (c compact) rareFirst(m int) {
	c.line("\nrarefirst%d:", m)
	c.rareHighs("SI", "R9")
	c.nextRun("R10")
	c.op("JMP highsfirst%d", m)
}

// rareSecond writes that for the second one, whose pointers are in the arguments.
func (c compact) rareSecond(m int) {
	c.line("\nraresecond%d:", m)
	c.op("MOVQ rare+56(FP), CX")
	c.rareHighs("R12", "CX")
	c.op("MOVQ CX, rare+56(FP)")
	c.op("MOVQ runs+48(FP), CX")
	c.op("ADDQ $2, runs+48(FP)")
	c.op("MOVWLZX (CX), CX")
	c.op("JMP highssecond%d", m)
}
