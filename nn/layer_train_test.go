package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// training returns a pass of n sequences on a new tape.
func training(e *mat.Engine, n int, a *Trained) *Pass {
	p := NewPass(e)
	p.ResetTraining(autodiff.NewTape(e), n, a)
	return p
}

// backward finds the gradients of Σ w ⊙ y.
func backward(p *Pass, y autodiff.Value, w mat.Matrix) {
	t := p.Tape
	t.Backward(t.Total(t.Times(y, autodiff.Constant(w))), 1)
}

// paramsOf returns parameters for a layer, of small integers.
func paramsOf(rnd *rand.Rand, l Layer) map[string]*autodiff.Param {
	params := map[string]*autodiff.Param{}
	for _, p := range l.Params() {
		n := 1
		for _, d := range p.Shape {
			n *= d
		}
		params[p.Name] = autodiff.NewParam(p.Name, p.Shape, small(rnd, 1, n).Data)
	}
	return params
}

// weightsOf returns the values of parameters.
func weightsOf(params map[string]*autodiff.Param) map[string]Weights {
	values := map[string]Weights{}
	for name, p := range params {
		values[name] = Weights{F32: p.Value.Data}
	}
	return values
}

// TestTapeChangesNoBit checks that every layer has the same result with a tape as without: the layer itself, one that stands for it
// and is trained (against one that With returned); that nothing needs a gradient where the tape evaluates; and that a tape leaves operands as they are.
func TestTapeChangesNoBit(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	const in, out = 600, 24 // in is more than a chain of a product-sum
	rows, ids := ragged(3, 0, 5, 1), []int{4, 0, 1, 1, 2, 5, 6, 3, 3}
	n := rows.Rows()
	linear := NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in)
	biased := linear.WithBias(random(rnd, 1, out).Data)
	norm := NewRMSNorm(random(rnd, 1, out).Data, 1e-6)
	embedding := NewEmbedding(Weights{F32: random(rnd, 7, out).Data}, 7, out)
	relative := NewRelativeBias(random(rnd, 8, 3).Data, 8, 3, 20, false)
	x, y := random(rnd, n, in), random(rnd, n, out)
	value := func(m mat.Matrix) autodiff.Value { return autodiff.Constant(mat.View(values(m), m.Rows, m.Cols)) }
	for _, c := range []struct {
		name    string
		layer   Layer // nil where there is none to be replaced
		forward func(p *Pass, x, y autodiff.Value) autodiff.Value
	}{
		{"Linear", linear, func(p *Pass, x, _ autodiff.Value) autodiff.Value { return linear.Forward(p, rows, x) }},
		{"Linear with a bias", biased, func(p *Pass, x, _ autodiff.Value) autodiff.Value { return biased.Forward(p, rows, x) }},
		{"ForwardAdd", nil, func(p *Pass, x, y autodiff.Value) autodiff.Value { return linear.ForwardAdd(p, rows, y, x) }},
		{"ForwardAdd with a bias", nil, func(p *Pass, x, y autodiff.Value) autodiff.Value { return biased.ForwardAdd(p, rows, y, x) }},
		{"ForwardAddGate without a gate", nil, func(p *Pass, x, y autodiff.Value) autodiff.Value {
			return linear.ForwardAddGate(p, rows, y, autodiff.ReLU, x, autodiff.Value{})
		}},
		{"RMSNorm", norm, func(p *Pass, _, y autodiff.Value) autodiff.Value { return norm.Forward(p, rows, y) }},
		{"RMSNorm in place", norm, func(p *Pass, _, y autodiff.Value) autodiff.Value { return norm.ForwardInPlace(p, rows, y) }},
		{"Embedding", embedding, func(p *Pass, _, _ autodiff.Value) autodiff.Value { return embedding.Forward(p, rows, ids) }},
		{"RelativeBias, Attention", relative, func(p *Pass, _, y autodiff.Value) autodiff.Value {
			return Attention{Heads: 3, HeadSize: 8, Causal: true}.Forward(p, rows, rows, y, y, y, relative.Forward(p, rows))
		}},
		{"Apply", nil, func(p *Pass, x, _ autodiff.Value) autodiff.Value { return Apply(p, autodiff.GELU, x) }},
		{"Times", nil, func(p *Pass, _, y autodiff.Value) autodiff.Value { return Times(p, y, y) }},
		{"Scale", nil, func(p *Pass, x, _ autodiff.Value) autodiff.Value { return Scale(p, x, 0.3) }},
	} {
		same := func(what string, trained *Trained, delta []*Delta) {
			deltas := slices.Repeat([][]*Delta{delta}, rows.Sequences())
			want := values(c.forward(passOf(e, deltas), value(x), value(y)).Matrix)
			got := c.forward(training(e, rows.Sequences(), trained), autodiff.Constant(x), autodiff.Constant(y))
			if !equalBits(values(got.Matrix), want) {
				t.Errorf("%s, %s: the bits differ with a tape", c.name, what)
			}
			p := training(e, rows.Sequences(), trained)
			p.Tape.Evaluating = true
			got = c.forward(p, autodiff.Constant(x), autodiff.Constant(y))
			if !equalBits(values(got.Matrix), want) || got.Needs() {
				t.Errorf("%s, %s: a tape that evaluates gives other bits or needs a gradient", c.name, what)
			}
		}
		keptX, keptY := values(x), values(y)
		same("frozen", nil, nil)
		if c.layer != nil {
			params := paramsOf(rnd, c.layer)
			with := map[Layer]Layer{c.layer: c.layer.With(e, weightsOf(params))}
			same("replaced", &Trained{Replaced: with}, []*Delta{{Replaced: with}})
			same("trained", &Trained{Replaced: map[Layer]Layer{c.layer: c.layer.WithParams(params)}}, []*Delta{{Replaced: with}})
		}
		if !equalBits(values(x), keptX) || !equalBits(values(y), keptY) {
			t.Errorf("%s: an operand has changed", c.name)
		}
	}
}

// TestLinearGradients checks, on small integers, the gradients of a trained layer: of its weight, yᵀ·x, of its bias, the sum over rows, and
// of its input.
func TestLinearGradients(t *testing.T) {
	const in, out = 5, 7
	e, rnd := engine(t), rand.New(rand.NewPCG(3, 4))
	rows := ragged(2, 4)
	base := NewLinear(e, Weights{F32: make([]float32, in*out)}, out, in).WithBias(make([]float32, out))
	for _, add := range []bool{false, true} {
		params := paramsOf(rnd, base)
		p := training(e, 2, &Trained{Replaced: map[Layer]Layer{base: base.WithParams(params)}})
		x, dy := small(rnd, 6, in), small(rnd, 6, out)
		input := autodiff.NewParam("x", []int{6, in}, x.Data)
		residual := autodiff.NewParam("y", []int{6, out}, small(rnd, 6, out).Data)
		if add {
			backward(p, base.ForwardAdd(p, rows, p.Tape.Param(residual), p.Tape.Param(input)), dy)
		} else {
			backward(p, base.Forward(p, rows, p.Tape.Param(input)), dy)
		}
		dw, db, dx, dr := mat.New(out, in), mat.New(1, out), mat.New(6, in), mat.New(6, out)
		addProduct(dw, transposed(dy), x)
		addProduct(dx, dy, params["weight"].Value)
		for r := range dy.Rows {
			e.AddRow(db.Row(0), dy.Row(r))
		}
		if add {
			dr = dy
		}
		for _, c := range []struct {
			name      string
			got, want mat.Matrix
		}{{"weight", params["weight"].Grad, dw}, {"bias", params["bias"].Grad, db}, {"input", input.Grad, dx}, {"residual", residual.Grad, dr}} {
			if !slices.Equal(values(c.got), values(c.want)) {
				t.Errorf("added %t: %s: got %v, want %v", add, c.name, c.got, c.want)
			}
		}
	}
}

// TestEmbeddingGradients checks that each use of a token counts, but for the token of padding.
func TestEmbeddingGradients(t *testing.T) {
	e, rnd := engine(t), rand.New(rand.NewPCG(3, 4))
	base := NewEmbedding(Weights{F32: make([]float32, 8)}, 4, 2)
	for _, padding := range []int{-1, 2} {
		base.Padding = padding
		params := paramsOf(rnd, base)
		p := training(e, 2, &Trained{Replaced: map[Layer]Layer{base: base.WithParams(params)}})
		backward(p, base.Forward(p, ragged(3, 2), []int{1, 2, 1, 2, 3}), mat.View([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5, 2))
		want := []float32{0, 0, 6, 8, 10, 12, 9, 10}
		if padding == 2 {
			want = []float32{0, 0, 6, 8, 0, 0, 9, 10}
		}
		if got := params["weight"].Grad.Data; !slices.Equal(got, want) {
			t.Errorf("padding %d: got %v, want %v", padding, got, want)
		}
	}
}

// TestRelativeBiasGradients checks, on small integers, that a bucket's gradient is the sum over the distances that lie in it.
func TestRelativeBiasGradients(t *testing.T) {
	e, rnd := engine(t), rand.New(rand.NewPCG(3, 4))
	for _, bidirectional := range []bool{false, true} {
		base := NewRelativeBias(make([]float32, 8*3), 8, 3, 20, bidirectional)
		params := paramsOf(rnd, base)
		p := training(e, 3, &Trained{Replaced: map[Layer]Layer{base: base.WithParams(params)}})
		b := base.Forward(p, ragged(4, 30, 0))
		dv := small(rnd, 3, 2*30-1)
		backward(p, b.trained, dv)
		want := mat.New(8, 3)
		for c := range dv.Cols {
			for h := range 3 {
				want.Row(base.bucket(c - 29))[h] += dv.Row(h)[c]
			}
		}
		if got := params["weight"].Grad; !slices.Equal(values(got), values(want)) {
			t.Errorf("bidirectional %t: got %v, want %v", bidirectional, got, want)
		}
	}
}

// TestRelativeBiasOfSequences checks that the gradient of a bias that all sequences share is the sum of what each alone gives.
func TestRelativeBiasOfSequences(t *testing.T) {
	e, rnd := engine(t), rand.New(rand.NewPCG(5, 6))
	base := NewRelativeBias(make([]float32, 8*2), 8, 2, 20, true)
	params := paramsOf(rnd, base)
	trained := &Trained{Replaced: map[Layer]Layer{base: base.WithParams(params)}}
	rows := ragged(5, 1, 9)
	q, w := random(rnd, rows.Rows(), 8), random(rnd, rows.Rows(), 8)
	gradient := func(rows Ragged, q, w mat.Matrix) []float32 {
		params["weight"].ZeroGrad()
		p := training(e, rows.Sequences(), trained)
		x := autodiff.Constant(q)
		backward(p, Attention{Heads: 2, HeadSize: 4}.Forward(p, rows, rows, x, x, x, base.Forward(p, rows)), w)
		return slices.Clone(params["weight"].Grad.Data)
	}
	together, sum := gradient(rows, q, w), make([]float32, 16)
	for s := range rows.Sequences() {
		e.AddRow(sum, gradient(ragged(rows.Len(s)), q.RowRange(rows[s], rows[s+1]), w.RowRange(rows[s], rows[s+1])))
	}
	for i, want := range sum {
		if d := together[i] - want; d > 1e-5 || d < -1e-5 {
			t.Errorf("element %d: got %v, want %v", i, together[i], want)
		}
	}
}

func TestTapePanicsNameTheShapes(t *testing.T) {
	e := engine(t)
	p, one, two := training(e, 1, nil), ragged(4), ragged(1, 3)
	linear := NewLinear(e, Weights{F32: make([]float32, 6)}, 2, 3)
	norm := NewRMSNorm(make([]float32, 3), 1e-6)
	embedding := NewEmbedding(Weights{F32: make([]float32, 6)}, 2, 3)
	bias := NewRelativeBias(make([]float32, 8), 4, 2, 8, true)
	zeros := func(rows, cols int) autodiff.Value { return autodiff.Constant(mat.New(rows, cols)) }
	for i, c := range []struct {
		f     func()
		parts []string
	}{
		{func() { linear.Forward(p, one, zeros(4, 5)) }, []string{"3→2", "4×5"}},
		{func() { linear.Forward(p, one, zeros(5, 3)) }, []string{"5×3", "4 rows"}},
		{func() { linear.Forward(p, two, zeros(4, 3)) }, []string{"2 sequences", "pass of 1"}},
		{func() { linear.ForwardAdd(p, one, zeros(4, 3), zeros(4, 3)) }, []string{"3→2", "4×3"}},
		{func() { norm.Forward(p, one, zeros(4, 2)) }, []string{"over 3", "4×2"}},
		{func() { norm.ForwardInPlace(p, two, zeros(4, 3)) }, []string{"2 sequences", "pass of 1"}},
		{func() { embedding.Forward(p, two, []int{1, 0, 1, 1}) }, []string{"2 sequences", "pass of 1"}},
		{func() { embedding.Forward(p, one, []int{1, 0, 2, 1}) }, []string{"2×3", "id 2 of row 2"}},
		{func() { bias.Forward(p, two) }, []string{"2 sequences", "pass of 1"}},
	} {
		panics(t, fmt.Sprint(i), c.f, c.parts...)
	}
}
