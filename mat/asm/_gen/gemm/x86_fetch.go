package main

import "fmt"

// distances sets, before the first panel, what a tile of m rows fetches of B: R9, how far ahead, and, where it fetches twice, R14, what follows or Ahead.B,
// and R15, how far that moves in a step.
func (x x86) distances(m int) {
	if x.isNarrow(m) {
		return
	}
	far, distance := "R9", x.far
	if x.fetchesTwice(m) {
		far, distance = "R14", x.manyFar
		if m <= x.few {
			distance = x.fewFar
		}
		x.op("IMUL3Q $%d, R8, R9", x.near)
		x.op("MOVQ ahead_B+104(FP), R14")
		x.op("MOVQ ahead_Pace+112(FP), R15")
		x.op("TESTQ R14, R14")
		x.op("JNE panel%d", m)
		x.op("MOVQ R8, R15")
	}
	x.note("where rows of B don't lie one after another, or short panels don't, what lies beside them is fetched")
	x.op("MOVQ step+56(FP), %s", far)
	x.op("SHLQ $%d, %s", x.size(), far)
	x.op("CMPQ R8, $%d", x.nr()<<x.size())
	x.op("JNE apart%d", m)
	x.op("MOVQ k+8(FP), R10")
	x.op("IMULQ R8, R10")
	x.op("CMPQ R10, %s", far)
	x.op("JEQ adjacent%d", m)
	x.op("CMPQ R10, $%d", shortPanel)
	x.op("JLE apart%d", m)
	x.line("\nadjacent%d:", m)
	x.op("MOVQ %s, %s", distance, far)
	few := x.fetchesTwice(m) && m <= x.few
	if few {
		x.op("CMPB ·isIntel(SB), $0")
		x.op("JNE twice%d", m)
	}
	x.line("\napart%d:", m)
	if few {
		x.op("MOVQ R14, R9")
		x.op("XORL R14, R14") // what is at hand, a line in a while
		x.op("XORL R15, R15")
		x.line("\ntwice%d:", m)
	}
	if x.fetchesTwice(m) {
		x.op("ADDQ SI, R14")
	}
}

// stepB returns the instructions that fetch for the row of B that SI points to and go on to the next one. The multiply-adds of a step go in between: in a row
// these instructions would hold them up, by 5 % on Intel's cores.
func (x x86) stepB(m int, l loop) []string {
	var ops []string
	if !x.isNarrow(m) {
		for i := 0; i < x.nr()<<x.size(); i += 64 {
			ops = append(ops, fmt.Sprintf("PREFETCHT0 %d(SI)(R9*1)", i))
			if x.fetchesTwice(m) && l != light {
				ops = append(ops, fmt.Sprintf("PREFETCHT1 %d(R14)", i))
			}
		}
		if x.fetchesTwice(m) && l != light {
			ops = append(ops, "ADDQ R15, R14")
		}
	}
	return append(ops, "ADDQ R8, SI")
}

// lightLoop writes the main loop for a strip of many, whose share of what is fetched is at most a line of B in an iteration, and nothing of A.
func (x x86) lightLoop(m int) {
	if !x.fetchesTwice(m) {
		return
	}
	if x.fetchesStrip(m) {
		x.op("CMPQ ahead_A+96(FP), $0")
		x.op("JNE loop%d", m)
	}
	x.op("CMPQ R15, $%d", 64/unroll)
	x.op("JHI loop%d", m)
	x.line("\nlight%d:", m)
	for u := range unroll {
		x.step(m, u, light)
	}
	x.op("PREFETCHT1 (R14)")
	x.op("LEAQ (R14)(R15*%d), R14", unroll)
	x.advance(m, unroll)
	x.op("SUBQ $%d, R10", unroll)
	x.op("JGE light%d", m)
	x.op("JMP rest%d", m)
}

// nextPanel moves the pointers of B to the next panel.
func (x x86) nextPanel(m int) {
	if x.fetchesTwice(m) {
		x.op("SUBQ SI, R14")
	}
	if x.fetchesStrip(m) {
		x.op("MOVQ ldc+72(FP), R12")
		x.op("SHLQ $2, R12")
	}
	x.nextB(1)
	if x.fetchesTwice(m) {
		x.op("ADDQ SI, R14")
	}
}

// nextStrip sets R12 to the rows to fetch with this panel.
func (x x86) nextStrip(m int) {
	if x.isDirect(m) {
		x.fetchRows(m, "R9")
	}
	if !x.fetchesStrip(m) {
		return
	}
	x.note("the rows of the next strip to fetch with this panel, if any")
	x.op("LEAQ -2(R13)(R13*1), R12")
	x.op("XORL R10, R10")
	x.op("CMPQ R12, $%d", m)
	x.op("CMOVQGE R10, R12")
	x.op("IMULQ DX, R12")
	x.op("MOVQ ahead_A+96(FP), R10")
	x.op("TESTQ R10, R10")
	x.op("CMOVQEQ AX, R10")
	x.op("ADDQ R10, R12")
}

// prefetchStrip fetches what four steps need of two rows of the next strip.
func (x x86) prefetchStrip(m int) {
	if !x.fetchesStrip(m) {
		return
	}
	x.op("PREFETCHT1 (R12)")
	x.op("PREFETCHT1 (R12)(DX*1)")
	x.op("ADDQ $%d, R12", 4*unroll)
}

// fetchC fetches m rows of some panels of C ahead.
func (x x86) fetchC(m, panels int) {
	x.op("MOVQ R11, R10")
	for i := range m {
		for line := 0; line < 4*panels*x.nr(); line += 64 {
			x.op("PREFETCHT0 %d(R10)", line)
		}
		if i < m-1 {
			x.op("ADDQ R12, R10")
		}
	}
}
