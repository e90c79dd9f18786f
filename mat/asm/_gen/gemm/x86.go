package main

import "fmt"

// An isa is one of the vector instruction sets of x86.
type isa struct {
	suffix  string // of the functions' names
	masks   bool   // has mask registers
	reg     string // prefix of the widest registers
	regs    int    // how many vector registers
	kernels []kernel
	limit   string // a comment on what bounds the main loop
	few     int    // rows up to which a tile waits for memory

	boundsRows int // rows up to which the bounds wait for memory
}

// A kernel is a function that multiplies a strip of A by panels of B.
type kernel struct {
	name    string
	storage string // of B: "Float32", "BFloat16" or "Float16"
	reg     string // prefix of the vector registers
	mr      int    // rows of the largest tile
	vecs    int    // vectors in a row of a panel
	wide    []int  // wide[m-1] > 1: how many panels m rows take at once
	ahead   int    // rows of B between a load and its prefetch
	paced   int    // rows from which on a tile fetches twice, 0 for none
	far     string // bytes between them where B comes from memory and not from a cache, as an operand
	fewFar  string // the same for few rows that fetch twice
	farther string // the same for many rows, to the second-level cache
	fours   int    // of many rows of A, how many are read four elements at a time
	direct  bool   // whether the multiply-adds of many rows read A
	columns bool   // whether many rows are computed by columns
	piped   bool   // whether 16 rows are transposed between the multiply-adds
	intel   bool   // whether it is for Intel's cores
	short   bool   // whether it is for short sums alone
	others  string // the kernel for rows that this one has no code for
}

var avx512 = isa{suffix: "AVX512", masks: true, reg: "Z", regs: 32, few: 9, boundsRows: 4, kernels: []kernel{
	{name: "strip32", storage: "Float32", reg: "Z", mr: 14, vecs: 2, wide: []int{4}, ahead: 16, paced: 8, far: "·farAVX512(SB)", fewFar: "·fewFarAVX512(SB)", farther: "$12288"},
	{name: "strip32Intel", storage: "Float32", reg: "Z", mr: shortRows, vecs: 2, wide: []int{0, 0, 0, 0, 2, 2}, far: "·farAVX512(SB)", short: true, others: "strip32"},
	{name: "strip16", storage: "Float32", reg: "Z", mr: 14, vecs: 1, far: "$4096", fours: 3},
	{name: "strip16Intel", storage: "Float32", reg: "Z", mr: 14, vecs: 1, far: "$4096", direct: true, others: "strip16"},
	{name: "strip8", storage: "Float32", reg: "Y", mr: columnRows, vecs: 1, far: "$2048", columns: true},
	{name: "strip8Intel", storage: "Float32", reg: "Y", mr: columnRows, vecs: 1, far: "$2048", columns: true, piped: true, others: "strip8"},
	{name: "strip32", storage: "BFloat16", reg: "Z", mr: 14, vecs: 2, ahead: 32, paced: 2, far: "·farAVX512(SB)", fewFar: "·fewFarAVX512(SB)", farther: "$12288"},
	{name: "strip32", storage: "Float16", reg: "Z", mr: 14, vecs: 2, ahead: 32, paced: 2, far: "·farAVX512(SB)", fewFar: "·fewFarAVX512(SB)", farther: "$12288"},
}, limit: `//
// A step of the 14 × 32 loop has 28 multiply-adds, at two a cycle 14 cycles. Beside them it has 14 broadcasts, 2 loads and 2 prefetches,
// 9 cycles at two a cycle, and 47 instructions in all, 8 cycles at six. So the multiply-adds bound it. In the 14 × 16 loop they take 7 cycles.
// Its loads, one of B, 11 broadcasts and three quarters of one of four elements, take 6½; its three shuffles run beside the multiply-adds. On
// Intel's cores they would run on one of their ports, which makes 8½: without them it is the 15 loads that take 7½.
` + limitColumns}

var avx2 = isa{suffix: "AVX2", reg: "Y", regs: 16, few: 5, boundsRows: 2, kernels: []kernel{
	{name: "strip16", storage: "Float32", reg: "Y", mr: 6, vecs: 2, wide: []int{4, 2, 2}, ahead: 32, paced: 4, far: "·farAVX2(SB)", fewFar: "$12288", farther: "$12288"},
	{name: "strip8", storage: "Float32", reg: "Y", mr: 11, vecs: 1, far: "$2048", fours: 2},
	{name: "strip16", storage: "BFloat16", reg: "Y", mr: 6, vecs: 2, wide: []int{4, 2, 2}, ahead: 64, paced: 4, far: "·farAVX2(SB)", fewFar: "$12288", farther: "$12288"},
	{name: "strip16", storage: "Float16", reg: "Y", mr: 6, vecs: 2, wide: []int{4, 2, 2}, ahead: 64, paced: 4, far: "·farAVX2(SB)", fewFar: "$12288", farther: "$12288"},
}, limit: `//
// A step of the 6 × 16 loop has 12 multiply-adds, at two a cycle 6 cycles; the 12 accumulators hide a latency of up to 6 cycles. Beside them
// it has 6 broadcasts, 2 loads and a prefetch, 4½ cycles at two a cycle, and 22 instructions in all, 4 cycles at six. So the
// multiply-adds bound it. In the 11 × 8 loop they take 5½ cycles. Its loads, one of B, nine broadcasts and half of one of four elements, take
// 5¼; its two shuffles run on other ports.`}

// shortRows is how many rows Intel's cores take by two panels at once where sums have up to shortK terms and C is what costs: between the panels they wait.
const (
	shortRows = 6
	shortK    = 32
)

// unroll is how many steps of k most main loops do.
const unroll = 4

func (s isa) file() []byte {
	var t text
	t.header()
	t.line(`
// Registers of the strip kernels (strides in bytes):
//
//	AX BX CX  A, rows 0, 5 and 10 on     DX DI  lda, 3·lda
//	SI        B                          R8     ldb
//	R9        distance of a prefetch         R14 R15  address of another, and how far it moves in a step
//	R10       steps of k left            R13    panels left
//	R11       C                          R12    ldc
//
// Where a tile is several panels wide, BX and CX are step and 3·step, R14 is row 5 of A, and R9 is the address of the prefetch.
// Vector registers from 0 up are accumulators, row by row; the last ones hold a row of B and broadcast elements of A.`)
	t.line("%s", s.limit)
	for _, k := range s.kernels {
		x86{text: &t, isa: s, kernel: k}.function()
	}
	x86{text: &t, isa: s, kernel: kernel{reg: s.reg}}.peak()
	for _, storage := range []string{"BFloat16", "Float16"} {
		x86{text: &t, isa: s, kernel: kernel{reg: s.reg, storage: storage}}.widen()
	}
	for _, storage := range []string{"Float32", "BFloat16"} {
		x86{text: &t, isa: s, kernel: kernel{storage: storage, reg: s.reg, mr: s.kernels[0].mr, vecs: 2, far: s.kernels[0].far}}.compact()
	}
	x := x86{text: &t, isa: s, kernel: kernel{reg: s.reg}}
	x.compactConstants()
	x.transpose()
	x.copyRows()
	x86{text: &t, isa: s, kernel: s.kernels[0]}.copyStrip()
	x.read()
	x.bounds(s.boundsRows, false)
	if s.masks {
		x.bounds(2*s.boundsRows, true)
	} else { // both levels use it
		x.chainsFunction()
	}
	return t.Bytes()
}

// x86 writes one function.
type x86 struct {
	*text
	isa
	kernel
}

func (x x86) v(i int) string { return fmt.Sprintf("%s%d", x.kernel.reg, i) }

// bytes is the size of a vector.
func (x x86) bytes() int {
	if x.kernel.reg == "Z" {
		return 64
	}
	return 32
}

// nr is the number of columns of a panel.
func (x x86) nr() int { return x.vecs * x.bytes() / 4 }

// b is register i of a row of B; broadcast is the one that holds the element of row i of A.
func (x x86) b(i int) string         { return x.v(x.regs - 2 - x.vecs + i) }
func (x x86) broadcast(i int) string { return x.v(x.regs - 2 + i%2) }

// size is log2 of the size of an element of B, shift that of the address of vector i in a row of B.
func (x x86) size() int {
	if x.storage == "Float32" {
		return 2
	}
	return 1
}

// a is the address of element u of row i of A.
func (x x86) a(i, u int) string {
	base := []string{"AX", "BX", "CX"}[i/5]
	return fmt.Sprintf("%d(%s)%s", 4*u, base, []string{"", "(DX*1)", "(DX*2)", "(DI*1)", "(DX*4)"}[i%5])
}

// panel is the index of panel p in an address of a tile several panels wide.
func panel(p int) string { return []string{"", "(BX*1)", "(BX*2)", "(CX*1)"}[p] }

func (x x86) loadB(address, to string) {
	switch x.storage {
	case "Float32":
		x.op("VMOVUPS %s, %s", address, to)
	case "BFloat16":
		x.op("VPMOVZXWD %s, %s", address, to)
		x.op("VPSLLD $16, %s, %s", to, to)
	case "Float16":
		x.op("VCVTPH2PS %s, %s", address, to)
	}
}

func (x x86) zero(n int) {
	for i := range n {
		if x.isa.masks && i >= 16 {
			x.op("VPXORD Z%d, Z%d, Z%d", i, i, i)
		} else {
			x.op("VXORPS X%d, X%d, X%d", i, i, i)
		}
	}
}

func (x x86) function() {
	name := x.name + x.suffix
	if x.storage != "Float32" {
		name = x.name + x.storage + x.suffix
	}
	x.line("\n// func %s(m, k, panels int, a *float32, lda int, b unsafe.Pointer, ldb, step int, c *float32, ldc, tail int, add bool, ahead Ahead)", name)
	x.line("TEXT ·%s(SB), NOSPLIT, $0-120", name)
	x.op("MOVQ panels+16(FP), R13")
	x.op("MOVQ lda+32(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("LEAQ (DX)(DX*2), DI")
	x.op("MOVQ b+40(FP), SI")
	x.op("MOVQ ldb+48(FP), R8")
	x.op("SHLQ $%d, R8", x.size())
	x.op("MOVQ c+64(FP), R11")
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.tailMasks()
	x.note("the code for m rows")
	x.op("MOVQ m+0(FP), AX")
	least, most := 1, x.mr
	switch {
	case x.direct:
		least = x.few + 1
	case x.short:
		least = shortRows - 1
		x.op("CMPQ k+8(FP), $%d", shortK)
		x.op("JGT others")
	case x.piped:
		x.op("CMPQ AX, $%d", pipedRows)
		x.op("JEQ columns")
		most = 0
	case x.columns:
		x.op("CMPQ AX, $%d", fewestRows)
		x.op("JGE columns")
		most = fewestRows - 1
	}
	for m := most; m >= max(2, least); m-- {
		x.op("CMPQ AX, $%d", m)
		x.op("JEQ rows%d", m)
	}
	if x.short {
		x.line("\nothers:")
	}
	if x.others != "" {
		x.op("JMP ·%s%s(SB)", x.others, x.suffix)
	}
	for m := least; m <= most; m++ {
		if m <= len(x.wide) && x.wide[m-1] > 1 {
			x.wideTile(m, x.wide[m-1])
		} else {
			x.line("\nrows%d:", m)
		}
		x.tile(m)
	}
	if x.columns {
		x.columnTile()
	}
}

// tailMasks sets the masks that select the columns of the last panel.
func (x x86) tailMasks() {
	if !x.isa.masks {
		return
	}
	x.note("K1 and K2 select the columns of the last panel")
	x.op("MOVQ tail+80(FP), CX")
	x.op("MOVQ $1, AX")
	x.op("SHLQ CX, AX")
	x.op("DECQ AX")
	x.op("KMOVW AX, K1")
	if x.vecs == 2 {
		x.op("SHRQ $16, AX")
		x.op("KMOVW AX, K2")
	}
}

// tile writes the loop over panels for m rows.
func (x x86) tile(m int) {
	if m <= len(x.wide) {
		x.line("\nsingle%d:", m)
	}
	x.distances(m)
	x.line("\npanel%d:", m)
	x.op("MOVQ a+24(FP), AX")
	x.note("%d × %d: fetch C ahead, clear the sums", m, x.nr())
	x.fetchC(m, 1)
	x.nextStrip(m)
	x.bases(m)
	x.zero(m * x.vecs)
	x.op("MOVQ k+8(FP), R10")
	steps := x.steps(m)
	x.op("SUBQ $%d, R10", steps)
	x.op("JLT rest%d", m)
	x.lightLoop(m)

	x.line("\nloop%d:", m)
	for u := range steps {
		x.step(m, u, whole)
	}
	x.prefetchStrip(m)
	x.advance(m, steps)
	x.op("SUBQ $%d, R10", steps)
	x.op("JGE loop%d", m)

	x.line("\nrest%d:", m)
	x.op("ADDQ $%d, R10", steps)
	x.op("JEQ done%d", m)
	x.line("\none%d:", m)
	x.step(m, 0, rest)
	x.advance(m, 1)
	x.op("DECQ R10")
	x.op("JNE one%d", m)

	x.line("\ndone%d:", m)
	x.nextPanel(m)
	x.finish(m)
}

// steps is how many steps of k the main loop of a tile of m rows does.
func (x x86) steps(m int) int {
	if x.isDirect(m) {
		return directSteps
	}
	return unroll
}

// finish writes what follows when the sums of a panel of m rows are complete, and the way back to label panel.
func (x x86) finish(m int) {
	x.op("MOVQ R11, AX")
	x.op("ADDQ $%d, R11", 4*x.nr())
	x.op("MOVBLZX add+88(FP), BX")
	x.op("CMPQ R13, $1")
	x.op("JNE full%d", m)
	x.op("CMPQ tail+80(FP), $%d", x.nr())
	x.op("JLT tail%d", m)
	x.line("\nfull%d:", m)
	x.op("TESTL BX, BX")
	x.op("JEQ store%d", m)
	x.note("C += sums")
	x.output(m, 1, true)
	x.op("DECQ R13")
	x.op("JNE panel%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
	x.line("\nstore%d:", m)
	x.output(m, 1, false)
	x.op("DECQ R13")
	x.op("JNE panel%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
	x.line("\ntail%d:", m)
	x.tailOutput(m)
}

// fetchC fetches m rows of some panels of C ahead.
func (x x86) fetchC(m, panels int) {
	x.op("MOVQ R11, R10")
	for i := range m {
		for line := 0; line < 4*panels*x.nr(); line += 64 {
			x.op("PREFETCHT0 %d(R10)", line)
		}
		if i < m-1 {
			x.op("ADDQ R12, R10")
		}
	}
}

// bases sets the addresses of rows 5 and 10 of A, of m.
func (x x86) bases(m int) {
	if m > 5 {
		x.op("LEAQ (AX)(DX*4), BX")
		x.op("ADDQ DX, BX")
	}
	if m > 10 {
		x.op("LEAQ (BX)(DX*4), CX")
		x.op("ADDQ DX, CX")
	}
}

// A loop over k is the main one, one that fetches less, or that of the steps that they leave.
type loop int

const (
	whole loop = iota
	light
	rest
)

// step writes one step of k, the u-th of a loop.
func (x x86) step(m, u int, l loop) {
	for i := range x.vecs {
		x.loadB(fmt.Sprintf("%d(SI)", i*x.bytes()>>(2-x.size())), x.b(i))
	}
	between := x.stepB(m, l)
	if x.isDirect(m) {
		x.directStep(m, u, l)
		return
	}
	for i := range m {
		x.element(m, i, u, l)
		for j := range x.vecs {
			x.op("VFMADD231PS %s, %s, %s", x.b(j), x.broadcast(i), x.v(i*x.vecs+j))
		}
		if i%2 == 1 && len(between) > 0 {
			x.op("%s", between[0])
			between = between[1:]
		}
	}
	for _, op := range between {
		x.op("%s", op)
	}
}

// advance moves the pointers of A by n elements.
func (x x86) advance(m, n int) {
	for i, base := range []string{"AX", "BX", "CX"} {
		if m > 5*i {
			x.op("ADDQ $%d, %s", 4*n, base)
		}
	}
}

// nextB moves the pointer of B from the end of a panel to the start of the n-th one after it.
func (x x86) nextB(n int) {
	x.note("the next panel")
	x.op("MOVQ k+8(FP), AX")
	x.op("IMULQ R8, AX")
	x.op("SUBQ AX, SI")
	x.op("MOVQ step+56(FP), AX")
	if n > 1 {
		x.op("IMULQ $%d, AX", n)
	}
	x.op("SHLQ $%d, AX", x.size())
	x.op("ADDQ AX, SI")
}

// output adds the sums to C or stores them; AX is the address of C.
func (x x86) output(m, panels int, add bool) {
	for i := range m {
		for j := range panels * x.vecs {
			r := x.v(i*panels*x.vecs + j)
			if add {
				x.op("VADDPS %d(AX), %s, %s", j*x.bytes(), r, r)
			}
			x.op("VMOVUPS %s, %d(AX)", r, j*x.bytes())
		}
		if i < m-1 {
			x.op("ADDQ R12, AX")
		}
	}
}

// tailOutput is output for the columns of the last panel alone, and returns.
func (x x86) tailOutput(m int) {
	x.op("TESTL BX, BX")
	x.op("JEQ storetail%d", m)
	for _, add := range []bool{true, false} {
		if !add {
			x.line("\nstoretail%d:", m)
		}
		if !x.isa.masks {
			x.op("MOVQ tail+80(FP), BX")
		}
		for i := range m {
			if x.isa.masks {
				x.masked(i, add)
			} else {
				x.pieces(i, add, fmt.Sprintf("%dx%d%v", m, i, add))
			}
			if i < m-1 {
				x.op("ADDQ R12, AX")
			}
		}
		x.op("VZEROUPPER")
		x.op("RET")
	}
}

// masked adds the sums of row i to C or stores them through masks.
func (x x86) masked(i int, add bool) {
	for j := range x.vecs {
		r, t := x.v(i*x.vecs+j), x.broadcast(j)
		if add {
			x.op("VMOVUPS.Z %d(AX), K%d, %s", j*x.bytes(), 1+j, t)
			x.op("VADDPS %s, %s, %s", t, r, r)
		}
		x.op("VMOVUPS %s, K%d, %d(AX)", r, 1+j, j*x.bytes())
	}
}

// pieces adds the sums of row i to C or stores them in pieces of 8, 4, 2 and 1, as the bits of BX say. (VMASKMOVPS is slow on AMD.)
func (x x86) pieces(i int, add bool, label string) {
	r := i * x.vecs
	x.op("MOVQ AX, CX")
	if x.vecs == 2 {
		x.op("TESTL $8, BX")
		x.op("JEQ four%s", label)
		if add {
			x.op("VADDPS (CX), Y%d, Y%d", r, r)
		}
		x.op("VMOVUPS Y%d, (CX)", r)
		x.op("VMOVAPS Y%d, Y%d", r+1, r)
		x.op("ADDQ $32, CX")
	}
	x.line("\nfour%s:", label)
	x.op("TESTL $4, BX")
	x.op("JEQ two%s", label)
	x.op("VEXTRACTF128 $1, Y%d, X15", r)
	if add {
		x.op("VADDPS (CX), X%d, X%d", r, r)
	}
	x.op("VMOVUPS X%d, (CX)", r)
	x.op("VMOVAPS X15, X%d", r)
	x.op("ADDQ $16, CX")
	x.line("\ntwo%s:", label)
	x.op("TESTL $2, BX")
	x.op("JEQ one%s", label)
	if add {
		x.op("VMOVSD (CX), X15")
		x.op("VADDPS X15, X%d, X%d", r, r)
	}
	x.op("VMOVSD X%d, (CX)", r)
	x.op("VPERMILPS $14, X%d, X%d", r, r)
	x.op("ADDQ $8, CX")
	x.line("\none%s:", label)
	x.op("TESTL $1, BX")
	x.op("JEQ row%s", label)
	if add {
		x.op("VADDSS (CX), X%d, X%d", r, r)
	}
	x.op("VMOVSS X%d, (CX)", r)
	x.line("\nrow%s:", label)
}

// wideTile writes the loop over groups of n whole panels for m rows. What is left goes on at label single.
func (x x86) wideTile(m, n int) {
	x.line("\nrows%d:", m)
	x.op("MOVQ step+56(FP), BX")
	x.op("SHLQ $%d, BX", x.size())
	x.op("LEAQ (BX)(BX*2), CX")
	x.line("\ngroup%d:", m)
	x.op("MOVQ R13, R10")
	x.op("CMPQ tail+80(FP), $%d", x.nr())
	x.op("SBBQ $0, R10")
	x.op("CMPQ R10, $%d", n)
	x.op("JLT single%d", m)
	x.note("%d × %d·%d", m, n, x.nr())
	x.op("MOVQ a+24(FP), AX")
	if m > 5 {
		x.op("LEAQ (AX)(DX*4), R14")
		x.op("ADDQ DX, R14")
	}
	if x.short {
		x.fetchC(m, n)
	} else {
		x.op("MOVQ R8, R9")
		x.op("IMULQ $%d, R9", x.ahead)
		x.op("ADDQ SI, R9")
	}
	x.zero(m * n * x.vecs)
	x.op("MOVQ k+8(FP), R10")
	x.op("TESTQ R10, R10")
	x.op("JEQ groupdone%d", m)
	x.groupLoop(m, n)
	x.line("\ngroupdone%d:", m)
	x.nextB(n)
	x.op("MOVQ R11, AX")
	x.op("ADDQ $%d, R11", 4*n*x.nr())
	x.op("CMPB add+88(FP), $0")
	x.op("JEQ groupstore%d", m)
	x.output(m, n, true)
	x.op("JMP groupend%d", m)
	x.line("\ngroupstore%d:", m)
	x.output(m, n, false)
	x.line("\ngroupend%d:", m)
	x.op("SUBQ $%d, R13", n)
	x.op("JNE group%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
}

// groupLoop writes the loop over k for n panels and m rows.
func (x x86) groupLoop(m, n int) {
	x.line("\ngrouploop%d:", m)
	if !x.short {
		x.nextGroup(m, n)
	}
	for i := range m {
		from := "(R14)" // row 5, as BX is taken
		if i < 5 {
			from = x.a(i, 0)
		}
		x.op("VBROADCASTSS %s, %s", from, x.v(x.regs-1-i))
	}
	for p := range n {
		for i := 0; i < x.nr()<<x.size() && !x.short; i += 64 {
			x.op("PREFETCHT0 %d(R9)%s", i, panel(p))
		}
		for j := range x.vecs {
			address := fmt.Sprintf("%d(SI)%s", j*x.bytes()>>(2-x.size()), panel(p))
			b := x.v(x.regs - 1 - m)
			if m == 1 && x.storage == "Float32" {
				b = address
			} else {
				x.loadB(address, b)
			}
			for i := range m {
				x.op("VFMADD231PS %s, %s, %s", b, x.v(x.regs-1-i), x.v((i*n+p)*x.vecs+j))
			}
		}
	}
	x.op("ADDQ $4, AX")
	if m > 5 {
		x.op("ADDQ $4, R14")
	}
	x.op("ADDQ R8, SI")
	if !x.short {
		x.op("ADDQ R8, R9")
	}
	x.op("DECQ R10")
	x.op("JNE grouploop%d", m)
}

// nextGroup moves the pointer of the prefetch from a panel's end to the panel in its place in the next group.
func (x x86) nextGroup(m, n int) {
	x.note("from a panel's end on, the panel in its place in the next group is fetched")
	x.op("CMPQ R10, $%d", x.ahead)
	x.op("JNE fetch%d", m)
	x.op("LEAQ (R9)%s, R9", panel(n-1))
	x.line("\nfetch%d:", m)
}

// peakFMAs is how many fused multiply-adds of vectors a step of the peak function does: enough to hide their latency.
const peakFMAs = 12

// peak writes a loop of independent fused multiply-adds that touches no memory.
func (x x86) peak() {
	x.line("\n// func peak%s(n int)", x.suffix)
	x.line("TEXT ·peak%s(SB), NOSPLIT, $0-8", x.suffix)
	x.op("MOVQ n+0(FP), AX")
	x.zero(peakFMAs + 2)
	x.line("\nloop:")
	for i := range peakFMAs {
		x.op("VFMADD231PS %s, %s, %s", x.v(peakFMAs), x.v(peakFMAs+1), x.v(i))
	}
	x.op("DECQ AX")
	x.op("JNE loop")
	x.op("VZEROUPPER")
	x.op("RET")
}

// widen writes the conversion of n elements of a storage type, a multiple of 16.
func (x x86) widen() {
	x.line("\n// func widen%s%s(dst *float32, src *uint16, n int)", x.storage, x.suffix)
	x.line("TEXT ·widen%s%s(SB), NOSPLIT, $0-24", x.storage, x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ src+8(FP), SI")
	x.op("MOVQ n+16(FP), CX")
	x.line("\nloop:")
	for o := 0; o < 64; o += x.bytes() {
		x.loadB(fmt.Sprintf("%d(SI)", o/2), x.v(0))
		x.op("VMOVUPS %s, %d(DI)", x.v(0), o)
	}
	x.op("ADDQ $32, SI")
	x.op("ADDQ $64, DI")
	x.op("SUBQ $16, CX")
	x.op("JNE loop")
	x.op("VZEROUPPER")
	x.op("RET")
}
