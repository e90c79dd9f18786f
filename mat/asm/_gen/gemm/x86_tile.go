package main

import "fmt"

// unroll is how many steps of k most main loops do.
const unroll = 4

// tile writes the loop over panels for m rows.
func (x x86) tile(m int) {
	if x.wide[m] > 1 {
		x.line("\nsingle%d:", m)
	}
	x.distances(m)
	x.line("\npanel%d:", m)
	x.op("MOVQ a+24(FP), AX")
	x.note("%d × %d: fetch C ahead, clear the sums", m, x.nr())
	x.fetchC(m, 1)
	x.nextStrip(m)
	x.bases(m)
	x.zero(m * x.vecs)
	x.op("MOVQ k+8(FP), R10")
	steps := x.steps(m)
	x.op("SUBQ $%d, R10", steps)
	x.op("JLT rest%d", m)
	x.lightLoop(m)

	x.line("\nloop%d:", m)
	for u := range steps {
		x.step(m, u, whole)
	}
	x.prefetchStrip(m)
	x.advance(m, steps)
	x.op("SUBQ $%d, R10", steps)
	x.op("JGE loop%d", m)

	x.line("\nrest%d:", m)
	x.op("ADDQ $%d, R10", steps)
	x.op("JEQ done%d", m)
	x.line("\none%d:", m)
	x.step(m, 0, rest)
	x.advance(m, 1)
	x.op("DECQ R10")
	x.op("JNE one%d", m)

	x.line("\ndone%d:", m)
	x.nextPanel(m)
	x.finish(m)
}

// steps is how many steps of k the main loop of a tile of m rows does.
func (x x86) steps(m int) int {
	if x.isDirect(m) {
		return directSteps
	}
	return unroll
}

// A loop over k is the main one, one that fetches less, or that of the steps that they leave.
type loop int

const (
	whole loop = iota
	light
	rest
)

// step writes one step of k, the u-th of a loop.
func (x x86) step(m, u int, l loop) {
	for i := range x.vecs {
		x.loadB(fmt.Sprintf("%d(SI)", i*x.bytes()>>(2-x.size())), x.b(i))
	}
	between := x.stepB(m, l)
	if x.isDirect(m) {
		x.directStep(m, u, l)
		return
	}
	for i := range m {
		x.element(m, i, u, l)
		for j := range x.vecs {
			x.op("VFMADD231PS %s, %s, %s", x.b(j), x.broadcast(i), x.v(i*x.vecs+j))
		}
		if i%2 == 1 && len(between) > 0 {
			x.op("%s", between[0])
			between = between[1:]
		}
	}
	for _, op := range between {
		x.op("%s", op)
	}
}

// nextB moves the pointer of B from the end of a panel to the start of the n-th one after it.
func (x x86) nextB(n int) {
	x.note("the next panel")
	x.op("MOVQ k+8(FP), AX")
	x.op("IMULQ R8, AX")
	x.op("SUBQ AX, SI")
	x.op("MOVQ step+56(FP), AX")
	if n > 1 {
		x.op("IMULQ $%d, AX", n)
	}
	x.op("SHLQ $%d, AX", x.size())
	x.op("ADDQ AX, SI")
}
