package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// The largest elements are ForwardTo's, whatever adapters do to the layer, and where they do nothing most of the others are not computed.
func TestForwardLargest(t *testing.T) {
	const in, out = 33, 2000
	e := engine(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	bare := NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in)
	biased := NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in).WithBias(random(rnd, 1, out).Data)
	added := &Delta{LowRank: map[*Linear]LowRank{bare: lowRank{random(rnd, in, 4), random(rnd, 4, out)}.pack(e)}}
	replaced := &Delta{Replaced: map[Layer]Layer{bare: NewLinear(e, Weights{F32: random(rnd, out, in).Data}, out, in)}}
	withBias := &Delta{Replaced: map[Layer]Layer{bare: biased}}
	elsewhere := &Delta{LowRank: map[*Linear]LowRank{biased: lowRank{random(rnd, in, 4), random(rnd, 4, out)}.pack(e)}}
	for _, test := range []struct {
		name   string
		layer  *Linear
		deltas [][]*Delta
		n      []int
		few    bool
	}{
		{"bare", bare, [][]*Delta{nil, nil}, []int{1, 3}, true},
		{"all of one", bare, [][]*Delta{nil, nil}, []int{1, 0}, false},
		{"bias", biased, [][]*Delta{nil, nil}, []int{1, 1}, false},
		{"added", bare, [][]*Delta{{added}, nil}, []int{1, 1}, false},
		{"added elsewhere", bare, [][]*Delta{{elsewhere}, nil}, []int{1, 1}, true},
		{"replaced", bare, [][]*Delta{{replaced}, nil}, []int{1, 1}, true},
		{"replaced by one with a bias", bare, [][]*Delta{{withBias}, nil}, []int{1, 1}, false},
	} {
		p := passOf(e, test.deltas)
		rows := ragged(1, 1)
		x, want, got := random(rnd, 2, in), mat.New(2, out), mat.New(2, out)
		test.layer.ForwardTo(p, rows, want, x)
		test.layer.ForwardLargest(p, rows, got, x, test.n)
		missing := 0
		for i := range 2 {
			sorted := slices.Sorted(slices.Values(want.Row(i)))
			for j, v := range got.Row(i) {
				switch {
				case v == want.Row(i)[j]:
				case v == float32(math.Inf(-1)) && (test.n[i] < 1 || want.Row(i)[j] < sorted[out-test.n[i]]):
					missing++
				default:
					t.Errorf("%s: row %d, column %d: got %v, want %v", test.name, i, j, v, want.Row(i)[j])
				}
			}
		}
		if few := missing > out/2; few != test.few {
			t.Errorf("%s: %d of %d elements are not computed", test.name, missing, 2*out)
		}
	}
}

func TestForwardLargestOfNothing(t *testing.T) {
	e := engine(t)
	l := NewLinear(e, Weights{F32: make([]float32, 6)}, 2, 3)
	l.ForwardLargest(pass(e, 0), ragged(), mat.New(0, 2), mat.New(0, 3), nil)
	l.ForwardLargest(pass(e, 1), ragged(0), mat.New(0, 2), mat.New(0, 3), nil)
}

func TestForwardLargestDoesNotAllocate(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(7, 8))
	l := NewLinear(e, Weights{F32: random(rnd, 2000, 40).Data}, 2000, 40)
	p := passOf(e, [][]*Delta{nil, nil})
	rows, x, y, n := ragged(1, 1), random(rnd, 2, 40), mat.New(2, 2000), []int{1, 3}
	if allocs := testing.AllocsPerRun(20, func() { l.ForwardLargest(p, rows, y, x, n) }); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
