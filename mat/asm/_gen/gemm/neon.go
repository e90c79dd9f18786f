package main

import "fmt"

// A neon writes one function for arm64. Go's assembler lacks most floating-point vector instructions: these are WORDs, with the
// instruction as a comment, which the test of this package decodes.
type neon struct {
	*text
	name    string
	storage string
	mr      int   // rows of the largest tile
	vecs    int   // vectors in a row of a panel, even
	wide    []int // wide[m-1] > 1: how many panels m rows take at once
}

var neonKernels = []neon{
	{name: "strip16NEON", storage: "Float32", mr: 6, vecs: 4, wide: []int{4, 2}},
	{name: "strip8NEON", storage: "Float32", mr: 8, vecs: 2},
	{name: "strip16BFloat16NEON", storage: "BFloat16", mr: 6, vecs: 4, wide: []int{4, 2}},
	{name: "strip16Float16NEON", storage: "Float16", mr: 6, vecs: 4, wide: []int{4, 2}},
}

func neonFile() []byte {
	var t text
	t.header()
	t.line(`
// Registers of the strip kernels (strides in bytes):
//
//	R0-R7   the rows of A          R20-R23  B, one for each panel of the tile
//	R9      ldb                    R10      steps of k left
//	R11 R12 C, ldc                 R13      panels left
//	R14 R15 scratch
//
// V0 up are accumulators, row by row; the registers below V30 hold elements of A, one register for each row; V30 and V31 hold a
// part of a row of B.
//
// Four steps of the 6 × 16 loop have 96 multiply-adds, which take an element of A from a register of four, and beside them 6 loads of A, 8
// of pairs of B and 4 additions: 48 cycles of multiply-adds at two a cycle, 7 of loads at two, 114 instructions, 29 cycles at four. With
// four multiply-adds a cycle it is 24 cycles and, at eight instructions, 15. So the multiply-adds bound it; the 24 accumulators
// hide a latency of 4 cycles with up to six of them a cycle.`)
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

func (n neon) function() {
	n.line("\n// func %s(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)", n.name)
	n.line("TEXT ·%s(SB), NOSPLIT, $0-120", n.name)
	n.op("MOVD panels+16(FP), R13")
	n.op("MOVD b+40(FP), R20")
	n.op("MOVD ldb+48(FP), R9")
	n.op("LSL $%d, R9", n.size())
	n.op("MOVD c+64(FP), R11")
	n.op("MOVD ldc+72(FP), R12")
	n.op("LSL $2, R12")
	n.note("the code for m rows")
	n.op("MOVD m+0(FP), R14")
	for m := n.mr; m > 1; m-- {
		n.op("CMP $%d, R14", m)
		n.op("BEQ rows%d", m)
	}
	for m := 1; m <= n.mr; m++ {
		n.line("\nrows%d:", m)
		if m <= len(n.wide) {
			n.op("MOVD tail+80(FP), R14")
			n.op("CMP $%d, R14", n.nr())
			n.op("CSET LT, R14")
			n.op("SUB R14, R13, R14")
			n.op("CMP $%d, R14", n.wide[m-1])
			n.op("BLT panel%d", m)
			n.tile(m, n.wide[m-1], "group")
			n.op("CBNZ R13, rows%d", m)
			n.op("RET")
		}
		n.tile(m, 1, "panel")
		n.op("CBNZ R13, panel%d", m)
		n.op("RET")
		n.line("\ntail%d:", m)
		n.tail(m)
		n.op("RET")
	}
}

// tile writes the code for m rows of some panels; label begins its labels.
func (n neon) tile(m, panels int, label string) {
	step := func(lanes int) {
		for u := range lanes {
			for p := range panels {
				for h := 0; h < n.vecs; h += 2 {
					n.loadB(4*h, n.b(p))
					for i := range m {
						d := (i*panels+p)*n.vecs + h
						n.fmla(30, n.a(i), u, d)
						n.fmla(31, n.a(i), u, d+1)
					}
				}
				n.op("ADD R9, %s", n.b(p))
			}
		}
	}
	n.line("\n%s%d:", label, m)
	n.note("%d × %d·%d: the rows of A, the panels of B", m, panels, n.nr())
	n.op("MOVD a+24(FP), R0")
	n.op("MOVD lda+32(FP), R14")
	for i := 1; i < m; i++ {
		n.op("ADD R14<<2, R%d, R%d", i-1, i)
	}
	n.op("MOVD step+56(FP), R14")
	for p := 1; p < panels; p++ {
		n.op("ADD R14<<%d, %s, %s", n.size(), n.b(p-1), n.b(p))
	}
	n.zero(m * panels * n.vecs)
	n.op("MOVD k+8(FP), R10")
	n.op("SUBS $4, R10")
	n.op("BLT %srest%d", label, m)

	n.line("\n%sloop%d:", label, m)
	for i := range m {
		n.op("FMOVQ.P 16(R%d), F%d", i, n.a(i))
	}
	step(4)
	n.op("SUBS $4, R10")
	n.op("BGE %sloop%d", label, m)

	n.line("\n%srest%d:", label, m)
	n.op("ADDS $4, R10")
	n.op("BEQ %sdone%d", label, m)
	n.line("\n%sone%d:", label, m)
	for i := range m {
		n.op("FMOVS.P 4(R%d), F%d", i, n.a(i))
	}
	step(1)
	n.op("SUBS $1, R10")
	n.op("BNE %sone%d", label, m)

	n.line("\n%sdone%d:", label, m)
	n.note("the next panel")
	n.op("MOVD k+8(FP), R14")
	n.op("MUL R9, R14")
	n.op("SUB R14, R20")
	n.op("MOVD step+56(FP), R14")
	for range panels {
		n.op("ADD R14<<%d, R20", n.size())
	}
	n.op("MOVD R11, R14")
	n.op("ADD $%d, R11", 4*panels*n.nr())
	n.op("SUB $%d, R13", panels)
	n.op("MOVBU add+88(FP), R15")
	if panels == 1 {
		n.op("CBNZ R13, full%d", m)
		n.op("MOVD tail+80(FP), R10")
		n.op("CMP $%d, R10", n.nr())
		n.op("BLT tail%d", m)
		n.line("\nfull%d:", m)
	}
	n.op("CBZ R15, %sstore%d", label, m)
	n.note("C += sums")
	n.output(m, panels*n.vecs, true)
	n.op("B %send%d", label, m)
	n.line("\n%sstore%d:", label, m)
	n.output(m, panels*n.vecs, false)
	n.line("\n%send%d:", label, m)
}

// output adds m rows of sums to C or stores them; R14 is the address of C.
func (n neon) output(m, vecs int, add bool) {
	for i := range m {
		for j := 0; j < vecs; j += 2 {
			d := i*vecs + j
			if add {
				n.op("FLDPQ %d(R14), (F30, F31)", 16*j)
				n.fadd(d, 30, d)
				n.fadd(d+1, 31, d+1)
			}
			n.op("FSTPQ (F%d, F%d), %d(R14)", d, d+1, 16*j)
		}
		if i < m-1 {
			n.op("ADD R12, R14")
		}
	}
}

// tail is output for the columns of the last panel alone, lane by lane; R15 says whether to add.
func (n neon) tail(m int) {
	for i := range m {
		n.op("MOVD R14, R1")
		n.op("MOVD tail+80(FP), R10")
		for j := range n.vecs {
			n.op("VMOV V%d.B16, V31.B16", i*n.vecs+j)
			n.op("MOVD $4, R0")
			n.line("\nlane%dx%dx%d:", m, i, j)
			n.op("CBZ R15, lanestore%dx%dx%d", m, i, j)
			n.op("FMOVS (R1), F30")
			n.op("FADDS F31, F30, F30")
			n.op("FMOVS F30, (R1)")
			n.op("B lanenext%dx%dx%d", m, i, j)
			n.line("\nlanestore%dx%dx%d:", m, i, j)
			n.op("FMOVS F31, (R1)")
			n.line("\nlanenext%dx%dx%d:", m, i, j)
			n.op("ADD $4, R1")
			n.op("SUBS $1, R10")
			n.op("BEQ row%dx%d", m, i)
			n.op("VEXT $4, V31.B16, V31.B16, V31.B16")
			n.op("SUBS $1, R0")
			n.op("BNE lane%dx%dx%d", m, i, j)
		}
		n.line("\nrow%dx%d:", m, i)
		n.op("ADD R12, R14")
	}
}

func (n neon) peak() {
	n.line("\n// func peakNEON(n int)")
	n.line("TEXT ·peakNEON(SB), NOSPLIT, $0-8")
	n.op("MOVD n+0(FP), R0")
	n.zero(26)
	n.line("\nloop:")
	for i := range 24 {
		n.fmla(24, 25, 0, i)
	}
	n.op("SUBS $1, R0")
	n.op("BNE loop")
	n.op("RET")
}

// widen writes the conversion of n elements of a storage type, a multiple of 16.
func (n neon) widen() {
	n.line("\n// func widen%sNEON(dst *float32, src *uint16, n int)", n.storage)
	n.line("TEXT ·widen%sNEON(SB), NOSPLIT, $0-24", n.storage)
	n.op("MOVD dst+0(FP), R0")
	n.op("MOVD src+8(FP), R1")
	n.op("MOVD n+16(FP), R2")
	n.line("\nloop:")
	n.loadB(0, "R1")
	n.op("FSTPQ (F30, F31), (R0)")
	n.loadB(8, "R1")
	n.op("FSTPQ (F30, F31), 32(R0)")
	n.op("ADD $32, R1")
	n.op("ADD $64, R0")
	n.op("SUBS $16, R2")
	n.op("BNE loop")
	n.op("RET")
}
