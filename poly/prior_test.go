package poly

import (
	"math"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// The terms and their gradients are torch's.
func TestPriorOfTorch(t *testing.T) {
	rec := openRecorded(t)
	cases := 0
	for _, name := range rec.Names() {
		name, ok := strings.CutSuffix(name, ".z")
		if !ok || !strings.HasPrefix(name, "prior.") {
			continue
		}
		cases++
		z, splits := rec.matrix(name+".z"), rec.ints(name + ".splits")[0]
		r := &Router{Tasks: z.Rows, Splits: splits, Skills: z.Cols / splits}
		for term, p := range map[string]Prior{"ibp": {IBP: 1}, "entropy": {Entropy: 1}, "l1": {L1: 1}} {
			want := rec.matrix(name + "." + term).Data[0]
			slope := mat.New(z.Rows, z.Cols)
			got := p.of(r, z, slope, usages(r.Tasks))
			if math.Abs(got-float64(want)) > 2e-6*math.Abs(float64(want))+1e-8 {
				t.Errorf("%s: %s: got %v, want %v", name, term, got, want)
			}
			near(t, name+": slope of "+term, slope.Data, rec.matrix(name+".d_"+term).Data, 2e-5, 1e-8)
		}
	}
	if cases != 6 {
		t.Errorf("got %d cases, want 6", cases)
	}
}

// The terms add up by their coefficients.
func TestPriorCoefficients(t *testing.T) {
	z := openRecorded(t).matrix("prior.splits.z")
	r := &Router{Tasks: 9, Splits: 3, Skills: 4}
	of := func(p Prior) (float64, mat.Matrix) {
		slope := mat.New(z.Rows, z.Cols)
		return p.of(r, z, slope, usages(r.Tasks)), slope
	}
	got, slope := of(Prior{IBP: 2, Entropy: 3, L1: 5})
	ibp, dIBP := of(Prior{IBP: 1})
	entropy, dEntropy := of(Prior{Entropy: 1})
	l1, dL1 := of(Prior{L1: 1})
	if want := 2*ibp + 3*entropy + 5*l1; math.Abs(got-want) > 1e-12*math.Abs(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i := range slope.Data {
		want := 2*float64(dIBP.Data[i]) + 3*float64(dEntropy.Data[i]) + 5*float64(dL1.Data[i])
		if math.Abs(float64(slope.Data[i])-want) > 1e-6*math.Abs(want)+1e-8 {
			t.Errorf("slope %d: got %v, want %v", i, slope.Data[i], want)
		}
	}
}

// Logits that are not finite give no panic, and NaN where one is NaN.
func TestPriorNotFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	r := &Router{Tasks: 1, Splits: 1, Skills: 2}
	slope := mat.New(1, 2)
	p := Prior{IBP: 1, Entropy: 1, L1: 1}
	if got := p.of(r, mat.View([]float32{inf, -inf}, 1, 2), slope, usages(1)); math.IsNaN(got) || slope.Data[0] != slope.Data[0] || slope.Data[1] != slope.Data[1] {
		t.Errorf("infinite logits: got %v and the slopes %v", got, slope.Data)
	}
	if got := p.of(r, mat.View([]float32{nan, 0}, 1, 2), slope, usages(1)); !math.IsNaN(got) {
		t.Errorf("NaN: got %v", got)
	}
}
