package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// While strips of A pass the panels of a block of B, they fetch the next block from memory, each its share: else the first strip to pass it would wait
// for memory and the others leave the memory idle.

// nextA is the address of what is read of A after the rows before i, from column k0 on: in the block at hand, or in the piece after this one if its rows are
// as far apart. It is 0 if nothing is.
func (w *worker) nextA(i, k0 int) uintptr {
	p := &w.product
	if i == w.i1 && w.after != nil && w.after.product.a.Stride == p.a.Stride {
		p, i, k0 = &w.after.product, w.after.i0, 0
	} else if i == w.i1 {
		return 0
	}
	if p.left || p.k() == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&p.a.Data[i*p.a.Stride+k0]))
}

// A place is where a block of B begins.
type place struct{ j0, k0 int }

// A fetch is what the strips fetch.
type fetch struct {
	b          uintptr // its address, 0 for nothing
	panelBytes int     // how much it is for each panel that they pass,
	panels     int     // how many they pass,
	kc         int     // and the steps of each
	run, apart int     // where it lies in runs: how long they are and how far apart they begin
}

// next is what the strips fetch while they pass panels of kc steps, if the block at after is next.
func (w *worker) next(after place, panels, kc int) fetch {
	p, f := &w.product, fetch{panels: panels, kc: kc}
	if p.packed == nil || after.j0 >= w.j1 || kc < min(p.k(), kBlock/2) || kc == 0 {
		return f
	}
	steps := min(p.k()-after.k0, kBlock)
	f.panelBytes = p.packed.sizeOf(steps * w.tile.NR)
	if !p.right {
		f.b = uintptr(p.packed.address(after.k0, after.j0))
		return f
	}
	block, width := after.j0/kBlock*kBlock, p.packed.panelWidth(after.k0) // of a panel of B, of which each has a run of rows
	f.b = uintptr(p.packed.address(block, after.k0)) + uintptr(p.packed.sizeOf((after.j0-block)*width))
	f.apart = p.packed.sizeOf(min(p.packed.K-block, kBlock) * width)
	f.run = f.panelBytes * panels / ceilDiv(steps, width)
	return f
}

// share is what rows i to i+rows of m fetch from panel q on.
func (f *fetch) share(i, rows, m, q int) asm.Ahead {
	if f.b == 0 || rows == m {
		return asm.Ahead{}
	}
	from := f.panelBytes * (i*f.panels + rows*q) / m
	if f.run > 0 {
		from = from/f.run*f.apart + from%f.run
	}
	return asm.Ahead{
		B:    f.b + uintptr(from),
		Pace: ceilDiv(f.panelBytes*rows, m*f.kc),
	}
}
