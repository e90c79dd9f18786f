package main

// leave leaves the loop where an element of the next vectors lies below c.k.from.
func (c *neonCode) leave(vectors int) {
	c.load(bitsOf(c.k.from), 0)
	c.op("VEOR V1.B16, V1.B16, V1.B16")
	for j := range vectors {
		c.op("FMOVQ %d(R1), F2", 16*j)
		c.fcmgt(0, 2, 2)
		c.bytes("VORR", 2, 1, 1)
	}
	c.op("VMOV V1.D[0], R5")
	c.op("VMOV V1.D[1], R10")
	c.op("ORR R10, R5")
	c.op("CBNZ R5, far")
}

// far does what the loop left: an iteration with any elements, a vector at a time.
func (c *neonCode) far(any *body, vectors int) {
	c.line("\nfar: // an iteration that has elements below %v", c.k.from)
	c.tail = false
	for c.base = 0; c.base < vectors; c.base++ {
		c.body(any, 1)
	}
	c.op("B further")
}
