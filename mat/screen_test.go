package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestScreen compares with Mul: an element is Mul's or -Inf, and what is among the n largest is Mul's.
func TestScreen(t *testing.T) {
	nan := float32(math.NaN())
	weights := map[string]func(r *rand.Rand, j, l int) float32{
		"normal":        func(r *rand.Rand, j, l int) float32 { return float32(r.NormFloat64()) },
		"equal columns": func(_ *rand.Rand, j, l int) float32 { return float32((j%5+l)%7) - 3 },
		"almost equal":  func(_ *rand.Rand, j, l int) float32 { return 1 + float32(j*l%31)/(1<<23) },
		"one large": func(r *rand.Rand, j, l int) float32 {
			return float32(r.NormFloat64()) * []float32{1, 1e6}[b2i(l == j%17)]
		},
		"scales": func(r *rand.Rand, j, l int) float32 { return float32(r.NormFloat64() * math.Exp2(float64(j%40-20))) },
		// Some panels are smaller than the others and, rounded to integers, larger, by about all that the bound allows.
		"rounded": func(_ *rand.Rand, j, l int) float32 {
			if l == 0 {
				return 127
			}
			return [][]float32{{50.49, 50.49}, {51.4, 49.51}}[b2i(j/32%3 == 0)][l%2]
		},
		"zeros":       func(*rand.Rand, int, int) float32 { return 0 },
		"tiny":        func(r *rand.Rand, j, l int) float32 { return float32(r.NormFloat64() * 1e-42) },
		"huge":        func(r *rand.Rand, j, l int) float32 { return float32(r.NormFloat64() * 1e36) },
		"a NaN":       func(r *rand.Rand, j, l int) float32 { return []float32{r.Float32(), nan}[b2i(j == 7 && l == 3)] },
		"an infinity": func(r *rand.Rand, j, l int) float32 { return []float32{r.Float32(), negInf}[b2i(j == 7 && l == 3)] },
	}
	rows := []func(r *rand.Rand, l int) float32{
		func(r *rand.Rand, l int) float32 { return float32(r.NormFloat64()) },
		func(r *rand.Rand, l int) float32 { return float32(r.NormFloat64()) * []float32{1, 300}[b2i(l == 5)] }, // as models have
		func(r *rand.Rand, l int) float32 { return 1 },
		func(r *rand.Rand, l int) float32 { return 0 },
		func(r *rand.Rand, l int) float32 { return float32(r.NormFloat64() * 1e-30) },
		func(r *rand.Rand, l int) float32 { return float32(r.NormFloat64() * 1e30) },
		func(r *rand.Rand, l int) float32 { return []float32{r.Float32(), nan}[b2i(l == 2)] },
	}
	engines(t, func(t *testing.T, e *Engine) {
		for name, weight := range weights {
			for _, shape := range [][2]int{{33, 600}, {30, 4097}, {516, 500}} {
				k, cols := shape[0], shape[1]
				if e.Level() == "generic" && k*cols > 1<<15 {
					continue // slow, and the kernels' bounds are compared with its
				}
				all := [][]int{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {0, 1}, {1, 3}, {0, 1, 2, 0, 1, 2, 1}}
				if e.Level() == "generic" {
					all = [][]int{{0}, {1}, {6}}
				}
				r := rand.New(rand.NewPCG(1, uint64(k)))
				w := make([]float32, cols*k)
				for i := range w {
					w[i] = weight(r, i/k, i%k)
				}
				half := make([]BFloat16, len(w))
				for i, v := range w {
					half[i] = BFloat16(math.Float32bits(v) >> 16)
				}
				halves := make([]Float16, len(w)) // of any weights
				for i := range halves {
					halves[i] = Float16(r.IntN(2)<<15 | (0x3000 + r.IntN(0x1000)))
				}
				for _, b := range []*Packed{PackT(e, w, cols, k, k), PackT(e, half, cols, k, k), PackT(e, halves, cols, k, k)} {
					s := NewScreen(e, b)
					for _, kinds := range all {
						m := len(kinds)
						a, want, got := New(m, k), New(m, cols), New(m, cols)
						n := make([]int, m)
						for i, kind := range kinds {
							for l := range k {
								a.Row(i)[l] = rows[kind](r, l)
							}
							n[i] = 1 + r.IntN(max(1, cols/32/2/panelsPerLargest/m))
						}
						e.Mul(want, a, b)
						s.vain.Store(0)
						e.MulLargest(got, a, s, n)
						for i := range m {
							if err := checkLargest(got.Row(i), want.Row(i), n[i]); err != nil {
								t.Fatalf("%s, %d×%d, rows %v, row %d: %v", name, k, cols, kinds, i, err)
							}
						}
					}
				}
			}
		}
	})
}

func checkLargest(got, want []float32, n int) error {
	sorted := slices.Clone(want)
	slices.Sort(sorted)
	for j, v := range got {
		same := v == want[j] || v != v && want[j] != want[j]
		if !same && (v != negInf || want[j] >= sorted[len(sorted)-n]) {
			return fmt.Errorf("column %d: got %v, want %v; the %d largest are from %v on", j, v, want[j], n, sorted[len(sorted)-n])
		}
	}
	return nil
}

// checkLargestOf checks the largest product of the row x and the rows of w.
func checkLargestOf(t *testing.T, e *Engine, x, w Matrix) {
	t.Helper()
	want, got := New(1, w.Rows), New(1, w.Rows)
	b := PackT(e, w.Data, w.Rows, w.Cols, w.Stride)
	e.Mul(want, x, b)
	e.MulLargest(got, x, NewScreen(e, b), []int{1})
	if err := checkLargest(got.Data, want.Data, 1); err != nil {
		t.Error(err)
	}
}

// TestScreenOfOverflow has sums that pass the end of float32 on their way back to nothing: they stay infinite, and are the largest.
func TestScreenOfOverflow(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const k, cols = 2048, 600
		for _, sizes := range [][2]float32{{1 << 59, 1 << 59}, {1 << 78, 1 << 40}, {1 << 40, 1 << 78}} {
			x, w := New(1, k), New(cols, k)
			for l := range k {
				x.Data[l] = sizes[0]
				w.Row(200)[l] = sizes[1] / 128
				w.Row(7)[l] = sizes[1] * []float32{1, -1}[b2i(l >= k/2)]
			}
			checkLargestOf(t, e, x, w)
		}
	})
}

// TestScreenOfRoundedRow has columns, in a third of the panels, that are smaller than the others and, with the row rounded to integers, larger. To round the
// columns, which are integers of at most 127, loses nothing.
func TestScreenOfRoundedRow(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const k, cols = 4096, 1024
		x, w := New(1, k), New(cols, k)
		for l := range k {
			x.Data[l] = []float32{1.49, 1.49, 2.4, 0.51}[l%4]
		}
		x.Data[0] = math.MaxInt32 / (127 * k) // the most steps that a row is rounded to, so that they are ones
		for j := range cols {
			for l := range k {
				w.Row(j)[l] = 1
				if j/32%3 > 0 {
					w.Row(j)[l] += []float32{1, 1, -1, -1}[l%4]
				}
			}
			w.Row(j)[0] = 127
		}
		checkLargestOf(t, e, x, w)
	})
}

// TestScreenOfOppositeColumns has two columns between which rounding the row makes nearly all the difference that the bound allows: one loses what it can,
// the other gains it, and the first is the larger. The others are zeros. The steps of the row are ones, or a power of two.
func TestScreenOfOppositeColumns(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const k, cols = 4096, 1024
		x, w := New(1, k), New(cols, k)
		for l := range k {
			sign := float32(1 - l%2*2)
			x.Data[l] = 2 + 0.49*sign
			w.Row(40)[l] = 20 + 60*sign  // 20·2 + 60·0.49 = 69.4 on average, rounded 40
			w.Row(900)[l] = 49 - 60*sign // 49·2 - 60·0.49 = 68.6, rounded 98
		}
		x.Data[0] = math.MaxInt32 / (127 * k) // the most steps that a row is rounded to, so that they are ones
		w.Row(40)[0], w.Row(900)[0] = 127, 127
		for _, step := range []float32{1, 1.0 / 1024} {
			scaled := New(1, k)
			e.Scale(scaled, x, step)
			checkLargestOf(t, e, scaled, w)
		}
	})
}

// TestScreenComputesFew checks that the screen leaves out most of a product of usual values.
func TestScreenComputesFew(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const k, cols, m = 128, 4096, 3
		r := rand.New(rand.NewPCG(5, 6))
		w, a, c := make([]float32, k*cols), New(m, k), New(m, cols)
		for i := range w {
			w[i] = float32(r.NormFloat64())
		}
		for i := range a.Data {
			a.Data[i] = float32(r.NormFloat64())
		}
		s := NewScreen(e, PackT(e, w, cols, k, k))
		for n, most := range map[int]int{1: cols / 10, 3: cols / 2, 0: cols} {
			e.MulLargest(c, a, s, []int{n, n, n})
			for i := range m {
				computed := 0
				for _, v := range c.Row(i) {
					computed += b2i(v > negInf)
				}
				if computed < n || computed > most || n == 0 && computed < cols {
					t.Errorf("for the %d largest of %d: computed %d", n, cols, computed)
				}
			}
		}
	})
}

// TestScreenOfManyRows has so many rows that the panels computed for them are together more than half of the weights': most are left out all the same, and
// none where more is wanted of each row.
func TestScreenOfManyRows(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const k, cols, m = 16, 8192, 48
		r := rand.New(rand.NewPCG(7, 8))
		w, a, want, got := random(r, cols, k, 0), random(r, m, k, 0), New(m, cols), New(m, cols)
		b := PackT(e, w.Data, cols, k, k)
		s := NewScreen(e, b)
		e.Mul(want, a, b)
		for n, few := range map[int]bool{1: true, 8: false} {
			e.MulLargest(got, a, s, slices.Repeat([]int{n}, m))
			for i := range m {
				if err := checkLargest(got.Row(i), want.Row(i), n); err != nil {
					t.Fatalf("row %d: %v", i, err)
				}
			}
			if got := slices.Contains(got.Data, negInf); got != few {
				t.Errorf("for the %d largest: left out some %t, want %t", n, got, few)
			}
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestScreenPauses has a row for which nothing can be left out, after which some products are done whole, and then fewer again.
func TestScreenPauses(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const k, cols = 16, 2048
		r := rand.New(rand.NewPCG(9, 9))
		w, flat, sharp, c := New(cols, k), New(1, k), New(1, k), New(1, cols)
		for i := range w.Data {
			w.Data[i] = float32(r.NormFloat64())
		}
		for j := range cols {
			w.Row(j)[0] = 1
		}
		flat.Data[0] = 1 // all products are equal
		copy(sharp.Data, w.Row(5))
		s := NewScreen(e, PackT(e, w.Data, cols, k, k))
		computed := func(a Matrix) int {
			for j := range c.Data {
				c.Data[j] = float32(math.NaN())
			}
			e.MulLargest(c, a, s, []int{1})
			n := 0
			for _, v := range c.Data {
				n += b2i(v > negInf)
			}
			return n
		}
		if n := computed(flat); n != cols {
			t.Fatalf("%d of %d equal products are computed", n, cols)
		}
		for i := range vainPause {
			if n := computed(sharp); n != cols {
				t.Fatalf("product %d after it: %d of %d are computed", i, n, cols)
			}
		}
		for range 2 {
			if n := computed(sharp); n > cols/2 {
				t.Errorf("after the pause %d of %d are computed", n, cols)
			}
		}
	})
}

// As many elements as an int can count are all of them; no rows have none.
func TestScreenOfAll(t *testing.T) {
	e := newEngine(t, 1)
	rnd := rand.New(rand.NewPCG(5, 6))
	s := NewScreen(e, PackT(e, random(rnd, 600, 8, 0).Data, 600, 8, 8))
	for _, n := range [][]int{{math.MaxInt}, {math.MinInt}, {math.MaxInt/7 + 1}, {1, math.MaxInt}, {}} {
		a, got, want := random(rnd, len(n), 8, 0), New(len(n), 600), New(len(n), 600)
		e.Mul(want, a, s.weights)
		e.MulLargest(got, a, s, n)
		if d := diff(got, want); d != "" {
			t.Errorf("the %d largest: %s", n, d)
		}
	}
}

func TestScreenRefuses(t *testing.T) {
	e := newEngine(t, 1)
	w := New(600, 8)
	fill(w.Row(5), 100) // so that the rest is left out
	s := NewScreen(e, PackT(e, w.Data, 600, 8, 8))
	ones := func(rows, cols int) Matrix {
		m := New(rows, cols)
		fill(m.Data, 1)
		return m
	}
	mustPanic(t, "too few numbers", func() { e.MulLargest(New(2, 600), ones(2, 8), s, []int{1}) })
	mustPanic(t, "too many numbers", func() { e.MulLargest(New(2, 600), ones(2, 8), s, []int{1, 1, 1}) })
	mustPanic(t, "a result of fewer columns", func() { e.MulLargest(New(2, 599), ones(2, 8), s, []int{1, 1}) })
	mustPanic(t, "a result of more columns", func() { e.MulLargest(New(2, 601), ones(2, 8), s, []int{1, 1}) })
	mustPanic(t, "a result of fewer rows", func() { e.MulLargest(New(1, 600), ones(2, 8), s, []int{1}) })
	mustPanic(t, "shorter rows", func() { e.MulLargest(New(2, 600), ones(2, 7), s, []int{1, 1}) })
	whole := ones(2, 608)
	mustPanic(t, "a result over an operand", func() { e.MulLargest(whole.ColRange(0, 600), whole.ColRange(8, 16), s, []int{1, 1}) })
	e.MulLargest(New(2, 600), ones(2, 8), s, []int{1, 1})
}
