package main

// Where a row of B is one vector, the loads bound the loop, and on Intel's cores shuffles in their place (x86_fours.go) would take turns with the multiply-adds.
// So there each multiply-add broadcasts its element of A itself, which is one instruction and not two. A line of each row lasts 16 steps. In as many steps as many
// lines of what is read of A next are fetched, to the second-level cache: rows are too short, and too many at a time, for the hardware to do so in time. Where rows
// follow each other they are fetched in that order, in which the hardware helps.

// directSteps is how many steps of k a loop does that passes a line of each row.
const directSteps = 16

// isDirect reports whether the multiply-adds of a tile of m rows read A.
func (x x86) isDirect(m int) bool { return x.many == direct && m > x.few }

// isNarrow reports whether a tile of m rows is one of many that passes B in the caches, and reads A in its own way.
func (x x86) isNarrow(m int) bool { return x.byFours(m) || x.isDirect(m) }

// fetchRows sets R14 to what is read next of A, step to how far it moves with each line of m rows, and R15 to how far besides when it has passed one of each: to the
// next line of the first row or, where rows follow each other, on.
func (x x86) fetchRows(m int, step string) {
	x.op("MOVQ ahead_A+96(FP), R14")
	x.op("TESTQ R14, R14")
	x.op("CMOVQEQ AX, R14")
	x.op("MOVQ DX, %s", step)
	x.op("IMUL3Q $-%d, DX, R15", m)
	x.op("ADDQ $64, R15")
	x.op("MOVQ k+8(FP), BX")
	x.op("SHLQ $2, BX")
	x.op("CMPQ DX, BX")
	x.op("JNE apart%d", m)
	x.op("MOVQ $64, %s", step)
	x.op("XORL R15, R15")
	x.line("\napart%d:", m)
}

// directStep writes the u-th step of a loop.
func (x x86) directStep(m, u int, l loop) {
	for i := range m {
		x.op("VFMADD231PS.BCST %s, %s, %s", x.a(i, u), x.b(0), x.v(i))
		if l == whole && (u*m+i)%directSteps == 0 {
			x.op("PREFETCHT1 (R14)")
			x.op("ADDQ R9, R14")
		}
	}
	x.op("ADDQ R8, SI")
	if l == whole && u == directSteps-1 {
		x.op("ADDQ R15, R14")
	}
}
