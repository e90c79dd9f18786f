package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// elemCase is a kernel in a form that fits all of them: it may set dst and may return a number.
type elemCase struct {
	name string
	call func(k *Elem, dst, x, y []float32, s float32) float32
}

func elemCases() []elemCase {
	cases := []elemCase{
		{"Scale", func(k *Elem, dst, x, _ []float32, s float32) float32 { k.Scale(dst, x, s); return 0 }},
		{"Div", func(k *Elem, dst, x, _ []float32, s float32) float32 { k.Div(dst, x, s, 1/s); return 0 }},
		{"DivExact", func(k *Elem, dst, x, _ []float32, s float32) float32 { k.DivExact(dst, x, s); return 0 }},
		{"DivMul", func(k *Elem, dst, x, y []float32, s float32) float32 { k.DivMul(dst, x, y, s); return 0 }},
		{"DivMulSquares", func(k *Elem, dst, x, y []float32, s float32) float32 { return k.DivMulSquares(dst, x, y, y, s) }},
		{"AddScaled", func(k *Elem, dst, x, y []float32, s float32) float32 { k.AddScaled(dst, x, y, s); return 0 }},
		{"SubMul", func(k *Elem, dst, x, y []float32, s float32) float32 { k.SubMul(dst, x, y, s); return 0 }},
		{"MulSubDiv", func(k *Elem, dst, x, y []float32, s float32) float32 { k.MulSubDiv(dst, x, y, x, s, s+3); return 0 }},
		{"MulSubDiv of another", func(k *Elem, dst, x, y []float32, s float32) float32 { k.MulSubDiv(dst, x, x, y, s, s+3); return 0 }},
		{"AddDivMul", func(k *Elem, dst, x, y []float32, s float32) float32 { k.AddDivMul(dst, x, y, s); return 0 }},
		{"MulDot", func(k *Elem, _, x, y []float32, _ float32) float32 { return k.MulDot(x, y, x) }},
		{"MulDot of another", func(k *Elem, _, x, y []float32, _ float32) float32 { return k.MulDot(x, x, y) }},
		{"Max", func(k *Elem, _, x, _ []float32, _ float32) float32 { return k.Max(x) }},
		{"Sum", func(k *Elem, _, x, _ []float32, _ float32) float32 { return k.Sum(x) }},
		{"Dot", func(k *Elem, _, x, y []float32, _ float32) float32 { return k.Dot(x, y) }},
		{"SumExp", func(k *Elem, _, x, _ []float32, s float32) float32 { return k.SumExp(x, s) }},
		{"ExpSum", func(k *Elem, dst, x, _ []float32, s float32) float32 { return k.ExpSum(dst, x, s) }},
	}
	for _, c := range functions {
		cases = append(cases, elemCase{c.name, func(k *Elem, dst, x, _ []float32, _ float32) float32 { c.of(k)(dst, x); return 0 }})
	}
	for name, of := range map[string]func(k *Elem) func(dst, x, y []float32){
		"Add":          func(k *Elem) func(dst, x, y []float32) { return k.Add },
		"Sub":          func(k *Elem) func(dst, x, y []float32) { return k.Sub },
		"Mul":          func(k *Elem) func(dst, x, y []float32) { return k.Mul },
		"GateSiLU":     func(k *Elem) func(dst, x, y []float32) { return k.GateSiLU },
		"GateGELUTanh": func(k *Elem) func(dst, x, y []float32) { return k.GateGELUTanh },
	} {
		cases = append(cases, elemCase{name, func(k *Elem, dst, x, y []float32, _ float32) float32 { of(k)(dst, x, y); return 0 }})
	}
	for _, c := range derivatives {
		cases = append(cases, elemCase{c.name, func(k *Elem, dst, x, y []float32, _ float32) float32 { c.of(k)(dst, x, y); return 0 }})
	}
	return cases
}

// TestElem compares every kernel with the portable one, for all lengths around the unrolled loops, between guard pages, with any values,
// and with dst being an operand.
func TestElem(t *testing.T) {
	accelerated(t, func(t *testing.T, l *Level) {
		for _, c := range elemCases() {
			t.Run(c.name, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(3, 4))
				spread := 1.0
				value := func() float32 {
					switch rnd.IntN(40) {
					case 0:
						return specials[rnd.IntN(len(specials))]
					case 1:
						return math.Float32frombits(rnd.Uint32())
					}
					return float32(rnd.NormFloat64() * spread)
				}
				for n := range 3*64 + 2 {
					spread = 5 - spread // 4 or 1: GELU has a path for values far below 0, and a loop for the others
					for _, place := range []placer{atStart, atEnd} {
						x, y, dst := placed[float32](place, n), placed[float32](place, n), placed[float32](place, n)
						s := value()
						for i := range x {
							x[i], y[i], dst[i] = value(), value(), value()
						}
						for _, dst := range [][]float32{dst, x, y} { // x and y are lost then, but so they are for the portable kernel
							x0, y0, want := slices.Clone(x), slices.Clone(y), slices.Clone(dst)
							if n > 0 && &dst[0] == &x[0] {
								want = x0
							} else if n > 0 && &dst[0] == &y[0] {
								want = y0
							}
							r := c.call(&l.Elem, dst, x, y, s)
							if r0 := c.call(&generic.Elem, want, x0, y0, s); !same(r, r0) {
								t.Fatalf("%d elements: returns %x, want %x", n, r, r0)
							}
							for i := range dst {
								if !same(dst[i], want[i]) {
									t.Fatalf("%d elements: dst[%d] = %x, want %x", n, i, dst[i], want[i])
								}
							}
						}
					}
				}
			})
		}
	})
}

// functions are the kernels of one variable and what they compute. In float64 the error of ref is far below that of a float32.
var functions = []struct {
	name string
	of   func(k *Elem) func(dst, x []float32)
	ref  func(x float64) float64
	from float64 // where the domain begins in which the error is bounded; below it the result is next to nothing
	// The values at -Inf, -0, 0 and +Inf. At NaN it is NaN.
	atMinusInf, atMinusZero, atZero, atInf float32
}{
	{"Exp", func(k *Elem) func(dst, x []float32) { return k.Exp }, math.Exp, math.Inf(-1), 0, 1, 1, inf},
	{"Sigmoid", func(k *Elem) func(dst, x []float32) { return k.Sigmoid }, sigmoid, math.Inf(-1), 0, 0.5, 0.5, 1},
	{"Tanh", func(k *Elem) func(dst, x []float32) { return k.Tanh }, math.Tanh, math.Inf(-1), -1, minusZero, 0, 1},
	{"SiLU", func(k *Elem) func(dst, x []float32) { return k.SiLU }, func(x float64) float64 { return x * sigmoid(x) }, -87, minusZero, minusZero, 0, inf},
	{"GELU", func(k *Elem) func(dst, x []float32) { return k.GELU }, func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }, -13.24, 0, minusZero, 0, inf},
	{"GELUTanh", func(k *Elem) func(dst, x []float32) { return k.GELUTanh }, func(x float64) float64 {
		return x * sigmoid(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))
	}, -9.9, minusZero, minusZero, 0, inf},
	{"ReLU", func(k *Elem) func(dst, x []float32) { return k.ReLU }, func(x float64) float64 { return max(x, 0) }, math.Inf(-1), 0, minusZero, 0, inf},
}

var inf, minusZero = float32(math.Inf(1)), float32(math.Copysign(0, -1))

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// TestFunctions tries float32 from all over the range: every level gives the portable kernel's bits, and these are at most 2 units in
// the last place from the correctly rounded value.
func TestFunctions(t *testing.T) {
	step := uint64(4999) // coprime to powers of two
	if testing.Short() {
		step *= 64
	}
	x, got, want := make([]float32, 1<<12), make([]float32, 1<<12), make([]float32, 1<<12)
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			worst, at := 0, float32(0)
			for b := uint64(0); b < 1<<32; {
				for i := range x {
					x[i] = math.Float32frombits(uint32(b))
					b += step
				}
				f.of(&generic.Elem)(want, x)
				for _, l := range Levels() {
					f.of(&l.Elem)(got, x)
					for i := range got {
						if !same(got[i], want[i]) {
							t.Fatalf("%s: at %x: %x, want %x", l.Name, x[i], got[i], want[i])
						}
					}
				}
				for i, v := range x {
					if v != v || float64(v) < f.from {
						continue
					}
					if d := distance(want[i], float32(f.ref(float64(v)))); d > worst {
						worst, at = d, v
					}
				}
			}
			if worst > 2 {
				t.Errorf("%d units off at %v", worst, at)
			}
		})
	}
}

// TestGELUFarBelow looks closer at GELU where the results are tiny: at values that are hard to get right, around the points where n of
// exp(-x²/2) = 2ⁿ·exp(-r/2) changes, where the way of computing does, where the results cease to be normal numbers, and in between.
func TestGELUFarBelow(t *testing.T) {
	x := []float32{-6.1955485, -7.1305737, -7.233102, -7.507054, -7.599498, -9.75743, -10.242342, -10.309541, -10.376749, -12.273631, -12.940891}
	around := func(v float64) {
		at := math.Float32bits(float32(-v))
		for b := at - 32; b <= at+32; b++ {
			x = append(x, math.Float32frombits(b))
		}
	}
	for _, v := range []float64{5.477, 8, 13.1464, 13.242} {
		around(v)
	}
	for n := 22; n <= 125; n++ {
		around(math.Sqrt(float64(2*n+1) * math.Ln2))
	}
	for b, end := math.Float32bits(-5.47), math.Float32bits(-13.242); b < end; b += 101 {
		x = append(x, math.Float32frombits(b))
	}
	got, want := make([]float32, len(x)), make([]float32, len(x))
	for i, v := range x {
		want[i] = float32(float64(v) / 2 * math.Erfc(float64(-v)/math.Sqrt2))
	}
	for _, l := range Levels() {
		l.Elem.GELU(got, x)
		for i := range x {
			if distance(got[i], want[i]) > 2 {
				t.Fatalf("%s: at %v: %x, want %x", l.Name, x[i], got[i], want[i])
			}
		}
	}
}

// distance returns how many float32 lie between x and y, and one more.
func distance(x, y float32) int {
	order := func(v float32) int {
		b := int(int32(math.Float32bits(v)))
		if b < 0 {
			return math.MinInt32 - b
		}
		return b
	}
	d := order(x) - order(y)
	return max(d, -d)
}

func TestFunctionsAtSpecialValues(t *testing.T) {
	nan := float32(math.NaN())
	for _, l := range Levels() {
		for _, f := range functions {
			x, want := []float32{-inf, minusZero, 0, inf, nan}, []float32{f.atMinusInf, f.atMinusZero, f.atZero, f.atInf, nan}
			got := make([]float32, len(x))
			f.of(&l.Elem)(got, x)
			for i := range x {
				if !same(got[i], want[i]) {
					t.Errorf("%s: %s(%v) = %v, want %v", l.Name, f.name, x[i], got[i], want[i])
				}
			}
		}
	}
}

// TestDiv compares the quotients of Div with the exact division, for the numbers for which that is promised.
func TestDiv(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	normal := func() float32 { return float32(math.Ldexp(1+rnd.Float64(), rnd.IntN(60)-30)) }
	x, got := make([]float32, 512), make([]float32, 512)
	for range 400 {
		d := normal()
		if rnd.IntN(4) == 0 {
			d = math.Float32frombits(math.Float32bits(d) | 1<<23 - 1) // the largest fraction, the hard case
		}
		for i := range x {
			x[i] = normal()
		}
		x[0] = 0
		for _, l := range Levels() {
			l.Elem.Div(got, x, d, 1/d)
			for i := range x {
				if got[i] != x[i]/d {
					t.Fatalf("%s: %x / %x = %x, want %x", l.Name, x[i], d, got[i], x[i]/d)
				}
			}
		}
	}
}

// TestReductions compares the portable reductions with their definition: 32 lanes and a tree.
func TestReductions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 5, 31, 32, 33, 64, 100, 1000} {
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
		}
		var sum, dot [32]float32
		largest := -inf
		for i := range x {
			sum[i%32] += x[i]
			dot[i%32] = FMA(x[i], y[i], dot[i%32])
			largest = max(largest, x[i])
		}
		for _, lanes := range []*[32]float32{&sum, &dot} {
			for half := 16; half > 0; half /= 2 {
				for i := range half {
					lanes[i] += lanes[i+half]
				}
			}
		}
		k := &generic.Elem
		for name, pair := range map[string][2]float32{"Sum": {k.Sum(x), sum[0]}, "Dot": {k.Dot(x, y), dot[0]}, "Max": {k.Max(x), largest}} {
			if !same(pair[0], pair[1]) {
				t.Errorf("%s of %d elements: %x, want %x", name, n, pair[0], pair[1])
			}
		}
		var want float64
		for _, v := range x {
			want += math.Exp(float64(v - largest))
		}
		want *= 0x1p64
		if got := float64(k.SumExp(x, largest)); math.Abs(got-want) > 1e-6*want {
			t.Errorf("SumExp of %d elements: %g, want %g", n, got, want)
		}
	}
}

// TestExpSumFarBelow checks the terms around the point from which they are 0.
func TestExpSumFarBelow(t *testing.T) {
	x := []float32{3, 3 - 30, 3 - 68.9, 3 - 69, 3 - 200, -math.MaxFloat32, -inf}
	for _, l := range Levels() {
		dst := make([]float32, len(x))
		sum := l.Elem.ExpSum(dst, x, 3)
		for i, v := range x[:3] {
			if want := float32(math.Exp(float64(v-3)) * 0x1p64); distance(dst[i], want) > 2 {
				t.Errorf("%s: at %v: %x, want %x", l.Name, v, dst[i], want)
			}
		}
		for i, v := range x[3:] {
			if dst[3+i] != 0 {
				t.Errorf("%s: at %v: %x, want 0", l.Name, v, dst[3+i])
			}
		}
		if sum != 0x1p64 || l.Elem.SumExp(x, 3) != sum {
			t.Errorf("%s: sums %x and %x, want 0x1p64", l.Name, sum, l.Elem.SumExp(x, 3))
		}
	}
}

// ExampleElem computes with the kernels of the best level of this machine.
func ExampleElem() {
	k := &Levels()[0].Elem
	x := []float32{-1, 0, 1}
	k.ReLU(x, x)
	fmt.Println(x, k.Sum(x), k.Max(x))
	// Output: [0 0 1] 1 1
}
