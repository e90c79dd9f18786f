package main

import "fmt"

// A neonLevel writes the kernels for arm64. Go's assembler lacks most floating-point vector instructions: these are WORDs, with the
// instruction as a comment, which the test of this package decodes.
type neonLevel struct {
	constants pool
	tables    tables
}

var neon = &neonLevel{}

const (
	neonRegs    = 32
	neonVectors = block / 4
)

func (l *neonLevel) file() []byte {
	var t, code text
	for _, k := range kernels {
		l.kernel(&code, k)
	}
	t.line("%s\n%s\n#include \"textflag.h\"\n", header, noPortable)
	t.line(`// Registers of all kernels:
//
//	R0        dst             R1 R2 R8 R9  the inputs
//	R3        elements left   R4     the constants
//	R5 R10    scratch         R6     the tables
//	R7        turns left of the lanes of a reduction, in the tail
//	V0-V7     the lanes of a reduction, four in each
//
// The last registers hold the scalar and constants that several instructions need, the others the values of the element in work. The
// loop takes 16 elements, or 8 where registers are short, and 32 in a reduction; the tail takes the rest, a vector at a time.
`)
	t.line("// The first 16 bytes number the lanes of a vector.")
	t.line("DATA constantsNEON<>+0(SB)/8, $%#08x%08x", 1, 0)
	t.line("DATA constantsNEON<>+8(SB)/8, $%#08x%08x", 3, 2)
	for i, b := range l.constants.bits {
		for j := range 2 {
			s := fmt.Sprintf("DATA constantsNEON<>+%d(SB)/8, $%#08x%08x", 16*(i+1)+8*j, b, b)
			if j == 0 {
				s += " // " + describe(b)
			}
			t.line("%s", s)
		}
	}
	t.line("GLOBL constantsNEON<>(SB), RODATA|NOPTR, $%d\n", 16*(len(l.constants.bits)+1))
	l.tables.data(&t, "tablesNEON")
	t.Write(code.Bytes())
	return t.Bytes()
}

// memory returns the address of a constant.
func (l *neonLevel) memory(bits uint32) string {
	return fmt.Sprintf("%d(R4)", 16*(l.constants.indexBits(bits)+1))
}
