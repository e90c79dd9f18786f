package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// engine returns an engine of the best level with two threads.
func engine(t testing.TB) *mat.Engine {
	e, err := mat.NewEngine(mat.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// sameBits runs f with an engine of every level, with one and two threads, and checks that all results are the same.
func sameBits(t *testing.T, f func(t *testing.T, e *mat.Engine) mat.Matrix) {
	if name := os.Getenv("POLY_REQUIRE_CPU"); name != "" && !slices.Contains(mat.Levels(), name) {
		t.Fatalf("level %q is not available here", name)
	}
	var want []float32
	for _, level := range mat.Levels() {
		for threads := 1; threads <= 2; threads++ {
			t.Run(fmt.Sprintf("%s/%d", level, threads), func(t *testing.T) {
				e, err := mat.NewEngine(mat.Options{Level: level, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				got := values(f(t, e))
				if want == nil {
					want = got
				}
				if !equalBits(got, want) {
					t.Error("the bits differ from those of the first engine")
				}
			})
		}
	}
}

// values returns a copy of m's elements, row by row.
func values(m mat.Matrix) []float32 {
	v := []float32{}
	for i := range m.Rows {
		v = append(v, m.Row(i)...)
	}
	return v
}

func equalBits(x, y []float32) bool {
	return slices.EqualFunc(x, y, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
}

// random returns a matrix of normal values.
func random(rnd *rand.Rand, rows, cols int) mat.Matrix {
	m := mat.New(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(rnd.NormFloat64())
	}
	return m
}

// small returns a matrix of integers from -3 to 3: sums of their products are exact in any order.
func small(rnd *rand.Rand, rows, cols int) mat.Matrix {
	m := mat.New(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(rnd.IntN(7) - 3)
	}
	return m
}

// pass returns a pass of n sequences without deltas.
func pass(e *mat.Engine, n int) *Pass { return passOf(e, make([][]*Delta, n)) }

func passOf(e *mat.Engine, deltas [][]*Delta) *Pass {
	p := NewPass(e)
	if err := p.Reset(deltas); err != nil {
		panic(err)
	}
	return p
}

// ragged returns the layout of sequences of the given lengths.
func ragged(lengths ...int) Ragged {
	return RaggedOf(len(lengths), func(i int) int { return lengths[i] })
}

// panics checks that f panics with a message that has all the parts.
func panics(t *testing.T, name string, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		message := fmt.Sprint(recover())
		for _, part := range parts {
			if !strings.Contains(message, part) {
				t.Errorf("%s: panic %q, want one with %q", name, message, part)
			}
		}
	}()
	f()
}

func TestPanicsNameTheShapes(t *testing.T) {
	e := engine(t)
	p, one, two := pass(e, 1), ragged(4), ragged(1, 3)
	linear := NewLinear(e, Weights{F32: make([]float32, 6)}, 2, 3)
	norm := NewRMSNorm(make([]float32, 3), 1e-6)
	embedding := NewEmbedding(Weights{F32: make([]float32, 6)}, 2, 3)
	bias := NewRelativeBias(make([]float32, 8), 4, 2, 8, true)
	attention := Attention{Heads: 2, HeadSize: 3}
	for _, c := range []struct {
		name  string
		f     func()
		parts []string
	}{
		{"NewLinear", func() { NewLinear(e, Weights{F32: make([]float32, 5)}, 2, 3) }, []string{"5 weights", "[2 3]"}},
		{"NewEmbedding", func() { NewEmbedding(Weights{BF16: make([]mat.BFloat16, 7)}, 2, 3) }, []string{"7 weights", "[2 3]"}},
		{"NewRelativeBias", func() { NewRelativeBias(nil, 4, 2, 8, true) }, []string{"0 weights", "[4 2]"}},
		{"RMSNorm.With", func() { norm.With(e, nil) }, []string{"0 weights", "[3]"}},
		{"Linear columns", func() { linear.Forward(p, one, autodiff.Constant(mat.New(4, 5))) }, []string{"3→2", "4×5"}},
		{"Linear rows", func() { linear.Forward(p, one, autodiff.Constant(mat.New(5, 3))) }, []string{"5×3", "4 rows"}},
		{"Linear output", func() { linear.ForwardTo(p, one, mat.New(4, 3), mat.New(4, 3)) }, []string{"3→2", "4×3"}},
		{"Linear output rows", func() { linear.ForwardTo(p, one, mat.New(5, 2), mat.New(4, 3)) }, []string{"3→2", "4×3", "5×2"}},
		{"Linear sequences", func() { linear.Forward(p, two, autodiff.Constant(mat.New(4, 3))) }, []string{"2 sequences", "pass of 1"}},
		{"RMSNorm columns", func() { norm.Forward(p, one, autodiff.Constant(mat.New(4, 2))) }, []string{"over 3", "4×2"}},
		{"RMSNorm rows", func() { norm.Forward(p, one, autodiff.Constant(mat.New(5, 3))) }, []string{"5×3", "4 rows"}},
		{"RMSNorm heads' rows", func() { norm.ForwardHeads(p, one, autodiff.Constant(mat.New(5, 6))) }, []string{"heads of 3", "5×6", "4 rows"}},
		{"RMSNorm heads of nothing", func() { NewRMSNorm(nil, 1).ForwardHeads(p, one, autodiff.Constant(mat.New(4, 6))) }, []string{"heads of 0", "4×6"}},
		{"RMSNorm heads' sequences", func() { norm.ForwardHeads(p, two, autodiff.Constant(mat.New(4, 6))) }, []string{"2 sequences", "pass of 1"}},
		{"RelativeBias.With", func() { bias.With(e, nil) }, []string{"0 weights", "[4 2]"}},
		{"Embedding.With", func() { embedding.With(e, map[string]Weights{"weight": {F32: make([]float32, 4)}}) }, []string{"4 weights", "[2 3]"}},
		{"Embedding", func() { embedding.Forward(p, one, []int{1}) }, []string{"2×3", "1 ids", "4 rows"}},
		{"Embedding id", func() { embedding.Forward(p, one, []int{1, 0, 2, 1}) }, []string{"2×3", "id 2 of row 2"}},
		{"Embedding negative id", func() { embedding.Forward(p, one, []int{1, 0, 1, -1}) }, []string{"2×3", "id -1 of row 3"}},
		{"NewRelativeBias buckets", func() { NewRelativeBias(make([]float32, 6), 3, 2, 8, true) }, []string{"3 buckets", "up to distance 8"}},
		{"NewRelativeBias odd buckets", func() { NewRelativeBias(make([]float32, 10), 5, 2, 8, true) }, []string{"5 buckets", "up to distance 8"}},
		{"NewRelativeBias one bucket", func() { NewRelativeBias(make([]float32, 2), 1, 2, 8, false) }, []string{"1 buckets", "up to distance 8"}},
		{"NewRelativeBias distance", func() { NewRelativeBias(make([]float32, 16), 8, 2, 4, false) }, []string{"8 buckets", "up to distance 4"}},
		{"RelativeBias", func() { bias.Forward(p, two) }, []string{"2 sequences", "pass of 1"}},
		{"Attention", func() {
			attention.Forward(p, one, one, autodiff.Constant(mat.New(4, 6)), autodiff.Constant(mat.New(4, 5)), autodiff.Constant(mat.New(4, 6)), Bias{})
		}, []string{"2 heads of 3", "4×6", "4×5"}},
		{"Attention sequences", func() {
			attention.Forward(p, one, two, autodiff.Constant(mat.New(4, 6)), autodiff.Constant(mat.New(4, 6)), autodiff.Constant(mat.New(4, 6)), Bias{})
		}, []string{"1 sequences", "2 of keys"}},
		{"CrossEntropy", func() { CrossEntropy(e, mat.New(4, 5), []int{1}) }, []string{"1 labels", "4×5"}},
	} {
		panics(t, c.name, c.f, c.parts...)
	}
}
