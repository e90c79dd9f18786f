package mat

import (
	"math"
	"testing"
)

// TestPowerFunctions compares with package math's functions, which are right to one unit in the last place, and checks bits recorded on one
// machine, which every architecture must give.
func TestPowerFunctions(t *testing.T) {
	for i := range 20000 {
		x := math.Exp(float64(i)/100 - 100)
		if got, want := Log(x), math.Log(x); math.Abs(got-want) > 1e-15*max(1, math.Abs(want)) {
			t.Fatalf("Log(%v) = %v, want %v", x, got, want)
		}
		x = float64(i)*0.0699 - 699
		if got, want := Exp(x), math.Exp(x); math.Abs(got-want) > 1e-15*want {
			t.Fatalf("Exp(%v) = %v, want %v", x, got, want)
		}
		y := float64(i%97)/32 - 1.5
		x = float64(i) + 0.25
		if got, want := Pow(x, y), math.Pow(x, y); math.Abs(got-want) > 1e-15*(1+math.Abs(y*math.Log(x)))*want {
			t.Fatalf("Pow(%v, %v) = %v, want %v", x, y, got, want)
		}
	}
	for _, c := range []struct{ got, want float64 }{
		{Log(1), 0}, {Log(10), 0x1.26bb1bbb55515p+1}, {Exp(0), 1}, {Exp(1), 0x1.5bf0a8b14576ap+1}, {Exp(-20.5), 0x1.57a3afeed00acp-30},
		{Pow(10000, 0), 1}, {Pow(10000, 0.125), 0x1.94c583ada5b52p+1}, {Pow(500000, 0.984375), 0x1.8dc3277bc0b83p+18},
	} {
		if c.got != c.want {
			t.Errorf("got %x, want %x", c.got, c.want)
		}
	}
}
