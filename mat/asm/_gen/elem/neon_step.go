package main

// source returns the register of v.
func (c *neonCode) source(v *value, j int) int {
	if v == nil {
		return -1
	}
	reg, ok := c.regs.find(v, j)
	if !ok {
		return -1
	}
	return reg
}

func (c *neonCode) result(v *value, i, j int) int {
	c.regs.release(v, i, j, -1)
	reg := c.regs.take()
	c.regs.set(v, j, reg)
	return reg
}

func (c *neonCode) fresh(v *value, i, j int) int {
	reg := c.regs.take()
	c.regs.release(v, i, j, -1)
	c.regs.set(v, j, reg)
	return reg
}

// over returns a register for v that begins with the value of w, which is w's own where w dies.
func (c *neonCode) over(v, w *value, i, j int) int {
	if c.regs.dies(w, i) {
		reg := c.source(w, j)
		c.regs.release(v, i, j, reg)
		c.regs.set(v, j, reg)
		return reg
	}
	reg := c.fresh(v, i, j)
	if from := c.source(w, j); from >= 0 {
		c.move(from, reg)
	} else {
		c.load(bitsOf(w.f), reg)
	}
	return reg
}

// step writes the instructions of v for vector j of the group; v is at position i of the body.
func (c *neonCode) step(v *value, i, j int) {
	x, y := c.source(v.a, j), c.source(v.b, j)
	switch v.op {
	case load:
		c.loadElements(neonInputs[v.i], c.result(v, i, j), c.base+j)
	case store:
		pointer := 0
		if !c.k.dst {
			pointer = neonInputs[v.i]
		}
		c.storeElements(x, pointer, c.base+j)
		c.regs.release(v, i, j, -1)
	case add:
		c.fadd(x, y, c.result(v, i, j))
	case sub:
		c.fsub(x, y, c.result(v, i, j))
	case mul:
		c.fmul(x, y, c.result(v, i, j))
	case div:
		c.fdiv(x, y, c.result(v, i, j))
	case sqrt:
		c.fsqrt(x, c.result(v, i, j))
	case fma, fms:
		d := c.over(v, v.c, i, j)
		c.op("%s V%d.S4, V%d.S4, V%d.S4", map[op]string{fma: "VFMLA", fms: "VFMLS"}[v.op], y, x, d)
	case max, min:
		c.limits(v, i, j)
	case abs:
		c.bic(x, c.pinned[0x80000000], c.result(v, i, j))
	case within: // NaN stays, which no result shows
		d := c.result(v, i, j)
		c.bic(x, c.pinned[0x80000000], d)
		c.fmin(d, y, d)
	case withSign:
		d := c.over(v, v.a, i, j)
		c.bytes("VBIT", c.pinned[0x80000000], y, d)
	case above:
		c.above(v, i, j)
	case index:
		c.index(v, i, j)
	case lookup:
		c.lookup(v, i, j)
	case below:
		c.below(v, i, j)
	case pow2:
		c.op("VSHL $23, V%d.S4, V%d.S4", x, c.result(v, i, j))
	case scale:
		c.scale(v, i, j)
	case valid:
		c.valid(v, i, j)
	case sum, sumFMA, most:
		c.reduce(v, i, j)
	default:
		panic("no code for operation")
	}
}

// limits writes a max or min. FMAX and FMIN keep NaN, and differ from the comparison only where zeros of both signs meet.
func (c *neonCode) limits(v *value, i, j int) {
	x, y := c.source(v.a, j), c.source(v.b, j)
	switch {
	case v.a.op == constant && v.a.f != 0 && v.op == max:
		c.fmax(x, y, c.result(v, i, j))
	case v.a.op == constant && v.a.f != 0:
		c.fmin(x, y, c.result(v, i, j))
	case v.op == max:
		d := c.fresh(v, i, j)
		c.fcmgt(x, y, d)
		c.bytes("VBSL", y, x, d)
	default:
		panic("no code for min")
	}
}

// above clears b where 0 is greater than or equal to a, which does not hold for NaN.
func (c *neonCode) above(v *value, i, j int) {
	x, y := c.source(v.a, j), c.source(v.b, j)
	m := c.regs.take()
	c.load(0, m)
	c.fcmge(m, x, m)
	c.bic(y, m, c.result(v, i, j))
	c.regs.give(m)
}

// index writes the numbers of the four bytes of the value in the table.
func (c *neonCode) index(v *value, i, j int) {
	x := c.source(v.a, j)
	d := c.fresh(v, i, j)
	m := c.regs.take()
	if v.shift < 2 {
		c.op("VSHL $%d, V%d.S4, V%d.S4", 2-v.shift, x, d)
	} else {
		c.op("VUSHR $%d, V%d.S4, V%d.S4", v.shift-2, x, d)
	}
	c.load(7<<2, m)
	c.bytes("VAND", m, d, d)
	c.op("VSLI $8, V%d.S4, V%d.S4", d, d)
	c.op("VSLI $16, V%d.S4, V%d.S4", d, d)
	c.load(0x03020100, m)
	c.op("VADD V%d.B16, V%d.B16, V%d.B16", m, d, d)
	c.regs.give(m)
}

// lookup looks the bytes up in a table in two registers, which vector 0 of a group loads.
func (c *neonCode) lookup(v *value, i, j int) {
	x := c.source(v.a, j)
	if j == 0 {
		offset := 32 * c.tables.index(v.table)
		c.op("FMOVQ %d(R6), F%d", offset, c.pair)
		c.op("FMOVQ %d(R6), F%d", offset+16, c.pair+1)
	}
	c.op("VTBL V%d.B16, [V%d.B16, V%d.B16], V%d.B16", x, c.pair, c.pair+1, c.result(v, i, j))
}

func (c *neonCode) below(v *value, i, j int) {
	x, y := c.source(v.a, j), c.source(v.b, j)
	m := c.regs.take()
	c.load(bitsOf(v.f), m)
	c.fcmgt(m, x, m)
	d := c.over(v, v.c, i, j)
	c.bytes("VBIT", m, y, d)
	c.regs.give(m)
}

// scale splits the exponent in two halves; the first product is exact.
func (c *neonCode) scale(v *value, i, j int) {
	x, y := c.source(v.a, j), c.source(v.b, j)
	half := c.regs.take()
	d := c.fresh(v, i, j)
	c.op("VUSHR $1, V%d.S4, V%d.S4", y, half)
	c.op("VSUB V%d.S4, V%d.S4, V%d.S4", half, y, d)
	c.op("VSHL $23, V%d.S4, V%d.S4", half, half)
	c.op("VSHL $23, V%d.S4, V%d.S4", d, d)
	c.fmul(x, half, half)
	c.fmul(half, d, d)
	c.regs.give(half)
}

// valid compares the numbers of the lanes with how many elements are left.
func (c *neonCode) valid(v *value, i, j int) {
	x := c.source(v.a, j)
	m := c.regs.take()
	d := c.fresh(v, i, j)
	c.op("FMOVQ 0(R4), F%d", m)
	c.op("VDUP R3, V%d.S4", d)
	c.cmgt(d, m, m)
	c.load(bitsOf(v.c.f), d)
	c.bytes("VBIT", m, x, d)
	c.regs.give(m)
}

// reduce joins v to its lanes.
func (c *neonCode) reduce(v *value, i, j int) {
	x, lane := c.source(v.a, j), c.base+j
	switch v.op {
	case sum:
		c.fadd(lane, x, lane)
	case sumFMA:
		c.op("VFMLA V%d.S4, V%d.S4, V%d.S4", c.source(v.b, j), x, lane)
	case most:
		m := c.regs.take()
		c.fcmgt(x, lane, m)
		c.bytes("VBIT", m, x, lane)
		c.regs.give(m)
	}
	c.regs.release(v, i, j, -1)
}

// loadElements loads vector j of an input; past the end, zeros.
func (c *neonCode) loadElements(pointer, d, j int) {
	if !c.tail {
		c.op("FMOVQ %d(R%d), F%d", 16*j, pointer, d)
		return
	}
	c.parts(
		func() { c.op("FMOVQ (R%d), F%d", pointer, d) },
		func() { c.op("FMOVS (R%d), F%d", pointer, d) },
		func() { c.op("FMOVD (R%d), F%d", pointer, d) },
		func() {
			c.op("ADD $8, R%d, R5", pointer)
			c.op("VLD1 (R5), V%d.S[2]", d)
		})
}

// storeElements stores vector j of dst or an input, as far as it goes.
func (c *neonCode) storeElements(d, pointer, j int) {
	if !c.tail {
		c.op("FMOVQ F%d, %d(R%d)", d, 16*j, pointer)
		return
	}
	c.parts(
		func() { c.op("FMOVQ F%d, (R%d)", d, pointer) },
		func() { c.op("FMOVS F%d, (R%d)", d, pointer) },
		func() { c.op("FMOVD F%d, (R%d)", d, pointer) },
		func() {
			c.op("ADD $8, R%d, R5", pointer)
			c.op("VST1 V%d.S[2], (R5)", d)
		})
}

// parts branches on how many elements are left: four or more, one, two, or three, which is two and a third.
func (c *neonCode) parts(four, one, two, third func()) {
	c.label++
	n := c.label
	c.op("CMP $4, R3")
	c.op("BLT part%d", n)
	four()
	c.op("B end%d", n)
	c.line("part%d:", n)
	c.op("TBNZ $1, R3, two%d", n)
	one()
	c.op("B end%d", n)
	c.line("two%d:", n)
	two()
	c.op("TBZ $0, R3, end%d", n)
	third()
	c.line("end%d:", n)
}
