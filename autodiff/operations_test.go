package autodiff

import (
	"math"
	"math/rand/v2"

	"github.com/polytropon/polytropon/mat"
)

// An operation is one of the tape's, and the same in float64.
type operation struct {
	name    string
	shapes  [][2]int // of its operands
	record  func(t *Tape, x []Value) Value
	forward func(x []wide) wide
}

var (
	weight    = random(rand.New(rand.NewPCG(5, 6)), 7, 9)
	ids       = []int{4, 0, 2, 2, 4, 4, 3}
	labels    = []int{2, -100, 0, 8, 3}
	queries   = []int{0, 3, 3, 8, 9}
	keys      = []int{0, 4, 6, 10, 10}
	selfRows  = []int{0, 5, 6, 6, 9}
	epsilon   = float32(1e-3)
	functions = []struct {
		of   *Function
		wide func(x float64) float64
	}{
		{ReLU, func(x float64) float64 { return math.Max(0, x) }},
		{SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		{GELU, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }},
		{GELUTanh, func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
		{Tanh, math.Tanh},
		{Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	}
)

var operations = append([]operation{
	{"Plus", [][2]int{{3, 5}, {3, 5}},
		func(t *Tape, x []Value) Value { return t.Plus(x[0], x[1]) },
		func(x []wide) wide { return x[0].plus(x[1]) }},
	{"Plus of itself", [][2]int{{3, 5}},
		func(t *Tape, x []Value) Value { return t.Plus(x[0], x[0]) },
		func(x []wide) wide { return x[0].plus(x[0]) }},
	{"PlusRow", [][2]int{{4, 7}, {1, 7}},
		func(t *Tape, x []Value) Value { return t.PlusRow(x[0], x[1]) },
		func(x []wide) wide { return x[0].plus(ones(4).mul(x[1])) }},
	{"PlusRow of itself", [][2]int{{1, 7}},
		func(t *Tape, x []Value) Value { return t.PlusRow(x[0], x[0]) },
		func(x []wide) wide { return x[0].plus(x[0]) }},
	{"Times", [][2]int{{3, 5}, {3, 5}},
		func(t *Tape, x []Value) Value { return t.Times(x[0], x[1]) },
		func(x []wide) wide { return x[0].times(x[1]) }},
	{"Times itself", [][2]int{{3, 5}},
		func(t *Tape, x []Value) Value { return t.Times(x[0], x[0]) },
		func(x []wide) wide { return x[0].times(x[0]) }},
	{"Scale", [][2]int{{5, 3}},
		func(t *Tape, x []Value) Value { return t.Scale(x[0], -0.3) },
		func(x []wide) wide { return x[0].scale(float64(float32(-0.3))) }},
	{"Total", [][2]int{{5, 37}},
		func(t *Tape, x []Value) Value { return t.Total(x[0]) },
		func(x []wide) wide { return ones(5).transpose().mul(x[0]).mul(ones(37)) }},
	{"Mul", [][2]int{{5, 7}, {7, 3}},
		func(t *Tape, x []Value) Value { return t.Mul(x[0], x[1]) },
		func(x []wide) wide { return x[0].mul(x[1]) }},
	{"Mul by itself", [][2]int{{5, 5}},
		func(t *Tape, x []Value) Value { return t.Mul(x[0], x[0]) },
		func(x []wide) wide { return x[0].mul(x[0]) }},
	{"MulT", [][2]int{{5, 7}, {3, 7}},
		func(t *Tape, x []Value) Value { return t.MulT(x[0], x[1]) },
		func(x []wide) wide { return x[0].mul(x[1].transpose()) }},
	{"MulT by itself", [][2]int{{5, 7}},
		func(t *Tape, x []Value) Value { return t.MulT(x[0], x[0]) },
		func(x []wide) wide { return x[0].mul(x[0].transpose()) }},
	{"MulPacked", [][2]int{{5, 7}},
		func(t *Tape, x []Value) Value { return t.MulPacked(x[0], packedWeight(t)) },
		func(x []wide) wide { return x[0].mul(widen(weight)) }},
	{"PlusMulPacked", [][2]int{{5, 9}, {5, 7}},
		func(t *Tape, x []Value) Value { return t.PlusMulPacked(x[0], x[1], packedWeight(t)) },
		func(x []wide) wide { return x[0].plus(x[1].mul(widen(weight))) }},
	{"RMSNorm", [][2]int{{4, 9}, {1, 9}},
		func(t *Tape, x []Value) Value { return t.RMSNorm(x[0], x[1], epsilon) },
		func(x []wide) wide { return rmsNorm(x[0], x[1]) }},
	{"Softmax", [][2]int{{4, 9}},
		func(t *Tape, x []Value) Value { return t.Softmax(x[0]) },
		func(x []wide) wide { return x[0].softmax() }},
	{"Gather", [][2]int{{5, 3}},
		func(t *Tape, x []Value) Value { return t.Gather(x[0], ids, -1) },
		func(x []wide) wide { return gather(x[0]) }},
	{"CrossEntropy", [][2]int{{5, 9}},
		func(t *Tape, x []Value) Value { return crossEntropyOf(t, x[0], 0) },
		func(x []wide) wide { return crossEntropy64(x[0], 4) }},
	{"CrossEntropy of a part", [][2]int{{5, 9}},
		func(t *Tape, x []Value) Value { return crossEntropyOf(t, x[0], 11) },
		func(x []wide) wide { return crossEntropy64(x[0], 11) }},
	{"Attention", [][2]int{{9, 6}, {10, 6}, {10, 6}},
		func(t *Tape, x []Value) Value {
			return t.Attention(x[0], x[1], x[2], Value{}, mat.Attention{Heads: 2, HeadSize: 3, Queries: queries, Keys: keys})
		},
		func(x []wide) wide { return attend(x[0], x[1], x[2], wide{}, 2, queries, keys, false) }},
	{"Attention, causal, with a bias", [][2]int{{9, 4}, {9, 4}, {9, 4}, {2, 11}},
		func(t *Tape, x []Value) Value {
			b := x[3].Matrix
			return t.Attention(x[0], x[1], x[2], x[3], mat.Attention{
				Heads: 2, HeadSize: 2, Queries: selfRows, Keys: selfRows, Causal: true, Bias: []mat.Matrix{b, b, b, b},
			})
		},
		func(x []wide) wide { return attend(x[0], x[1], x[2], x[3], 2, selfRows, selfRows, true) }},
	{"Attention over itself", [][2]int{{9, 4}},
		func(t *Tape, x []Value) Value {
			return t.Attention(x[0], x[0], x[0], Value{}, mat.Attention{Heads: 1, HeadSize: 4, Queries: selfRows, Keys: selfRows})
		},
		func(x []wide) wide { return attend(x[0], x[0], x[0], wide{}, 1, selfRows, selfRows, false) }},
	{"Recompute", [][2]int{{5, 7}, {9, 7}},
		func(t *Tape, x []Value) Value { return t.Recompute(&residual{packedWeight(t), x[1]}, x[0]) },
		func(x []wide) wide {
			return x[0].plus(x[0].mul(widen(weight)).each(math.Tanh).mul(x[1])).scale(2)
		}},
	{"Recompute of nothing", [][2]int{{5, 7}},
		func(t *Tape, x []Value) Value { return t.Recompute(identity{}, x[0]) },
		func(x []wide) wide { return x[0] }},
	{"an operation in place", [][2]int{{5, 7}, {5, 9}},
		func(t *Tape, x []Value) Value { return plusSquare(t, t.MulPacked(x[0], packedWeight(t)), x[1]) },
		func(x []wide) wide { return x[0].mul(widen(weight)).plus(x[1].times(x[1])) }},
	{"an operation in place of a sum", [][2]int{{5, 9}, {5, 7}, {5, 9}},
		func(t *Tape, x []Value) Value {
			return plusSquare(t, t.PlusMulPacked(x[0], x[1], packedWeight(t)), x[2])
		},
		func(x []wide) wide { return x[0].plus(x[1].mul(widen(weight))).plus(x[2].times(x[2])) }},
}, functionOperations()...)

func functionOperations() []operation {
	var all []operation
	for _, f := range functions {
		all = append(all, operation{f.of.Name, [][2]int{{4, 9}},
			func(t *Tape, x []Value) Value { return t.Apply(f.of, x[0]) },
			func(x []wide) wide { return x[0].each(f.wide) }})
	}
	return all
}

func packedWeight(t *Tape) *mat.Packed {
	return mat.Pack(t.Engine, weight.Data, weight.Rows, weight.Cols, weight.Stride)
}

func ones(rows int) wide { return zeros(rows, 1).each(func(float64) float64 { return 1 }) }

func rmsNorm(x, weight wide) wide {
	y := zeros(x.rows, x.cols)
	for i := range x.rows {
		squares := 0.0
		for _, v := range x.row(i) {
			squares += v * v
		}
		root := math.Sqrt(squares/float64(x.cols) + float64(epsilon))
		for j, v := range x.row(i) {
			y.row(i)[j] = v / root * weight.data[j]
		}
	}
	return y
}

func gather(table wide) wide {
	y := zeros(len(ids), table.cols)
	for i, id := range ids {
		copy(y.row(i), table.row(id))
	}
	return y
}

func crossEntropyOf(t *Tape, logits Value, n int) Value {
	loss, err := t.CrossEntropy(logits, labels, -100, n)
	if err != nil {
		panic(err)
	}
	return loss
}

func crossEntropy64(logits wide, n float64) wide {
	loss, p := zeros(1, 1), logits.softmax()
	for i, label := range labels {
		if label >= 0 {
			loss.data[0] -= math.Log(p.row(i)[label]) / n
		}
	}
	return loss
}

// attend is mat.Engine.Attention in float64, with one bias or none for all sequences.
func attend(q, k, v, bias wide, heads int, queries, keys []int, causal bool) wide {
	out, size := zeros(q.rows, q.cols), q.cols/heads
	for s := range len(queries) - 1 {
		for h := range heads {
			head := func(m wide, i int) []float64 { return m.row(i)[h*size : (h+1)*size] }
			for i := range queries[s+1] - queries[s] {
				seen := keys[s+1] - keys[s]
				if causal {
					seen = min(seen, i+1)
				}
				if seen == 0 {
					continue
				}
				scores := zeros(1, seen)
				for j := range seen {
					for c, x := range head(q, queries[s]+i) {
						scores.data[j] += x * head(k, keys[s]+j)[c]
					}
					if bias.data != nil {
						scores.data[j] += bias.row(h)[bias.cols/2-i+j]
					}
				}
				for j, p := range scores.softmax().data {
					for c, x := range head(v, keys[s]+j) {
						head(out, queries[s]+i)[c] += p * x
					}
				}
			}
		}
	}
	return out
}

// residual is a block: 2·(x + tanh(x·first)·second).
type residual struct {
	first  *mat.Packed
	second Value
}

func (b *residual) Forward(t *Tape, x Value) Value {
	h := t.Apply(Tanh, t.MulPacked(x, b.first))
	return t.Scale(t.Plus(x, t.Mul(h, b.second)), 2)
}

type identity struct{}

func (identity) Forward(_ *Tape, x Value) Value { return x }

// plusSquare adds x² to y in place.
func plusSquare(t *Tape, y, x Value) Value {
	if t.Needs(y, x) {
		y = t.Needing(y)
	}
	for r := range y.Rows {
		for c, v := range x.Row(r) {
			y.Row(r)[c] += v * v
		}
	}
	if x.Needs() {
		*Record[squareAdded](t) = squareAdded{y, x}
	}
	return y
}

type squareAdded struct{ y, x Value }

func (o *squareAdded) Backward(t *Tape) {
	g, ok := t.Grad(o.y)
	if !ok {
		return
	}
	d := t.Scratch(g.Rows, g.Cols)
	t.Engine.MulElem(d, g, o.x.Matrix)
	t.Add(o.x, d)
	t.Add(o.x, d)
}
