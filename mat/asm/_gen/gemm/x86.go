package main

import (
	"cmp"
	"fmt"
)

// x86 writes one function.
type x86 struct {
	*text
	isa
	kernel
}

// v is vector register i.
func (x x86) v(i int) string { return fmt.Sprintf("%s%d", x.prefix(), i) }

// prefix is that of vector registers.
func (x x86) prefix() string { return cmp.Or(x.reg, x.longest) }

// bytes is the size of a vector.
func (x x86) bytes() int {
	if x.prefix() == "Z" {
		return 64
	}
	return 32
}

// nr is the number of columns of a panel.
func (x x86) nr() int { return x.vecs * x.bytes() / 4 }

// b is register i of a row of B; broadcast is the one that holds the element of row i of A.
func (x x86) b(i int) string         { return x.v(x.regs - 2 - x.vecs + i) }
func (x x86) broadcast(i int) string { return x.v(x.regs - 2 + i%2) }

// size is log2 of the size of an element of B.
func (x x86) size() int {
	if x.storage == "Float32" {
		return 2
	}
	return 1
}

// a is the address of element u of row i of A.
func (x x86) a(i, u int) string { return address(4*u, i, "AX", "BX", "CX") }

// address is that of what lies some bytes into row i of A, where registers point to every fifth row.
func address(offset, i int, fifths ...string) string {
	return fmt.Sprintf("%d(%s)%s", offset, fifths[i/5], []string{"", "(DX*1)", "(DX*2)", "(DI*1)", "(DX*4)"}[i%5])
}

// fiveRows sets a register to five rows of A after another.
func (x x86) fiveRows(from, to string) {
	x.op("LEAQ (%s)(DX*4), %s", from, to)
	x.op("ADDQ DX, %s", to)
}

// bases sets the addresses of rows 5 and 10 of A, of m.
func (x x86) bases(m int) {
	if m > 5 {
		x.fiveRows("AX", "BX")
	}
	if m > 10 {
		x.fiveRows("BX", "CX")
	}
}

// advance moves the pointers of A by n elements.
func (x x86) advance(m, n int) {
	for i, base := range []string{"AX", "BX", "CX"} {
		if m > 5*i {
			x.op("ADDQ $%d, %s", 4*n, base)
		}
	}
}

func (x x86) loadB(address, to string) {
	switch x.storage {
	case "Float32":
		x.op("VMOVUPS %s, %s", address, to)
	case "BFloat16":
		x.op("VPMOVZXWD %s, %s", address, to)
		x.op("VPSLLD $16, %s, %s", to, to)
	case "Float16":
		x.op("VCVTPH2PS %s, %s", address, to)
	}
}

func (x x86) zero(n int) {
	for i := range n {
		if x.masks && i >= 16 {
			x.op("VPXORD Z%d, Z%d, Z%d", i, i, i)
		} else {
			x.op("VXORPS X%d, X%d, X%d", i, i, i)
		}
	}
}
