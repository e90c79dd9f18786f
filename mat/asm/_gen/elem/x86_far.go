package main

// leave leaves the loop where an element of the next vectors lies below c.k.from.
func (c *x86Code) leave(vectors int) {
	from := c.v(c.pinned[c.k.from])
	low := from
	for j := range vectors { // a NaN leaves the minimum as it is
		c.op("VMOVUPS %d(SI), %s", 4*c.width*j, c.v(1))
		c.op("VMINPS %s, %s, %s", low, c.v(1), c.v(0))
		low = c.v(0)
	}
	if c.masks() {
		c.op("VCMPPS $14, %s, %s, K2 // from > low", low, from)
		c.op("KORTESTW K2, K2")
	} else {
		c.op("VCMPPS $14, %s, %s, Y0 // from > low", low, from)
		c.op("VMOVMSKPS Y0, AX")
		c.op("TESTL AX, AX")
	}
	c.op("JNE far")
}

// far does what the loop left: an iteration with any elements, a vector at a time.
func (c *x86Code) far(any *body, vectors int) {
	c.line("\nfar: // an iteration that has elements below %v", c.k.from)
	c.tail = false
	for c.base = 0; c.base < vectors; c.base++ {
		c.body(any, 1)
	}
	c.op("JMP further")
}
