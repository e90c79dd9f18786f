package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// PeakProbe keeps one core busy with nothing but multiply-adds for some 50 µs and returns how many floating-point operations that
// were: what no product can do faster, for comparison.
func (e *Engine) PeakProbe() (flops int) {
	g := &e.level.Gemm
	n := 1 << 22 / g.PeakFlops
	if e.level.Name == "generic" {
		n >>= 6
	}
	g.Peak(n)
	return n * g.PeakFlops
}

// KernelProbe computes products of one tile, whose operands stay in the first-level cache, until they are about flops floating-point
// operations: what products could reach if no operand ever had to be fetched.
func (e *Engine) KernelProbe(flops float64) {
	const k = 240
	t := &e.level.Gemm.Tiles[0]
	memory := e.Borrow(t.MR*k + k*t.NR + t.MR*t.NR)
	clear(memory)
	a, b, c := memory[:t.MR*k], memory[t.MR*k:(t.MR+t.NR)*k], memory[(t.MR+t.NR)*k:]
	for range int(flops/float64(2*t.MR*k*t.NR) + 0.5) {
		t.Strip(t.MR, k, 1, &a[0], k, unsafe.Pointer(&b[0]), t.NR, 0, &c[0], t.NR, t.NR, false, asm.Ahead{})
	}
	e.Return(memory)
}

// ReadProbe reads one of some equal parts of p on one core, as the given number of streams side by side: no work that needs all of p can
// be faster. A rest that does not fill 32 values in each stream is not read.
func (e *Engine) ReadProbe(p *Packed, part, parts, streams int) {
	const most = 1 << 16 // values in a call, as the runtime cannot stop a goroutine inside
	unit := 32 * streams
	units := p.bytes() / 4 / unit
	for from, to := units*part/parts, units*(part+1)/parts; from < to; {
		n := min(to-from, most/unit)
		e.level.Gemm.Read((*float32)(unsafe.Add(p.memory, 4*from*unit)), streams, 32*n)
		from += n
	}
}
