package optim

import (
	"math"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// An adafactorTask is a step. It has four passes, each shared by blocks or matrices: gather, columns, measure, apply.
type adafactorTask struct {
	pass     func(t *adafactorTask, i int)
	engine   *mat.Engine
	params   []*adafactorParam
	matrices []*adafactorMatrix
	blocks   []*adafactorBlock

	keep, gain         float32 // of mean squares
	meanKeep, meanGain float32 // Beta1, 1 - Beta1
	eps                float32 // SquareEps
	scaled             bool    // ScaleParameter
}

// An adafactorParam is a parameter, as blocks, and what a step does to it.
type adafactorParam struct {
	*autodiff.Param
	group  int
	mean   []float32 // of updates; nil without Beta1
	blocks []*adafactorBlock

	rate    float32
	decay   float32 // times the parameter is added to it: not above 0
	divisor float32 // of the update
}

// An adafactorMatrix is a matrix of a factored parameter, or all elements of another one as a column, which has full.
type adafactorMatrix struct {
	at, rows, cols int       // the first element and the shape
	full           []float32 // the mean square of each element
	row, col       []float32 // the mean squares of rows and columns
	rowMean        float32   // the mean of row
	colFactor      []float32 // 1/√col
	blocks         []*adafactorBlock
}

// An adafactorBlock is the rows from ≤ i < to of a matrix: what a worker takes at a time.
type adafactorBlock struct {
	param         *adafactorParam
	matrix        *adafactorMatrix
	from, to      int
	colSquares    []float32 // the sum of the gradient's squares in each column
	valueSquares  float32   // the sum of the parameter's squares
	updateSquares float64   // the sum of the update's squares
}

// blockRows is the least number of rows of a block: sums of columns need one float32 for that many elements.
const blockRows = 64

// add appends a matrix of p, in blocks.
func (t *adafactorTask) add(p *adafactorParam, m *adafactorMatrix) {
	t.matrices = append(t.matrices, m)
	step := max(blockRows, spanSize/m.cols)
	for from := 0; from < m.rows; from += step {
		b := &adafactorBlock{param: p, matrix: m, from: from, to: min(from+step, m.rows)}
		if m.full == nil {
			b.colSquares = make([]float32, m.cols)
		}
		m.blocks, p.blocks, t.blocks = append(m.blocks, b), append(p.blocks, b), append(t.blocks, b)
	}
}

func (t *adafactorTask) run(pass func(t *adafactorTask, i int), n int) {
	t.pass = pass
	t.engine.Run(n, t)
}

// Do does part i of a pass.
func (t *adafactorTask) Do(i int) { t.pass(t, i) }

// gather takes a block's gradient into the mean squares of elements or rows, and sums the squares of columns and of the parameter.
func gather(t *adafactorTask, i int) {
	b, e := t.blocks[i], t.engine
	m := b.matrix
	if t.scaled {
		w := b.elements(b.param.Value.Data)
		b.valueSquares = e.DotRow(w, w)
	}
	if m.full != nil {
		full := m.full[b.from:b.to]
		for j, g := range b.elements(b.param.Grad.Data) {
			full[j] = t.follow(full[j], float32(g*g)+t.eps)
		}
		return
	}
	squares := e.Borrow(m.cols)
	defer e.Return(squares)
	clear(b.colSquares)
	for r := b.from; r < b.to; r++ {
		g := m.rowOf(b.param.Grad.Data, r)
		m.row[r] = t.follow(m.row[r], e.DotRow(g, g)/float32(m.cols)+t.eps)
		e.MulRow(squares, g, g)
		e.AddRow(b.colSquares, squares)
	}
}

// columns takes the blocks' sums into a matrix's mean squares of columns, and computes the factors of the update.
func columns(t *adafactorTask, i int) {
	m := t.matrices[i]
	if m.full != nil {
		return
	}
	sums := m.colFactor
	clear(sums)
	for _, b := range m.blocks {
		for j, s := range b.colSquares {
			sums[j] += s
		}
	}
	for j, s := range sums {
		m.col[j] = t.follow(m.col[j], s/float32(m.rows)+t.eps)
		m.colFactor[j] = inverseRoot(m.col[j])
	}
	m.rowMean = t.engine.SumRow(m.row) / float32(m.rows)
}

// measure sums the squares of a block's update.
func measure(t *adafactorTask, i int) {
	b, e := t.blocks[i], t.engine
	b.updateSquares = 0
	t.eachUpdate(b, func(u []float32, _ int) { b.updateSquares += float64(e.DotRow(u, u)) })
}

// apply changes the parameter by a block's update.
func apply(t *adafactorTask, i int) {
	b, e := t.blocks[i], t.engine
	p := b.param
	t.eachUpdate(b, func(u []float32, at int) {
		e.DivRow(u, u, p.divisor)
		e.ScaleRow(u, p.rate)
		if p.mean != nil {
			mean := p.mean[at:][:len(u)]
			e.ScaleRow(mean, t.meanKeep)
			e.AddScaledRow(mean, mean, u, t.meanGain)
			u = mean
		}
		w := p.Value.Data[at:][:len(u)]
		e.AddScaledRow(w, w, w, p.decay)
		e.AddScaledRow(w, w, u, -1)
	})
}

// chunkSize is about how many elements of a block are computed at a time: what stays in the first-level cache.
const chunkSize = 4096

// eachUpdate calls f with the update of some rows of a block at a time, the gradient times the factors of row and column, and the first element's place in
// the parameter.
func (t *adafactorTask) eachUpdate(b *adafactorBlock, f func(u []float32, at int)) {
	m, e := b.matrix, t.engine
	rows := max(1, chunkSize/m.cols)
	memory := e.Borrow(min(rows, b.to-b.from) * m.cols)
	defer e.Return(memory)
	for from := b.from; from < b.to; from += rows {
		n, at := min(rows, b.to-from), m.at+from*m.cols
		u := memory[:n*m.cols]
		for r := range n {
			m.factors(u[r*m.cols:][:m.cols], from+r)
		}
		e.MulRow(u, u, b.param.Grad.Data[at:][:len(u)])
		f(u, at)
	}
}

// factors sets dst to what row r of the gradient is multiplied by.
func (m *adafactorMatrix) factors(dst []float32, r int) {
	if m.full != nil {
		dst[0] = inverseRoot(m.full[r])
		return
	}
	row := inverseRoot(m.row[r] / m.rowMean)
	for j, col := range m.colFactor {
		dst[j] = row * col
	}
}

// follow returns a mean square after a step that sees v.
func (t *adafactorTask) follow(mean, v float32) float32 {
	return fma(t.gain, v, float32(mean*t.keep))
}

// rowOf returns row r of the matrix in the data of its parameter.
func (m *adafactorMatrix) rowOf(data []float32, r int) []float32 {
	return data[m.at+r*m.cols : m.at+(r+1)*m.cols]
}

// elements returns the block in the data of its parameter.
func (b *adafactorBlock) elements(data []float32) []float32 {
	return data[b.matrix.at+b.from*b.matrix.cols : b.matrix.at+b.to*b.matrix.cols]
}

// valueRMS returns the root mean square of the parameter before the step.
func (p *adafactorParam) valueRMS() float32 {
	var sum float64
	for _, b := range p.blocks {
		sum += float64(b.valueSquares)
	}
	return p.rms(sum)
}

// updateRMS returns the root mean square of the update.
func (p *adafactorParam) updateRMS() float32 {
	var sum float64
	for _, b := range p.blocks {
		sum += b.updateSquares
	}
	return p.rms(sum)
}

func (p *adafactorParam) rms(squares float64) float32 {
	return float32(math.Sqrt(squares)) / float32(math.Sqrt(float64(len(p.Value.Data))))
}

func inverseRoot(x float32) float32 { return 1 / float32(math.Sqrt(float64(x))) }
