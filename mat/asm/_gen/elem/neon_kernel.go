package main

var neonInputs = []int{1, 2, 8, 9}

// A neonCode is the code of a kernel in the making.
type neonCode struct {
	*neonLevel
	*text
	k        *kernel
	pointers []int
	pinned   map[uint32]int // constants in registers
	args     int            // register of the first scalar, those of the others lie below
	pair     int            // the first of two registers that hold a table
	first    int            // registers from first to limit hold values
	limit    int
	failed   bool // whether there were too few registers

	tail  bool
	regs  *regs
	base  int // number of the first vector of the group
	label int // of the last branch in the tail
}

// kernel writes a function with as many vectors in work at a time as registers suffice for.
func (l *neonLevel) kernel(t *text, k *kernel) {
	for group := 4; ; group /= 2 {
		if group == 0 {
			panic(k.name + ": too few registers")
		}
		var out text
		c := &neonCode{neonLevel: l, text: &out, k: k, pinned: map[uint32]int{}}
		c.write(group)
		if !c.failed {
			t.Write(out.Bytes())
			return
		}
	}
}

// write writes the function.
func (c *neonCode) write(group int) {
	loop, any, tail := c.k.bodies()
	result := c.begin(loop, any, tail)
	vectors := group // of an iteration
	if c.k.fold != 0 {
		vectors = neonVectors
	}
	c.op("SUBS $%d, R3", 4*vectors)
	c.op("BLT tail")
	c.line("\nloop:")
	if c.k.near != nil {
		c.leave(vectors)
	}
	for c.base = 0; c.base < vectors; c.base += group {
		c.body(loop, group)
	}
	c.line("")
	if c.k.near != nil {
		c.line("further:")
	}
	c.advance(16 * vectors)
	c.op("SUBS $%d, R3", 4*vectors)
	c.op("BGE loop")
	c.line("\ntail:")
	c.op("ADDS $%d, R3", 4*vectors)
	c.op("BEQ done")
	c.base, c.tail = 0, true
	c.rest(tail)
	c.line("\ndone:")
	if c.k.fold != 0 {
		c.foldLanes()
		c.op("FMOVS F0, %s", result)
	}
	c.op("RET")
	if c.k.near != nil {
		c.far(any, vectors)
	}
}

// begin loads arguments, constants and lanes. It returns the place of the result.
func (c *neonCode) begin(bodies ...*body) string {
	k := c.k
	slices, scalars, result, size := k.frame()
	c.line("\n// func %s%s", k.function("NEON"), k.signature())
	c.line("TEXT ·%s(SB), NOSPLIT, $0-%d", k.function("NEON"), size)
	first := k.inputs[0]
	c.pointers = neonInputs
	if k.dst {
		first = "dst"
		c.pointers = append([]int{0}, neonInputs...)
	}
	c.pointers = c.pointers[:len(slices)]
	for i, s := range slices {
		c.op("MOVD %s, R%d", s, c.pointers[i])
	}
	c.op("MOVD %s_len+8(FP), R3", first)
	c.op("MOVD $constantsNEON<>(SB), R4")
	c.limit = neonRegs
	for _, s := range scalars {
		c.limit--
		c.op("FMOVS %s, F%d", s, c.limit)
		c.op("VDUP V%d.S[0], V%d.S4", c.limit, c.limit)
	}
	c.args = c.limit + len(scalars) - 1
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
	return result
}

// rest writes the loop of the tail. In a reduction the lanes make a full turn: the vector that comes next belongs to the first register.
func (c *neonCode) rest(b *body) {
	if c.k.fold != 0 {
		c.op("MOVD $%d, R7", neonVectors)
	}
	c.line("\nnext: // the rest, a vector at a time")
	if c.k.fold != 0 {
		c.op("CMP $0, R3")
		c.op("BLE turn")
	}
	c.body(b, 1)
	c.line("")
	c.advance(16)
	c.op("SUBS $4, R3")
	if c.k.fold == 0 {
		c.op("BGT next")
		return
	}
	c.line("\nturn: // the lanes of the next vector come to the first register")
	c.move(0, c.first)
	for j := range neonVectors {
		c.move(j+1, j)
	}
	c.op("SUBS $1, R7")
	c.op("BNE next")
}

func (c *neonCode) advance(bytes int) {
	for _, p := range c.pointers {
		c.op("ADD $%d, R%d", bytes, p)
	}
}

// pin keeps the constants of v in registers for the whole kernel, all but those that a multiply-add begins with.
func (c *neonCode) pin(v *value) {
	if v.op == lookup && c.pair == 0 {
		c.limit -= 2
		c.pair = c.limit
		c.op("MOVD $tablesNEON<>(SB), R6")
	}
	args := []*value{v.a, v.b, v.c}
	if v.op == fma || v.op == fms || v.op == valid {
		args = args[:2]
	}
	var list []uint32
	for _, a := range args {
		if a != nil && a.op == constant {
			list = append(list, bitsOf(a.f))
		}
	}
	switch v.op {
	case abs, within, withSign:
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

// body writes what is done with a group of vectors.
func (c *neonCode) body(b *body, group int) {
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
		for j := range group {
			c.step(v, i, j)
		}
	}
	c.failed = c.failed || c.regs.failed
}

// foldLanes joins lane i+16 to lane i, then i+8, i+4, i+2 and i+1.
func (c *neonCode) foldLanes() {
	c.line("\n\t// fold the lanes")
	join := func(high, low int) {
		if c.k.fold == sum {
			c.fadd(low, high, low)
		} else {
			c.fcmgt(high, low, neonVectors)
			c.bytes("VBIT", neonVectors, high, low)
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
