package main

// stages writes a loop in two stages: an iteration does the second stage of a block, and in between the first of the next one. What a
// second stage needs of the first is always in the same registers, its homes.
func (c *x86Code) stages(b *body, group int) {
	elements := group * c.width
	c.line("\nhead: // the first stage of a block; CX is %d less than there are elements left", elements)
	c.base = 0
	c.start(b)
	c.steps(b, 0, b.first, 0, group)
	homes := map[*value][]int{}
	for _, v := range b.code[:b.first] {
		if v.last >= b.first {
			homes[v] = append([]int{}, c.regs.of[v][:group]...)
			c.regs.homes = append(c.regs.homes, homes[v]...)
		}
	}
	c.op("SUBQ $%d, CX", elements)
	c.op("JLT last")

	c.line("\nloop:")
	c.prefetch(group)
	c.leave(group)
	next := 0
	for i := b.first; i < len(b.code); i++ {
		c.steps(b, i, i+1, 0, group)
		if b.code[i].op == weave {
			for b.code[next].op == note {
				next++
			}
			c.steps(b, next, next+1, group, group)
			next++
		}
	}
	c.steps(b, next, b.first, group, group)
	c.line("\n\t// the next block becomes this one")
	for _, v := range b.code[:b.first] {
		for j, home := range homes[v] {
			reg, _ := c.regs.find(v, group+j)
			c.op("VMOVAPS %s, %s", c.v(reg), c.v(home))
			c.regs.give(reg)
			c.regs.set(v, j, home)
		}
	}
	c.advance(4 * elements)
	c.op("SUBQ $%d, CX", elements)
	c.op("JGE loop")

	c.line("\nlast: // the second stage of a block that no other follows")
	c.leave(group)
	c.steps(b, b.first, len(b.code), 0, group)
	c.line("\nfurther:")
	c.advance(4 * elements)
	c.op("TESTQ CX, CX")
	c.op("JGE head")
}
