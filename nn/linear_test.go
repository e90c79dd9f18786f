package nn

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A lowRank is a LowRank with its matrices not packed.
type lowRank struct{ a, b mat.Matrix }

func (l lowRank) pack(e *mat.Engine) LowRank {
	return LowRank{mat.Pack(e, l.a.Data, l.a.Rows, l.a.Cols, l.a.Stride), mat.Pack(e, l.b.Data, l.b.Rows, l.b.Cols, l.b.Stride)}
}

// addProduct adds a·b to c in float64, exact for small integers.
func addProduct(c, a, b mat.Matrix) {
	for i := range c.Rows {
		for j := range c.Cols {
			sum := float64(c.Row(i)[j])
			for k := range a.Cols {
				sum += float64(a.Row(i)[k]) * float64(b.Row(k)[j])
			}
			c.Row(i)[j] = float32(sum)
		}
	}
}

func transposed(m mat.Matrix) mat.Matrix {
	t := mat.New(m.Cols, m.Rows)
	for i := range m.Rows {
		for j, x := range m.Row(i) {
			t.Row(j)[i] = x
		}
	}
	return t
}

// TestLinearAddsTheDeltasOfEachSequence checks products of small integers, which are exact.
func TestLinearAddsTheDeltasOfEachSequence(t *testing.T) {
	const in, out = 19, 21
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	w, w2, w3 := small(rnd, out, in), small(rnd, out, in), small(rnd, out, in)
	base := NewLinear(e, Weights{F32: w.Data}, out, in)
	other := NewLinear(e, Weights{F32: w.Data}, out, in) // a layer that the deltas change and the test does not use

	type delta struct {
		*Delta
		added    []lowRank   // at most one
		replaced *mat.Matrix // the weight
	}
	low := func(rank int) delta {
		l := lowRank{small(rnd, in, rank), small(rnd, rank, out)}
		return delta{&Delta{LowRank: map[*Linear]LowRank{base: l.pack(e), other: l.pack(e)}}, []lowRank{l}, nil}
	}
	replaced := func(w mat.Matrix) delta {
		l := base.With(e, map[string]Weights{"weight": {F32: w.Data}})
		return delta{&Delta{Replaced: map[Layer]Layer{base: l}}, nil, &w}
	}
	a, b, c := low(1), low(4), low(8)
	r2, r3 := replaced(w2), replaced(w3)
	both := replaced(w3)
	both.added = b.added
	both.LowRank = b.LowRank
	elsewhere := delta{&Delta{LowRank: map[*Linear]LowRank{other: b.LowRank[other]}, Replaced: map[Layer]Layer{other: other}}, nil, nil}

	for _, test := range []struct {
		name     string
		deltas   [][]delta
		segments int
	}{
		{"bare", [][]delta{nil, nil, {}}, 1},
		{"one for all", [][]delta{{a}, {a}, {a}}, 1},
		{"one each", [][]delta{{a}, {b}, {c}, {a}}, 4},
		{"bare among adapted", [][]delta{{a}, nil, {a}, nil, nil, {b}, {b}}, 5},
		{"bare first and last", [][]delta{nil, {a}, nil}, 3},
		{"several", [][]delta{{a, b, c}, {b}, nil, {c, a}}, 4},
		{"the same twice", [][]delta{{a, a}, {a}}, 2},
		{"a list's beginning", [][]delta{{a}, {a, b}, {a, b}, {b}}, 3},
		{"none of this layer", [][]delta{{elsewhere}, nil, {elsewhere, b}}, 3},
		{"replaced", [][]delta{{r2}, nil, {r3}, {r3}, {r2}, nil}, 5},
		{"replaced and added to", [][]delta{{r2, a}, {a, r2}, {a}, {both}, {both, c}}, 5},
		{"no sequences", nil, 0},
	} {
		deltas, n := make([][]*Delta, len(test.deltas)), len(test.deltas)
		for i, list := range test.deltas {
			for _, d := range list {
				deltas[i] = append(deltas[i], d.Delta)
			}
		}
		rows := RaggedOf(n, func(i int) int { return i * 5 % 9 }) // sequence 0 is empty
		x := small(rnd, rows.Rows(), in+2).ColRange(1, in+1)
		start := small(rnd, rows.Rows(), out+1).ColRange(0, out)
		want, wantSum := mat.New(rows.Rows(), out), mat.New(rows.Rows(), out)
		for i, list := range test.deltas {
			xi, weight := x.RowRange(rows[i], rows[i+1]), w
			for _, d := range list {
				if d.replaced != nil {
					weight = *d.replaced
				}
			}
			wi := want.RowRange(rows[i], rows[i+1])
			addProduct(wi, xi, transposed(weight))
			for _, d := range list {
				for _, l := range d.added {
					low := mat.New(xi.Rows, l.a.Cols)
					addProduct(low, xi, l.a)
					addProduct(wi, low, l.b)
				}
			}
		}
		for i := range want.Rows {
			for j, v := range want.Row(i) {
				wantSum.Row(i)[j] = v + start.Row(i)[j]
			}
		}
		p := passOf(e, deltas)
		if len(p.segments) != test.segments {
			t.Errorf("%s: %d segments, want %d", test.name, len(p.segments), test.segments)
		}
		if got := base.Forward(p, rows, autodiff.Constant(x)).Matrix; !slices.Equal(values(got), values(want)) {
			t.Errorf("%s: Forward: got %v, want %v", test.name, values(got), values(want))
		}
		got := mat.New(rows.Rows(), out+1).ColRange(0, out)
		if base.ForwardTo(p, rows, got, x); !slices.Equal(values(got), values(want)) {
			t.Errorf("%s: ForwardTo: got %v, want %v", test.name, values(got), values(want))
		}
		if base.ForwardAdd(p, rows, autodiff.Constant(start), autodiff.Constant(x)); !slices.Equal(values(start), values(wantSum)) {
			t.Errorf("%s: ForwardAdd: got %v, want %v", test.name, values(start), values(wantSum))
		}
	}
}

func TestLinearInHalfPrecision(t *testing.T) {
	e := engine(t)
	// 1, -2, 0.5, 3, 0.25, -1 in both types.
	w := []float32{1, -2, 0.5, 3, 0.25, -1}
	bf := []mat.BFloat16{0x3f80, 0xc000, 0x3f00, 0x4040, 0x3e80, 0xbf80}
	f16 := []mat.Float16{0x3c00, 0xc000, 0x3800, 0x4200, 0x3400, 0xbc00}
	x := mat.View([]float32{1, 2, 4, -1, 0, 8}, 2, 3)
	for _, weights := range []Weights{{F32: w}, {BF16: bf}, {F16: f16}} {
		got := NewLinear(e, weights, 2, 3).Forward(pass(e, 1), ragged(2), autodiff.Constant(x)).Matrix
		if !slices.Equal(values(got), []float32{-1, -0.5, 3, -11}) {
			t.Errorf("got %v", got)
		}
	}
}

// batch computes a ragged batch of random values, whose sequence i has lengths[i] rows and asks for deltas i%3 of three, and returns the
// function that computes any part of it.
func batch(e *mat.Engine, lengths ...int) (rows Ragged, forward func(from, to int) mat.Matrix) {
	const in, out, rank = 600, 33, 5
	rnd := rand.New(rand.NewPCG(8, 9))
	base := NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in)
	var choices [][]*Delta
	for range 3 {
		l := lowRank{random(rnd, in, rank), random(rnd, rank, out)}
		choices = append(choices, []*Delta{{LowRank: map[*Linear]LowRank{base: l.pack(e)}}})
	}
	choices[2] = nil
	rows = ragged(lengths...)
	x := random(rnd, rows.Rows(), in)
	return rows, func(from, to int) mat.Matrix {
		deltas := make([][]*Delta, to-from)
		for i := range deltas {
			deltas[i] = choices[(from+i)%3]
		}
		part := RaggedOf(to-from, func(i int) int { return rows.Len(from + i) })
		return base.Forward(passOf(e, deltas), part, autodiff.Constant(x.RowRange(rows[from], rows[to]))).Matrix
	}
}

func TestLinearAloneAsInABatch(t *testing.T) {
	rows, forward := batch(engine(t), 1, 2, 3, 17, 0, 64, 1, 1, 5)
	all := forward(0, rows.Sequences())
	for from := range rows.Sequences() {
		for to := from + 1; to <= rows.Sequences(); to++ {
			if !equalBits(values(forward(from, to)), values(all.RowRange(rows[from], rows[to]))) {
				t.Errorf("sequences %d to %d have other bits without the others", from, to)
			}
		}
	}
}

func TestLinearHasTheSameBitsOnEveryEngine(t *testing.T) {
	sameBits(t, func(t *testing.T, e *mat.Engine) mat.Matrix {
		rows, forward := batch(e, 1, 2, 3, 17, 0, 64, 1, 1, 5)
		return forward(0, rows.Sequences())
	})
}
