package main

import "fmt"

// B in the compact layout is put together from bytes: a shuffle finds the first byte of each element, the first unpacking makes words of both bytes, the second
// floats of them and of the last words, which in bfloat16 are zeros.
//
// A unit of 64 elements takes 9 such operations with AVX-512, and one row of A 4 multiply-adds beside them: on ports that can do two of either a cycle that is
// 6½ cycles for 96 or 224 bytes, which take longer to come from memory. (So do the sums of one row, which wait 4 cycles for each step: 8 cycles a unit.) In a strip of
// 14 rows they are 9 of 65 operations, where they share ports with the multiply-adds. With AVX2 a unit has half as many elements, and 6 rows 24 multiply-adds.

// compactNear is how many bytes ahead Intel's cores fetch B to the first-level cache, once it has come to the second: they have room for few lines that are on
// their way from memory to the first. That is 5 to 10 % faster there.
const compactNear = 512

// pairRows is how many rows take two panels at once on Intel's cores, which read two streams faster than one.
func (x x86) pairRows() int {
	if x.storage == "BFloat16" {
		return 7
	}
	return 5
}

// quarters reports whether m rows fetch the next panels while they multiply those at hand, a line of each quarter in turn. On Intel's cores four streams, each
// in pages of its own, come faster than one beside multiply-adds: 8 rows of float32 take a fifth less time, 4 to 7 of bfloat16 a tenth. One row of bfloat16 and few
// of float32, which do little else than wait for memory, take 2 to 3 % longer so.
func (x x86) quarters(m int) bool {
	return x.intel && (m > x.pairRows() || x.storage == "BFloat16" && m > 1)
}

// rareAhead is how many bytes before they are needed the high bytes of rare units are fetched.
const rareAhead = 256

// compactRegister is the i-th of the registers that are no sums: 0 and 1 hold a row of B, 2 and 3 the words of both; 2 is free once the first row is made of it.
func (x x86) compactRegister(i int) string { return x.v(x.regs - 4 + i) }

// unitBytes is the size of a unit.
func (x x86) unitBytes() int { return x.nr() * (2<<x.size() - 1) }

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

// compactStrip writes the function that multiplies, for the cores that are named. More rows than it has code for are those of the other one.
func (x x86) compactStrip(cores string, rows int) {
	x.line(`
// Other registers than those of the strip kernels: R8 is runs, R9 rare, R15 highs; R10 is the units before the next rare one, R14 those of the panel behind them; until the sums of a panel are
// complete, R12 is dst and R11 how far ahead B is fetched; or R11 is a line of a quarter to fetch and R13 how far it is to the next quarter. Of two panels at once, R12 is the second one, CX its
// R10, R14 all units left; its R8 and R9 are in the arguments. The last four vector registers hold what of B is being put together, and broadcast elements of A.`)
	x.line("\n// func compact%s%s%s(m, k, panels int, a *float32, lda int, b unsafe.Pointer, runs *uint16, rare unsafe.Pointer, c *float32, ldc, tail int, add bool, highs *[16]byte, dst *float32)",
		x.storage, cores, x.suffix)
	x.line("TEXT ·compact%s%s%s(SB), NOSPLIT, $0-112", x.storage, cores, x.suffix)
	x.op("MOVQ panels+16(FP), R13")
	x.op("MOVQ lda+32(FP), DX")
	x.op("SHLQ $2, DX")
	x.op("LEAQ (DX)(DX*2), DI")
	x.op("MOVQ b+40(FP), SI")
	x.op("MOVQ runs+48(FP), R8")
	x.op("MOVQ rare+56(FP), R9")
	for i := 0; i < rareAhead; i += 64 {
		x.op("PREFETCHT0 %d(R9)", i)
	}
	x.op("MOVQ c+64(FP), R11")
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("MOVQ highs+96(FP), R15")
	x.tailMasks()
	x.note("the code for m rows")
	x.op("MOVQ m+0(FP), AX")
	for m := rows; m > 0; m-- {
		x.op("CMPQ AX, $%d", m)
		x.op("JEQ rows%d", m)
	}
	if rows < x.mr {
		x.op("JMP ·compact%s%s(SB)", x.storage, x.suffix)
	}
	for m := 1; m <= rows; m++ {
		x.line("\nrows%d:", m)
		if x.intel && m <= x.pairRows() {
			x.compactPairs(m)
		}
		x.compactTile(m)
	}
}

// compactPairs writes the loop over pairs of panels for m rows. What is left goes on at label panel.
func (x x86) compactPairs(m int) {
	x.op("CMPQ dst+104(FP), $0")
	x.op("JNE panel%d", m)
	x.line("\npair%d:", m)
	x.op("MOVQ R13, R10")
	x.op("CMPQ tail+80(FP), $%d", x.nr())
	x.op("SBBQ $0, R10")
	x.op("CMPQ R10, $2")
	x.op("JLT panel%d", m)
	x.note("%d × 2·%d: where the runs and the rare units of the second panel begin", m, x.nr())
	x.op("MOVQ k+8(FP), R14")
	x.op("SHRQ $1, R14")
	x.op("MOVQ R14, R10")
	x.op("MOVQ R8, R12")
	x.op("MOVQ R9, CX")
	x.line("\nfind%d:", m)
	x.op("MOVWLZX (R12), AX")
	x.op("ADDQ $2, R12")
	x.op("SUBQ AX, R10")
	x.op("JEQ found%d", m)
	x.op("ADDQ $%d, CX", 2*x.nr())
	x.op("DECQ R10")
	x.op("JMP find%d", m)
	x.line("\nfound%d:", m)
	x.op("MOVQ CX, rare+56(FP)")
	x.op("MOVWLZX (R8), R10")
	x.op("ADDQ $2, R8")
	x.op("MOVWLZX (R12), CX")
	x.op("ADDQ $2, R12")
	x.op("MOVQ R12, runs+48(FP)")
	x.op("IMUL3Q $%d, R14, R12", x.unitBytes())
	x.op("ADDQ SI, R12")
	x.op("MOVQ R11, c+64(FP)")
	x.startFetches(m, 2)
	x.op("MOVQ a+24(FP), AX")
	x.bases(m)
	x.zero(m * 2 * x.vecs)
	x.line("\nunits%d:", m)
	x.op("SUBQ $1, R10")
	x.op("JCS rarefirst%d", m)
	x.compactUnit(unit{m: m, base: "SI", label: fmt.Sprintf("first%d", m), panels: 2})
	x.op("SUBQ $1, CX")
	x.op("JCS raresecond%d", m)
	x.compactUnit(unit{m: m, base: "R12", label: fmt.Sprintf("second%d", m), panel: 1, panels: 2})
	x.op("ADDQ $%d, SI", x.unitBytes())
	x.op("ADDQ $%d, R12", x.unitBytes())
	x.nextFetches(m, 2)
	x.advance(m, 2)
	x.op("DECQ R14")
	x.op("JNE units%d", m)
	x.op("MOVQ R12, SI")
	x.op("MOVQ runs+48(FP), R8")
	x.op("MOVQ rare+56(FP), R9")
	x.op("MOVQ c+64(FP), AX")
	x.op("LEAQ %d(AX), R11", 2*4*x.nr())
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("CMPB add+88(FP), $0")
	x.op("JEQ storepair%d", m)
	x.output(m, 2, true)
	x.op("JMP endpair%d", m)
	x.line("\nstorepair%d:", m)
	x.output(m, 2, false)
	x.line("\nendpair%d:", m)
	x.endFetches(m)
	x.op("SUBQ $2, R13")
	x.op("JNE pair%d", m)
	x.op("VZEROUPPER")
	x.op("RET")
	x.line("\nrarefirst%d:", m)
	x.rareHighs("SI", "R9")
	x.op("MOVWLZX (R8), R10")
	x.op("ADDQ $2, R8")
	x.op("JMP highsfirst%d", m)
	x.line("\nraresecond%d:", m)
	x.op("MOVQ rare+56(FP), CX")
	x.rareHighs("R12", "CX")
	x.op("MOVQ CX, rare+56(FP)")
	x.op("MOVQ runs+48(FP), CX")
	x.op("ADDQ $2, runs+48(FP)")
	x.op("MOVWLZX (CX), CX")
	x.op("JMP highssecond%d", m)
}

// compactTile writes the loop over panels for m rows.
func (x x86) compactTile(m int) {
	x.line("\npanel%d:", m)
	x.op("MOVQ a+24(FP), AX")
	x.note("%d × %d: fetch C ahead, clear the sums", m, x.nr())
	x.fetchC(m, 1)
	x.bases(m)
	x.zero(m * x.vecs)
	x.op("MOVQ k+8(FP), R14")
	x.op("SHRQ $1, R14")
	x.op("MOVQ dst+104(FP), R12")
	x.op("MOVQ R11, c+64(FP)")
	x.startFetches(m, 1)
	x.op("MOVWLZX (R8), R10")
	x.op("ADDQ $2, R8")
	x.op("SUBQ R10, R14")
	x.op("TESTQ R10, R10")
	x.op("JEQ rare%d", m)
	x.line("\nunit%d:", m)
	x.compactUnit(unit{m: m, base: "SI", label: fmt.Sprintf("%d", m), panels: 1})
	x.op("ADDQ $%d, SI", x.unitBytes())
	x.nextFetches(m, 1)
	x.advance(m, 2)
	x.op("DECQ R10")
	x.op("JNE unit%d", m)
	x.op("TESTQ R14, R14")
	x.op("JEQ done%d", m)
	x.note("a rare unit, and those before the next one")
	x.line("\nrare%d:", m)
	x.rareHighs("SI", "R9")
	x.op("MOVWLZX (R8), R10")
	x.op("ADDQ $2, R8")
	x.op("INCQ R10")
	x.op("SUBQ R10, R14")
	x.op("JMP highs%d", m)
	for u := range 2 {
		x.keepRow(fmt.Sprintf("%dx%d", m, u))
	}
	x.line("\ndone%d:", m)
	x.op("MOVQ R12, dst+104(FP)")
	x.op("MOVQ c+64(FP), R11")
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.endFetches(m)
	x.finish(m)
}

// A unit is one to multiply by m rows.
type unit struct {
	m             int
	base          string // where it is
	label         string
	panel, panels int // which one of so many at once
}

// compactUnit multiplies a unit by m rows. With the high bytes of a rare one it begins at label highs.
func (x x86) compactUnit(c unit) {
	x.highs(c.base)
	x.line("\nhighs%s:", c.label)
	x.words()
	for i := 0; i < x.unitBytes() && !x.intel; i += 64 {
		x.op("PREFETCHT0 %d(%s)(R11*1)", i, c.base)
	}
	for u := range 2 {
		x.row(c.base, u)
		if c.panels == 1 {
			x.op("TESTQ R12, R12")
			x.op("JNE keep%dx%d", c.m, u)
			x.line("\nkept%dx%d:", c.m, u)
		}
		for i := range c.m {
			a := x.compactRegister(2)
			x.op("VBROADCASTSS %s, %s", x.a(i, u), a)
			for j := range x.vecs {
				x.op("VFMADD231PS %s, %s, %s", x.compactRegister(j), a, x.v((i*c.panels+c.panel)*x.vecs+j))
			}
			if x.intel {
				x.fetchBetween(c, u*c.m+i)
			}
		}
	}
}

// startFetches prepares what units of m rows fetch while so many panels, of R14 units each, are multiplied.
func (x x86) startFetches(m, panels int) {
	if !x.quarters(m) {
		x.op("MOVQ %s, R11", x.far)
		return
	}
	x.op("MOVQ R13, panels+16(FP)")
	x.op("IMUL3Q $%d, R14, R13", x.unitBytes()*panels/4)
	x.op("LEAQ (SI)(R13*4), R11")
}

// nextFetches is what follows the units of all panels at hand. The quarters are visited to and fro.
func (x x86) nextFetches(m, panels int) {
	if x.quarters(m) {
		x.op("ADDQ $%d, R11", x.unitBytes()*panels/4)
		x.op("NEGQ R13")
	}
}

// endFetches is what follows the last ones.
func (x x86) endFetches(m int) {
	if x.quarters(m) {
		x.op("MOVQ panels+16(FP), R13")
	}
}

// fetchBetween fetches B after the i-th of a unit's 2·m broadcasts. Fetched in one piece before them, float32 weights take 5 to 10 % longer from 7 rows on.
func (x x86) fetchBetween(c unit, i int) {
	ops := x.fetches(c)
	for f, op := range ops {
		if f*2*c.m/len(ops) == i {
			x.op("%s", op)
		}
	}
}

// fetches returns the instructions that fetch B in a unit.
func (x x86) fetches(c unit) []string {
	var ops []string
	if x.quarters(c.m) {
		for q := range 4 / c.panels {
			ops = append(ops, "PREFETCHT1 (R11)")
			if q+c.panel*2 < 3 {
				ops = append(ops, "ADDQ R13, R11")
			}
		}
	}
	for line := 0; line < x.unitBytes(); line += 64 {
		if !x.quarters(c.m) {
			ops = append(ops, fmt.Sprintf("PREFETCHT1 %d(%s)(R11*1)", line, c.base))
		}
		ops = append(ops, fmt.Sprintf("PREFETCHT0 %d(%s)", compactNear+line, c.base))
	}
	return ops
}

// rareHighs does as highs for a rare unit, and moves rare to the next one's high bytes.
func (x x86) rareHighs(base, rare string) {
	x.op("PREFETCHT0 %d(%s)", rareAhead, rare)
	x.loadBytes(fmt.Sprintf("(%s)", rare), x.compactRegister(1))
	x.lastBytes(base)
	x.op("ADDQ $%d, %s", 2*x.nr(), rare)
}

// keepRow stores the row of B to dst, which R12 points to, and returns to label kept.
func (x x86) keepRow(label string) {
	x.line("\nkeep%s:", label)
	for i := range x.vecs {
		x.op("VMOVUPS %s, %d(R12)", x.compactRegister(i), i*x.bytes())
	}
	x.op("ADDQ $%d, R12", 4*x.nr())
	x.op("JMP kept%s", label)
}

// highs finds the high bytes of the unit at base, and the bytes that come after them.
func (x x86) highs(base string) {
	h, t := x.compactRegister(1), x.compactRegister(2)
	numbers, table := "VBROADCASTI64X4", "VBROADCASTI32X4"
	if !x.isa.masks {
		numbers, table = "VBROADCASTI128", "VBROADCASTI128"
	}
	x.op("%s %d(%s), %s", numbers, x.unitBytes()-x.nr(), base, h)
	x.op("VPSRLVQ halves<>(SB), %s, %s", h, h)
	if x.isa.masks {
		x.op("VPANDD.BCST nibbles<>(SB), %s, %s", h, h)
	} else {
		x.op("VPAND nibbles<>(SB), %s, %s", h, h)
	}
	x.lastBytes(base)
	x.op("%s (R15), %s", table, t)
	x.op("VPSHUFB %s, %s, %s", h, t, h)
}

func (x x86) lastBytes(base string) {
	x.loadBytes(fmt.Sprintf("%d(%s)", x.unitBytes()-3*x.nr(), base), x.compactRegister(0))
}

// words makes words of both.
func (x x86) words() {
	f, h := x.compactRegister(0), x.compactRegister(1)
	x.op("VPUNPCKLBW %s, %s, %s", h, f, x.compactRegister(2))
	x.op("VPUNPCKHBW %s, %s, %s", h, f, x.compactRegister(3))
}

// row makes row u of the words.
func (x x86) row(base string, u int) {
	f, g, w := x.compactRegister(0), x.compactRegister(1), x.compactRegister(2+u)
	switch {
	case x.storage == "Float32":
		x.loadBytes(fmt.Sprintf("%d(%s)", 2*u*x.nr(), base), f)
	case x.isa.masks:
		x.op("VPXORD %s, %s, %s", f, f, f)
	default:
		x.op("VPXOR %s, %s, %s", f, f, f)
	}
	x.op("VPUNPCKHWD %s, %s, %s", w, f, g)
	x.op("VPUNPCKLWD %s, %s, %s", w, f, f)
}

func (x x86) loadBytes(address, to string) {
	if x.isa.masks {
		x.op("VMOVDQU32 %s, %s", address, to)
	} else {
		x.op("VMOVDQU %s, %s", address, to)
	}
}

// widenCompact writes the conversion of n units.
func (x x86) widenCompact() {
	x.line("\n// func widenCompact%s%s(dst *float32, b unsafe.Pointer, n int, highs *[16]byte)", x.storage, x.suffix)
	x.line("TEXT ·widenCompact%s%s(SB), NOSPLIT, $0-32", x.storage, x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ b+8(FP), SI")
	x.op("MOVQ n+16(FP), CX")
	x.op("MOVQ highs+24(FP), R15")
	x.line("\nloop:")
	x.highs("SI")
	x.words()
	for u := range 2 {
		x.row("SI", u)
		for i := range x.vecs {
			x.op("VMOVUPS %s, %d(DI)", x.compactRegister(i), (u*x.vecs+i)*x.bytes())
		}
	}
	x.op("ADDQ $%d, SI", x.unitBytes())
	x.op("ADDQ $%d, DI", 8*x.nr())
	x.op("DECQ CX")
	x.op("JNE loop")
	x.op("VZEROUPPER")
	x.op("RET")
}

// encodeCompact writes the reverse. It uses vectors of 32 bytes, two of each unit with AVX-512: they hold the elements of columns from 8·h on and as many from the
// panel's middle on, of both rows. Y8 to Y15 are the high bytes without a sign; Y6 and Y7 are the numbers.
func (x x86) encodeCompact() {
	const elements, words, bytes = 0, 2, 4 // registers of both rows
	nr := x.nr()
	x.line("\n// func encodeCompact%s%s(dst, src unsafe.Pointer, n int, highs *[16]byte, rare *uint8)", x.storage, x.suffix)
	x.line("TEXT ·encodeCompact%s%s(SB), NOSPLIT, $0-40", x.storage, x.suffix)
	x.op("MOVQ dst+0(FP), DI")
	x.op("MOVQ src+8(FP), SI")
	x.op("MOVQ n+16(FP), CX")
	x.op("MOVQ highs+24(FP), R15")
	x.op("MOVQ rare+32(FP), R8")
	for i := range 8 {
		x.op("VPBROADCASTB %d(R15), Y%d", i, 8+i)
	}
	x.line("\nunit:")
	x.op("XORL AX, AX")
	lows := 0
	if x.storage == "Float32" {
		lows = 4 * nr
	}
	for h := range x.bytes() / 32 {
		for u := range 2 {
			w := words + u
			if x.storage == "Float32" {
				for i := range 2 {
					x.op("VMOVDQU %d(SI), Y%d", 4*(u*nr+8*h+i*nr/2), elements+i)
					x.op("VPSRLD $16, Y%d, Y%d", elements+i, bytes+i)
					x.op("VPAND words<>(SB), Y%d, Y%d", elements+i, elements+i)
				}
				x.op("VPACKUSDW Y%d, Y%d, Y%d", bytes+1, bytes, w)
				x.op("VPACKUSDW Y%d, Y%d, Y%d", elements+1, elements, elements)
				x.op("VMOVDQU Y%d, %d(DI)", elements, 2*u*nr+32*h)
			} else {
				for i := range 2 {
					x.op("VMOVDQU %d(SI), X%d", 2*(u*nr+8*h+i*nr/2), elements+i)
				}
				x.op("VPUNPCKLQDQ X%d, X%d, X%d", elements+1, elements, w)
				x.op("VPUNPCKHQDQ X%d, X%d, X%d", elements+1, elements, elements)
				x.op("VINSERTI128 $1, X%d, Y%d, Y%d", elements, w, w)
			}
		}
		for u := range 2 {
			x.op("VPSRLW $8, Y%d, Y%d", words+u, elements+u)
			x.op("VPAND bytes<>(SB), Y%d, Y%d", words+u, words+u)
		}
		x.op("VPACKUSWB Y%d, Y%d, Y%d", words+1, words, words)
		x.op("VMOVDQU Y%d, %d(DI)", words, lows+32*h)
		x.op("VPACKUSWB Y%d, Y%d, Y%d", elements+1, elements, elements)
		x.note("the number of each high byte")
		number, found, t := 6+h, words, words+1
		x.op("VPSRLW $4, Y%d, Y%d", elements, number)
		x.op("VPAND signs<>(SB), Y%d, Y%d", number, number)
		x.op("VPAND magnitudes<>(SB), Y%d, Y%d", elements, elements)
		x.op("VPXOR Y%d, Y%d, Y%d", found, found, found)
		for i := range 8 {
			x.op("VPCMPEQB Y%d, Y%d, Y%d", 8+i, elements, t)
			x.op("VPOR Y%d, Y%d, Y%d", t, found, found)
			if i > 0 {
				x.op("VPAND numbers<>+%d(SB), Y%d, Y%d", 32*(i-1), t, t)
				x.op("VPOR Y%d, Y%d, Y%d", t, number, number)
			}
		}
		x.op("VPMOVMSKB Y%d, DX", found)
		x.op("CMPL DX, $-1")
		x.op("SETNE DX")
		x.op("ORL DX, AX")
	}
	if x.bytes() == 64 {
		x.op("VPSLLW $4, Y7, Y7")
		x.op("VPOR Y7, Y6, Y6")
		x.op("VMOVDQU Y6, %d(DI)", lows+2*nr)
	} else {
		x.op("VEXTRACTI128 $1, Y6, X7")
		x.op("VPSLLW $4, X7, X7")
		x.op("VPOR X7, X6, X6")
		x.op("VMOVDQU X6, %d(DI)", lows+2*nr)
	}
	x.op("MOVB AX, (R8)")
	x.op("INCQ R8")
	x.op("ADDQ $%d, SI", 2*nr<<x.size())
	x.op("ADDQ $%d, DI", x.unitBytes())
	x.op("DECQ CX")
	x.op("JNE unit")
	x.op("VZEROUPPER")
	x.op("RET")
}

// compactConstants writes what highs reads, how far each half of a vector is moved and what selects four bits, and what encodeCompact reads.
func (x x86) compactConstants() {
	half := x.bytes() / 2
	x.line("")
	for i := range x.bytes() / 8 {
		x.line("DATA halves<>+%d(SB)/8, $%d", 8*i, 8*i/half*4)
	}
	x.line("GLOBL halves<>(SB), RODATA|NOPTR, $%d", x.bytes())
	x.line("")
	for i := range x.bytes() / 8 {
		x.line("DATA nibbles<>+%d(SB)/8, $0x0f0f0f0f0f0f0f0f", 8*i)
	}
	x.line("GLOBL nibbles<>(SB), RODATA|NOPTR, $%d", x.bytes())
	for _, c := range []struct {
		name    string
		pattern uint64
	}{{"words", 0x0000ffff0000ffff}, {"bytes", 0x00ff00ff00ff00ff}, {"signs", 0x0808080808080808}, {"magnitudes", 0x7f7f7f7f7f7f7f7f}} {
		x.line("")
		for i := range 4 {
			x.line("DATA %s<>+%d(SB)/8, $%#x", c.name, 8*i, c.pattern)
		}
		x.line("GLOBL %s<>(SB), RODATA|NOPTR, $32", c.name)
	}
	x.line("")
	for i := range 4 * 7 {
		x.line("DATA numbers<>+%d(SB)/8, $%#x", 8*i, uint64(i/4+1)*0x0101010101010101)
	}
	x.line("GLOBL numbers<>(SB), RODATA|NOPTR, $%d", 32*7)
}
