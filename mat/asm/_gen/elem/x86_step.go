package main

import "fmt"

// name adds the suffix that an instruction has whose source v is a constant in memory.
func (c *x86Code) name(name string, v *value, j int) string {
	if _, ok := c.regs.find(v, j); !ok && c.masks() {
		return name + ".BCST"
	}
	return name
}

// source returns the register of v, or the memory of a constant.
func (c *x86Code) source(v *value, j int) string {
	if reg, ok := c.regs.find(v, j); ok {
		return c.v(reg)
	}
	return c.memory(bitsOf(v.f))
}

func (c *x86Code) inMemory(v *value, j int) bool {
	_, ok := c.regs.find(v, j)
	return !ok
}

// result frees the arguments that die and returns a register for v.
func (c *x86Code) result(v *value, i, j int) string {
	c.regs.release(v, i, j, -1)
	reg := c.regs.take()
	c.regs.set(v, j, reg)
	return c.v(reg)
}

// fresh is result for code that writes it before it has read all arguments.
func (c *x86Code) fresh(v *value, i, j int) string {
	reg := c.regs.take()
	c.regs.release(v, i, j, -1)
	c.regs.set(v, j, reg)
	return c.v(reg)
}

// step writes the instructions of v for vector j of the group; v is at position i of the body.
func (c *x86Code) step(v *value, i, j int) {
	switch v.op {
	case load:
		c.loadElements(v, i, j)
	case store:
		c.storeElements(v, i, j)
	case add, mul:
		a, b := v.a, v.b
		if c.inMemory(a, j) {
			a, b = b, a
		}
		c.binary(map[op]string{add: "VADDPS", mul: "VMULPS"}[v.op], v, a, b, i, j)
	case sub, div, max, min:
		c.binary(map[op]string{sub: "VSUBPS", div: "VDIVPS", max: "VMAXPS", min: "VMINPS"}[v.op], v, v.a, v.b, i, j)
	case sqrt:
		a := c.source(v.a, j)
		c.op("VSQRTPS %s, %s", a, c.result(v, i, j))
	case fma:
		c.fma("VFMADD", v, i, j)
	case fms:
		c.fma("VFNMADD", v, i, j)
	case abs:
		c.abs(v, i, j)
	case within:
		c.within(v, i, j)
	case withSign:
		c.withSign(v, i, j)
	case above:
		c.above(v, i, j)
	case index:
		c.index(v, i, j)
	case lookup:
		c.lookup(v, i, j)
	case below:
		c.below(v, i, j)
	case pow2:
		a := c.source(v.a, j)
		c.op("VPSLLD $23, %s, %s", a, c.result(v, i, j))
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

// elements returns the address of vector j of the group in an input or dst.
func (c *x86Code) elements(pointer string, j int) string {
	return fmt.Sprintf("%d(%s)", 4*c.width*(c.base+j), pointer)
}

// loadElements loads a vector of an input; past the end, zeros.
func (c *x86Code) loadElements(v *value, i, j int) {
	at, dst := c.elements(x86Inputs[v.i], j), c.result(v, i, j)
	switch {
	case !c.tail:
		c.op("VMOVUPS %s, %s", at, dst)
	case c.masks():
		c.op("VMOVUPS.Z %s, K1, %s", at, dst)
	default:
		c.op("VMASKMOVPS %s, Y15, %s", at, dst)
	}
}

// storeElements stores a vector to dst or an input, as far as it goes.
func (c *x86Code) storeElements(v *value, i, j int) {
	pointer := x86Inputs[v.i]
	if c.k.dst {
		pointer = "DI"
	}
	src, at := c.source(v.a, j), c.elements(pointer, j)
	switch {
	case !c.tail:
		c.op("VMOVUPS %s, %s", src, at)
	case c.masks():
		c.op("VMOVUPS %s, K1, %s", src, at)
	default:
		c.op("VMASKMOVPS %s, Y15, %s", src, at)
	}
	c.regs.release(v, i, j, -1)
}

func (c *x86Code) binary(name string, v, a, b *value, i, j int) {
	name, x, y := c.name(name, b, j), c.source(a, j), c.source(b, j)
	c.op("%s %s, %s, %s", name, y, x, c.result(v, i, j))
}

// fma writes ±a·b + c; the form depends on which register may be written and which operand is in memory.
func (c *x86Code) fma(name string, v *value, i, j int) {
	a, b := v.a, v.b
	if c.inMemory(a, j) || !c.regs.dies(a, i) && !c.inMemory(b, j) && c.regs.dies(b, i) {
		a, b = b, a
	}
	x, y, z := c.source(a, j), c.source(b, j), c.source(v.c, j)
	over := func(w *value) string { // the result takes the register of w
		reg, _ := c.regs.find(w, j)
		c.regs.release(v, i, j, reg)
		c.regs.set(v, j, reg)
		return c.v(reg)
	}
	switch {
	case c.inMemory(v.c, j) && !c.inMemory(b, j) && c.regs.dies(a, i):
		c.op("%s %s, %s, %s", c.name(name+"213PS", v.c, j), z, y, over(a))
	case c.inMemory(v.c, j):
		dst := c.fresh(v, i, j)
		reg, _ := c.regs.find(v, j)
		c.load(bitsOf(v.c.f), reg)
		c.op("%s %s, %s, %s", c.name(name+"231PS", b, j), y, x, dst)
	case c.regs.dies(v.c, i):
		c.op("%s %s, %s, %s", c.name(name+"231PS", b, j), y, x, over(v.c))
	case c.regs.dies(a, i):
		c.op("%s %s, %s, %s", c.name(name+"132PS", b, j), y, z, over(a))
	default:
		dst := c.fresh(v, i, j)
		c.op("VMOVAPS %s, %s", z, dst)
		c.op("%s %s, %s, %s", c.name(name+"231PS", b, j), y, x, dst)
	}
}

func (c *x86Code) abs(v *value, i, j int) {
	a, rest := c.source(v.a, j), c.memory(0x7fffffff)
	if c.masks() {
		c.op("VPANDD.BCST %s, %s, %s", rest, a, c.result(v, i, j))
	} else {
		c.op("VANDPS %s, %s, %s", rest, a, c.result(v, i, j))
	}
}

func (c *x86Code) within(v *value, i, j int) {
	a, b, rest := c.source(v.a, j), c.source(v.b, j), c.memory(0x7fffffff)
	dst := c.result(v, i, j)
	if c.masks() {
		c.op("%s $10, %s, %s, %s", c.name("VRANGEPS", v.b, j), b, a, dst)
	} else {
		c.op("VANDPS %s, %s, %s", rest, a, dst)
		c.op("VMINPS %s, %s, %s", b, dst, dst)
	}
}

func (c *x86Code) withSign(v *value, i, j int) {
	a, b := c.source(v.a, j), c.source(v.b, j)
	sign := c.memory(0x80000000)
	dst := c.fresh(v, i, j)
	if c.masks() {
		c.op("VMOVAPS %s, %s", a, dst)
		c.op("VPTERNLOGD.BCST $0xf8, %s, %s, %s // a | b & sign", sign, b, dst)
	} else {
		c.op("VANDPS %s, %s, %s", sign, b, dst)
		c.op("VORPS %s, %s, %s", a, dst, dst)
	}
}

// above compares a with 0 by "not less than or equal", which holds for NaN.
func (c *x86Code) above(v *value, i, j int) {
	a, b, zero := c.source(v.a, j), c.source(v.b, j), c.memory(0)
	if c.masks() {
		c.op("VCMPPS.BCST $22, %s, %s, K2", zero, a)
		c.op("VMOVAPS.Z %s, K2, %s", b, c.result(v, i, j))
		return
	}
	mask := c.regs.take()
	c.op("VCMPPS $22, %s, %s, %s", zero, a, c.v(mask))
	c.op("VANDPS %s, %s, %s", b, c.v(mask), c.result(v, i, j))
	c.regs.give(mask)
}

func (c *x86Code) index(v *value, i, j int) {
	a := c.source(v.a, j)
	if v.shift == 0 {
		if r := c.result(v, i, j); a != r {
			c.op("VMOVAPS %s, %s", a, r)
		}
	} else {
		c.op("VPSRLD $%d, %s, %s", v.shift, a, c.result(v, i, j))
	}
}

func (c *x86Code) lookup(v *value, i, j int) {
	a, table := c.source(v.a, j), c.table(v.table)
	reg, ok := c.tabled[v.table]
	switch {
	case ok:
		c.op("VPERMPS %s, %s, %s", c.v(reg), a, c.result(v, i, j))
	case c.masks():
		dst := c.fresh(v, i, j)
		c.op("VBROADCASTF32X8 %s, %s", table, dst)
		c.op("VPERMPS %s, %s, %s", dst, a, dst)
	default:
		c.op("VPERMPS %s, %s, %s", table, a, c.result(v, i, j))
	}
}

func (c *x86Code) below(v *value, i, j int) {
	x, from, y, z := c.source(v.a, j), c.v(c.pinned[v.f]), c.source(v.b, j), c.source(v.c, j)
	if c.masks() {
		c.op("VCMPPS $14, %s, %s, K2", x, from)
		c.op("VBLENDMPS %s, %s, K2, %s", y, z, c.result(v, i, j))
		return
	}
	mask := c.regs.take()
	c.op("VCMPPS $14, %s, %s, %s", x, from, c.v(mask))
	c.op("VBLENDVPS %s, %s, %s, %s", c.v(mask), y, z, c.result(v, i, j))
	c.regs.give(mask)
}

// scale: without VSCALEFPS, the exponent is split in two halves; the first product is exact.
func (c *x86Code) scale(v *value, i, j int) {
	if c.masks() {
		p, n := c.source(v.a, j), c.source(v.c, j)
		c.op("VSCALEFPS %s, %s, %s", n, p, c.result(v, i, j))
		return
	}
	p, t := c.source(v.a, j), c.source(v.b, j)
	half := c.regs.take()
	dst := c.fresh(v, i, j)
	c.op("VPSRLD $1, %s, %s", t, c.v(half))
	c.op("VPSUBD %s, %s, %s", c.v(half), t, dst)
	c.op("VPSLLD $23, %s, %s", c.v(half), c.v(half))
	c.op("VPSLLD $23, %s, %s", dst, dst)
	c.op("VMULPS %s, %s, %s", c.v(half), p, c.v(half))
	c.op("VMULPS %s, %s, %s", dst, c.v(half), dst)
	c.regs.give(half)
}

func (c *x86Code) valid(v *value, i, j int) {
	a := c.source(v.a, j)
	switch {
	case c.masks() && v.c.f == 0:
		c.op("VMOVAPS.Z %s, K1, %s", a, c.result(v, i, j))
	case c.masks():
		c.op("VBLENDMPS %s, %s, K1, %s", a, c.source(v.c, j), c.result(v, i, j))
	case v.c.f == 0:
		c.op("VANDPS %s, Y15, %s", a, c.result(v, i, j))
	default:
		c.op("VBLENDVPS Y15, %s, %s, %s", a, c.source(v.c, j), c.result(v, i, j))
	}
}

// reduce joins v to its lanes.
func (c *x86Code) reduce(v *value, i, j int) {
	lane := c.v(c.base + j)
	a := c.source(v.a, j)
	switch v.op {
	case sum:
		c.op("VADDPS %s, %s, %s", a, lane, lane)
	case sumFMA:
		c.op("VFMADD231PS %s, %s, %s", c.source(v.b, j), a, lane)
	case most:
		c.op("VMAXPS %s, %s, %s", lane, a, lane)
	}
	c.regs.release(v, i, j, -1)
}
