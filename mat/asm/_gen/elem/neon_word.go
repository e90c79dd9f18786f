package main

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
func (c *neonCode) fcmge(n, m, d int) { c.vector("FCMGE", 0x6e20e400, n, m, d) }
func (c *neonCode) cmgt(n, m, d int)  { c.vector("CMGT", 0x4ea03400, n, m, d) }

// fsqrt sets d = √n.
func (c *neonCode) fsqrt(n, d int) {
	c.op("WORD $%#08x // FSQRT V%d.4S, V%d.4S", 0x6ea1f800|n<<5|d, d, n)
}

// bic sets d = n &^ m.
func (c *neonCode) bic(n, m, d int) {
	c.op("WORD $%#08x // BIC V%d.16B, V%d.16B, V%d.16B", 0x4e601c00|m<<16|n<<5|d, d, n, m)
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
