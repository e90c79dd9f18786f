package mat

import (
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// A Screen is a copy of packed weights in 8 bits an element, with a bound on what is lost. From a quarter of the bytes, or half of those of 16-bit weights,
// it tells which columns of a product can hold the largest elements of a row, so that only those need be computed: [Engine.MulLargest]. It is safe for
// concurrent use, and the weights must not change.
//
// A column w of the weights is q·scale + d with integers |q| ≤ 127. A row x of the other operand is rounded to r·s + e in the same way, more finely. Then
//
//	|x·w - (r·q)·(s·scale)| ≤ ‖x‖·‖d‖ + ‖e‖·‖q·scale‖    (Cauchy and Schwarz)
//
// to which comes what float32 can lose in computing both sides. r·q is exact in integers.
type Screen struct {
	weights *Packed
	k       int // K with what rounds it up to a multiple of 4
	panels  int
	columns []int8    // as asm.Bounds reads them; those that are missing in the last panel are copies of the last one
	scale   []float32 // of each
	radius  []float32 // of each, ‖d‖ and the loss of float32
	widest  float64   // at least the largest ‖q·scale‖: ‖w‖ + ‖d‖
	limit   int       // of |r|
	usable  bool      // whether all values are in the range that the bound holds for

	vain atomic.Int32 // how many products are done whole before the next is screened
}

const (
	// What lies between has products, and sums of as many as a screen can have, that are far from where float32 ends.
	screenLeast, screenMost = 1.0 / (1 << 60), 1 << 50
	// screenLevels is how many steps a row is rounded to, at least.
	screenLevels = 255
)

// NewScreen returns the screen of b.
func NewScreen(e *Engine, b *Packed) *Screen {
	s := &Screen{weights: b, k: ceilDiv(b.K, 4) * 4, panels: ceilDiv(b.N, asm.BoundsCols)}
	if b.K == 0 || b.N == 0 {
		return s
	}
	s.limit = min(math.MaxInt16, math.MaxInt32/(math.MaxInt8*s.k))
	n := s.panels * asm.BoundsCols
	s.columns = unsafe.Slice((*int8)(e.weights.take(n*s.k)), n*s.k)
	s.scale, s.radius = make([]float32, n), make([]float32, n)
	t := &screenTask{Screen: s, engine: e, widest: make([]float64, s.panels)}
	e.Run(s.panels, t)
	s.usable = s.limit >= screenLevels
	for _, w := range t.widest {
		s.widest = max(s.widest, w)
		s.usable = s.usable && w <= math.MaxFloat64 // neither infinite nor NaN
	}
	return s
}

// A screenTask is a screen in the making. A part is a panel.
type screenTask struct {
	*Screen
	engine *Engine
	widest []float64 // of each panel, +Inf where a value is out of range
}

// Do implements Task.
func (t *screenTask) Do(p int) {
	const cols = asm.BoundsCols
	w := t.engine.Borrow(t.weights.K * cols)
	defer t.engine.Return(w)
	t.values(w, p)
	var largest, scale, inverse [cols]float32
	for l := range t.weights.K {
		for j, v := range w[l*cols:][:cols] {
			if v = abs(v); v > largest[j] { // a NaN makes the norm one
				largest[j] = v
			}
		}
	}
	for j, v := range largest {
		if v > screenMost {
			t.widest[p] = math.Inf(1)
			return
		}
		if v >= screenLeast { // or it stays 0, and all of the column is lost
			scale[j] = v / math.MaxInt8
			inverse[j] = 1 / scale[j]
		}
	}
	var lost, all [cols]float32 // sums of squares, in steps of the scale
	dst := t.columns[p*cols*t.k:][:cols*t.k]
	for l := range t.weights.K {
		line := dst[l/2*2*cols+l%2:][:2*cols-1]
		for j, v := range w[l*cols:][:cols] {
			y := v * inverse[j]
			q := float32(y+integers) - integers
			line[2*j] = int8(math.Float32bits(float32(y + integers)))
			d := y - q
			lost[j] += d * d
			all[j] += y * y
		}
	}
	// A sum of K rounded terms is wrong by K/2 steps of 2⁻²³ at most, of the sum of their magnitudes: the squares' here, and later the products', which the
	// product of both norms bounds. An element in steps of the scale, up to 127, is wrong by two roundings. The bound itself takes a few.
	k := float64(t.weights.K)
	const rounding = 1.0 / (1 << 23)
	for j := range cols {
		step, more := float64(scale[j]), 1+k*rounding
		norm := step * math.Sqrt(float64(all[j])*more)
		d := step * (math.Sqrt(float64(lost[j])*more) + math.Sqrt(k)*math.MaxInt8*rounding)
		if step == 0 {
			d = math.Sqrt(k) * screenLeast
		}
		t.scale[p*cols+j] = scale[j]
		t.radius[p*cols+j] = float32(d + (k+16)*rounding*norm + screenLeast)
		t.widest[p] = max(t.widest[p], norm+d)
	}
}

// values sets w to the columns of panel p: a row of them for each row of the weights.
func (t *screenTask) values(w []float32, p int) {
	const cols = asm.BoundsCols
	b := t.weights
	rows := t.engine.Borrow(min(b.K, kBlock) * b.nr()) // of a panel of a block
	defer t.engine.Return(rows)
	j0 := p * cols
	n := min(cols, b.N-j0)
	for k0 := 0; k0 < b.K; k0 += kBlock {
		kc := min(b.K-k0, kBlock)
		for j := 0; j < n; {
			width := b.panelWidth(j0 + j)
			b.widenRows(rows, k0, j0+j, 0, kc)
			for l := range kc {
				copy(w[(k0+l)*cols+j:][:width], rows[l*width:])
			}
			j += width
		}
	}
	for l := range b.K {
		row := w[l*cols:][:cols]
		for j := n; j < cols; j++ {
			row[j] = row[n-1]
		}
	}
}

// integers, added to a float32 of less than 2²², leaves its nearest integer in the last bits: beside it a float32 has no fraction.
const integers = 3 << 22

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
