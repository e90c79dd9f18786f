package main

// compactConstants writes what highs reads, how far each half of a vector is moved and what selects four bits, and what encode reads.
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
