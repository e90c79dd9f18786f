package asm

import (
	"math"
	"math/big"
	"testing"
)

// reference is a function in float64 precision or better.
type unaryCase struct {
	name string
	of   func(k *Elem) func(dst, x []float32)
	ref  func(x float64) float64
}

var unaryCases = []unaryCase{
	{"Exp", func(k *Elem) func(dst, x []float32) { return k.Exp }, math.Exp},
	{"Sigmoid", func(k *Elem) func(dst, x []float32) { return k.Sigmoid }, func(x float64) float64 {return 1/(1+math.Exp(-x))}},
	{"Tanh", func(k *Elem) func(dst, x []float32) { return k.Tanh }, math.Tanh},
	{"SiLU", func(k *Elem) func(dst, x []float32) { return k.SiLU }, func(x float64) float64 {return x/(1+math.Exp(-x))}},
	{"GELU", func(k *Elem) func(dst, x []float32) { return k.GELU }, func(x float64) float64 {return x/2*math.Erfc(-x/math.Sqrt2)}},
	{"GELUTanh", func(k *Elem) func(dst, x []float32) { return k.GELUTanh }, func(x float64) float64 {return x/(1+math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))}},
	{"ReLU", func(k *Elem) func(dst, x []float32) { return k.ReLU }, func(x float64) float64 {return max(x,0)}},
}

var _ = big.NewInt

func ulps(got float32, want float64) float64 {
	r := float32(want)
	if got == r || got != got && want != want { return 0 }
	if math.IsInf(float64(r),0) { return math.Inf(1) }
	_, e := math.Frexp(float64(r))
	if r == 0 { e = -200 }
	ulp := math.Ldexp(1, max(e-24, -149))
	return math.Abs(float64(got)-want)/ulp
}

func TestSweep(t *testing.T) {
	const n = 1<<14
	x := make([]float32, n)
	got, want := make([]float32, n), make([]float32, n)
	const step = 65521*3
	for _, c := range unaryCases {
		worst, at := 0.0, float32(0)
		bad := map[string]int{}
		for b := uint64(0); b < 1<<32; {
			for i := range x { x[i] = math.Float32frombits(uint32(b)); b += step }
			c.of(&generic.Elem)(want, x)
			for _, l := range Levels() {
				c.of(&l.Elem)(got, x)
				for i := range got {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i]!=got[i]&&want[i]!=want[i]) {
						if bad[l.Name] < 5 { t.Errorf("%s %s(%v) = %v, generic %v", l.Name, c.name, x[i], got[i], want[i]) }
						bad[l.Name]++
					}
				}
			}
			for i := range want {
				if u := ulps(want[i], c.ref(float64(x[i]))); u > worst && x[i]-x[i]==0 && !(c.name=="SiLU" && x[i]< -87.3) && !(c.name[0]=='G' && (x[i]< -12.8 || c.name=="GELUTanh" && x[i]< -9.9)) { worst, at = u, x[i] }
			}
		}
		t.Logf("%s worst %.4f ulp at %v", c.name, worst, at)
	}
}
