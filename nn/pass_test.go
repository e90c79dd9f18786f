package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
)

// TestPassAllocatesNothingWhenRepeated counts what a repeated pass through every kind of layer, with an adapter, allocates.
func TestPassAllocatesNothingWhenRepeated(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 1))
	linear := NewLinear(e, Weights{F32: random(rnd, 40, 40).Data}, 40, 40)
	norm := NewRMSNorm(random(rnd, 1, 40).Data, 1e-6)
	low := lowRank{random(rnd, 40, 4), random(rnd, 4, 40)}.pack(e)
	deltas := [][]*Delta{nil, {{LowRank: map[*Linear]LowRank{linear: low}}}, nil}
	embedding := NewEmbedding(Weights{F32: random(rnd, 11, 40).Data}, 11, 40)
	bias := NewRelativeBias(random(rnd, 8, 5).Data, 8, 5, 20, true)
	attention := Attention{Heads: 5, HeadSize: 8}
	rows, ids, p := ragged(3, 5, 1), []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, NewPass(e)
	if n := testing.AllocsPerRun(50, func() {
		if err := p.Reset(deltas); err != nil {
			t.Fatal(err)
		}
		x := embedding.Forward(p, rows, ids)
		y := linear.Forward(p, rows, norm.Forward(p, rows, x))
		linear.ForwardAdd(p, rows, y, attention.Forward(p, rows, rows, y, x, y, bias.Forward(p, rows)))
		p.Matrix(3000, 1000)
	}); n >= 1 {
		t.Errorf("%v allocations per pass", n)
	}
}

// TestPassIsUsedAgain wants nothing left of the batch before: neither its deltas, nor its sequences, nor its integers.
func TestPassIsUsedAgain(t *testing.T) {
	e, rnd := engine(t), rand.New(rand.NewPCG(2, 2))
	l := NewLinear(e, Weights{F32: small(rnd, 5, 4).Data}, 5, 4)
	delta := func() *Delta {
		return &Delta{LowRank: map[*Linear]LowRank{l: lowRank{small(rnd, 4, 2), small(rnd, 2, 5)}.pack(e)}}
	}
	a, b := delta(), delta()
	x := autodiff.Constant(small(rnd, 4, 4))
	p := NewPass(e)
	for _, c := range []struct {
		deltas [][]*Delta
		rows   Ragged
	}{
		{[][]*Delta{{a}, {b}, {a}}, ragged(1, 2, 1)},
		{[][]*Delta{nil, {b}}, ragged(3, 1)},
		{[][]*Delta{nil}, ragged(4)},
		{[][]*Delta{{b}, {a}, {a, b}, nil}, ragged(1, 1, 1, 1)},
	} {
		if err := p.Reset(c.deltas); err != nil {
			t.Fatal(err)
		}
		got, want := values(l.Forward(p, c.rows, x).Matrix), values(l.Forward(passOf(e, c.deltas), c.rows, x).Matrix)
		if !equalBits(got, want) {
			t.Errorf("%d sequences: got %v, want %v as from a new pass", len(c.deltas), got, want)
		}
	}
}

// TestInts wants integers that nobody else has, and that cannot be appended to in place.
func TestInts(t *testing.T) {
	p := pass(engine(t), 1)
	var all [][]int
	for _, n := range []int{3, 0, 1, 100, 2} {
		ints := p.Ints(n)
		if len(ints) != n || cap(ints) != n {
			t.Errorf("got %d integers and room for %d, want %d", len(ints), cap(ints), n)
		}
		for i := range ints {
			ints[i] = n
		}
		all = append(all, ints)
	}
	for _, ints := range all {
		for _, x := range ints {
			if x != len(ints) {
				t.Errorf("got %v, want each to be %d", ints, len(ints))
				break
			}
		}
	}
}

func TestPassRefusesTwoCopiesOfALayer(t *testing.T) {
	e := engine(t)
	norm, other := NewRMSNorm([]float32{1}, 1), NewRMSNorm([]float32{1}, 1)
	of := func(l Layer) *Delta { return &Delta{Replaced: map[Layer]Layer{l: NewRMSNorm([]float32{2}, 1)}} }
	a, b, c := of(norm), of(norm), of(other)
	p := NewPass(e)
	for _, deltas := range [][][]*Delta{{{a}, {b}}, {{a, c}, nil, {c, b}}, {nil, {{}, a, {}}}} {
		if err := p.Reset(deltas); err != nil {
			t.Error(err)
		}
	}
	const want = "sequence 1: nn: two of its adapters have a copy of the same module (modules_to_save); only one of them can be used"
	for _, deltas := range [][][]*Delta{{nil, {a, b}}, {{a}, {a, c, a}}, {{c}, {b, {}, c, a}}} {
		if err := p.Reset(deltas); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestEachMergesNeighbours checks that sequences whose adapters differ, but not in this layer, are one run of rows.
func TestEachMergesNeighbours(t *testing.T) {
	base, copied := NewRMSNorm([]float32{1}, 1), NewRMSNorm([]float32{2}, 1)
	plain, replaced := &Delta{}, &Delta{Replaced: map[Layer]Layer{base: copied}}
	p := passOf(engine(t), [][]*Delta{nil, {plain}, {replaced}, {plain, replaced}, {replaced}, nil})
	type run struct {
		l        *RMSNorm
		from, to int
	}
	var got []run
	each(p, ragged(2, 1, 0, 3, 1, 4), base, func(l *RMSNorm, from, to int) { got = append(got, run{l, from, to}) })
	want := []run{{base, 0, 3}, {copied, 3, 7}, {base, 7, 11}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRagged(t *testing.T) {
	for _, c := range []struct {
		lengths                  []int
		sequences, rows, longest int
	}{{nil, 0, 0, 0}, {[]int{0}, 1, 0, 0}, {[]int{3, 0, 7, 1}, 4, 11, 7}} {
		r := ragged(c.lengths...)
		if r[0] != 0 || r.Sequences() != c.sequences || r.Rows() != c.rows || r.Longest() != c.longest {
			t.Errorf("%v: %v", c.lengths, r)
		}
		for i, n := range c.lengths {
			if r.Len(i) != n {
				t.Errorf("%v: sequence %d has %d rows", c.lengths, i, r.Len(i))
			}
		}
	}
}
