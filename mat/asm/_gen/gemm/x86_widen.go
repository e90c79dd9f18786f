package main

import "fmt"

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
