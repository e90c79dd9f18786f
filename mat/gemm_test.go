package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat/asm"
)

// engines runs f with an engine of every level and with one and two threads.
func engines(t *testing.T, f func(t *testing.T, e *Engine)) {
	if name := os.Getenv("POLY_REQUIRE_CPU"); name != "" && !slices.Contains(Levels(), name) {
		t.Fatalf("level %q is not available here", name)
	}
	for _, level := range Levels() {
		for threads := 1; threads <= 2; threads++ {
			t.Run(fmt.Sprintf("%s/%d", level, threads), func(t *testing.T) {
				e, err := NewEngine(Options{Level: level, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				f(t, e)
			})
		}
	}
}

// oracle computes c = a·b, or c + a·b, from the definition in the package's comment.
func oracle(c, a, b Matrix, add bool) {
	for i := range c.Rows {
		for j := range c.Cols {
			sum := c.Row(i)[j]
			for k0 := 0; k0 == 0 || k0 < a.Cols; k0 += 512 {
				var chain float32
				for k := k0; k < min(k0+512, a.Cols); k++ {
					chain = asm.FMA(a.Row(i)[k], b.Row(k)[j], chain)
				}
				if k0 == 0 && !add {
					sum = chain
				} else {
					sum += chain
				}
			}
			c.Row(i)[j] = sum
		}
	}
}

// random returns a matrix of normal values with pad unused columns.
func random(rnd *rand.Rand, rows, cols, pad int) Matrix {
	m := New(rows, cols+pad).ColRange(0, cols)
	for i := range m.Data {
		m.Data[i] = float32(rnd.NormFloat64())
	}
	m.Stride = cols + pad
	return m
}

// clone returns a copy of m with the same stride.
func clone(m Matrix) Matrix {
	m.Data = slices.Clone(m.Data)
	return m
}

func same(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y }

// diff describes the first difference between two matrices, the unused columns included.
func diff(got, want Matrix) string {
	for i := range want.Data {
		if !same(got.Data[i], want.Data[i]) {
			return fmt.Sprintf("%s: [%d, %d] = %x, want %x", want.Shape(), i/want.Stride, i%want.Stride, got.Data[i], want.Data[i])
		}
	}
	return ""
}

type shape struct{ m, k, n int }

func shapes() []shape {
	s := []shape{
		{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {0, 0, 0}, {1, 511, 1}, {1, 512, 8}, {2, 513, 9}, {3, 1024, 33}, {5, 1025, 17}, {4, 1537, 100},
		{13, 40, 513}, {64, 64, 64}, {100, 8, 300}, {57, 520, 8}, {43, 30, 16}, {70, 16, 24}, {1, 70, 700}, {16, 600, 130}, {130, 130, 130},
		{200, 520, 7}, {96, 1030, 12}, {75, 33, 24}, {8, 64, 300}, {23, 768, 257}, {33, 512, 290}, {256, 20, 50}, {15, 20, 512},
		{5, 20, 512}, {9, 20, 512}, {20, 520, 512}, {260, 520, 40},
	}
	for m := 1; m <= 30; m++ {
		s = append(s, shape{m, 5, 40 + m})
	}
	for n := 1; n <= 70; n++ {
		s = append(s, shape{7, 3, n})
	}
	return s
}

func TestMul(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(5, 6))
		for _, s := range shapes() {
			if e.Level() == "generic" && s.m*s.k*s.n > 1<<20 {
				continue
			}
			padA, padB := rnd.IntN(4), rnd.IntN(4)
			if s.k%kBlock == 0 || s.n%kBlock == 0 {
				padA, padB = 0, 0 // so that some rows lie far apart and share a set of a cache
			}
			a, b := random(rnd, s.m, s.k, padA), random(rnd, s.k, s.n, padB)
			c := random(rnd, s.m+16, s.n, rnd.IntN(4)) // the rows behind the product's stay as they are
			transposed := New(s.n, s.k)
			for i := range s.k {
				for j := range s.n {
					transposed.Row(j)[i] = b.Row(i)[j]
				}
			}
			aT := random(rnd, s.k, s.m, rnd.IntN(4))
			for i := range s.m {
				for j := range s.k {
					aT.Row(j)[i] = a.Row(i)[j]
				}
			}
			flipped := Pack(e, transposed.Data, s.n, s.k, s.k)
			p, pt := Pack(e, b.Data, s.k, s.n, b.Stride), PackT(e, transposed.Data, s.n, s.k, s.k)
			want := map[bool]Matrix{}
			for _, add := range []bool{false, true} {
				want[add] = clone(c)
				oracle(want[add].RowRange(0, s.m), a, b, add)
			}
			for _, f := range []struct {
				name string
				add  bool
				mul  func(c Matrix)
			}{
				{"Mul", false, func(c Matrix) { e.Mul(c, a, p) }},
				{"MulAdd", true, func(c Matrix) { e.MulAdd(c, a, p) }},
				{"Mul of PackT", false, func(c Matrix) { e.Mul(c, a, pt) }},
				{"MulMatrix", false, func(c Matrix) { e.MulMatrix(c, a, b) }},
				{"MulAddMatrix", true, func(c Matrix) { e.MulAddMatrix(c, a, b) }},
				{"MulGrouped", false, func(c Matrix) { e.MulGrouped([]Product{{c, a, p}}) }},
				{"MulAddGrouped", true, func(c Matrix) { e.MulAddGrouped([]Product{{c, a, p}}) }},
				{"MulT", false, func(c Matrix) { e.MulT(c, a, flipped) }},
				{"MulAddT", true, func(c Matrix) { e.MulAddT(c, a, flipped) }},
				{"MulTMatrix", false, func(c Matrix) { e.MulTMatrix(c, aT, b) }},
				{"MulAddTMatrix", true, func(c Matrix) { e.MulAddTMatrix(c, aT, b) }},
				{"MulMatrixT", false, func(c Matrix) { e.MulMatrixT(c, a, transposed) }},
				{"MulAddMatrixT", true, func(c Matrix) { e.MulAddMatrixT(c, a, transposed) }},
				{"MulMatrixGrouped", false, func(c Matrix) { e.MulMatrixGrouped([]MatrixProduct{{c, a, b}}) }},
				{"MulAddMatrixGrouped", true, func(c Matrix) { e.MulAddMatrixGrouped([]MatrixProduct{{c, a, b}}) }},
				{"MulMatrixTGrouped", false, func(c Matrix) { e.MulMatrixTGrouped([]MatrixProduct{{c, a, transposed}}) }},
				{"MulAddMatrixTGrouped", true, func(c Matrix) { e.MulAddMatrixTGrouped([]MatrixProduct{{c, a, transposed}}) }},
				{"MulTMatrixGrouped", false, func(c Matrix) { e.MulTMatrixGrouped([]MatrixProduct{{c, aT, b}}) }},
				{"MulAddTMatrixGrouped", true, func(c Matrix) { e.MulAddTMatrixGrouped([]MatrixProduct{{c, aT, b}}) }},
			} {
				got := clone(c)
				f.mul(got.RowRange(0, s.m))
				if d := diff(got, want[f.add]); d != "" {
					t.Fatalf("%s, k %d: %s", f.name, s.k, d)
				}
			}
		}
	})
}

func TestMulHalf(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		testHalf[BFloat16](t, e)
		testHalf[Float16](t, e)
	})
}

func testHalf[T BFloat16 | Float16](t *testing.T, e *Engine) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for _, s := range shapes() {
		if s.m*s.k*s.n > 1<<20 {
			continue
		}
		bits := make([]uint16, s.k*s.n)
		for i := range bits {
			bits[i] = uint16(rnd.IntN(2))<<15 | uint16(0x3000+rnd.IntN(0x1000))
		}
		half, b := Bits[T](bits), New(s.k, s.n)
		Widen(b.Data, half)
		a, c := random(rnd, s.m, s.k, 1), random(rnd, s.m, s.n, 2)
		p := Pack(e, half, s.k, s.n, s.n)
		want := clone(c)
		oracle(want, a, b, true)
		e.MulAdd(c, a, p)
		if d := diff(c, want); d != "" {
			t.Fatalf("%T, k %d: %s", *new(T), s.k, d)
		}
		aT, cT := random(rnd, s.m, s.n, 1), random(rnd, s.m, s.k, 2)
		bT := New(s.n, s.k)
		for i := range s.k {
			for j := range s.n {
				bT.Row(j)[i] = b.Row(i)[j]
			}
		}
		want = clone(cT)
		oracle(want, aT, bT, true)
		e.MulAddT(cT, aT, p)
		if d := diff(cT, want); d != "" {
			t.Fatalf("%T, transposed, k %d: %s", *new(T), s.n, d)
		}
	}
}

// TestMulFar checks rows of A that displace each other in caches and are far apart.
func TestMulFar(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(15, 16))
		for _, m := range []int{5, 16, 40} {
			a, b := random(rnd, m, 1000, 1<<17-1000), random(rnd, 1000, 300, 0)
			got, want := New(m, 300), New(m, 300)
			oracle(want, a, b, false)
			e.Mul(got, a, Pack(e, b.Data, b.Rows, b.Cols, b.Stride))
			if d := diff(got, want); d != "" {
				t.Fatal(d)
			}
			e.MulMatrix(got, a, b)
			if d := diff(got, want); d != "" {
				t.Fatal(d)
			}
		}
	})
}

// TestMulGroup checks a ragged group, each product with a B of its own.
func TestMulGroup(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(9, 10))
		a, c := random(rnd, 200, 300, 3), random(rnd, 200, 20, 1)
		want := clone(c)
		var group []Product
		for from, i := 0, 0; from < a.Rows; i++ {
			to := min(a.Rows, from+1+7*i)
			b := random(rnd, 300, 20, 0)
			group = append(group, Product{c.RowRange(from, to), a.RowRange(from, to), Pack(e, b.Data, 300, 20, 20)})
			oracle(want.RowRange(from, to), a.RowRange(from, to), b, true)
			from = to
		}
		e.MulAddGrouped(group)
		if d := diff(c, want); d != "" {
			t.Fatal(d)
		}
		gradients := make([]MatrixProduct, len(group))
		for i, p := range group {
			gradients[i] = MatrixProduct{C: random(rnd, 300, 20, 2), A: p.A, B: p.C}
			want := clone(gradients[i].C)
			oracle(want, transposed(p.A), p.C, true)
			defer func() {
				if d := diff(gradients[i].C, want); d != "" {
					t.Errorf("product %d, transposed: %s", i, d)
				}
			}()
		}
		e.MulAddTMatrixGrouped(gradients)
	})
}

// TestMulSpecial checks zeros, infinities, NaNs and subnormals: none may be skipped.
func TestMulSpecial(t *testing.T) {
	specials := []float32{0, float32(math.Copysign(0, -1)), 1, -1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
		math.MaxFloat32, 0x1p-149, -0x1p-130, 0x1p-75}
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(11, 12))
		for range 50 {
			s := shape{1 + rnd.IntN(20), 1 + rnd.IntN(6), 1 + rnd.IntN(50)}
			a, b, c := random(rnd, s.m, s.k, 0), random(rnd, s.k, s.n, 0), random(rnd, s.m, s.n, 0)
			for _, m := range []Matrix{a, b, c} {
				for i := range m.Data {
					if rnd.IntN(3) == 0 {
						m.Data[i] = specials[rnd.IntN(len(specials))]
					}
				}
			}
			got, want := clone(c), clone(c)
			e.MulAdd(got, a, Pack(e, b.Data, s.k, s.n, s.n))
			oracle(want, a, b, true)
			if d := diff(got, want); d != "" {
				t.Fatalf("MulAdd: %s", d)
			}
			got, want = clone(c), clone(c)
			e.MulMatrix(got, a, b)
			oracle(want, a, b, false)
			if d := diff(got, want); d != "" {
				t.Fatalf("MulMatrix: %s", d)
			}
		}
	})
}

// TestMulAccuracy checks the error bound, and that sums of small integers are exact.
func TestMulAccuracy(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(13, 14))
		const m, k, n = 20, 700, 50
		for _, integers := range []bool{false, true} {
			a, b, c := random(rnd, m, k, 0), random(rnd, k, n, 0), New(m, n)
			if integers {
				for _, v := range [][]float32{a.Data, b.Data} {
					for i := range v {
						v[i] = float32(rnd.IntN(17) - 8)
					}
				}
			}
			e.MulMatrix(c, a, b)
			for i := range m {
				for j := range n {
					var sum, size float64
					for l := range k {
						p := float64(a.Row(i)[l]) * float64(b.Row(l)[j])
						sum += p
						size += math.Abs(p)
					}
					bound := (k + 3) * 0x1p-24 * size
					if integers {
						bound = 0
					}
					if d := math.Abs(float64(c.Row(i)[j]) - sum); d > bound {
						t.Fatalf("[%d, %d]: off by %g, bound %g", i, j, d, bound)
					}
				}
			}
		}
	})
}

// TestMulRowAlone checks that a row alone has the same bits as the same row among others.
func TestMulRowAlone(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(15, 16))
		const k, n = 530, 75
		a, b := random(rnd, 64, k, 0), random(rnd, k, n, 0)
		p := Pack(e, b.Data, k, n, n)
		alone := New(64, n)
		for i := range 64 {
			e.Mul(alone.RowRange(i, i+1), a.RowRange(i, i+1), p)
		}
		for m := 1; m <= 64; m += 1 + m/8 {
			c := New(m, n)
			e.Mul(c, a.RowRange(0, m), p)
			if d := diff(c, alone.RowRange(0, m)); d != "" {
				t.Fatalf("%d rows: %s", m, d)
			}
		}
	})
}

func TestMulAllocates(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		if e.Level() == "generic" {
			t.Skip("as on the others, slowly")
		}
		rnd := rand.New(rand.NewPCG(17, 18))
		a, b, c := random(rnd, 128, 256, 0), random(rnd, 256, 96, 0), New(128, 96)
		p := Pack(e, b.Data, 256, 96, 96)
		group := []Product{{c, a, p}, {New(128, 96), a, p}}
		w, _ := weightsOf[BFloat16](rnd, 400, 256, 0)
		compact, wide := CompactT(e, w, 400, 256, 256), New(128, 400)
		for name, f := range map[string]func(){
			"Mul":          func() { e.Mul(c, a, p) },
			"MulMatrix":    func() { e.MulMatrix(c, a, b) },
			"MulGrouped":   func() { e.MulGrouped(group) },
			"MulAdd, row":  func() { e.MulAdd(c.RowRange(0, 1), a.RowRange(0, 1), p) },
			"MulAddMatrix": func() { e.MulAddMatrix(c, a, b) },
			"MulT":         func() { e.MulT(a, c, p) },
			"MulTMatrix":   func() { e.MulTMatrix(b, a, c) },
			"MulMatrixT":   func() { e.MulMatrixT(a, c, b) },
			"matrix group": func() { e.MulTMatrixGrouped([]MatrixProduct{{b, a, c}}) },
			"compact":      func() { e.Mul(wide, a, compact) },
			"compact, row": func() { e.Mul(wide.RowRange(0, 1), a.RowRange(0, 1), compact) },
			"compact, T":   func() { e.MulT(a, wide, compact) },
		} {
			if n := testing.AllocsPerRun(20, func() { f(); runtime.Gosched() }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

func TestMulPanics(t *testing.T) {
	e, err := NewEngine(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	generic, err := NewEngine(Options{Threads: 1, Level: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := New(3, 4), New(4, 5), New(3, 5)
	big := New(10, 10)
	p := Pack(e, b.Data, 4, 5, 5)
	cases := map[string]func(){
		"mat: product of 3×4 and 4×5 into 2×5":                            func() { e.Mul(c.RowRange(0, 2), a, p) },
		"mat: product of 3×3 and 4×5 into 3×5":                            func() { e.MulMatrix(c, a.ColRange(0, 3), b) },
		"mat: product of 3×4 and 4×5 into 3×5, which overlaps the first":  func() { e.Mul(big.Range(0, 3, 0, 5), big.Range(1, 4, 4, 8), p) },
		"mat: product of 3×4 and 4×5 into 3×5, which overlaps the second": func() { e.MulMatrix(big.Range(3, 6, 0, 5), a, big.Range(0, 4, 0, 5)) },
		"mat: product of 3×4 and 4×5 transposed into 3×4":                 func() { e.MulT(New(3, 4), a, p) },
		"mat: product of 3×4 transposed and 4×5 into 4×5":                 func() { e.MulTMatrix(New(4, 5), a, b) },
		"mat: matrix of 3×4 with stride 2 in 12 values":                   func() { e.Mul(c, Matrix{Rows: 3, Cols: 4, Stride: 2, Data: a.Data}, p) },
		"mat: Pack: 4×5 with stride 5 in 19 values":                       func() { Pack(e, b.Data[:19], 4, 5, 5) },
		"mat: PackT: 4×5 with stride 4 in 20 values":                      func() { PackT(e, b.Data, 4, 5, 4) },
	}
	if e.Level() != "generic" {
		cases["mat: product on generic with an operand packed for "+e.Level()] = func() { generic.Mul(c, a, p) }
	}
	for want, f := range cases {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			f()
		}()
	}
	// Side by side is not an overlap.
	e.Mul(big.Range(0, 3, 0, 5), big.Range(1, 4, 5, 9), p)
	e.Mul(big.Range(1, 4, 5, 10), big.Range(0, 3, 1, 5), p)
}
