package mat

import "testing"

// TestElementFunctionsAllocate counts allocations of calls that are shared among threads.
func TestElementFunctionsAllocate(t *testing.T) {
	e := newEngine(t, 2)
	x, y, w, sums, labels := New(16, 1024), New(16, 1024), make([]float32, 1024), make([]float32, 16), make([]int, 16)
	for _, f := range elementFunctions {
		if n := testing.AllocsPerRun(50, func() { f.call(e, y, x, y) }); n != 0 {
			t.Errorf("%s allocates %v times", f.name, n)
		}
	}
	for name, f := range map[string]func(){
		"Softmax":   func() { e.Softmax(y, x) },
		"RMSNorm":   func() { e.RMSNorm(y, x, w, 1e-6) },
		"LogSumExp": func() { e.LogSumExp(sums, x) },

		"Rope":                  func() { e.Rope(x, 16, 64, y.ColRange(0, 32), y.ColRange(32, 64)) },
		"SoftmaxBackward":       func() { e.SoftmaxBackward(y, x, y) },
		"RMSNormBackward":       func() { e.RMSNormBackward(y, x, y, w, 1e-6) },
		"RMSNormWeightBackward": func() { e.RMSNormWeightBackward(w, x, y, 1e-6) },
		"CrossEntropyBackward":  func() { e.CrossEntropyBackward(y, x, labels, 0, 1) },
		"CrossEntropy":          func() { e.CrossEntropy(sums, y, x, labels, -1, 1) },
	} {
		if n := testing.AllocsPerRun(50, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
