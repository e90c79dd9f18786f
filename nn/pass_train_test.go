package nn

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// lowRankAdded is a trained term: x·A·B.
type lowRankAdded struct{ a, b *autodiff.Param }

func (l lowRankAdded) AddTo(p *Pass, _ Ragged, y, x autodiff.Value) autodiff.Value {
	t := p.Tape
	return t.Plus(y, t.Mul(t.Mul(x, t.Param(l.a)), t.Param(l.b)))
}

// trainable is a small model of every kind of layer: a block of attention and a feed-forward layer, and a head.
type trainable struct {
	embedding  *Embedding
	norm       *RMSNorm
	q, up, out *Linear
	bias       *RelativeBias
	trained    Trained
	params     []*autodiff.Param
}

const (
	trainableTokens = 11
	trainableWidth  = 16
	trainableInner  = 700
)

func newTrainable(e *mat.Engine) *trainable {
	rnd := rand.New(rand.NewPCG(1, 2))
	linear := func(out, in int) *Linear { return NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in) }
	m := &trainable{
		embedding: NewEmbedding(Weights{F32: make([]float32, trainableTokens*trainableWidth)}, trainableTokens, trainableWidth),
		norm:      NewRMSNorm(make([]float32, trainableWidth), 1e-6),
		q:         linear(trainableWidth, trainableWidth), up: linear(trainableInner, trainableWidth).WithBias(random(rnd, 1, trainableInner).Data),
		out:     linear(trainableWidth, trainableInner),
		bias:    NewRelativeBias(make([]float32, 8*2), 8, 2, 20, false),
		trained: Trained{Added: map[*Linear]Added{}, Replaced: map[Layer]Layer{}},
	}
	param := func(name string, shape ...int) *autodiff.Param {
		size := 1
		for _, d := range shape {
			size *= d
		}
		p := autodiff.NewParam(name, shape, random(rnd, 1, size).Data)
		m.params = append(m.params, p)
		return p
	}
	for _, l := range []Layer{m.embedding, m.norm, m.bias, m.up} {
		params := map[string]*autodiff.Param{}
		for _, p := range l.Params() {
			params[p.Name] = param(p.Name, p.Shape...)
		}
		m.trained.Replaced[l] = l.WithParams(params)
	}
	for _, l := range []*Linear{m.q, m.out} {
		m.trained.Added[l] = lowRankAdded{param("A", l.In, 3), param("B", 3, l.Out)}
	}
	return m
}

// trainableBlock is the block of a trainable at work.
type trainableBlock struct {
	*trainable
	p    *Pass
	rows Ragged
	bias Bias
}

func (b *trainableBlock) Forward(_ *autodiff.Tape, x autodiff.Value) autodiff.Value {
	n := b.norm.Forward(b.p, b.rows, x)
	q := b.q.Forward(b.p, b.rows, n)
	x = b.p.Tape.Plus(x, Attention{Heads: 2, HeadSize: 8, Causal: true}.Forward(b.p, b.rows, b.rows, q, n, n, b.bias))
	return b.out.ForwardAdd(b.p, b.rows, x, Apply(b.p, autodiff.SiLU, b.up.Forward(b.p, b.rows, x)))
}

// step returns the loss of a step, whose gradients it adds.
func (m *trainable) step(p *Pass, t *autodiff.Tape, rows Ragged, ids, labels []int, again bool) float32 {
	p.ResetTraining(t, rows.Sequences(), &m.trained)
	x := m.embedding.Forward(p, rows, ids)
	block := trainableBlock{m, p, rows, m.bias.Forward(p, rows)}
	if again {
		x = autodiff.Recompute(t, block, x)
	} else {
		x = block.Forward(t, x)
	}
	loss, err := t.CrossEntropy(Scale(p, x, 0.01), labels, IgnoreIndex, 0)
	if err != nil {
		panic(err)
	}
	t.Backward(loss, 1)
	return loss.Data[0]
}

var (
	trainableRows   = ragged(43, 0, 20, 1)
	trainableIDs    = make([]int, 64)
	trainableLabels = make([]int, 64)
)

func init() {
	for i := range trainableIDs {
		trainableIDs[i], trainableLabels[i] = i*i%trainableTokens, i*5%trainableWidth
	}
	trainableLabels[7] = IgnoreIndex
}

// TestTrainingHasTheSameBits compares the losses and gradients of two steps on every level, with one and two threads, with all values kept
// and with the block computed again.
func TestTrainingHasTheSameBits(t *testing.T) {
	sameBits(t, func(t *testing.T, e *mat.Engine) mat.Matrix {
		var all [2][]float32
		for i, again := range []bool{false, true} {
			m, p, tape := newTrainable(e), NewPass(e), autodiff.NewTape(e)
			for range 2 {
				all[i] = append(all[i], m.step(p, tape, trainableRows, trainableIDs, trainableLabels, again))
			}
			for _, param := range m.params {
				all[i] = append(all[i], param.Grad.Data...)
				if !slices.ContainsFunc(param.Grad.Data, func(g float32) bool { return g != 0 && g-g == 0 }) {
					t.Errorf("%s: no gradient", param.Name)
				}
			}
		}
		if !equalBits(all[0], all[1]) {
			t.Error("the bits differ with the block computed again")
		}
		return mat.View(all[0], 1, len(all[0]))
	})
}

// TestTrainingLeavesThePassAsItWas checks that a pass that has trained computes what a new one does.
func TestTrainingLeavesThePassAsItWas(t *testing.T) {
	e := engine(t)
	m, p := newTrainable(e), NewPass(e)
	m.step(p, autodiff.NewTape(e), trainableRows, trainableIDs, trainableLabels, false)
	deltas := make([][]*Delta, trainableRows.Sequences())
	if err := p.Reset(deltas); err != nil {
		t.Fatal(err)
	}
	x := random(rand.New(rand.NewPCG(1, 2)), trainableRows.Rows(), trainableWidth)
	got := m.q.Forward(p, trainableRows, autodiff.Constant(x))
	if want := m.q.Forward(passOf(e, deltas), trainableRows, autodiff.Constant(x)); !equalBits(values(got.Matrix), values(want.Matrix)) {
		t.Error("the bits differ after training")
	}
}

// TestAddedIsForItsLayer checks that a term is added to the output of its own layer and of no other, and that nil trains nothing.
func TestAddedIsForItsLayer(t *testing.T) {
	e := engine(t)
	one := Weights{F32: []float32{1, 0, 0, 1}}
	first, second := NewLinear(e, one, 2, 2), NewLinear(e, one, 2, 2)
	a, b := autodiff.NewParam("A", []int{2, 1}, []float32{1, 1}), autodiff.NewParam("B", []int{1, 2}, []float32{10, 20})
	rows, x := ragged(1, 1), autodiff.Constant(mat.View([]float32{1, 2, 3, 4}, 2, 2))
	for _, c := range []struct {
		trained   *Trained
		add       bool
		want      []float32
		gradients []float32 // of A, each element of the result counting once
	}{
		{nil, false, []float32{1, 2, 3, 4}, []float32{0, 0}},
		{&Trained{}, true, []float32{2, 4, 6, 8}, []float32{0, 0}},
		{&Trained{Added: map[*Linear]Added{first: lowRankAdded{a, b}}}, false, []float32{31, 62, 73, 144}, []float32{120, 180}},
		{&Trained{Added: map[*Linear]Added{first: lowRankAdded{a, b}}}, true, []float32{32, 64, 76, 148}, []float32{120, 180}},
		{&Trained{Added: map[*Linear]Added{second: lowRankAdded{a, b}}}, false, []float32{1, 2, 3, 4}, []float32{0, 0}},
	} {
		a.ZeroGrad()
		p := training(e, 2, c.trained)
		y := first.Forward(p, rows, x)
		if c.add {
			y = first.ForwardAdd(p, rows, x, x)
		}
		if got := values(y.Matrix); !slices.Equal(got, c.want) {
			t.Errorf("added %t: got %v, want %v", c.add, got, c.want)
		}
		backward(p, y, mat.View([]float32{1, 1, 1, 1}, 2, 2))
		if !reflect.DeepEqual(a.Grad.Data, c.gradients) {
			t.Errorf("added %t: got gradients %v, want %v", c.add, a.Grad.Data, c.gradients)
		}
	}
}
