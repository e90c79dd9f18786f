package main

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
