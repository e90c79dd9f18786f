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

// kernel writes a function with as many vectors in work at a time, and then as many constants in registers, as there are registers for:
// where each instruction loads a constant, loads are what bounds a kernel.
func (l *x86) kernel(t *text, k *kernel) {
	for group := l.vectors(); group > 0; group /= 2 {
		for kept := l.count; kept >= 0; kept-- {
			var out text
			c := &x86Code{x86: l, text: &out, k: k, pinned: map[float32]int{}, tabled: map[[8]float32]int{}}
			c.write(group, kept)
			if !c.failed {
				t.Write(out.Bytes())
				return
			}
		}
	}
	panic(k.name + ": too few registers")
}

func (c *x86Code) v(reg int) string { return fmt.Sprintf("%s%d", c.reg, reg) }

// write writes the function.
func (c *x86Code) write(group, kept int) {
	loop, any, tail := c.k.bodies()
	if c.masks() && c.k.staged {
		loop = c.k.build(storing(c.k.near), body{staged: true})
	}
	result := c.begin(kept, loop, any, tail)
	vectors := group // of an iteration
	if c.k.fold != 0 {
		vectors = c.vectors()
	}
	c.op("SUBQ $%d, CX", vectors*c.width)
	c.op("JLT tail")
	if loop.staged {
		c.stages(loop, group)
	} else {
		c.loop(loop, group, vectors)
	}
	c.line("\ntail:")
	c.op("ADDQ $%d, CX", vectors*c.width)
	c.op("JEQ done")
	c.base, c.tail = 0, true
	c.rest(tail)
	c.line("\ndone:")
	if c.k.fold != 0 {
		c.foldLanes()
		c.op("VMOVSS X0, %s", result)
	}
	c.op("VZEROUPPER")
	c.op("RET")
	if c.k.near != nil {
		c.far(any, vectors)
	}
}

// loop writes the loop, whose iterations take as many vectors, a group at a time.
func (c *x86Code) loop(b *body, group, vectors int) {
	c.line("\nloop:")
	c.prefetch(vectors)
	if c.k.near != nil {
		c.leave(vectors)
	}
	for c.base = 0; c.base < vectors; c.base += group {
		c.body(b, group)
	}
	c.line("")
	if c.k.near != nil {
		c.line("further:")
	}
	c.advance(4 * c.width * vectors)
	c.op("SUBQ $%d, CX", vectors*c.width)
	c.op("JGE loop")
}

func (c *x86Code) prefetch(vectors int) {
	for _, p := range c.pointers {
		for line := 0; line < 4*c.width*vectors; line += 64 {
			c.op("PREFETCHT0 %d(%s)", ahead+line, p)
		}
	}
}

// begin loads arguments, tables, constants and lanes. It returns the place of the result.
func (c *x86Code) begin(kept int, loop *body, others ...*body) string {
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
	c.pinTables(loop)
	for _, b := range append(others, loop) {
		c.pin(b)
	}
	c.keep(loop, kept)
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

// pinTables keeps the tables of b in registers, where there are registers enough.
func (c *x86Code) pinTables(b *body) {
	for _, v := range b.code {
		if _, ok := c.tabled[v.table]; v.op == lookup && c.masks() && !ok {
			c.limit--
			c.tabled[v.table] = c.limit
			c.op("VBROADCASTF32X8 %s, %s", c.table(v.table), c.v(c.limit))
		}
	}
}

// pin keeps the constants of b that must be in a register in one for the whole kernel.
func (c *x86Code) pin(b *body) {
	if c.k.near != nil {
		c.hold(c.k.from)
	}
	for _, v := range b.code {
		switch v.op {
		case max, min, sub, div, withSign:
			if v.a.op == constant {
				c.hold(v.a.f)
			}
		case below:
			c.hold(v.f)
		case valid:
			if v.c.f != 0 {
				c.hold(v.c.f)
			}
		}
	}
}

// keep keeps other constants of b in registers, n at most.
func (c *x86Code) keep(b *body, n int) {
	for _, v := range b.code {
		for _, a := range v.args() {
			if a.op == constant && n > 0 && c.hold(a.f) {
				n--
			}
		}
	}
}

// hold holds a constant in a register for the whole kernel. It says whether that takes a further register.
func (c *x86Code) hold(f float32) bool {
	if _, ok := c.pinned[f]; ok {
		return false
	}
	c.limit--
	c.pinned[f] = c.limit
	c.load(bitsOf(f), c.limit)
	return true
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
	c.start(b)
	c.steps(b, 0, len(b.code), 0, group)
}

// start frees all registers but those of constants, tables and scalars.
func (c *x86Code) start(b *body) {
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
}

// steps writes the operations from ≤ i < to of a body for a group of vectors, of which vector is the first.
func (c *x86Code) steps(b *body, from, to, vector, group int) {
	for i := from; i < to; i++ {
		switch v := b.code[i]; v.op {
		case weave:
		case note:
			c.line("\n\t// %s", v.text)
		default:
			for j := range group {
				c.step(v, i, vector+j)
			}
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
