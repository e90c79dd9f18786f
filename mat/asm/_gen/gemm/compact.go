package main

// B in the compact layout is put together from bytes: a shuffle finds the first byte of each element, the first unpacking makes words of both bytes, the second
// floats of them and of the last words, which in bfloat16 are zeros.
//
// A unit of 64 elements takes 9 such operations with AVX-512, and one row of A 4 multiply-adds beside them: on ports that can do two of either a cycle that is
// 6½ cycles for 96 or 224 bytes, which take longer to come from memory. (So do the sums of one row, which wait 4 cycles for each step: 8 cycles a unit.) In a strip of
// 14 rows they are 9 of 65 operations, where they share ports with the multiply-adds. With AVX2 a unit has half as many elements, and 6 rows 24 multiply-adds.

// A compact writes the functions for one storage type.
type compact struct{ x86 }

// functions writes them all. Vectors of 64 bytes have a strip function for Intel's cores, too.
func (c compact) functions() {
	c.strip()
	if c.masks {
		intel := c
		intel.intel = true
		intel.strip()
	}
	c.widenUnits()
	c.encode()
}

// unitBytes is the size of a unit.
func (c compact) unitBytes() int { return c.nr() * (2<<c.size() - 1) }

// lows is how far into a unit the bytes after the high ones lie; the numbers lie 2·nr behind.
func (c compact) lows() int { return c.unitBytes() - 3*c.nr() }

// register is the i-th of the registers that are no sums: 0 and 1 hold a row of B, 2 and 3 the words of both; 2 is free once the first row is made of it.
func (c compact) register(i int) string { return c.v(c.regs - 4 + i) }
