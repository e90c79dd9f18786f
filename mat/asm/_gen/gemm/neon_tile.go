package main

// tile writes the code for m rows of some panels; label begins its labels.
func (n neon) tile(m, panels int, label string) {
	n.line("\n%s%d:", label, m)
	n.note("%d × %d·%d: the rows of A, the panels of B", m, panels, n.nr())
	n.op("MOVD a+24(FP), R0")
	n.op("MOVD lda+32(FP), R14")
	for i := 1; i < m; i++ {
		n.op("ADD R14<<2, R%d, R%d", i-1, i)
	}
	n.op("MOVD step+56(FP), R14")
	for p := 1; p < panels; p++ {
		n.op("ADD R14<<%d, %s, %s", n.size(), n.b(p-1), n.b(p))
	}
	n.zero(m * panels * n.vecs)
	n.op("MOVD k+8(FP), R10")
	n.op("SUBS $4, R10")
	n.op("BLT %srest%d", label, m)

	n.line("\n%sloop%d:", label, m)
	for i := range m {
		n.op("FMOVQ.P 16(R%d), F%d", i, n.a(i))
	}
	n.steps(m, panels, 4)
	n.op("SUBS $4, R10")
	n.op("BGE %sloop%d", label, m)

	n.line("\n%srest%d:", label, m)
	n.op("ADDS $4, R10")
	n.op("BEQ %sdone%d", label, m)
	n.line("\n%sone%d:", label, m)
	for i := range m {
		n.op("FMOVS.P 4(R%d), F%d", i, n.a(i))
	}
	n.steps(m, panels, 1)
	n.op("SUBS $1, R10")
	n.op("BNE %sone%d", label, m)

	n.line("\n%sdone%d:", label, m)
	n.finish(m, panels, label)
}

// steps multiplies so many lanes of the registers that hold A by as many rows of B.
func (n neon) steps(m, panels, lanes int) {
	for u := range lanes {
		for p := range panels {
			for h := 0; h < n.vecs; h += 2 {
				n.loadB(4*h, n.b(p))
				for i := range m {
					d := (i*panels+p)*n.vecs + h
					n.fmla(30, n.a(i), u, d)
					n.fmla(31, n.a(i), u, d+1)
				}
			}
			n.op("ADD R9, %s", n.b(p))
		}
	}
}

// finish moves the pointer of B to the next panels and writes the sums to C. What is left of a panel goes on at label tail.
func (n neon) finish(m, panels int, label string) {
	n.note("the next panel")
	n.op("MOVD k+8(FP), R14")
	n.op("MUL R9, R14")
	n.op("SUB R14, R20")
	n.op("MOVD step+56(FP), R14")
	for range panels {
		n.op("ADD R14<<%d, R20", n.size())
	}
	n.op("MOVD R11, R14")
	n.op("ADD $%d, R11", 4*panels*n.nr())
	n.op("SUB $%d, R13", panels)
	n.op("MOVBU add+88(FP), R15")
	if panels == 1 {
		n.op("CBNZ R13, full%d", m)
		n.op("MOVD tail+80(FP), R10")
		n.op("CMP $%d, R10", n.nr())
		n.op("BLT tail%d", m)
		n.line("\nfull%d:", m)
	}
	n.op("CBZ R15, %sstore%d", label, m)
	n.note("C += sums")
	n.output(m, panels*n.vecs, true)
	n.op("B %send%d", label, m)
	n.line("\n%sstore%d:", label, m)
	n.output(m, panels*n.vecs, false)
	n.line("\n%send%d:", label, m)
}
