package main

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
