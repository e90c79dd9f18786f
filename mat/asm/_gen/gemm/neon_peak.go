package main

func (n neon) peak() {
	n.line("\n// func peakNEON(n int)")
	n.line("TEXT ·peakNEON(SB), NOSPLIT, $0-8")
	n.op("MOVD n+0(FP), R0")
	n.zero(26)
	n.line("\nloop:")
	for i := range 24 {
		n.fmla(24, 25, 0, i)
	}
	n.op("SUBS $1, R0")
	n.op("BNE loop")
	n.op("RET")
}
