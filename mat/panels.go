package mat

import (
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// panels is the right operand of small products inside one part, K × N in borrowed memory, laid out as Packed is: for each block of
// kBlock rows, whole panels of the widest kernel, then a rest of the narrowest that holds it. Or it lies in a Cache, where all panels are whole.
type panels struct {
	k, n       int
	wide, rest *asm.Tile // rest is nil where there is none
	whole      int       // columns in whole panels
	step       int       // in a cache, from one panel to the next; otherwise 0
	data       []float32
	kernels    *asm.Gemm
}

func newPanels(l *asm.Level, k, n int) panels {
	p := panels{k: k, n: n, wide: &l.Gemm.Tiles[0], kernels: &l.Gemm}
	p.whole = n / p.wide.NR * p.wide.NR
	if n > p.whole {
		p.rest = narrowest(l, n-p.whole)
	}
	return p
}

// cols is the number of columns with the padding.
func (p *panels) cols() int {
	if p.rest == nil {
		return p.whole
	}
	return p.whole + p.rest.NR
}

// size is how many values data holds.
func (p *panels) size() int { return p.k * p.cols() }

// place gives p the first part of memory, and returns the rest.
func (p *panels) place(memory []float32) []float32 {
	p.data = memory[:p.size()]
	return memory[p.size():]
}

// panelWidth is the width of the panel that begins at column j.
func (p *panels) panelWidth(j int) int {
	if j < p.whole {
		return p.wide.NR
	}
	return p.rest.NR
}

// copy sets p to m, k × n.
func (p *panels) copy(m Matrix) {
	dst := p.data
	for k0 := 0; k0 < p.k; k0 += kBlock {
		kc := min(p.k-k0, kBlock)
		for j := 0; j < p.n; {
			width := p.panelWidth(j)
			n := min(width, p.n-j)
			p.kernels.Copy(&dst[0], width, &m.Data[k0*m.Stride+j], m.Stride, kc, n)
			if n < width {
				for l := range kc {
					clear(dst[l*width+n : (l+1)*width])
				}
			}
			dst = dst[kc*width:]
			j += width
		}
	}
}

// copyT sets p to mᵀ, m being n × k, or shorter in k: rows that are missing are ones.
func (p *panels) copyT(m Matrix) {
	dst := p.data
	for k0 := 0; k0 < p.k; k0 += kBlock {
		kc := min(p.k-k0, kBlock)
		have := min(m.Cols-k0, kc)
		for j := 0; j < p.n; {
			width := p.panelWidth(j)
			n := min(width, p.n-j)
			if have > 0 {
				p.kernels.Transpose(&dst[0], width, &m.Data[j*m.Stride+k0], m.Stride, n, have)
			}
			for l := max(have, 0); l < kc; l++ {
				for i := range n {
					dst[l*width+i] = 1
				}
			}
			if n < width {
				for l := range kc {
					clear(dst[l*width+n : (l+1)*width])
				}
			}
			dst = dst[kc*width:]
			j += width
		}
	}
}

// block returns where the rows from k0 on, a multiple of kBlock, begin, and how far apart their panels are.
func (p *panels) block(k0 int) (data []float32, step int) {
	if p.step > 0 {
		return p.data[k0*p.wide.NR:], p.step
	}
	return p.data[k0*p.cols():], min(p.k-k0, kBlock) * p.wide.NR
}

// multiply sets c to a, of at most as many rows as the widest kernel, times the first a.Cols rows of p, in the columns from col on; col is a
// multiple of kBlock.
func (p *panels) multiply(c, a Matrix, col int) { p.product(c, a, 0, col, false) }

// multiplyAdd adds to c a times the first c.Cols columns of p, in the rows from row on.
func (p *panels) multiplyAdd(c, a Matrix, row int) { p.product(c, a, row, 0, true) }

func (p *panels) product(c, a Matrix, row, col int, add bool) {
	for l, kc := row, 0; l < row+a.Cols; l += kc {
		k0 := l / kBlock * kBlock
		kc = min(row+a.Cols, k0+kBlock) - l
		block, step := p.block(k0)
		left := a.Data[l-row:]
		perCall := max(1, callMACs/(max(kc, 64)*p.wide.NR*p.wide.MR)) * p.wide.NR
		end := min(col+c.Cols, p.whole)
		for j := col; j < end; j += perCall {
			n := min(end-j, perCall)
			count := ceilDiv(n, p.wide.NR)
			p.wide.Strip(c.Rows, kc, count, &left[0], a.Stride, unsafe.Pointer(&block[j/p.wide.NR*step+(l-k0)*p.wide.NR]), p.wide.NR, step,
				&c.Data[j-col], c.Stride, n-(count-1)*p.wide.NR, add || l > row, asm.Ahead{})
		}
		if col+c.Cols > p.whole {
			p.rest.Strip(c.Rows, kc, 1, &left[0], a.Stride, unsafe.Pointer(&block[p.whole/p.wide.NR*step+(l-k0)*p.rest.NR]), p.rest.NR, 0,
				&c.Data[p.whole-col], c.Stride, col+c.Cols-p.whole, add || l > row, asm.Ahead{})
		}
	}
}
