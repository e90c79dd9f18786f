package main

import "fmt"

// An x86 writes the kernels of one level for amd64.
type x86 struct {
	level     string
	reg       string // letter of the vector registers
	count     int    // how many there are
	width     int    // float32 in one
	constants pool
	tables    tables
}

// ahead is how many bytes ahead of the work the loops prefetch, dst too: 2 KiB is worth 10 to 15 % where the operands are in L3.
const ahead = 2048

var (
	avx512 = &x86{level: "AVX512", reg: "Z", count: 32, width: 16}
	avx2   = &x86{level: "AVX2", reg: "Y", count: 16, width: 8}
)

func (l *x86) masks() bool  { return l.width == 16 }
func (l *x86) vectors() int { return block / l.width }

func (l *x86) file() []byte {
	var t, code text
	for _, k := range kernels {
		l.kernel(&code, k)
	}
	t.line("%s\n%s\n#include \"textflag.h\"\n", header, noPortable)
	t.line("// Registers of all kernels:")
	t.line("//")
	t.line("//	DI        dst             SI DX  x and y, or x and w")
	t.line("//	CX        elements left   AX     scratch")
	if l.masks() {
		t.line("//	Z0 Z1     the lanes of a reduction: 0-15, 16-31")
		t.line("//	K1 K2     elements that are there, in the last iteration")
		t.line("//	K3 K4     signs of the two vectors; K5 K6 comparisons")
	} else {
		t.line("//	Y0-Y3     the lanes of a reduction: 0-7, 8-15, 16-23, 24-31")
		t.line("//	Y15       CX in every lane, in the last iteration")
	}
	t.line("//")
	t.line("// The last registers hold the scalar and constants that cannot come from memory, the others the values of the element in work.")
	t.line("// An iteration takes 32 elements; the last takes the rest, with masks.\n")
	for i, b := range l.constants.bits {
		if l.masks() {
			t.line("DATA constants%s<>+%d(SB)/4, $%#08x // %s", l.level, 4*i, b, describe(b))
			continue
		}
		for j := range 4 {
			s := fmt.Sprintf("DATA constants%s<>+%d(SB)/8, $%#08x%08x", l.level, 32*i+8*j, b, b)
			if j == 0 {
				s += " // " + describe(b)
			}
			t.line("%s", s)
		}
	}
	t.line("GLOBL constants%s<>(SB), RODATA|NOPTR, $%d", l.level, len(l.constants.bits)*l.stride())
	t.line("")
	size := 0
	for _, table := range l.tables.list {
		for range l.width / 8 { // VPERMPS takes as many bits of an index as it can
			for i := 0; i < 8; i += 2 {
				t.line("DATA tables%s<>+%d(SB)/8, $%#08x%08x // %s, %s", l.level, size, bitsOf(table[i+1]), bitsOf(table[i]),
					describe(bitsOf(table[i])), describe(bitsOf(table[i+1])))
				size += 8
			}
		}
	}
	t.line("GLOBL tables%s<>(SB), RODATA|NOPTR, $%d", l.level, size)
	if !l.masks() {
		t.line("")
		for i := range block / 2 {
			t.line("DATA numbers<>+%d(SB)/8, $%#08x%08x", 8*i, 2*i+1, 2*i)
		}
		t.line("GLOBL numbers<>(SB), RODATA|NOPTR, $%d", 4*block)
	}
	t.Write(code.Bytes())
	return t.Bytes()
}

func (l *x86) stride() int {
	if l.masks() {
		return 4
	}
	return 32
}

func (l *x86) memory(bits uint32) string {
	return fmt.Sprintf("constants%s<>+%d(SB)", l.level, l.constants.indexBits(bits)*l.stride())
}

// An x86Code is the code of a kernel in the making.
type x86Code struct {
	*x86
	*text
	k      *kernel
	pinned map[float32]int // constants in registers
	args   int             // register of the first scalar, those of the others lie below
	first  int             // registers from first to limit hold values
	limit  int
	group  int // vectors in work at a time

	tail bool
	regs *regs
	sign [4]*value // AVX-512: of which value K3+j has the signs
	base int       // number of the first vector of the group
}

func (l *x86) kernel(t *text, k *kernel) {
	for group := l.vectors(); ; group /= 2 {
		if group == 0 {
			panic(k.name + ": too few registers")
		}
		var out text
		c := &x86Code{x86: l, text: &out, k: k, group: group, pinned: map[float32]int{}}
		if c.write() {
			t.Write(out.Bytes())
			return
		}
	}
}

func (c *x86Code) v(reg int) string { return fmt.Sprintf("%s%d", c.reg, reg) }

// write writes the function and says whether there were enough registers.
func (c *x86Code) write() bool {
	k := c.k
	slices, scalars, result, size := k.frame()
	c.line("\n// func %s%s", k.function(c.level), k.signature())
	c.line("TEXT ·%s(SB), NOSPLIT, $0-%d", k.function(c.level), size)
	pointers := []string{"SI", "DX"}
	if k.dst {
		pointers = append([]string{"DI"}, pointers...)
	}
	for i, s := range slices {
		c.op("MOVQ %s, %s", s, pointers[i])
	}
	pointers = pointers[:len(slices)]
	first := k.inputs[0]
	if k.dst {
		first = "dst"
	}
	c.op("MOVQ %s_len+8(FP), CX", first)

	c.limit = c.count
	if !c.masks() {
		c.limit-- // Y15 is for the masks of the tail
	}
	for _, s := range scalars {
		c.limit--
		c.op("VBROADCASTSS %s, %s", s, c.v(c.limit))
	}
	c.args = c.limit + len(scalars) - 1
	bodies := []*body{k.build(false), k.build(true)}
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

	c.op("SUBQ $%d, CX", block)
	c.op("JLT tail")
	c.line("\nloop:")
	for _, p := range pointers {
		c.op("PREFETCHT0 %d(%s)", ahead, p)
		c.op("PREFETCHT0 %d(%s)", ahead+64, p)
	}
	ok := c.body(bodies[0])
	c.line("")
	for _, p := range pointers {
		c.op("ADDQ $%d, %s", 4*block, p)
	}
	c.op("SUBQ $%d, CX", block)
	c.op("JGE loop")
	c.line("\ntail:")
	c.op("ADDQ $%d, CX", block)
	c.op("JEQ done")
	if c.masks() {
		c.op("MOVL $-1, AX")
		c.op("BZHIL CX, AX, AX")
		c.op("KMOVW AX, K1")
		c.op("SHRL $16, AX")
		c.op("KMOVW AX, K2")
	} else {
		c.op("VMOVD CX, X15")
		c.op("VPBROADCASTD X15, Y15")
	}
	c.tail = true
	ok = c.body(bodies[1]) && ok
	c.line("\ndone:")
	if k.fold != 0 {
		c.foldLanes()
		c.op("VMOVSS X0, %s", result)
	}
	c.op("VZEROUPPER")
	c.op("RET")
	return ok
}

// pin keeps the constants of v that must be in a register in one for the whole kernel.
func (c *x86Code) pin(v *value) {
	var p *value
	switch v.op {
	case max, min, sub, div:
		p = v.a
	case ifNeg:
		p = v.c
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

// body writes an iteration, group after group.
func (c *x86Code) body(b *body) bool {
	for c.base = 0; c.base < c.vectors(); c.base += c.group {
		if c.tail && c.base > 0 {
			c.op("CMPQ CX, $%d", c.base*c.width)
			c.op("JLE done")
		}
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
		c.sign = [4]*value{}
		for i, v := range b.code {
			if v.op == note {
				c.line("\n\t// %s", v.text)
				continue
			}
			for j := range c.group {
				c.step(v, i, j)
			}
		}
		if c.regs.failed {
			return false
		}
	}
	return true
}

// three writes an instruction with two sources; the second (the last in Intel's order) may be a constant in memory.
func (c *x86Code) three(name string, a, b *value, j int, dst string) {
	c.op("%s", c.name(name, b, j)+" "+c.source(b, j)+", "+c.source(a, j)+", "+dst)
}

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

// mask writes the mask of the elements that are there in vector j to a register.
func (c *x86Code) mask(j int, reg string) {
	c.op("VPCMPGTD numbers<>+%d(SB), Y15, %s", 32*(c.base+j), reg)
}

func (c *x86Code) step(v *value, i, j int) {
	at := fmt.Sprintf("%d(%s)", 4*c.width*(c.base+j), map[bool]string{false: []string{"SI", "DX"}[v.i], true: "DI"}[v.op == store])
	mask := fmt.Sprintf("K%d", 1+j)
	switch v.op {
	case load:
		dst := c.result(v, i, j)
		switch {
		case !c.tail:
			c.op("VMOVUPS %s, %s", at, dst)
		case c.masks():
			c.op("VMOVUPS.Z %s, %s, %s", at, mask, dst)
		default:
			c.mask(j, dst)
			c.op("VMASKMOVPS %s, %s, %s", at, dst, dst)
		}
	case store:
		src := c.source(v.a, j)
		switch {
		case !c.tail:
			c.op("VMOVUPS %s, %s", src, at)
		case c.masks():
			c.op("VMOVUPS %s, %s, %s", src, mask, at)
		default:
			m := c.regs.take()
			c.mask(j, c.v(m))
			c.op("VMASKMOVPS %s, %s, %s", src, c.v(m), at)
			c.regs.give(m)
		}
		c.regs.release(v, i, j, -1)
	case add, mul:
		a, b := v.a, v.b
		if c.inMemory(a, j) {
			a, b = b, a
		}
		c.binary(map[op]string{add: "VADDPS", mul: "VMULPS"}[v.op], v, a, b, i, j)
	case sub, div, max, min:
		c.binary(map[op]string{sub: "VSUBPS", div: "VDIVPS", max: "VMAXPS", min: "VMINPS"}[v.op], v, v.a, v.b, i, j)
	case fma:
		c.fma("VFMADD", v, i, j)
	case fms:
		c.fma("VFNMADD", v, i, j)
	case abs:
		c.bits("AND", v, 0x7fffffff, i, j)
	case negAbs:
		c.bits("OR", v, 0x80000000, i, j)
	case withSign:
		c.withSign(v, i, j)
	case ifNeg:
		if !c.masks() {
			a, b, e := c.source(v.a, j), c.source(v.b, j), c.source(v.c, j)
			c.op("VBLENDVPS %s, %s, %s, %s", b, a, e, c.result(v, i, j))
			break
		}
		if c.sign[j] != v.b {
			c.sign[j] = v.b
			c.op("VPMOVD2M %s, K%d", c.source(v.b, j), 3+j)
		}
		name, a, e := c.name("VBLENDMPS", v.a, j), c.source(v.a, j), c.source(v.c, j)
		c.op("%s %s, %s, K%d, %s", name, a, e, 3+j, c.result(v, i, j))
	case zeroIf:
		a, b, e := c.source(v.a, j), c.source(v.b, j), c.source(v.c, j)
		if c.masks() {
			c.op("%s $5, %s, %s, K%d // not less", c.name("VCMPPS", v.c, j), e, b, 5+j)
			c.op("VMOVAPS.Z %s, K%d, %s", a, 5+j, c.result(v, i, j))
			break
		}
		dst := c.fresh(v, i, j)
		c.op("VCMPPS $1, %s, %s, %s // less", e, b, dst)
		c.op("VANDNPS %s, %s, %s", a, dst, dst)
	case index:
		a := c.source(v.a, j)
		c.op("VPSRLD $22, %s, %s", a, c.result(v, i, j))
	case lookup:
		a := c.source(v.a, j)
		c.op("VPERMPS tables%s<>+%d(SB), %s, %s", c.level, 4*c.width*c.tables.index(v.table), a, c.result(v, i, j))
	case pow2:
		a := c.source(v.a, j)
		c.op("VPSLLD $23, %s, %s", a, c.result(v, i, j))
	case scale:
		c.scale(v, i, j)
	case valid:
		a := c.source(v.a, j)
		switch {
		case c.masks() && v.c.f == 0:
			c.op("VMOVAPS.Z %s, %s, %s", a, mask, c.result(v, i, j))
		case c.masks():
			c.op("VBLENDMPS %s, %s, %s, %s", a, c.source(v.c, j), mask, c.result(v, i, j))
		default:
			dst := c.fresh(v, i, j)
			c.mask(j, dst)
			if v.c.f == 0 {
				c.op("VANDPS %s, %s, %s", a, dst, dst)
			} else {
				c.op("VBLENDVPS %s, %s, %s, %s", dst, a, c.source(v.c, j), dst)
			}
		}
	case sum, sumFMA, most:
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
	default:
		panic("no code for operation")
	}
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

// bits writes a bitwise operation with a constant.
func (c *x86Code) bits(name string, v *value, mask uint32, i, j int) {
	a := c.source(v.a, j)
	if c.masks() {
		c.op("VP%sD.BCST %s, %s, %s", name, c.memory(mask), a, c.result(v, i, j))
	} else {
		c.op("V%sPS %s, %s, %s", name, c.memory(mask), a, c.result(v, i, j))
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
