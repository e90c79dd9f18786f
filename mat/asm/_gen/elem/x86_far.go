package main

// leave leaves the loop where an element of the next vectors lies below c.k.from.
func (c *x86Code) leave(vectors int) {
	from := c.v(c.pinned[c.k.from])
	mask := "Y"
	if c.masks() {
		mask = "K"
	}
	for j := range vectors {
		c.op("VCMPPS $14, %d(SI), %s, %s%d // from > x", 4*c.width*j, from, mask, 2+j)
	}
	if c.masks() {
		c.op("KORTESTW K2, K%d", 1+vectors)
	} else {
		for j := 1; j < vectors; j++ {
			c.op("VORPS Y%d, Y2, Y2", 2+j)
		}
		c.op("VMOVMSKPS Y2, AX")
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
