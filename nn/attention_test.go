package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

var attentionCases = []struct {
	name          string
	heads, size   int
	causal        bool
	bias          bool
	queries, keys []int
}{
	{"one", 1, 4, false, false, []int{1}, []int{1}},
	{"encoder", 3, 8, false, true, []int{5, 1, 12, 48, 49}, nil},
	{"decoder", 2, 16, true, true, []int{1, 2, 100, 47}, nil},
	{"causal without bias", 2, 5, true, false, []int{13, 1}, nil},
	{"cross", 2, 32, false, false, []int{3, 60, 1, 4}, []int{70, 1, 9, 2}},
	{"one key", 4, 13, false, true, []int{7, 50}, []int{1, 1}},
	{"causal, more queries than keys", 1, 4, true, false, []int{9, 55}, []int{3, 50}},
	{"causal, more keys than queries", 1, 4, true, true, []int{3, 1}, []int{9, 7}},
	{"no keys, no queries", 2, 8, false, false, []int{3, 0, 2, 0}, []int{0, 4, 5, 0}},
	{"nothing", 2, 8, true, true, []int{0}, nil},
	{"no sequences", 2, 8, true, true, []int{}, nil},
	{"wide", 1, 64, false, true, []int{150}, nil},
	{"long", 1, 64, true, true, []int{600}, nil},
}

// attend computes case c on e with columns of wider matrices, and returns the operands and the result.
func attend(e *mat.Engine, i int) (queries, keys Ragged, q, k, v mat.Matrix, bias []mat.Matrix, out mat.Matrix) {
	c := attentionCases[i]
	if c.keys == nil {
		c.keys = c.queries
	}
	rnd := rand.New(rand.NewPCG(uint64(i), 1))
	queries, keys = ragged(c.queries...), ragged(c.keys...)
	width := c.heads * c.size
	q = random(rnd, queries.Rows(), width+3).ColRange(3, 3+width)
	kv := random(rnd, keys.Rows(), 2*width+1)
	k, v = kv.ColRange(0, width), kv.ColRange(width, 2*width)
	p := pass(e, len(c.queries))
	if c.bias {
		longest := ragged(max(queries.Longest(), keys.Longest()))
		table := NewRelativeBias(random(rnd, 8, c.heads).Data, 8, c.heads, 20, !c.causal)
		for range c.queries {
			bias = append(bias, table.Forward(pass(e, 1), longest).Vectors[0])
		}
	}
	out = Attention{Heads: c.heads, HeadSize: c.size, Causal: c.causal}.Forward(p, queries, keys, autodiff.Constant(q), autodiff.Constant(k), autodiff.Constant(v), Bias{Vectors: bias}).Matrix
	return queries, keys, q, k, v, bias, out
}

// TestAttentionIsWithinRounding compares with float64. The bound is that of the dot products' rounding carried through the softmax.
func TestAttentionIsWithinRounding(t *testing.T) {
	e := engine(t)
	for i, c := range attentionCases {
		t.Run(c.name, func(t *testing.T) {
			queries, keys, q, k, v, bias, out := attend(e, i)
			for s := range queries.Sequences() {
				for h := range c.heads {
					for i := range queries.Len(s) {
						seen := keys.Len(s)
						if c.causal {
							seen = min(seen, i+1)
						}
						row := func(m mat.Matrix, r int) []float32 { return m.Row(r)[h*c.size : (h+1)*c.size] }
						scores := make([]float64, seen)
						largest, wrong := math.Inf(-1), 0.0 // wrong bounds a score's error
						for j := range scores {
							magnitude := 0.0
							for d, x := range row(q, queries[s]+i) {
								scores[j] += float64(x) * float64(row(k, keys[s]+j)[d])
								magnitude += math.Abs(float64(x) * float64(row(k, keys[s]+j)[d]))
							}
							if c.bias {
								b := float64(bias[s].Row(h)[bias[s].Cols/2-i+j])
								scores[j] += b
								magnitude += math.Abs(b)
							}
							largest = max(largest, scores[j])
							wrong = max(wrong, float64(c.size+3)*0x1p-24*magnitude)
						}
						sum := 0.0
						for j := range scores {
							scores[j] = math.Exp(scores[j] - largest)
							sum += scores[j]
						}
						for d, got := range row(out, queries[s]+i) {
							want, magnitude := 0.0, 0.0
							for j, p := range scores {
								x := p / sum * float64(row(v, keys[s]+j)[d])
								want += x
								magnitude += math.Abs(x)
							}
							if bound := (4*wrong + float64(seen+20)*0x1p-24) * magnitude; !(math.Abs(float64(got)-want) <= bound) {
								t.Fatalf("sequence %d, head %d, query %d, column %d: got %v, want %v ± %v", s, h, i, d, got, want, bound)
							}
						}
					}
				}
			}
		})
	}
}

func TestAttentionHasTheSameBitsOnEveryEngine(t *testing.T) {
	for i, c := range attentionCases {
		t.Run(c.name, func(t *testing.T) {
			sameBits(t, func(t *testing.T, e *mat.Engine) mat.Matrix {
				_, _, _, _, _, _, out := attend(e, i)
				return out
			})
		})
	}
}

// TestAttentionAloneAsInABatch checks that neither the other sequences, nor the length for which the bias was computed, nor, where it is
// causal, what follows in the same sequence change a bit.
func TestAttentionAloneAsInABatch(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	rows := ragged(5, 1, 60, 0, 33)
	for _, causal := range []bool{false, true} {
		a := Attention{Heads: 3, HeadSize: 8, Causal: causal}
		table := NewRelativeBias(random(rnd, 32, 3).Data, 32, 3, 128, !causal)
		x := random(rnd, rows.Rows(), 3*24)
		forward := func(rows Ragged, x mat.Matrix) mat.Matrix {
			p := pass(e, rows.Sequences())
			q, k, v := autodiff.Constant(x.ColRange(0, 24)), autodiff.Constant(x.ColRange(24, 48)), autodiff.Constant(x.ColRange(48, 72))
			return a.Forward(p, rows, rows, q, k, v, table.Forward(p, rows)).Matrix
		}
		all := forward(rows, x)
		for s := range rows.Sequences() {
			for n := range rows.Len(s) + 1 {
				if !causal && n < rows.Len(s) {
					continue
				}
				from, to := rows[s], rows[s]+n
				if !equalBits(values(forward(ragged(n), x.RowRange(from, to))), values(all.RowRange(from, to))) {
					t.Errorf("causal %t, sequence %d: its first %d rows have other bits alone", causal, s, n)
				}
			}
		}
	}
}

func TestAttentionDoesNotSeeTheFuture(t *testing.T) {
	e := engine(t)
	q, k, v := mat.New(3, 4), mat.New(3, 4), mat.New(3, 4)
	for i := range 3 {
		for j := range 4 {
			v.Row(i)[j] = float32(i)
		}
	}
	rows := ragged(3)
	for _, c := range []struct {
		causal bool
		want   string
	}{{false, "[1 1 1]"}, {true, "[0 0.5 1]"}} {
		out := Attention{Heads: 1, HeadSize: 4, Causal: c.causal}.Forward(pass(e, 1), rows, rows, autodiff.Constant(q), autodiff.Constant(k), autodiff.Constant(v), Bias{})
		if got := fmt.Sprint([]float32{out.Row(0)[0], out.Row(1)[0], out.Row(2)[3]}); got != c.want {
			t.Errorf("causal %t: got %s, want %s", c.causal, got, c.want)
		}
	}
}

func TestAttentionWithoutKeysIsZero(t *testing.T) {
	p := pass(engine(t), 1)
	dirty := p.Matrix(8, 16)
	for i := range dirty.Data {
		dirty.Data[i] = 7
	}
	if err := p.Reset(make([][]*Delta, 1)); err != nil {
		t.Fatal(err)
	}
	out := Attention{Heads: 2, HeadSize: 4, Causal: false}.Forward(p, ragged(3), ragged(0), autodiff.Constant(mat.New(3, 8)), autodiff.Constant(mat.New(0, 8)), autodiff.Constant(mat.New(0, 8)), Bias{})
	if !equalBits(values(out.Matrix), make([]float32, 24)) {
		t.Errorf("got %v", out)
	}
}
