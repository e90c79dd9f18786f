package nn

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/polytropon/polytropon/mat"
)

func TestPassMatricesDoNotOverlap(t *testing.T) {
	p := pass(engine(t), 0)
	rnd := rand.New(rand.NewPCG(4, 4))
	for range 3 {
		var all []mat.Matrix
		var marks []Mark
		var held []int // len(all) at each mark
		for i := range 200 {
			switch rnd.IntN(8) {
			case 0:
				marks, held = append(marks, p.Mark()), append(held, len(all))
			case 1:
				if n := len(marks) - 1; n >= 0 {
					p.Release(marks[n])
					all, marks, held = all[:held[n]], marks[:n], held[:n]
				}
			default:
				rows, cols := rnd.IntN(300), rnd.IntN(300)
				if i%50 == 7 {
					rows, cols = 2000, 1000 // more than a slab
				}
				m := p.Matrix(rows, cols)
				if m.Rows != rows || m.Cols != cols {
					t.Fatalf("got %s, want %d×%d", m.Shape(), rows, cols)
				}
				for j := range m.Data {
					m.Data[j] = float32(len(all))
				}
				all = append(all, m)
			}
		}
		for i, m := range all {
			for _, x := range m.Data {
				if x != float32(i) {
					t.Fatalf("matrix %d of %d was overwritten by matrix %v", i, len(all), x)
				}
			}
		}
		if err := p.Reset(nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPassUsesItsMemoryAgain(t *testing.T) {
	p := pass(engine(t), 0)
	first := p.Matrix(3, 5)
	if at := uintptr(unsafe.Pointer(&p.Matrix(3, 5).Data[0])); at%64 != 0 {
		t.Errorf("the second matrix begins at %x, want a cache line", at)
	}
	m := p.Mark()
	second := p.Matrix(1500, 1000)
	p.Release(m)
	if &p.Matrix(1500, 1000).Data[0] != &second.Data[0] {
		t.Error("released memory is not used again")
	}
	if err := p.Reset(nil); err != nil || &p.Matrix(1, 1).Data[0] != &first.Data[0] {
		t.Errorf("memory is not used again after Reset, %v", err)
	}
}

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
	if n := len(p.slabs); n != 2 {
		t.Errorf("%d slabs, want the common one and one of the large matrix", n)
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
