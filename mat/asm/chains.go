package asm

import "unsafe"

// Chains multiplies four single rows by a panel of 8 columns each: for 0 ≤ i < 4 and 0 ≤ j < 8,
//
//	sum = Σ a[i][l] · b[i][8·l + j]    for l ascending from 0 to k-1, from +0, one rounding for each product and sum
//	c[8·i + j] = sum                   or, if add, += sum
//
// c is read only if add, and overlaps nothing.
type Chains func(k int, a, b *[4]unsafe.Pointer, c *[32]float32, add bool)

// chainsBy returns a Chains that computes one after another with a Strip of 8 columns.
func chainsBy(strip Strip) Chains {
	return func(k int, a, b *[4]unsafe.Pointer, c *[32]float32, add bool) {
		for i := range a {
			strip(1, k, 1, (*float32)(a[i]), k, b[i], 8, 0, &c[8*i], 8, 8, add, Ahead{})
		}
	}
}
