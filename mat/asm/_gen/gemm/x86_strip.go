package main

// shortRows is how many rows Intel's cores take by two panels at once where sums have up to shortK terms and C is what costs: between the panels they wait.
const (
	shortRows = 6
	shortK    = 32
)

// function writes the kernel: where its arguments go, the way to the code for m rows, and that code.
func (x x86) function() {
	name := x.name + x.cores() + x.suffix
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
	x.branch()
	for m := x.leastRows(); m <= x.mr; m++ {
		if n := x.wide[m]; n > 1 {
			x.wideTile(m, n)
		} else {
			x.line("\nrows%d:", m)
		}
		x.tile(m)
	}
	if x.many == columns || x.many == piped {
		x.columnTile()
	}
}

// leastRows is from how many rows on the kernel has code for a strip.
func (x x86) leastRows() int {
	switch {
	case x.many == direct:
		return x.few + 1
	case x.short:
		return shortRows - 1
	}
	return 1
}

// branch writes the way to the code for m rows. One row has the first code and needs no branch.
func (x x86) branch() {
	x.note("the code for m rows")
	x.op("MOVQ m+0(FP), AX")
	switch {
	case x.short:
		x.op("CMPQ k+8(FP), $%d", shortK)
		x.op("JGT others")
	case x.many == piped:
		x.op("CMPQ AX, $%d", pipedRows)
		x.op("JEQ columns")
	case x.many == columns:
		x.op("CMPQ AX, $%d", fewestRows)
		x.op("JGE columns")
	}
	for m := x.mr; m >= max(2, x.leastRows()); m-- {
		x.op("CMPQ AX, $%d", m)
		x.op("JEQ rows%d", m)
	}
	if x.short {
		x.line("\nothers:")
	}
	if x.intel {
		x.op("JMP ·%s%s(SB)", x.name, x.suffix)
	}
}

// tailMasks sets the masks that select the columns of the last panel.
func (x x86) tailMasks() {
	if !x.masks {
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
