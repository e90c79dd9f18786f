package main

import "fmt"

var x86Inputs = []string{"SI", "DX", "R8", "R9"}

// An x86Code is the code of a kernel in the making.
type x86Code struct {
	*x86
	*text
	k        *kernel
	pointers []string
	pinned   map[float32]int    // constants in registers
	tabled   map[[8]float32]int // AVX-512: tables in registers, twice in each
	args     int                // register of the first scalar, those of the others lie below
	first    int                // registers from first to limit hold values
	limit    int
	failed   bool // whether there were too few registers

	tail bool
	regs *regs
	base int // number of the first vector of the group
}

// kernel writes a function with as many vectors in work at a time as registers suffice for.
func (l *x86) kernel(t *text, k *kernel) {
	for group := l.vectors(); ; group /= 2 {
		if group == 0 {
			panic(k.name + ": too few registers")
		}
		var out text
		c := &x86Code{x86: l, text: &out, k: k, pinned: map[float32]int{}, tabled: map[[8]float32]int{}}
		c.write(group)
		if !c.failed {
			t.Write(out.Bytes())
			return
		}
	}
}

func (c *x86Code) v(reg int) string { return fmt.Sprintf("%s%d", c.reg, reg) }

// write writes the function.
func (c *x86Code) write(group int) {
	bodies := []*body{c.k.build(false), c.k.build(true)}
	result := c.begin(bodies)
	vectors := group // of an iteration
	if c.k.fold != 0 {
		vectors = c.vectors()
	}
	c.op("SUBQ $%d, CX", vectors*c.width)
	c.op("JLT tail")
	c.line("\nloop:")
	for _, p := range c.pointers {
		for line := 0; line < 4*c.width*vectors; line += 64 {
			c.op("PREFETCHT0 %d(%s)", ahead+line, p)
		}
	}
	for c.base = 0; c.base < vectors; c.base += group {
		c.body(bodies[0], group)
	}
	c.line("")
	c.advance(4 * c.width * vectors)
	c.op("SUBQ $%d, CX", vectors*c.width)
	c.op("JGE loop")
	c.line("\ntail:")
	c.op("ADDQ $%d, CX", vectors*c.width)
	c.op("JEQ done")
	c.base, c.tail = 0, true
	c.rest(bodies[1])
	c.line("\ndone:")
	if c.k.fold != 0 {
		c.foldLanes()
		c.op("VMOVSS X0, %s", result)
	}
	c.op("VZEROUPPER")
	c.op("RET")
}

// begin loads arguments, constants and lanes. It returns the place of the result.
func (c *x86Code) begin(bodies []*body) string {
	k := c.k
	slices, scalars, result, size := k.frame()
	c.line("\n// func %s%s", k.function(c.level), k.signature())
	c.line("TEXT ·%s(SB), NOSPLIT, $0-%d", k.function(c.level), size)
	first := k.inputs[0]
	c.pointers = x86Inputs
	if k.dst {
		first = "dst"
		c.pointers = append([]string{"DI"}, x86Inputs...)
	}
	c.pointers = c.pointers[:len(slices)]
	for i, s := range slices {
		c.op("MOVQ %s, %s", s, c.pointers[i])
	}
	c.op("MOVQ %s_len+8(FP), CX", first)

	c.limit = c.count
	if !c.masks() {
		c.limit-- // Y15 is the mask of the tail
	}
	for _, s := range scalars {
		c.limit--
		c.op("VBROADCASTSS %s, %s", s, c.v(c.limit))
	}
	c.args = c.limit + len(scalars) - 1
	for _, b := range bodies {
		for _, v := range b.code {
			c.pin(v)
		}
	}
	if k.fold != 0 {
		c.first = c.vectors()
		for j := range c.first {
			if k.start == 0 {
				c.op("VXORPS X%d, X%d, X%d", j, j, j)
			} else {
				c.load(bitsOf(k.start), j)
			}
		}
	}
	return result
}

// rest writes the loop of the tail. In a reduction the lanes make a full turn: the vector that comes next belongs to the first register.
func (c *x86Code) rest(b *body) {
	if c.k.fold != 0 {
		c.op("MOVL $%d, BX", c.vectors())
	}
	c.line("\nnext: // the rest, a vector at a time")
	if c.k.fold != 0 {
		c.op("TESTQ CX, CX")
		c.op("JLE turn")
	}
	if c.masks() {
		c.op("MOVL $-1, AX")
		c.op("BZHIL CX, AX, AX")
		c.op("KMOVW AX, K1")
	} else {
		c.op("VMOVD CX, X15")
		c.op("VPBROADCASTD X15, Y15")
		c.op("VPCMPGTD numbers<>(SB), Y15, Y15")
	}
	c.body(b, 1)
	c.line("")
	c.advance(4 * c.width)
	c.op("SUBQ $%d, CX", c.width)
	if c.k.fold == 0 {
		c.op("JGT next")
		return
	}
	c.line("\nturn: // the lanes of the next vector come to the first register")
	c.op("VMOVAPS %s, %s", c.v(0), c.v(c.first))
	for j := range c.vectors() {
		c.op("VMOVAPS %s, %s", c.v(j+1), c.v(j))
	}
	c.op("DECL BX")
	c.op("JNE next")
}

func (c *x86Code) advance(bytes int) {
	for _, p := range c.pointers {
		c.op("ADDQ $%d, %s", bytes, p)
	}
}

// pin keeps the constants of v that must be in a register in one for the whole kernel, and tables where there are registers enough.
func (c *x86Code) pin(v *value) {
	if _, ok := c.tabled[v.table]; v.op == lookup && c.masks() && !ok {
		c.limit--
		c.tabled[v.table] = c.limit
		c.op("VBROADCASTF32X8 %s, %s", c.table(v.table), c.v(c.limit))
	}
	var p *value
	switch v.op {
	case max, min, sub, div, withSign:
		p = v.a
	case valid:
		if v.c.f != 0 {
			p = v.c
		}
	}
	if p == nil || p.op != constant {
		return
	}
	if _, ok := c.pinned[p.f]; !ok {
		c.limit--
		c.pinned[p.f] = c.limit
		c.load(bitsOf(p.f), c.limit)
	}
}

// load loads a constant into a register.
func (c *x86Code) load(bits uint32, reg int) {
	if c.masks() {
		c.op("VBROADCASTSS %s, %s", c.memory(bits), c.v(reg))
	} else {
		c.op("VMOVUPS %s, %s", c.memory(bits), c.v(reg))
	}
}

// body writes what is done with a group of vectors.
func (c *x86Code) body(b *body, group int) {
	pinned := map[*value]int{}
	for i, v := range b.args {
		pinned[v] = c.args - i
	}
	for f, v := range b.constants {
		if reg, ok := c.pinned[f]; ok {
			pinned[v] = reg
		}
	}
	c.regs = newRegs(c.first, c.limit, pinned)
	for i, v := range b.code {
		if v.op == note {
			c.line("\n\t// %s", v.text)
			continue
		}
		for j := range group {
			c.step(v, i, j)
		}
	}
	c.failed = c.failed || c.regs.failed
}

// foldLanes joins lane i+16 to lane i, then i+8, i+4, i+2 and i+1.
func (c *x86Code) foldLanes() {
	c.line("\n\t// fold the lanes")
	join := func(high, low string) {
		if c.k.fold == sum {
			c.op("VADDPS %s, %s, %s", high, low, low)
		} else {
			c.op("VMAXPS %s, %s, %s", low, high, low)
		}
	}
	if c.masks() {
		join("Z1", "Z0")
		c.op("VEXTRACTF64X4 $1, Z0, Y1")
		join("Y1", "Y0")
	} else {
		join("Y2", "Y0")
		join("Y3", "Y1")
		join("Y1", "Y0")
	}
	c.op("VEXTRACTF128 $1, Y0, X1")
	join("X1", "X0")
	c.op("VPERMILPS $0xee, X0, X1")
	join("X1", "X0")
	c.op("VMOVSHDUP X0, X1")
	join("X1", "X0")
}
