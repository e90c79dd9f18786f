package main

// One row of A times bfloat16 waits for memory, and the fewer instructions a line of B takes, the further ahead the processor gets. So a
// line, a row of a panel, isn't widened in two halves: shifted it is the even columns, masked the odd ones. They are summed side by side
// and interleaved once at the end. Two rows of B are read in a step. Measured, either alone hardly gains, and more rows of A gain nothing.
//
// Registers from 0 up are the sums of the even and of the odd columns of each panel; R14 is the address of the second row of B.

const (
	pairSteps = 2  // rows of B in a step
	pairAhead = 24 // rows of B between a load and its prefetch
	pairB     = "Z29"
	pairMask  = "Z28" // selects the odd columns
)

// pairs reports whether a tile of m rows is computed by even and odd columns.
func (x x86) pairs(m int) bool { return m == 1 && x.storage == "BFloat16" && x.isa.masks }

// pairStart sets the mask.
func (x x86) pairStart() {
	x.op("VPTERNLOGD $0xff, %[1]s, %[1]s, %[1]s", pairMask)
	x.op("VPSLLD $16, %[1]s, %[1]s", pairMask)
}

// pairLoop writes the loop over k for n panels.
func (x x86) pairLoop(n int) {
	x.note("the sums of even columns and those of odd columns; R14 is the second row of B")
	x.op("SUBQ $%d, R10", pairSteps)
	x.op("JLT odd1")
	x.line("\ngrouploop1:")
	x.nextGroup(1, n, pairAhead-pairSteps)
	for u := range pairSteps {
		x.op("VBROADCASTSS %s, Z%d", x.a(0, u), 30+u)
	}
	x.op("LEAQ (SI)(R8*1), R14")
	for p := range n {
		for u := range pairSteps {
			x.op("PREFETCHT0 %d(R9)%s", 64*u, panel(p))
		}
		for u, base := range []string{"SI", "R14"} {
			x.pairStep(base, p, u)
		}
	}
	x.op("ADDQ $%d, AX", 4*pairSteps)
	x.op("LEAQ (SI)(R8*%d), SI", pairSteps)
	x.op("LEAQ (R9)(R8*%d), R9", pairSteps)
	x.op("SUBQ $%d, R10", pairSteps)
	x.op("JGE grouploop1")
	x.line("\nodd1:")
	x.op("ADDQ $%d, R10", pairSteps)
	x.op("JEQ groupdone1")
	x.op("VBROADCASTSS %s, Z30", x.a(0, 0))
	for p := range n {
		x.pairStep("SI", p, 0)
	}
	x.op("ADDQ R8, SI")
}

// pairStep adds the products of a row of panel p, the u-th of a step.
func (x x86) pairStep(base string, p, u int) {
	address := "(" + base + ")" + panel(p)
	x.op("VPSLLD $16, %s, %s", address, pairB)
	x.op("VFMADD231PS %s, Z%d, Z%d", pairB, 30+u, 2*p)
	x.op("VPANDD %s, %s, %s", address, pairMask, pairB)
	x.op("VFMADD231PS %s, Z%d, Z%d", pairB, 30+u, 2*p+1)
}

// interleave puts the sums of n panels in the order of their columns.
func (x x86) interleave(n int) {
	for i := 0; i < 2*n; i += 2 {
		x.op("VUNPCKLPS Z%d, Z%d, Z30", i+1, i)
		x.op("VUNPCKHPS Z%d, Z%d, Z31", i+1, i)
		x.op("VSHUFF32X4 $0x44, Z31, Z30, Z%d", i)
		x.op("VSHUFF32X4 $0xee, Z31, Z30, Z%d", i+1)
		for r := i; r < i+2; r++ {
			x.op("VSHUFF32X4 $0xd8, Z%[1]d, Z%[1]d, Z%[1]d", r)
		}
	}
}
