package autodiff

import (
	"math"
	"math/rand/v2"
	"slices"

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
		name string
		of   *Function
		wide func(x float64) float64
	}{
		{"ReLU", ReLU, func(x float64) float64 { return math.Max(0, x) }},
		{"SiLU", SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		{"GELU", GELU, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }},
		{"GELUTanh", GELUTanh, func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
		{"Tanh", Tanh, math.Tanh},
		{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
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
	{"MulCrossEntropy", [][2]int{{5, 7}},
		func(t *Tape, x []Value) Value { return mulCrossEntropyOf(t, x[0], 0) },
		func(x []wide) wide { return crossEntropy64(x[0].mul(widen(weight)), 4) }},
	{"MulCrossEntropy of a part", [][2]int{{5, 7}},
		func(t *Tape, x []Value) Value { return mulCrossEntropyOf(t, x[0], 11) },
		func(x []wide) wide { return crossEntropy64(x[0].mul(widen(weight)), 11) }},
	attentionOperation("Attention", 9, 10, mat.Attention{Heads: 2, HeadSize: 3, Queries: queries, Keys: keys}),
	attentionOperation("Attention, causal, with a bias", 9, 9, mat.Attention{
		Heads: 2, HeadSize: 2, Queries: selfRows, Keys: selfRows, Causal: true, Bias: make([]mat.Matrix, 4),
	}),
	attentionOperation("Attention, shared keys, a window, a scale", 7, 10, mat.Attention{
		Heads: 4, HeadSize: 3, KVHeads: 2, Queries: []int{0, 3, 3, 7, 7}, Keys: keys, Causal: true, Window: 2, Scale: 0.4, Offsets: []int{1, 0, 0, 0},
	}),
	{"Attention over itself", [][2]int{{9, 4}},
		func(t *Tape, x []Value) Value {
			return t.Attention(x[0], x[0], x[0], Value{}, mat.Attention{Heads: 1, HeadSize: 4, Queries: selfRows, Keys: selfRows})
		},
		func(x []wide) wide {
			return attend(x[0], x[0], x[0], wide{}, mat.Attention{Heads: 1, HeadSize: 4, Queries: selfRows, Keys: selfRows})
		}},
	{"Reshape", [][2]int{{6, 4}},
		func(t *Tape, x []Value) Value { return t.Reshape(t.Scale(x[0], 2), 3, 8) },
		func(x []wide) wide { return wide{3, 8, x[0].scale(2).data} }},
	{"Reshape of an operand", [][2]int{{6, 4}},
		func(t *Tape, x []Value) Value { return t.Reshape(x[0], 3, 8) },
		func(x []wide) wide { return wide{3, 8, x[0].data} }},
	{"Recompute", [][2]int{{5, 7}, {9, 7}},
		func(t *Tape, x []Value) Value { return Recompute(t, residual{packedWeight(t), x[1]}, x[0]) },
		func(x []wide) wide {
			return x[0].plus(x[0].mul(widen(weight)).each(math.Tanh).mul(x[1])).scale(2)
		}},
	{"PlusGateMulPacked", [][2]int{{5, 9}, {5, 7}, {5, 7}},
		func(t *Tape, x []Value) Value { return t.PlusGateMulPacked(x[0], SiLU, x[1], x[2], packedWeight(t)) },
		func(x []wide) wide {
			return x[0].plus(x[1].each(func(x float64) float64 { return x / (1 + math.Exp(-x)) }).times(x[2]).mul(widen(weight)))
		}},
	{"PlusGateMulPacked without a gate", [][2]int{{5, 9}, {5, 7}},
		func(t *Tape, x []Value) Value { return t.PlusGateMulPacked(x[0], Tanh, x[1], Value{}, packedWeight(t)) },
		func(x []wide) wide { return x[0].plus(x[1].each(math.Tanh).mul(widen(weight))) }},
	{"PlusGateMulPacked of itself", [][2]int{{5, 9}, {5, 7}},
		func(t *Tape, x []Value) Value { return t.PlusGateMulPacked(x[0], Tanh, x[1], x[1], packedWeight(t)) },
		func(x []wide) wide { return x[0].plus(x[1].each(math.Tanh).times(x[1]).mul(widen(weight))) }},
	{"Recompute, a product last", [][2]int{{5, 9}, {5, 7}},
		func(t *Tape, x []Value) Value { return Recompute(t, productLast{packedWeight(t), x[1], false}, x[0]) },
		func(x []wide) wide { return x[0].each(math.Tanh).plus(x[1].each(math.Tanh).mul(widen(weight))) }},
	{"Recompute, a product without use last", [][2]int{{5, 9}, {5, 7}},
		func(t *Tape, x []Value) Value {
			return t.Plus(Recompute(t, productLast{packedWeight(t), x[1], true}, x[0]), t.MulPacked(x[1], packedWeight(t)))
		},
		func(x []wide) wide { return x[0].each(math.Tanh).plus(x[1].mul(widen(weight))) }},
	{"Recompute of nothing", [][2]int{{5, 7}},
		func(t *Tape, x []Value) Value { return Recompute(t, identity{}, x[0]) },
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
		all = append(all, operation{f.name, [][2]int{{4, 9}},
			func(t *Tape, x []Value) Value { return t.Apply(f.of, x[0]) },
			func(x []wide) wide { return x[0].each(f.wide) }},
			operation{f.name + ", a gate", [][2]int{{4, 9}, {4, 9}},
				func(t *Tape, x []Value) Value { return t.Gate(f.of, x[0], x[1]) },
				func(x []wide) wide { return x[0].each(f.wide).times(x[1]) }},
			operation{f.name + ", a gate of itself", [][2]int{{4, 9}},
				func(t *Tape, x []Value) Value { return t.Gate(f.of, x[0], x[0]) },
				func(x []wide) wide { return x[0].each(f.wide).times(x[0]) }})
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

func mulCrossEntropyOf(t *Tape, x Value, n int) Value {
	loss, err := t.MulCrossEntropy(x, packedWeight(t), labels, -100, n)
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

// attentionOperation is an attention over so many queries and keys; a.Bias is nil or has places for the one bias.
func attentionOperation(name string, queries, keys int, a mat.Attention) operation {
	kv := a.HeadSize * a.KVHeads
	if a.KVHeads == 0 {
		kv = a.HeadSize * a.Heads
	}
	op := operation{
		name: name, shapes: [][2]int{{queries, a.Heads * a.HeadSize}, {keys, kv}, {keys, kv}},
		record:  func(t *Tape, x []Value) Value { return t.Attention(x[0], x[1], x[2], Value{}, a) },
		forward: func(x []wide) wide { return attend(x[0], x[1], x[2], wide{}, a) },
	}
	if a.Bias != nil {
		op.shapes = append(op.shapes, [2]int{a.Heads, 2*queries - 1})
		op.record = func(t *Tape, x []Value) Value {
			a := a
			a.Bias = slices.Repeat([]mat.Matrix{x[3].Matrix}, len(a.Bias))
			return t.Attention(x[0], x[1], x[2], x[3], a)
		}
		op.forward = func(x []wide) wide { return attend(x[0], x[1], x[2], x[3], a) }
	}
	return op
}

// attend is mat.Engine.Attention in float64, with one bias or none for all sequences.
func attend(q, k, v, bias wide, a mat.Attention) wide {
	out, scale, groups := zeros(q.rows, q.cols), 1.0, 1
	if a.Scale != 0 {
		scale = float64(a.Scale)
	}
	if a.KVHeads != 0 {
		groups = a.Heads / a.KVHeads
	}
	head := func(m wide, i, h int) []float64 { return m.row(i)[h*a.HeadSize : (h+1)*a.HeadSize] }
	for s := range len(a.Queries) - 1 {
		for i := a.Queries[s]; i < a.Queries[s+1]; i++ {
			position, first, end := i-a.Queries[s], 0, a.Keys[s+1]-a.Keys[s]
			if a.Offsets != nil {
				position += a.Offsets[s]
			}
			if a.Causal {
				end = min(end, position+1)
			}
			if a.Window != 0 {
				first = max(0, position+1-a.Window)
			}
			if first >= end {
				continue
			}
			for h := range a.Heads {
				scores := zeros(1, end-first)
				for j := range scores.data {
					for c, x := range head(q, i, h) {
						scores.data[j] += scale * x * head(k, a.Keys[s]+first+j, h/groups)[c]
					}
					if bias.data != nil {
						scores.data[j] += bias.row(h)[bias.cols/2-position+first+j]
					}
				}
				for j, p := range scores.softmax().data {
					for c, x := range head(v, a.Keys[s]+first+j, h/groups) {
						head(out, i, h)[c] += p * x
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

// productLast is a block: tanh(x) + tanh(h)·w, or without the product, which it computes nevertheless.
type productLast struct {
	w       *mat.Packed
	h       Value
	without bool
}

func (b *productLast) Forward(t *Tape, x Value) Value {
	x = t.Apply(Tanh, x)
	z := t.PlusMulPacked(x, t.Apply(Tanh, b.h), b.w)
	if b.without {
		return x
	}
	return z
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
	t.AddGrad(o.x, d)
	t.AddGrad(o.x, d)
}
