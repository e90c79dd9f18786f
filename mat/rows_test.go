package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowSizes are numbers of columns around the 32 lanes of a reduction and the blocks of a long row.
var rowSizes = []int{1, 2, 31, 32, 33, 100, 1024, rowBlock - 1, rowBlock, rowBlock + 1, 3*rowBlock + 7}

// TestRowFunctions compares with float64, and every engine with the first.
func TestRowFunctions(t *testing.T) {
	type results struct {
		softmax, norm Matrix
		sums          []float32
		reduced       [3]float32
	}
	first := map[int]results{}
	engines(t, func(t *testing.T, e *Engine) {
		for _, cols := range rowSizes {
			rnd := rand.New(rand.NewPCG(uint64(cols), 1))
			x := random(rnd, 5, cols, 3)
			e.Scale(x, x, 5)
			weight := random(rnd, 1, cols, 0).Data
			r := results{softmax: clone(x), norm: clone(x), sums: make([]float32, 5)}
			e.Softmax(r.softmax, x)
			e.RMSNorm(r.norm, x, weight, 1e-6)
			e.LogSumExp(r.sums, x)
			r.reduced = [3]float32{e.SumRow(x.Row(0)), e.DotRow(x.Row(0), x.Row(1)), e.MaxRow(x.Row(0))}
			for i := range x.Rows {
				checkRow(t, x.Row(i), weight, r.softmax.Row(i), r.norm.Row(i), r.sums[i])
			}
			want, ok := first[cols]
			if !ok {
				first[cols] = r
				continue
			}
			for _, d := range []string{diff(r.softmax, want.softmax), diff(r.norm, want.norm)} {
				if d != "" {
					t.Fatalf("not what another engine computes: %s", d)
				}
			}
			if !slices.Equal(r.sums, want.sums) || r.reduced != want.reduced {
				t.Fatalf("%d columns: sums %v %v, another engine has %v %v", cols, r.sums, r.reduced, want.sums, want.reduced)
			}
		}
	})
}

func checkRow(t *testing.T, x, weight, softmax, norm []float32, logSum float32) {
	t.Helper()
	var sum, squares float64
	m := float64(slices.Max(x))
	for _, v := range x {
		sum += math.Exp(float64(v) - m)
		squares += float64(v) * float64(v)
	}
	root := math.Sqrt(squares/float64(len(x)) + 1e-6)
	for j, v := range x {
		d := m - float64(v) // whose rounding shows in the exponential
		if want := math.Exp(-d) / sum; math.Abs(float64(softmax[j])-want) > (1e-6+d*0x1p-24)*want+1e-29 {
			t.Fatalf("Softmax of %d columns: [%d] = %v, want %v", len(x), j, softmax[j], want)
		}
		if want := float64(v) / root * float64(weight[j]); math.Abs(float64(norm[j])-want) > 1e-6*math.Abs(want) {
			t.Fatalf("RMSNorm of %d columns: [%d] = %v, want %v", len(x), j, norm[j], want)
		}
	}
	if want := m + math.Log(sum); math.Abs(float64(logSum)-want) > 1e-6*math.Abs(want) {
		t.Fatalf("LogSumExp of %d columns: %v, want %v", len(x), logSum, want)
	}
}

// TestRowsOfSpecialValues fixes what infinities and NaN do.
func TestRowsOfSpecialValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ x, softmax, logSum []float32 }{
		{[]float32{-inf, 2, -inf, 2}, []float32{0, 0.5, 0, 0.5}, []float32{2 + math.Ln2}},
		{[]float32{-inf, -inf}, []float32{nan, nan}, []float32{-inf}},
		{[]float32{1, inf}, []float32{nan, nan}, []float32{inf}},
		{[]float32{1, nan}, []float32{nan, nan}, []float32{nan}},
		{[]float32{0, -1000}, []float32{1, 0}, []float32{0}},
		{[]float32{}, []float32{}, []float32{-inf}},
	} {
		engines(t, func(t *testing.T, e *Engine) {
			x, got, sum := View(c.x, 1, len(c.x)), New(1, len(c.x)), make([]float32, 1)
			e.Softmax(got, x)
			e.LogSumExp(sum, x)
			if !slices.EqualFunc(got.Data, c.softmax, same) || !slices.EqualFunc(sum, c.logSum, same) {
				t.Errorf("%v: softmax %v, log of sum %v; want %v, %v", c.x, got.Data, sum, c.softmax, c.logSum)
			}
		})
	}
}

func ExampleEngine_Softmax() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	x := View([]float32{0, 0, 1, 3, 3, 3}, 2, 3)
	e.Softmax(x, x)
	fmt.Printf("%.3f\n%.3f\n", x.Row(0), x.Row(1))
	// Output:
	// [0.212 0.212 0.576]
	// [0.333 0.333 0.333]
}

func ExampleEngine_RMSNorm() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	x := View([]float32{3, 4, 0, 0}, 1, 4)
	e.RMSNorm(x, x, []float32{1, 1, 1, 1}, 0)
	fmt.Println(x.Row(0))
	// Output: [1.2 1.6 0 0]
}

func ExampleEngine_GateSiLU() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	gate, up := View([]float32{-1, 0, 1}, 1, 3), View([]float32{2, 2, 2}, 1, 3)
	e.GateSiLU(up, gate, up)
	fmt.Printf("%.3f\n", up.Row(0))
	// Output: [-0.538 0.000 1.462]
}
