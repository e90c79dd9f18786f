package main

import "fmt"

// A neonLevel writes the kernels for arm64. Go's assembler lacks most floating-point vector instructions: these are WORDs, with the
// instruction as a comment, which the test of this package decodes.
type neonLevel struct {
	constants pool
	tables    tables
}

var neon = &neonLevel{}

const (
	neonRegs    = 32
	neonVectors = block / 4
	neonCount   = 31 // register with the number of elements in every lane, in the last iteration
)

func (l *neonLevel) file() []byte {
	var t, code text
	for _, k := range kernels {
		l.kernel(&code, k)
	}
	t.line("%s\n%s\n#include \"textflag.h\"\n", header, noPortable)
	t.line(`// Registers of all kernels:
//
//	R0        dst             R1 R2  x and y, or x and w
//	R3        elements left   R4     the constants
//	R5        scratch         R6     the tables
//	V0-V7     the lanes of a reduction, four in each
//	V31       R3 in every lane, in the last iteration
//
// The last registers below V31 hold the scalar and constants that several instructions need, the others the values of the element
// in work. An iteration takes 32 elements; the last takes the rest.
`)
	t.line("// The first 128 bytes number the lanes.")
	for i := range block / 2 {
		t.line("DATA constantsNEON<>+%d(SB)/8, $%#08x%08x", 8*i, 2*i+1, 2*i)
	}
	for i, b := range l.constants.bits {
		for j := range 2 {
			s := fmt.Sprintf("DATA constantsNEON<>+%d(SB)/8, $%#08x%08x", 16*(i+neonVectors)+8*j, b, b)
			if j == 0 {
				s += " // " + describe(b)
			}
			t.line("%s", s)
		}
	}
	t.line("GLOBL constantsNEON<>(SB), RODATA|NOPTR, $%d\n", 16*(len(l.constants.bits)+neonVectors))
	for k, table := range l.tables.list {
		for i := 0; i < 8; i += 2 {
			t.line("DATA tablesNEON<>+%d(SB)/8, $%#08x%08x // %s, %s", 32*k+4*i, bitsOf(table[i+1]), bitsOf(table[i]),
				describe(bitsOf(table[i])), describe(bitsOf(table[i+1])))
		}
	}
	t.line("GLOBL tablesNEON<>(SB), RODATA|NOPTR, $%d", 32*len(l.tables.list))
	t.Write(code.Bytes())
	return t.Bytes()
}

// memory returns the address of a constant.
func (l *neonLevel) memory(bits uint32) string {
	return fmt.Sprintf("%d(R4)", 16*(l.constants.indexBits(bits)+neonVectors))
}

// A neonCode is the code of a kernel in the making.
type neonCode struct {
	*neonLevel
	*text
	k            *kernel
	pinned       map[uint32]int
	args         int // register of the first scalar, those of the others lie below
	pair         int // the first of two registers that hold a table
	first, limit int
	group        int

	tail  bool
	regs  *regs
	base  int
	label int
}

func (l *neonLevel) kernel(t *text, k *kernel) {
	for group := 4; ; group /= 2 {
		if group == 0 {
			panic(k.name + ": too few registers")
		}
		var out text
		c := &neonCode{neonLevel: l, text: &out, k: k, group: group, pinned: map[uint32]int{}}
		if c.write() {
			t.Write(out.Bytes())
			return
		}
	}
}

// vector writes an instruction on three vectors of four float32 that the assembler lacks: d = n op m.
func (c *neonCode) vector(name string, word, n, m, d int) {
	c.op("WORD $%#08x // %s V%d.4S, V%d.4S, V%d.4S", word|m<<16|n<<5|d, name, d, n, m)
}

func (c *neonCode) fadd(n, m, d int)  { c.vector("FADD", 0x4e20d400, n, m, d) }
func (c *neonCode) fsub(n, m, d int)  { c.vector("FSUB", 0x4ea0d400, n, m, d) }
func (c *neonCode) fmul(n, m, d int)  { c.vector("FMUL", 0x6e20dc00, n, m, d) }
func (c *neonCode) fdiv(n, m, d int)  { c.vector("FDIV", 0x6e20fc00, n, m, d) }
func (c *neonCode) fmax(n, m, d int)  { c.vector("FMAX", 0x4e20f400, n, m, d) }
func (c *neonCode) fmin(n, m, d int)  { c.vector("FMIN", 0x4ea0f400, n, m, d) }
func (c *neonCode) fcmgt(n, m, d int) { c.vector("FCMGT", 0x6ea0e400, n, m, d) }
func (c *neonCode) cmgt(n, m, d int)  { c.vector("CMGT", 0x4ea03400, n, m, d) }

// bic sets d = n &^ m.
func (c *neonCode) bic(n, m, d int) {
	c.op("WORD $%#08x // BIC V%d.16B, V%d.16B, V%d.16B", 0x4e601c00|m<<16|n<<5|d, d, n, m)
}

// signs sets every bit of a lane of d to the sign of n.
func (c *neonCode) signs(n, d int) {
	c.op("WORD $%#08x // SSHR V%d.4S, V%d.4S, #31", 0x4f210400|n<<5|d, d, n)
}

// bytes writes a bitwise instruction, in Go's order of operands.
func (c *neonCode) bytes(name string, m, n, d int) {
	c.op("%s V%d.B16, V%d.B16, V%d.B16", name, m, n, d)
}

func (c *neonCode) load(bits uint32, reg int) { c.op("FMOVQ %s, F%d", c.memory(bits), reg) }

func (c *neonCode) move(from, to int) {
	if from != to {
		c.bytes("VORR", from, from, to)
	}
}

func (c *neonCode) write() bool {
	k := c.k
	slices, scalars, result, size := k.frame()
	c.line("\n// func %s%s", k.function("NEON"), k.signature())
	c.line("TEXT ·%s(SB), NOSPLIT, $0-%d", k.function("NEON"), size)
	pointers := []int{1, 2}
	if k.dst {
		pointers = []int{0, 1, 2}
	}
	pointers = pointers[:len(slices)]
	for i, s := range slices {
		c.op("MOVD %s, R%d", s, pointers[i])
	}
	first := k.inputs[0]
	if k.dst {
		first = "dst"
	}
	c.op("MOVD %s_len+8(FP), R3", first)
	c.op("MOVD $constantsNEON<>(SB), R4")
	c.limit = neonCount
	for _, s := range scalars {
		c.limit--
		c.op("FMOVS %s, F%d", s, c.limit)
		c.op("VDUP V%d.S[0], V%d.S4", c.limit, c.limit)
	}
	c.args = c.limit + len(scalars) - 1
	bodies := []*body{k.build(false), k.build(true)}
	for _, b := range bodies {
		for _, v := range b.code {
			c.pin(v)
		}
	}
	if k.fold != 0 {
		c.first = neonVectors
		for j := range neonVectors {
			c.load(bitsOf(k.start), j)
		}
	}
	c.op("SUBS $%d, R3", block)
	c.op("BLT tail")
	c.line("\nloop:")
	ok := c.body(bodies[0])
	c.line("")
	for _, p := range pointers {
		c.op("ADD $%d, R%d", 4*block, p)
	}
	c.op("SUBS $%d, R3", block)
	c.op("BGE loop")
	c.line("\ntail:")
	c.op("ADDS $%d, R3", block)
	c.op("BEQ done")
	c.op("VDUP R3, V%d.S4", neonCount)
	c.tail = true
	ok = c.body(bodies[1]) && ok
	c.line("\ndone:")
	if k.fold != 0 {
		c.foldLanes()
		c.op("FMOVS F0, %s", result)
	}
	c.op("RET")
	return ok
}

// pin keeps the constants of v in registers for the whole kernel, all but those that a multiply-add begins with.
func (c *neonCode) pin(v *value) {
	if v.op == lookup && c.pair == 0 {
		c.limit -= 2
		c.pair = c.limit
		c.op("MOVD $tablesNEON<>(SB), R6")
	}
	var list []uint32
	for _, a := range v.args() {
		if a.op == constant && !(a == v.c && (v.op == fma || v.op == fms || v.op == valid)) {
			list = append(list, bitsOf(a.f))
		}
	}
	switch v.op {
	case abs, negAbs, withSign:
		list = append(list, 0x80000000)
	}
	for _, bits := range list {
		if _, ok := c.pinned[bits]; !ok {
			c.limit--
			c.pinned[bits] = c.limit
			c.load(bits, c.limit)
		}
	}
}

func (c *neonCode) body(b *body) bool {
	for c.base = 0; c.base < neonVectors; c.base += c.group {
		if c.tail && c.base > 0 {
			c.op("CMP $%d, R3", 4*c.base)
			c.op("BLE done")
		}
		pinned := map[*value]int{}
		for i, v := range b.args {
			pinned[v] = c.args - i
		}
		for f, v := range b.constants {
			if reg, ok := c.pinned[bitsOf(f)]; ok {
				pinned[v] = reg
			}
		}
		c.regs = newRegs(c.first, c.limit, pinned)
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

func (c *neonCode) step(v *value, i, j int) {
	x, y, z := c.source(v.a, j), c.source(v.b, j), c.source(v.c, j)
	switch v.op {
	case load:
		c.loadElements(v.i+1, c.result(v, i, j), c.base+j)
	case store:
		c.storeElements(x, c.base+j)
		c.regs.release(v, i, j, -1)
	case add:
		c.fadd(x, y, c.result(v, i, j))
	case sub:
		c.fsub(x, y, c.result(v, i, j))
	case mul:
		c.fmul(x, y, c.result(v, i, j))
	case div:
		c.fdiv(x, y, c.result(v, i, j))
	case fma, fms:
		d := c.over(v, v.c, i, j)
		c.op("%s V%d.S4, V%d.S4, V%d.S4", map[op]string{fma: "VFMLA", fms: "VFMLS"}[v.op], y, x, d)
	case max, min:
		c.limits(v, i, j)
	case abs:
		c.bic(x, c.pinned[0x80000000], c.result(v, i, j))
	case negAbs:
		c.bytes("VORR", c.pinned[0x80000000], x, c.result(v, i, j))
	case withSign:
		d := c.over(v, v.a, i, j)
		c.bytes("VBIT", c.pinned[0x80000000], y, d)
	case ifNeg:
		d := c.fresh(v, i, j)
		c.signs(y, d)
		c.bytes("VBSL", z, x, d)
	case zeroIf:
		d := c.fresh(v, i, j)
		c.fcmgt(z, y, d)
		c.bic(x, d, d)
	case index: // the numbers of the four bytes of the value in the table
		d := c.fresh(v, i, j)
		m := c.regs.take()
		c.op("VUSHR $20, V%d.S4, V%d.S4", x, d)
		c.load(7<<2, m)
		c.bytes("VAND", m, d, d)
		c.op("VSLI $8, V%d.S4, V%d.S4", d, d)
		c.op("VSLI $16, V%d.S4, V%d.S4", d, d)
		c.load(0x03020100, m)
		c.op("VADD V%d.B16, V%d.B16, V%d.B16", m, d, d)
		c.regs.give(m)
	case lookup:
		if j == 0 {
			offset := 32 * c.tables.index(v.table)
			c.op("FMOVQ %d(R6), F%d", offset, c.pair)
			c.op("FMOVQ %d(R6), F%d", offset+16, c.pair+1)
		}
		c.op("VTBL V%d.B16, [V%d.B16, V%d.B16], V%d.B16", x, c.pair, c.pair+1, c.result(v, i, j))
	case pow2:
		c.op("VSHL $23, V%d.S4, V%d.S4", x, c.result(v, i, j))
	case scale: // the exponent is split in two halves; the first product is exact
		half := c.regs.take()
		d := c.fresh(v, i, j)
		c.op("VUSHR $1, V%d.S4, V%d.S4", y, half)
		c.op("VSUB V%d.S4, V%d.S4, V%d.S4", half, y, d)
		c.op("VSHL $23, V%d.S4, V%d.S4", half, half)
		c.op("VSHL $23, V%d.S4, V%d.S4", d, d)
		c.fmul(x, half, half)
		c.fmul(half, d, d)
		c.regs.give(half)
	case valid:
		m := c.regs.take()
		d := c.fresh(v, i, j)
		c.op("FMOVQ %d(R4), F%d", 16*(c.base+j), m)
		c.cmgt(neonCount, m, m)
		c.load(bitsOf(v.c.f), d)
		c.bytes("VBIT", m, x, d)
		c.regs.give(m)
	case sum:
		lane := c.base + j
		c.fadd(lane, x, lane)
		c.regs.release(v, i, j, -1)
	case sumFMA:
		c.op("VFMLA V%d.S4, V%d.S4, V%d.S4", y, x, c.base+j)
		c.regs.release(v, i, j, -1)
	case most:
		m := c.regs.take()
		c.fcmgt(x, c.base+j, m)
		c.bytes("VBIT", m, x, c.base+j)
		c.regs.give(m)
		c.regs.release(v, i, j, -1)
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

// loadElements loads vector j of an input; past the end, zeros.
func (c *neonCode) loadElements(pointer, d, j int) {
	if !c.tail {
		c.op("FMOVQ %d(R%d), F%d", 16*j, pointer, d)
		return
	}
	c.label++
	n := fmt.Sprintf("load%d", c.label)
	c.op("VEOR V%d.B16, V%d.B16, V%d.B16", d, d, d)
	c.parts(n, j,
		func() { c.op("FMOVQ %d(R%d), F%d", 16*j, pointer, d) },
		func() { c.op("FMOVS %d(R%d), F%d", 16*j, pointer, d) },
		func() { c.op("FMOVD %d(R%d), F%d", 16*j, pointer, d) },
		func() {
			c.op("ADD $%d, R%d, R5", 16*j+8, pointer)
			c.op("VLD1 (R5), V%d.S[2]", d)
		})
}

// storeElements stores vector j of dst, as far as it goes.
func (c *neonCode) storeElements(d, j int) {
	if !c.tail {
		c.op("FMOVQ F%d, %d(R0)", d, 16*j)
		return
	}
	c.label++
	c.parts(fmt.Sprintf("store%d", c.label), j,
		func() { c.op("FMOVQ F%d, %d(R0)", d, 16*j) },
		func() { c.op("FMOVS F%d, %d(R0)", d, 16*j) },
		func() { c.op("FMOVD F%d, %d(R0)", d, 16*j) },
		func() {
			c.op("ADD $%d, R0, R5", 16*j+8)
			c.op("VST1 V%d.S[2], (R5)", d)
		})
}

// parts branches on how many elements vector j has: four, one, two, or three, which is two and a third.
func (c *neonCode) parts(label string, j int, four, one, two, third func()) {
	c.op("CMP $%d, R3", 4*j+4)
	c.op("BLT %spart", label)
	four()
	c.op("B %send", label)
	c.line("%spart:", label)
	if j%c.group > 0 {
		c.op("CMP $%d, R3", 4*j)
		c.op("BLE %send", label)
	}
	c.op("TBNZ $1, R3, %stwo", label)
	one()
	c.op("B %send", label)
	c.line("%stwo:", label)
	two()
	c.op("TBZ $0, R3, %send", label)
	third()
	c.line("%send:", label)
}

// foldLanes joins lane i+16 to lane i, then i+8, i+4, i+2 and i+1.
func (c *neonCode) foldLanes() {
	c.line("\n\t// fold the lanes")
	join := func(high, low int) {
		if c.k.fold == sum {
			c.fadd(low, high, low)
		} else {
			c.fcmgt(high, low, 8)
			c.bytes("VBIT", 8, high, low)
		}
	}
	for n := neonVectors / 2; n > 0; n /= 2 {
		for j := range n {
			join(j+n, j)
		}
	}
	c.op("VEXT $8, V0.B16, V0.B16, V1.B16")
	join(1, 0)
	c.op("VEXT $4, V0.B16, V0.B16, V1.B16")
	join(1, 0)
}
