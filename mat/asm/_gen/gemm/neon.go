package main

import "fmt"

// A neon writes one function for arm64. Go's assembler lacks most floating-point vector instructions: these are WORDs, with the
// instruction as a comment, which the test of this package decodes.
type neon struct {
	*text
	name    string
	storage string
	mr      int         // rows of the largest tile
	vecs    int         // vectors in a row of a panel, even
	wide    map[int]int // how many panels a tile of so many rows takes at once, where it is more than one
}

var neonKernels = []neon{
	{name: "strip16NEON", storage: "Float32", mr: 6, vecs: 4, wide: map[int]int{1: 4, 2: 2}},
	{name: "strip8NEON", storage: "Float32", mr: 8, vecs: 2},
	{name: "strip16BFloat16NEON", storage: "BFloat16", mr: 6, vecs: 4, wide: map[int]int{1: 4, 2: 2}},
	{name: "strip16Float16NEON", storage: "Float16", mr: 6, vecs: 4, wide: map[int]int{1: 4, 2: 2}},
}

const limitNEON = `//
// Four steps of the 6 × 16 loop have 96 multiply-adds, which take an element of A from a register of four, and beside them 6 loads of A, 8
// of pairs of B and 4 additions: 48 cycles of multiply-adds at two a cycle, 7 of loads at two, 114 instructions, 29 cycles at four. With
// four multiply-adds a cycle it is 24 cycles and, at eight instructions, 15. So the multiply-adds bound it; the 24 accumulators
// hide a latency of 4 cycles with up to six of them a cycle.`

// neonFile returns the assembly for arm64.
func neonFile() []byte {
	var t text
	t.header()
	t.line("%s", neonRegisters)
	t.line("%s", limitNEON)
	for _, n := range neonKernels {
		n.text = &t
		n.function()
	}
	n := neon{text: &t}
	n.peak()
	for _, n.storage = range []string{"BFloat16", "Float16"} {
		n.widen()
	}
	n.transpose()
	n.read()
	n.bounds()
	n = neonKernels[0]
	n.text = &t
	n.copyStrip()
	return t.Bytes()
}

func (n neon) nr() int        { return 4 * n.vecs }
func (n neon) a(i int) int    { return 29 - i }
func (n neon) b(p int) string { return fmt.Sprintf("R%d", 20+p) }

func (n neon) size() int {
	if n.storage == "Float32" {
		return 2
	}
	return 1
}

// fmla adds the product of register b and lane u of register a to register d.
func (n neon) fmla(b, a, u, d int) {
	word := 0x4f801000 | u&1<<21 | a<<16 | u>>1<<11 | b<<5 | d
	n.op("WORD $0x%08x // FMLA V%d.4S, V%d.4S, V%d.S[%d]", word, d, b, a, u)
}

func (n neon) fadd(a, b, d int) {
	n.op("WORD $0x%08x // FADD V%d.4S, V%d.4S, V%d.4S", 0x4e20d400|b<<16|a<<5|d, d, a, b)
}

// loadB loads eight elements of B into V30 and V31.
func (n neon) loadB(offset int, base string) {
	if n.storage == "Float32" {
		n.op("FLDPQ %d(%s), (F30, F31)", 4*offset, base)
		return
	}
	n.op("FMOVQ %d(%s), F31", 2*offset, base)
	if n.storage == "BFloat16" {
		n.op("WORD $0x%08x // SHLL V30.4S, V31.4H, #16", 0x2e613800|31<<5|30)
		n.op("WORD $0x%08x // SHLL2 V31.4S, V31.8H, #16", 0x6e613800|31<<5|31)
	} else {
		n.op("WORD $0x%08x // FCVTL V30.4S, V31.4H", 0x0e217800|31<<5|30)
		n.op("WORD $0x%08x // FCVTL2 V31.4S, V31.8H", 0x4e217800|31<<5|31)
	}
}

func (n neon) zero(count int) {
	for i := range count {
		n.op("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
}
