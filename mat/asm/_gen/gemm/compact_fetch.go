package main

import "fmt"

// startFetches prepares what units of m rows fetch while so many panels, of R14 units each, are multiplied.
func (c compact) startFetches(m, panels int) {
	if !c.quarters(m) {
		c.op("MOVQ %s, R11", c.far)
		return
	}
	c.op("MOVQ R13, panels+16(FP)")
	c.op("IMUL3Q $%d, R14, R13", c.unitBytes()*panels/4)
	c.op("LEAQ (SI)(R13*4), R11")
}

// nextFetches is what follows the units of all panels at hand. The quarters are visited to and fro.
func (c compact) nextFetches(m, panels int) {
	if c.quarters(m) {
		c.op("ADDQ $%d, R11", c.unitBytes()*panels/4)
		c.op("NEGQ R13")
	}
}

// endFetches is what follows the last ones.
func (c compact) endFetches(m int) {
	if c.quarters(m) {
		c.op("MOVQ panels+16(FP), R13")
	}
}

// fetchBetween fetches B after the i-th of a unit's 2·m broadcasts. Fetched in one piece before them, float32 weights take 5 to 10 % longer from 7 rows on.
func (c compact) fetchBetween(at unit, i int) {
	ops := c.fetches(at)
	for f, op := range ops {
		if f*2*at.m/len(ops) == i {
			c.op("%s", op)
		}
	}
}

// fetches returns the instructions that fetch B in a unit.
func (c compact) fetches(at unit) []string {
	var ops []string
	if c.quarters(at.m) {
		for q := range 4 / at.panels {
			ops = append(ops, "PREFETCHT1 (R11)")
			if q+at.panel*2 < 3 {
				ops = append(ops, "ADDQ R13, R11")
			}
		}
	}
	for line := 0; line < c.unitBytes(); line += 64 {
		if !c.quarters(at.m) {
			ops = append(ops, fmt.Sprintf("PREFETCHT1 %d(%s)(R11*1)", line, at.base))
		}
		ops = append(ops, fmt.Sprintf("PREFETCHT0 %d(%s)", compactNear+line, at.base))
	}
	return ops
}
