package main

import "fmt"

// finish writes what follows when the sums of a panel of m rows are complete, and the way back to label panel.
func (x x86) finish(m int) {
	x.op("MOVQ R11, AX")
	x.op("ADDQ $%d, R11", 4*x.nr())
	x.op("MOVBLZX add+88(FP), BX")
	x.op("CMPQ R13, $1")
	x.op("JNE full%d", m)
	x.op("CMPQ tail+80(FP), $%d", x.nr())
	x.op("JLT tail%d", m)
	x.line("\nfull%d:", m)
	x.op("TESTL BX, BX")
	x.op("JEQ store%d", m)
	x.note("C += sums")
	x.output(m, 1, true)
	x.op("DECQ R13")
	x.op("JNE panel%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
	x.line("\nstore%d:", m)
	x.output(m, 1, false)
	x.op("DECQ R13")
	x.op("JNE panel%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
	x.line("\ntail%d:", m)
	x.tailOutput(m)
}

// addOrStore writes the output of whole panels, both ways.
func (x x86) addOrStore(m, panels int, store, end string) {
	x.op("CMPB add+88(FP), $0")
	x.op("JEQ %s", store)
	x.output(m, panels, true)
	x.op("JMP %s", end)
	x.line("\n%s:", store)
	x.output(m, panels, false)
	x.line("\n%s:", end)
}

// output adds the sums to C or stores them; AX is the address of C.
func (x x86) output(m, panels int, add bool) {
	for i := range m {
		for j := range panels * x.vecs {
			r := x.v(i*panels*x.vecs + j)
			if add {
				x.op("VADDPS %d(AX), %s, %s", j*x.bytes(), r, r)
			}
			x.op("VMOVUPS %s, %d(AX)", r, j*x.bytes())
		}
		if i < m-1 {
			x.op("ADDQ R12, AX")
		}
	}
}

// tailOutput is output for the columns of the last panel alone, and returns.
func (x x86) tailOutput(m int) {
	x.op("TESTL BX, BX")
	x.op("JEQ storetail%d", m)
	for _, add := range []bool{true, false} {
		if !add {
			x.line("\nstoretail%d:", m)
		}
		if !x.masks {
			x.op("MOVQ tail+80(FP), BX")
		}
		for i := range m {
			if x.masks {
				x.masked(i, add)
			} else {
				x.pieces(i, add, fmt.Sprintf("%dx%d%v", m, i, add))
			}
			if i < m-1 {
				x.op("ADDQ R12, AX")
			}
		}
		x.op("VZEROUPPER")
		x.op("RET")
	}
}

// masked adds the sums of row i to C or stores them through masks.
func (x x86) masked(i int, add bool) {
	for j := range x.vecs {
		r, t := x.v(i*x.vecs+j), x.broadcast(j)
		if add {
			x.op("VMOVUPS.Z %d(AX), K%d, %s", j*x.bytes(), 1+j, t)
			x.op("VADDPS %s, %s, %s", t, r, r)
		}
		x.op("VMOVUPS %s, K%d, %d(AX)", r, 1+j, j*x.bytes())
	}
}

// pieces adds the sums of row i to C or stores them in pieces of 8, 4, 2 and 1, as the bits of BX say. (VMASKMOVPS is slow on AMD.)
func (x x86) pieces(i int, add bool, label string) {
	r := i * x.vecs
	x.op("MOVQ AX, CX")
	if x.vecs == 2 {
		x.op("TESTL $8, BX")
		x.op("JEQ four%s", label)
		if add {
			x.op("VADDPS (CX), Y%d, Y%d", r, r)
		}
		x.op("VMOVUPS Y%d, (CX)", r)
		x.op("VMOVAPS Y%d, Y%d", r+1, r)
		x.op("ADDQ $32, CX")
	}
	x.line("\nfour%s:", label)
	x.op("TESTL $4, BX")
	x.op("JEQ two%s", label)
	x.op("VEXTRACTF128 $1, Y%d, X15", r)
	if add {
		x.op("VADDPS (CX), X%d, X%d", r, r)
	}
	x.op("VMOVUPS X%d, (CX)", r)
	x.op("VMOVAPS X15, X%d", r)
	x.op("ADDQ $16, CX")
	x.line("\ntwo%s:", label)
	x.op("TESTL $2, BX")
	x.op("JEQ one%s", label)
	if add {
		x.op("VMOVSD (CX), X15")
		x.op("VADDPS X15, X%d, X%d", r, r)
	}
	x.op("VMOVSD X%d, (CX)", r)
	x.op("VPERMILPS $14, X%d, X%d", r, r)
	x.op("ADDQ $8, CX")
	x.line("\none%s:", label)
	x.op("TESTL $1, BX")
	x.op("JEQ row%s", label)
	if add {
		x.op("VADDSS (CX), X%d, X%d", r, r)
	}
	x.op("VMOVSS X%d, (CX)", r)
	x.line("\nrow%s:", label)
}
