package main

// B in the compact layout is put together from bytes: a shuffle finds the first byte of each element, the first unpacking makes words of both bytes, the second
// floats of them and of the last words, which in bfloat16 are zeros.
//
// A unit of 64 elements takes 9 such operations with AVX-512, and one row of A 4 multiply-adds beside them: on ports that can do two of either a cycle that is
// 6½ cycles for 96 or 224 bytes, which take longer to come from memory. (So do the sums of one row, which wait 4 cycles for each step: 8 cycles a unit.) In a strip of
// 14 rows they are 9 of 65 operations, where they share ports with the multiply-adds. With AVX2 a unit has half as many elements, and 6 rows 24 multiply-adds.

// compact writes the functions for one storage type.
func (x x86) compact() {
	x.compactStrip("", x.mr)
	if x.masks {
		x.intel = true
		rows := x.mr
		if x.storage == "BFloat16" {
			rows = 10 // more wait less for memory
		}
		x.compactStrip("Intel", rows)
	}
	x.widenCompact()
	x.encodeCompact()
}

// unitBytes is the size of a unit.
func (x x86) unitBytes() int { return x.nr() * (2<<x.size() - 1) }

// compactRegister is the i-th of the registers that are no sums: 0 and 1 hold a row of B, 2 and 3 the words of both; 2 is free once the first row is made of it.
func (x x86) compactRegister(i int) string { return x.v(x.regs - 4 + i) }
