package main

import "fmt"

// On Intel's cores, where shuffles and multiply-adds share a port, a block of A that is transposed before it is multiplied leaves the other port idle meanwhile,
// and what waits for its sums lets nothing else in. So there, for 16 rows, half a block is transposed between the multiply-adds of the half before, and what
// is read of A next is fetched.
//
// A half block, 8 columns, has 64 multiply-adds, 8 loads that insert half a register, on either port, and 24 shuffles: 96 on two ports, 48 cycles, two thirds
// of the ceiling.

const pipedRows = 16 // rows of A

// pipedRow is the address of column c of row i.
func pipedRow(i, c int) string { return address(4*c, i, "AX", "BX", "CX", "R9") }

// pipedColumns writes the loop over blocks of 16 columns; what it leaves goes on at label block, or columnsdone.
func (x x86) pipedColumns() {
	x.op("CMPQ R10, $16")
	x.op("JLT block")
	x.fetchRows(pipedRows, "R12")
	x.fiveRows("AX", "BX")
	x.fiveRows("BX", "CX")
	x.fiveRows("CX", "R9")
	for _, op := range x.half(8, 0) {
		x.op("%s", op)
	}
	x.op("SUBQ $32, R10")
	x.op("JLT pipedlast")
	x.line("\npiped:")
	x.halfStep(8, append(x.half(24, 8), x.pipedAdvance()...))
	x.halfStep(24, append(x.half(8, 0), "ADDQ R15, R14"))
	x.op("SUBQ $16, R10")
	x.op("JGE piped")
	x.line("\npipedlast:")
	x.halfStep(8, append(x.half(24, 8), x.pipedAdvance()...))
	x.halfStep(24, nil)
	x.op("MOVQ m+0(FP), BX")
	x.op("MOVQ ldc+72(FP), R12")
	x.op("SHLQ $2, R12")
	x.op("ADDQ $16, R10")
	x.op("JEQ columnsdone")
	for i := 24; i < 32; i++ {
		x.op("VPXORD Z%[1]d, Z%[1]d, Z%[1]d", i)
	}
	x.op("JMP block")
}

// pipedAdvance returns the instructions that move A to the next block.
func (x x86) pipedAdvance() []string {
	return []string{"ADDQ $64, AX", "ADDQ $64, BX", "ADDQ $64, CX", "ADDQ $64, R9"}
}

// half returns the instructions that transpose 8 columns of A, from c on, to registers r to r+7, and fetch 8 rows.
func (x x86) half(r, c int) []string {
	const scratch = 16
	var ops []string
	op := func(format string, args ...any) { ops = append(ops, fmt.Sprintf(format, args...)) }
	for g := range 2 {
		for i := range 4 {
			op("VMOVUPS %s, Y%d", pipedRow(8*g+i, c), scratch+4*g+i)
			op("VINSERTF64X4 $1, %s, Z%d, Z%[2]d", pipedRow(8*g+4+i, c), scratch+4*g+i)
		}
		for i := range 2 {
			op("VUNPCKLPS Z%d, Z%d, Z%d", scratch+4*g+2*i+1, scratch+4*g+2*i, r+4*g+2*i)
			op("VUNPCKHPS Z%d, Z%d, Z%d", scratch+4*g+2*i+1, scratch+4*g+2*i, r+4*g+2*i+1)
		}
		for i := range 2 {
			op("VUNPCKLPD Z%d, Z%d, Z%d", r+4*g+2+i, r+4*g+i, scratch+4*g+2*i)
			op("VUNPCKHPD Z%d, Z%d, Z%d", r+4*g+2+i, r+4*g+i, scratch+4*g+2*i+1)
		}
		for range 4 {
			op("PREFETCHT1 (R14)")
			op("ADDQ R12, R14")
		}
	}
	// Register scratch+i holds columns c+i and c+4+i of rows 0 to 3 and of rows 4 to 7, the one 4 behind it those of rows 8 on.
	for i := range 4 {
		op("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", scratch+4+i, scratch+i, r+i)
		op("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", scratch+4+i, scratch+i, r+4+i)
	}
	return ops
}

// halfStep adds the products of the half in registers r to r+7, with other instructions in between.
func (x x86) halfStep(r int, between []string) {
	const each = 8
	for u := range 8 {
		for j := range 8 {
			x.op("VFMADD231PS.BCST %d(SI), Z%d, Z%d", 4*j, r+u, j)
			n := ceilDiv(len(between), (8-u)*each-j)
			for _, op := range between[:n] {
				x.op("%s", op)
			}
			between = between[n:]
		}
		x.op("ADDQ R8, SI")
	}
}
