package mat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTrig compares with package math, in float64 and rounded to float32, also where sine or cosine are next to 0.
func TestTrig(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	check := func(x float64) {
		t.Helper()
		for _, f := range []struct {
			name      string
			got, want float64
		}{{"Sin", Sin(x), math.Sin(x)}, {"Cos", Cos(x), math.Cos(x)}} {
			a, b := math.Float32bits(float32(f.got)), math.Float32bits(float32(f.want))
			if d := int(a) - int(b); d < -1 || d > 1 || !(math.Abs(f.got-f.want) <= 4e-16) {
				t.Fatalf("%s %v = %v, want %v", f.name, x, f.got, f.want)
			}
		}
	}
	for range 300_000 {
		check((rnd.Float64() - 0.5) * 3.2e6)
		check(rnd.NormFloat64() * 10)
		near := float64(rnd.IntN(1_018_000)) * (math.Pi / 2)
		check(near)
		check(float64(float32(near)))
		check(math.Nextafter(near, 0))
	}
	for _, x := range []float64{0, 1e-300, 5e-324, math.Pi / 4, -math.Pi / 4, 1.6e6, -1.6e6} {
		check(x)
	}
	for _, x := range []float64{1.7e6, -1e300, math.Inf(1), math.Inf(-1), math.NaN()} {
		if s, c := Sin(x), Cos(x); s == s || c == c {
			t.Errorf("at %v: %v and %v, want NaN", x, s, c)
		}
	}
}
