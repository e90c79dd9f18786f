package main

import "fmt"

// A unit is one to multiply by m rows.
type unit struct {
	m             int
	base          string // where it is
	label         string
	panel, panels int // which one of so many at once
}

// multiply multiplies a unit by m rows. With the high bytes of a rare one it begins at label highs.
func (c compact) multiply(at unit) {
	c.highs(at.base)
	c.line("\nhighs%s:", at.label)
	c.words()
	for i := 0; i < c.unitBytes() && !c.intel; i += 64 {
		c.op("PREFETCHT0 %d(%s)(R11*1)", i, at.base)
	}
	for u := range 2 {
		c.row(at.base, u)
		if at.panels == 1 {
			c.op("TESTQ R12, R12")
			c.op("JNE keep%dx%d", at.m, u)
			c.line("\nkept%dx%d:", at.m, u)
		}
		for i := range at.m {
			a := c.register(2)
			c.op("VBROADCASTSS %s, %s", c.a(i, u), a)
			for j := range c.vecs {
				c.op("VFMADD231PS %s, %s, %s", c.register(j), a, c.v((i*at.panels+at.panel)*c.vecs+j))
			}
			if c.intel {
				c.fetchBetween(at, u*at.m+i)
			}
		}
	}
}

// highs finds the high bytes of the unit at base, and the bytes that come after them.
func (c compact) highs(base string) {
	h, t := c.register(1), c.register(2)
	numbers, table := "VBROADCASTI64X4", "VBROADCASTI32X4"
	if !c.masks {
		numbers, table = "VBROADCASTI128", "VBROADCASTI128"
	}
	c.op("%s %d(%s), %s", numbers, c.lows()+2*c.nr(), base, h)
	c.op("VPSRLVQ halves<>(SB), %s, %s", h, h)
	if c.masks {
		c.op("VPANDD.BCST nibbles<>(SB), %s, %s", h, h)
	} else {
		c.op("VPAND nibbles<>(SB), %s, %s", h, h)
	}
	c.lastBytes(base)
	c.op("%s (R15), %s", table, t)
	c.op("VPSHUFB %s, %s, %s", h, t, h)
}

// rareHighs does as highs for a rare unit, and moves rare to the next one's high bytes.
func (c compact) rareHighs(base, rare string) {
	c.op("PREFETCHT0 %d(%s)", rareAhead, rare)
	c.loadBytes(fmt.Sprintf("(%s)", rare), c.register(1))
	c.lastBytes(base)
	c.op("ADDQ $%d, %s", 2*c.nr(), rare)
}

// lastBytes loads the bytes that come after the high ones.
func (c compact) lastBytes(base string) {
	c.loadBytes(fmt.Sprintf("%d(%s)", c.lows(), base), c.register(0))
}

func (c compact) loadBytes(address, to string) {
	if c.masks {
		c.op("VMOVDQU32 %s, %s", address, to)
	} else {
		c.op("VMOVDQU %s, %s", address, to)
	}
}

// words makes words of both.
func (c compact) words() {
	f, h := c.register(0), c.register(1)
	c.op("VPUNPCKLBW %s, %s, %s", h, f, c.register(2))
	c.op("VPUNPCKHBW %s, %s, %s", h, f, c.register(3))
}

// row makes row u of the words.
func (c compact) row(base string, u int) {
	f, g, w := c.register(0), c.register(1), c.register(2+u)
	switch {
	case c.storage == "Float32":
		c.loadBytes(fmt.Sprintf("%d(%s)", 2*u*c.nr(), base), f)
	case c.masks:
		c.op("VPXORD %s, %s, %s", f, f, f)
	default:
		c.op("VPXOR %s, %s, %s", f, f, f)
	}
	c.op("VPUNPCKHWD %s, %s, %s", w, f, g)
	c.op("VPUNPCKLWD %s, %s, %s", w, f, f)
}

// keepRow stores the row of B to dst, which R12 points to, and returns to label kept.
func (c compact) keepRow(label string) {
	c.line("\nkeep%s:", label)
	for i := range c.vecs {
		c.op("VMOVUPS %s, %d(R12)", c.register(i), i*c.bytes())
	}
	c.op("ADDQ $%d, R12", 4*c.nr())
	c.op("JMP kept%s", label)
}
