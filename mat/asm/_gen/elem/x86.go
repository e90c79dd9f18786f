package main

import "fmt"

// An x86 writes the kernels of one level for amd64.
type x86 struct {
	level     string
	reg       string // letter of the vector registers
	count     int    // how many there are
	width     int    // float32 in one
	constants pool
	tables    tables
}

// ahead is how many bytes ahead of the work the loops prefetch, dst too: 2 KiB is worth 10 to 15 % where the operands are in L3.
const ahead = 2048

var (
	avx512 = &x86{level: "AVX512", reg: "Z", count: 32, width: 16}
	avx2   = &x86{level: "AVX2", reg: "Y", count: 16, width: 8}
)

func (l *x86) masks() bool  { return l.width == 16 }
func (l *x86) vectors() int { return block / l.width }

func (l *x86) file() []byte {
	var t, code text
	for _, k := range kernels {
		l.kernel(&code, k)
	}
	t.line("%s\n%s\n#include \"textflag.h\"\n", header, noPortable)
	t.line("// Registers of all kernels:")
	t.line("//")
	t.line("//	DI        dst             SI DX R8 R9  the inputs")
	t.line("//	CX        elements left   AX     scratch")
	t.line("//	BX        turns left of the lanes of a reduction, in the tail")
	if l.masks() {
		t.line("//	Z0 Z1     the lanes of a reduction: 0-15, 16-31")
		t.line("//	K1        elements that are there, in the tail; K2 K3 comparisons")
	} else {
		t.line("//	Y0-Y3     the lanes of a reduction: 0-7, 8-15, 16-23, 24-31")
		t.line("//	Y15       elements that are there, in the tail")
	}
	t.line("//")
	t.line("// The last registers hold the scalar, tables and as many constants as there is room for, the others the values in work.")
	t.line("// The loop takes 32 elements, or fewer where registers are short; the tail takes the rest, a vector at a time, with a mask.\n")
	for i, b := range l.constants.bits {
		if l.masks() {
			t.line("DATA constants%s<>+%d(SB)/4, $%#08x // %s", l.level, 4*i, b, describe(b))
			continue
		}
		for j := range 4 {
			s := fmt.Sprintf("DATA constants%s<>+%d(SB)/8, $%#08x%08x", l.level, 32*i+8*j, b, b)
			if j == 0 {
				s += " // " + describe(b)
			}
			t.line("%s", s)
		}
	}
	t.line("GLOBL constants%s<>(SB), RODATA|NOPTR, $%d", l.level, len(l.constants.bits)*l.stride())
	t.line("")
	l.tables.data(&t, "tables"+l.level)
	if !l.masks() {
		t.line("")
		for i := range l.width / 2 {
			t.line("DATA numbers<>+%d(SB)/8, $%#08x%08x", 8*i, 2*i+1, 2*i)
		}
		t.line("GLOBL numbers<>(SB), RODATA|NOPTR, $%d", 4*l.width)
	}
	t.Write(code.Bytes())
	return t.Bytes()
}

func (l *x86) stride() int {
	if l.masks() {
		return 4
	}
	return 32
}

// table returns the address of a table.
func (l *x86) table(table [8]float32) string {
	return fmt.Sprintf("tables%s<>+%d(SB)", l.level, 32*l.tables.index(table))
}

// memory returns the address of a constant.
func (l *x86) memory(bits uint32) string {
	return fmt.Sprintf("constants%s<>+%d(SB)", l.level, l.constants.indexBits(bits)*l.stride())
}
