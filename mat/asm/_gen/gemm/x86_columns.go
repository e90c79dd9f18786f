package main

// Narrow panels leave most of a vector empty, and an element of A to broadcast for each multiply-add. So many rows of A at a narrow panel are
// computed by columns: A is transposed in registers, 16 × 16 at a time, a vector of sums holds one column of 16 rows, and the element of B is
// what is broadcast, by the multiply-add itself.

const (
	columnRows = 16 // rows of the tile by columns
	fewestRows = 10 // rows from which on it is used
)

// limitColumns is a comment on what bounds the loop.
const limitColumns = `//
// Sixteen steps of the 16 × 8 loop have 128 multiply-adds of whole vectors, each with a load; beside them 16 loads and 64 shuffles. With two
// loads a cycle that is 72 cycles, eight ninths of the ceiling; with shuffles on one of the two ports of the multiply-adds (Intel) 96
// cycles, two thirds. Eight sums hide a latency of 4 cycles and no more.`

// columnTile writes the loop over panels for fewestRows to columnRows rows.
func (x x86) columnTile() {
	x.line("\ncolumns:")
	x.note("K1 selects the columns of A in a block; what rows that are not there leave in registers is A's or zero")
	x.op("MOVQ a+24(FP), AX")
	x.op("MOVQ m+0(FP), BX")
	x.op("MOVQ $0xffff, R9")
	x.op("KMOVW R9, K1")
	for i := 24; i < 32; i++ {
		x.op("VPXORD Z%[1]d, Z%[1]d, Z%[1]d", i)
	}
	x.zero(8)
	x.op("MOVQ k+8(FP), R10")
	x.op("TESTQ R10, R10")
	x.op("JEQ columnsdone")
	if x.many == piped {
		x.pipedColumns()
	}
	x.columnBlocks()
	x.line("\ncolumnsdone:")
	x.nextB(1)
	x.storeColumns()
	x.op("ADDQ $%d, R11", 4*x.nr())
	x.op("DECQ R13")
	x.op("JNE columns")
	x.op("VZEROUPPER")
	x.op("RET")
}

// columnBlocks writes the loop over blocks of 16 columns of A, the last of which may have fewer.
func (x x86) columnBlocks() {
	x.line("\nblock:")
	x.op("CMPQ R10, $16")
	x.op("JGE whole")
	x.op("MOVQ R10, CX")
	x.op("MOVQ $1, R9")
	x.op("SHLQ CX, R9")
	x.op("DECQ R9")
	x.op("KMOVW R9, K1")
	x.line("\nwhole:")
	x.loadColumns()
	x.op("SUBQ $16, R10")
	x.op("JLT last")
	for u := range 16 {
		x.columnStep(u)
	}
	x.op("TESTQ R10, R10")
	x.op("JNE block")
	x.op("JMP columnsdone")
	x.line("\nlast:")
	for u := range 15 {
		x.columnStep(u)
		if u < 14 {
			x.op("CMPQ R10, $%d", u+1-16)
			x.op("JEQ columnsdone")
		}
	}
}

// loadColumns loads a block of A and transposes it. To fetch blocks ahead gains nothing: the hardware sees the rows' streams. Rows that are not there are
// passed over, not masked: a masked load from a page that is not there takes some 80 ns, as long as four blocks.
func (x x86) loadColumns() {
	x.op("MOVQ AX, R9")
	for g := 0; g < columnRows; g += 4 {
		for i := range 4 {
			if g+i >= fewestRows {
				x.op("CMPQ BX, $%d", g+i)
				x.op("JLE loaded%d", g)
			}
			x.op("VMOVUPS.Z (R9)%s, K1, Z%d", []string{"", "(DX*1)", "(DX*2)", "(DI*1)"}[i], 24+i)
		}
		if g+4 > fewestRows {
			x.line("\nloaded%d:", g)
		}
		x.op("LEAQ (R9)(DX*4), R9")
		for i := 0; i < 4; i += 2 {
			x.op("VUNPCKLPS Z%d, Z%d, Z%d", 25+i, 24+i, 28+i)
			x.op("VUNPCKHPS Z%d, Z%d, Z%d", 25+i, 24+i, 29+i)
		}
		for i := range 2 {
			x.op("VUNPCKLPD Z%d, Z%d, Z%d", 30+i, 28+i, 8+g+2*i)
			x.op("VUNPCKHPD Z%d, Z%d, Z%d", 30+i, 28+i, 9+g+2*i)
		}
	}
	x.note("Z(8+g+c) holds columns c, 4+c, 8+c and 12+c of rows g to g+3")
	for c := range 4 {
		t := 24 + c%2*4
		for h := range 2 {
			x.op("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 12+8*h+c, 8+8*h+c, t+h)
			x.op("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 12+8*h+c, 8+8*h+c, t+2+h)
		}
		for h := range 2 {
			x.op("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", t+1+2*h, t+2*h, 8+4*h+c)
			x.op("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", t+1+2*h, t+2*h, 16+4*h+c)
		}
	}
	x.op("ADDQ $64, AX")
}

// columnStep adds the products of column u of the block of A.
func (x x86) columnStep(u int) {
	for j := range 8 {
		x.op("VFMADD231PS.BCST %d(SI), Z%d, Z%d", 4*j, 8+u, j)
	}
	x.op("ADDQ R8, SI")
}

// storeColumns transposes the sums and adds them to C or stores them.
func (x x86) storeColumns() {
	x.note("K1 selects the columns of C")
	x.op("MOVQ $8, CX")
	x.op("CMPQ R13, $1")
	x.op("JNE wide")
	x.op("MOVQ tail+80(FP), CX")
	x.line("\nwide:")
	x.op("MOVQ $1, R9")
	x.op("SHLQ CX, R9")
	x.op("DECQ R9")
	x.op("KMOVW R9, K1")
	x.transposeSums()
	x.note("Z(16+c) and Z(20+c) hold both halves of rows c, 4+c, 8+c and 12+c")
	x.op("MOVQ R11, CX")
	x.op("MOVQ m+0(FP), R9")
	x.op("MOVBLZX add+88(FP), BX")
	for i := range columnRows {
		x.op("VEXTRACTF32X4 $%d, Z%d, X0", i/4, 16+i%4)
		x.op("VEXTRACTF32X4 $%d, Z%d, X1", i/4, 20+i%4)
		x.op("VINSERTF128 $1, X1, Y0, Y0")
		x.op("TESTL BX, BX")
		x.op("JEQ put%d", i)
		x.op("VMOVUPS.Z (CX), K1, Y1")
		x.op("VADDPS Y1, Y0, Y0")
		x.line("\nput%d:", i)
		x.op("VMOVUPS Y0, K1, (CX)")
		if i >= fewestRows-1 && i < columnRows-1 {
			x.op("CMPQ R9, $%d", i+1)
			x.op("JEQ stored")
		}
		x.op("ADDQ R12, CX")
	}
	x.line("\nstored:")
}

// transposeSums makes halves of rows of the columns in registers 0 to 7, in registers 16 to 23.
func (x x86) transposeSums() {
	for g := 0; g < 8; g += 4 {
		for i := 0; i < 4; i += 2 {
			x.op("VUNPCKLPS Z%d, Z%d, Z%d", g+i+1, g+i, 8+g+i)
			x.op("VUNPCKHPS Z%d, Z%d, Z%d", g+i+1, g+i, 9+g+i)
		}
		for i := range 2 {
			x.op("VUNPCKLPD Z%d, Z%d, Z%d", 10+g+i, 8+g+i, 16+g+2*i)
			x.op("VUNPCKHPD Z%d, Z%d, Z%d", 10+g+i, 8+g+i, 17+g+2*i)
		}
	}
}
