package main

import "fmt"

// wideTile writes the loop over groups of n whole panels for m rows. What is left goes on at label single.
func (x x86) wideTile(m, n int) {
	x.line("\nrows%d:", m)
	x.op("MOVQ step+56(FP), BX")
	x.op("SHLQ $%d, BX", x.size())
	x.op("LEAQ (BX)(BX*2), CX")
	x.line("\ngroup%d:", m)
	x.unlessWhole(n, fmt.Sprintf("single%d", m))
	x.note("%d × %d·%d", m, n, x.nr())
	x.op("MOVQ a+24(FP), AX")
	if m > 5 {
		x.fiveRows("AX", "R14")
	}
	if x.short {
		x.fetchC(m, n)
	} else {
		x.op("MOVQ R8, R9")
		x.op("IMULQ $%d, R9", x.near)
		x.op("ADDQ SI, R9")
	}
	x.zero(m * n * x.vecs)
	x.op("MOVQ k+8(FP), R10")
	x.op("TESTQ R10, R10")
	x.op("JEQ groupdone%d", m)
	x.groupLoop(m, n)
	x.line("\ngroupdone%d:", m)
	x.nextB(n)
	x.op("MOVQ R11, AX")
	x.op("ADDQ $%d, R11", 4*n*x.nr())
	x.addOrStore(m, n, fmt.Sprintf("groupstore%d", m), fmt.Sprintf("groupend%d", m))
	x.op("SUBQ $%d, R13", n)
	x.op("JNE group%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
}

// unlessWhole jumps to a label where fewer than n whole panels are left.
func (x x86) unlessWhole(n int, label string) {
	x.op("MOVQ R13, R10")
	x.op("CMPQ tail+80(FP), $%d", x.nr())
	x.op("SBBQ $0, R10")
	x.op("CMPQ R10, $%d", n)
	x.op("JLT %s", label)
}

// groupLoop writes the loop over k for n panels and m rows.
func (x x86) groupLoop(m, n int) {
	x.line("\ngrouploop%d:", m)
	if !x.short {
		x.nextGroup(m, n)
	}
	for i := range m {
		from := "(R14)" // row 5, as BX is taken
		if i < 5 {
			from = x.a(i, 0)
		}
		x.op("VBROADCASTSS %s, %s", from, x.v(x.regs-1-i))
	}
	for p := range n {
		for i := 0; i < x.nr()<<x.size() && !x.short; i += 64 {
			x.op("PREFETCHT0 %d(R9)%s", i, panel(p))
		}
		for j := range x.vecs {
			address := fmt.Sprintf("%d(SI)%s", j*x.bytes()>>(2-x.size()), panel(p))
			b := x.v(x.regs - 1 - m)
			if m == 1 && x.storage == "Float32" {
				b = address
			} else {
				x.loadB(address, b)
			}
			for i := range m {
				x.op("VFMADD231PS %s, %s, %s", b, x.v(x.regs-1-i), x.v((i*n+p)*x.vecs+j))
			}
		}
	}
	x.op("ADDQ $4, AX")
	if m > 5 {
		x.op("ADDQ $4, R14")
	}
	x.op("ADDQ R8, SI")
	if !x.short {
		x.op("ADDQ R8, R9")
	}
	x.op("DECQ R10")
	x.op("JNE grouploop%d", m)
}

// nextGroup moves the pointer of the prefetch from a panel's end to the panel in its place in the next group.
func (x x86) nextGroup(m, n int) {
	x.note("from a panel's end on, the panel in its place in the next group is fetched")
	x.op("CMPQ R10, $%d", x.near)
	x.op("JNE fetch%d", m)
	x.op("LEAQ (R9)%s, R9", panel(n-1))
	x.line("\nfetch%d:", m)
}

// panel is the index of panel p in an address of a tile several panels wide.
func panel(p int) string { return []string{"", "(BX*1)", "(BX*2)", "(CX*1)"}[p] }
