package mat

import (
	"fmt"
	"math"
	"slices"

	"github.com/polytropon/polytropon/mat/asm"
)

// MulLargest sets c to a·b, b being the weights of s, as [Engine.Mul] does, except that in row i elements that are not among the n[i] largest, nor equal to
// the last of those, may be -Inf. The others have the bits of Mul, so that whoever chooses among the largest chooses the same. n[i] < 1 asks for all. c must
// not overlap a.
func (e *Engine) MulLargest(c, a Matrix, s *Screen, n []int) {
	p := product{c: c, a: a, packed: s.weights}
	p.check(e)
	if len(n) != c.Rows {
		panic(fmt.Sprintf("mat: MulLargest of %s for %d rows", c.Shape(), len(n)))
	}
	t, ok := e.screenings.take()
	if !ok {
		t = &screening{engine: e}
	}
	if !t.run(p, s, n) {
		e.one(p)
	}
	t.product, t.screen = product{}, nil
	e.screenings.put(t)
}

const (
	// panelsPerLargest is about how many panels are computed for one more of the largest elements: of a language model with 1536 the largest logit needs 5 on
	// average, the 50 largest 330, the 100 largest 580, the 200 largest 930.
	panelsPerLargest = 7
	// panelsPerPart is how many panels are worth a part.
	panelsPerPart = 8
	// boundsPerThread is how many parts a thread gets of what bounds the columns, which is to read the screen.
	boundsPerThread = 2
	// vainPause is how many products are done whole after one whose candidates were too many: the next tokens of a text that can go on in any way are often no
	// clearer.
	vainPause = 16
)

// A screening is a product of which the largest elements are wanted. It is reused.
type screening struct {
	engine  *Engine
	product product
	screen  *Screen
	rows    []int16   // of a, rounded
	size    []float32 // of each row: its norm, in its steps
	extra   []float32 // of each row: what its own rounding can lose, in its steps
	most    []float32 // of each row and panel, above all products there
	least   []float32 // of each row and panel, not above the largest product there
	top     []float32
	chosen  []choice
	parts   int
	exact   bool // whether parts are the products themselves
}

// A choice is a panel to be computed for a row.
type choice struct{ row, panel int }

// run reports whether it has computed the product: it has not if that is simpler done whole.
func (t *screening) run(p product, s *Screen, n []int) bool {
	m, panels := p.c.Rows, 0
	for _, n := range n {
		if n < 1 || n > s.panels {
			return false
		}
		panels += n * panelsPerLargest
	}
	if !s.usable || m == 0 || panels > s.few(m) {
		return false
	}
	if s.vain.Load() > 0 {
		s.vain.Add(-1)
		return false
	}
	t.product, t.screen = p, s
	t.rows = slices.Grow(t.rows[:0], m*s.k)[:m*s.k]
	t.size, t.extra = slices.Grow(t.size[:0], m)[:m], slices.Grow(t.extra[:0], m)[:m]
	t.most, t.least = slices.Grow(t.most[:0], m*s.panels)[:m*s.panels], slices.Grow(t.least[:0], m*s.panels)[:m*s.panels]
	for i := range m {
		if !t.round(i) {
			return false
		}
	}
	t.exact, t.parts = false, min(s.panels, t.engine.threads*boundsPerThread)
	t.engine.Run(t.parts, t)
	if !t.choose(n) {
		s.vain.Store(vainPause)
		return false
	}
	t.exact, t.parts = true, min(ceilDiv(len(t.chosen), panelsPerPart), t.engine.threads*partsPerThread)
	t.engine.Run(t.parts, t)
	return true
}

// round rounds row i, and reports whether it can.
func (t *screening) round(i int) bool {
	s, row := t.screen, t.product.a.Row(i)
	var largest float32
	for _, v := range row {
		largest = max(largest, abs(v))
	}
	if !(largest >= screenLeast && largest <= screenMost) { // or it is NaN
		return false
	}
	step := largest / float32(s.limit)
	inverse := 1 / step
	dst := t.rows[i*s.k:][:s.k]
	var all, lost float64 // squares
	for l, v := range row {
		q := min(max(float32(v*inverse+integers)-integers, float32(-s.limit)), float32(s.limit))
		dst[l] = int16(q)
		d := float64(v) - float64(q)*float64(step)
		all += float64(v) * float64(v)
		lost += d * d
	}
	clear(dst[len(row):])
	const up = 1 + 1.0/(1<<20) // more than rounding can lose here
	t.size[i] = float32(math.Sqrt(all) / float64(step) * up)
	t.extra[i] = float32(math.Sqrt(lost) * s.widest / float64(step) * up)
	return true
}

// choose lists the panels that can hold one of the n[i] largest elements of row i, and reports whether they are few.
func (t *screening) choose(n []int) bool {
	t.chosen = t.chosen[:0]
	panels := t.screen.panels
	for i, n := range n {
		// So many elements are at least the n-th largest of least.
		bar := t.nth(t.least[i*panels:][:panels], n) - t.extra[i]
		for p, most := range t.most[i*panels:][:panels] {
			if !(most+t.extra[i] < bar) {
				t.chosen = append(t.chosen, choice{i, p})
			}
		}
	}
	return len(t.chosen) <= t.screen.few(len(n))
}

// few returns how many panels, each computed for one of m rows, take less time than the whole product: that takes as long as reading all panels once, up to
// some 16 rows, and of more rows longer in proportion.
func (s *Screen) few(m int) int { return s.panels / 2 * max(1, m/16) }

// nth returns the n-th largest of x.
func (t *screening) nth(x []float32, n int) float32 {
	t.top = t.top[:0]
	for _, v := range x {
		if len(t.top) == n {
			if v <= t.top[n-1] {
				continue
			}
			t.top = t.top[:n-1]
		}
		j := len(t.top)
		for j > 0 && t.top[j-1] < v {
			j--
		}
		t.top = slices.Insert(t.top, j, v)
	}
	return t.top[n-1]
}

// Do implements Task.
func (t *screening) Do(part int) {
	if t.exact {
		n := len(t.chosen)
		for _, c := range t.chosen[n*part/t.parts : n*(part+1)/t.parts] {
			row := t.product
			row.c, row.a = row.c.RowRange(c.row, c.row+1), row.a.RowRange(c.row, c.row+1)
			j := c.panel * asm.BoundsCols
			row.columns(j, min(j+asm.BoundsCols, row.c.Cols))
		}
		return
	}
	t.bound(t.screen.panels*part/t.parts, t.screen.panels*(part+1)/t.parts)
}

// bound bounds the products of all rows with the panels from ≤ p < to.
func (t *screening) bound(from, to int) {
	const cols = asm.BoundsCols
	s, g, m := t.screen, &t.engine.level.Gemm, t.product.c.Rows
	for i := range m {
		fill(t.product.c.Row(i)[from*cols:min(to*cols, t.product.c.Cols)], negInf)
	}
	perCall := 1 // a panel stays in the cache for all rows
	if m <= g.BoundsMR {
		perCall = max(1, callMACs/(s.k*cols*max(m, readRows)))
	}
	for p := from; p < to; p += perCall {
		n := min(perCall, to-p)
		for i := 0; i < m; i += g.BoundsMR {
			g.Bounds(min(g.BoundsMR, m-i), s.k, n, &t.rows[i*s.k], s.k, &s.columns[p*cols*s.k], &s.scale[p*cols], &s.radius[p*cols], &t.size[i],
				&t.most[i*s.panels+p], &t.least[i*s.panels+p], s.panels)
		}
	}
}

// fill sets all of x to v.
func fill(x []float32, v float32) {
	if len(x) == 0 {
		return
	}
	x[0] = v
	for n := 1; n < len(x); n *= 2 {
		copy(x[n:], x[:n])
	}
}
