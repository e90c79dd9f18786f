package optim

import (
	"math"
	"math/big"
	"testing"
)

// TestPower compares with what math/big multiplies, for betas, and with what the C library gives Python, for decay rates.
func TestPower(t *testing.T) {
	for _, beta := range []float64{0.25, 0.8, 0.9, 0.98, 0.999, 0.9999, 1 - 0x1p-30} {
		exact := big.NewFloat(1).SetPrec(200)
		for step := 1; step <= 3000; step++ {
			exact.Mul(exact, big.NewFloat(beta))
			want, _ := exact.Float64()
			if want < 1e-290 {
				break
			}
			allowed := 0x1p-51 * want * max(1, float64(step)*-math.Log(beta))
			if got := power(beta, float64(step)); !(math.Abs(got-want) <= allowed) {
				t.Fatalf("%v to the power %d: got %v, want %v", beta, step, got, want)
			}
		}
	}
	for _, c := range []struct{ x, y, want float64 }{
		{0, 1, 0}, {0, -0.8, math.Inf(1)}, {1, -0.8, 1}, {0.5, 2000, 0}, {0.5, -2000, math.Inf(1)}, {0.5, 1074, 0x1p-1074}, {2, 10, 1024},
		{2, -0.8, 0.5743491774985174}, {3, -0.8, 0.41524364653850576}, {10, -0.8, 0.15848931924611134},
		{1000, -0.8, 0.003981071705534972}, {123456, -0.8, 8.448706797642609e-05}, {7, -0.5, 0.37796447300922725},
	} {
		if got := power(c.x, c.y); math.Abs(got-c.want) > 1e-15*c.want || got > 1e300 != (c.want > 1e300) {
			t.Errorf("%v to the power %v: got %v, want %v", c.x, c.y, got, c.want)
		}
	}
}
