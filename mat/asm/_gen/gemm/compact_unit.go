package main

import "fmt"

// A unit is one to multiply by m rows.
type unit struct {
	m             int
	base          string // where it is
	label         string
	panel, panels int // which one of so many at once
}

// compactUnit multiplies a unit by m rows. With the high bytes of a rare one it begins at label highs.
func (x x86) compactUnit(c unit) {
	x.highs(c.base)
	x.line("\nhighs%s:", c.label)
	x.words()
	for i := 0; i < x.unitBytes() && !x.intel; i += 64 {
		x.op("PREFETCHT0 %d(%s)(R11*1)", i, c.base)
	}
	for u := range 2 {
		x.row(c.base, u)
		if c.panels == 1 {
			x.op("TESTQ R12, R12")
			x.op("JNE keep%dx%d", c.m, u)
			x.line("\nkept%dx%d:", c.m, u)
		}
		for i := range c.m {
			a := x.compactRegister(2)
			x.op("VBROADCASTSS %s, %s", x.a(i, u), a)
			for j := range x.vecs {
				x.op("VFMADD231PS %s, %s, %s", x.compactRegister(j), a, x.v((i*c.panels+c.panel)*x.vecs+j))
			}
			if x.intel {
				x.fetchBetween(c, u*c.m+i)
			}
		}
	}
}

// highs finds the high bytes of the unit at base, and the bytes that come after them.
func (x x86) highs(base string) {
	h, t := x.compactRegister(1), x.compactRegister(2)
	numbers, table := "VBROADCASTI64X4", "VBROADCASTI32X4"
	if !x.isa.masks {
		numbers, table = "VBROADCASTI128", "VBROADCASTI128"
	}
	x.op("%s %d(%s), %s", numbers, x.unitBytes()-x.nr(), base, h)
	x.op("VPSRLVQ halves<>(SB), %s, %s", h, h)
	if x.isa.masks {
		x.op("VPANDD.BCST nibbles<>(SB), %s, %s", h, h)
	} else {
		x.op("VPAND nibbles<>(SB), %s, %s", h, h)
	}
	x.lastBytes(base)
	x.op("%s (R15), %s", table, t)
	x.op("VPSHUFB %s, %s, %s", h, t, h)
}

// rareHighs does as highs for a rare unit, and moves rare to the next one's high bytes.
func (x x86) rareHighs(base, rare string) {
	x.op("PREFETCHT0 %d(%s)", rareAhead, rare)
	x.loadBytes(fmt.Sprintf("(%s)", rare), x.compactRegister(1))
	x.lastBytes(base)
	x.op("ADDQ $%d, %s", 2*x.nr(), rare)
}

func (x x86) lastBytes(base string) {
	x.loadBytes(fmt.Sprintf("%d(%s)", x.unitBytes()-3*x.nr(), base), x.compactRegister(0))
}

func (x x86) loadBytes(address, to string) {
	if x.isa.masks {
		x.op("VMOVDQU32 %s, %s", address, to)
	} else {
		x.op("VMOVDQU %s, %s", address, to)
	}
}

// words makes words of both.
func (x x86) words() {
	f, h := x.compactRegister(0), x.compactRegister(1)
	x.op("VPUNPCKLBW %s, %s, %s", h, f, x.compactRegister(2))
	x.op("VPUNPCKHBW %s, %s, %s", h, f, x.compactRegister(3))
}

// row makes row u of the words.
func (x x86) row(base string, u int) {
	f, g, w := x.compactRegister(0), x.compactRegister(1), x.compactRegister(2+u)
	switch {
	case x.storage == "Float32":
		x.loadBytes(fmt.Sprintf("%d(%s)", 2*u*x.nr(), base), f)
	case x.isa.masks:
		x.op("VPXORD %s, %s, %s", f, f, f)
	default:
		x.op("VPXOR %s, %s, %s", f, f, f)
	}
	x.op("VPUNPCKHWD %s, %s, %s", w, f, g)
	x.op("VPUNPCKLWD %s, %s, %s", w, f, f)
}

// keepRow stores the row of B to dst, which R12 points to, and returns to label kept.
func (x x86) keepRow(label string) {
	x.line("\nkeep%s:", label)
	for i := range x.vecs {
		x.op("VMOVUPS %s, %d(R12)", x.compactRegister(i), i*x.bytes())
	}
	x.op("ADDQ $%d, R12", 4*x.nr())
	x.op("JMP kept%s", label)
}
