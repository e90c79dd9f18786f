package main

// An isa is one of the vector instruction sets of x86.
type isa struct {
	suffix  string // of the functions' names
	masks   bool   // has mask registers
	longest string // prefix of the longest vector registers
	regs    int    // how many vector registers
	kernels []kernel
	limit   string // a comment on what bounds the main loops
	few     int    // rows up to which a tile waits for memory
	fours   int    // rows that tiles of way fours read four elements at a time

	boundsRows int // rows up to which the bounds wait for memory
}

var avx512 = isa{suffix: "AVX512", masks: true, longest: "Z", regs: 32, few: 9, fours: 3, boundsRows: 4, limit: limitAVX512 + limitColumns, kernels: []kernel{
	{name: "strip32", storage: "Float32", mr: 14, vecs: 2, wide: map[int]int{1: 4}, fetch: fetch32AVX512},
	{name: "strip32", storage: "Float32", mr: shortRows, vecs: 2, wide: map[int]int{5: 2, 6: 2}, fetch: fetch{far: "·farAVX512(SB)"}, short: true, intel: true},
	{name: "strip16", storage: "Float32", mr: 14, vecs: 1, fetch: fetch{far: "$4096"}, many: fours},
	{name: "strip16", storage: "Float32", mr: 14, vecs: 1, many: direct, intel: true},
	{name: "strip8", storage: "Float32", mr: fewestRows - 1, vecs: 1, reg: "Y", fetch: fetch{far: "$2048"}, many: columns},
	{name: "strip8", storage: "Float32", vecs: 1, reg: "Y", many: piped, intel: true},
	{name: "strip32", storage: "BFloat16", mr: 14, vecs: 2, fetch: fetch16AVX512},
	{name: "strip32", storage: "Float16", mr: 14, vecs: 2, fetch: fetch16AVX512},
}}

var avx2 = isa{suffix: "AVX2", longest: "Y", regs: 16, few: 5, fours: 2, boundsRows: 2, limit: limitAVX2, kernels: []kernel{
	{name: "strip16", storage: "Float32", mr: 6, vecs: 2, wide: map[int]int{1: 4, 2: 2, 3: 2}, fetch: fetch32AVX2},
	{name: "strip8", storage: "Float32", mr: 11, vecs: 1, fetch: fetch{far: "$2048"}, many: fours},
	{name: "strip16", storage: "BFloat16", mr: 6, vecs: 2, wide: map[int]int{1: 4, 2: 2, 3: 2}, fetch: fetch16AVX2},
	{name: "strip16", storage: "Float16", mr: 6, vecs: 2, wide: map[int]int{1: 4, 2: 2, 3: 2}, fetch: fetch16AVX2},
}}

const limitAVX512 = `//
// A step of the 14 × 32 loop has 28 multiply-adds, at two a cycle 14 cycles. Beside them it has 14 broadcasts, 2 loads and 2 prefetches,
// 9 cycles at two a cycle, and 47 instructions in all, 8 cycles at six. So the multiply-adds bound it. In the 14 × 16 loop they take 7 cycles.
// Its loads, one of B, 11 broadcasts and three quarters of one of four elements, take 6½; its three shuffles run beside the multiply-adds. On
// Intel's cores they would run on one of their ports, which makes 8½: without them it is the 15 loads that take 7½.
`

const limitAVX2 = `//
// A step of the 6 × 16 loop has 12 multiply-adds, at two a cycle 6 cycles; the 12 accumulators hide a latency of up to 6 cycles. Beside them
// it has 6 broadcasts, 2 loads and a prefetch, 4½ cycles at two a cycle, and 22 instructions in all, 4 cycles at six. So the
// multiply-adds bound it. In the 11 × 8 loop they take 5½ cycles. Its loads, one of B, nine broadcasts and half of one of four elements, take
// 5¼; its two shuffles run on other ports.`

// file returns the assembly of a level.
func (s isa) file() []byte {
	var t text
	with := func(k kernel) x86 { return x86{text: &t, isa: s, kernel: k} }
	t.header()
	t.line("%s", stripRegisters)
	t.line("%s", s.limit)
	for _, k := range s.kernels {
		with(k).function()
	}
	x := with(kernel{})
	x.peak()
	for _, storage := range []string{"BFloat16", "Float16"} {
		with(kernel{storage: storage}).widen()
	}
	first := s.kernels[0]
	for _, storage := range []string{"Float32", "BFloat16"} {
		compact{with(kernel{storage: storage, mr: first.mr, vecs: 2, fetch: fetch{far: first.far}})}.functions()
	}
	x.compactConstants()
	x.transpose()
	x.copyRows()
	with(first).copyStrip()
	x.read()
	x.bounds(s.boundsRows, false)
	if s.masks {
		x.bounds(2*s.boundsRows, true)
	} else { // both levels use it
		x.chainsFunction()
	}
	return t.Bytes()
}
