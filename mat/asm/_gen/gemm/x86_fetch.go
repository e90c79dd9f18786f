package main

import "fmt"

// A tile of few rows waits for memory: it fetches each row of B far ahead, to the first-level cache. With AVX-512 it takes one panel at a time, since memory
// delivers one stream to those faster than several; only one row of A by rows of B that are two lines long takes several panels at once: as fast from memory, and
// faster from caches. A narrower row of B has too few sums that do not wait for each other, and several panels give it more.
//
// On AMD's cores, to fetch to the second-level cache gains nothing there, and both take longer than either. On Intel's, both take a tenth to a quarter less
// time. But where B is at hand or lies apart, as in attention, what that adds to a step takes up to a fifth longer; so only 16-bit weights do so for fewer than 8 rows.
//
// Tiles of more rows read B from the second-level cache where there are many of them, and from memory where there is one: they fetch some rows ahead
// to the first-level cache, and far ahead to the second. Narrow panels that many rows pass stay in the caches, and aren't fetched.
//
// Where several strips pass the same panels, the next panels come from memory while nobody waits for them: each strip fetches its share of them (Ahead).
// In steps of k and not at once, as to wait for many lines holds up the loads of B.

// shortPanel is the size in bytes up to which what lies beside a panel is fetched and not what follows it, which is nothing where panels lie apart: as values do in
// a cache that has room for more.
const shortPanel = 8 << 10

// distances sets R9 and, where a tile of m rows fetches twice, R14 and R15.
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
		x.op("XORL R14, R14") // what is at hand
		x.line("\ntwice%d:", m)
	}
	if x.fetchesTwice(m) {
		x.op("ADDQ SI, R14")
	}
}

// fetchesTwice reports whether a tile of m rows does.
func (x x86) fetchesTwice(m int) bool { return x.twiceFrom > 0 && m >= x.twiceFrom }

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
	x.op("CMPQ ahead_A+96(FP), $0")
	x.op("JNE loop%d", m)
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

// fetchesStrip reports whether a tile of m rows, while it passes the last panels, fetches the next strip of A: two rows with each panel, a line of both
// in a step of the main loop or, as the hardware would do, none that is at hand. R12 is where.
func (x x86) fetchesStrip(m int) bool { return m > x.few && !x.isNarrow(m) }

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
