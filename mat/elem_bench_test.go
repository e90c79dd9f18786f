package mat

import "testing"

// BenchmarkElem runs the element and row functions on 1024 × 1024 values, with one thread, on every level with assembly. Bytes are those
// read and written.
func BenchmarkElem(b *testing.B) {
	const n = 1024
	x, y, dst, weight := randomMatrix(n, n, 3), randomMatrix(n, n, 4), New(n, n), make([]float32, n)
	functions := []struct {
		name   string
		values int64 // read and written for each element
		do     func(e *Engine)
	}{
		{"Add", 3, func(e *Engine) { e.Add(dst, x, y) }},
		{"Scale", 2, func(e *Engine) { e.Scale(dst, x, 0.5) }},
		{"ReLU", 2, func(e *Engine) { e.ReLU(dst, x) }},
		{"Exp", 2, func(e *Engine) { e.Exp(dst, x) }},
		{"Sigmoid", 2, func(e *Engine) { e.Sigmoid(dst, x) }},
		{"SiLU", 2, func(e *Engine) { e.SiLU(dst, x) }},
		{"Tanh", 2, func(e *Engine) { e.Tanh(dst, x) }},
		{"GELU", 2, func(e *Engine) { e.GELU(dst, x) }},
		{"GELUTanh", 2, func(e *Engine) { e.GELUTanh(dst, x) }},
		{"GateSiLU", 3, func(e *Engine) { e.GateSiLU(dst, x, y) }},
		{"GateGELUTanh", 3, func(e *Engine) { e.GateGELUTanh(dst, x, y) }},
		{"Softmax", 2, func(e *Engine) { e.Softmax(dst, x) }},
		{"LogSumExp", 1, func(e *Engine) { e.LogSumExp(dst.Row(0), x) }},
		{"RMSNorm", 2, func(e *Engine) { e.RMSNorm(dst, x, weight, 1e-6) }},
	}
	for _, f := range functions {
		for _, level := range Levels() {
			if level == "generic" {
				continue
			}
			b.Run(f.name+"/"+level, func(b *testing.B) {
				e, err := NewEngine(Options{Level: level, Threads: 1})
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				b.SetBytes(f.values * 4 * n * n)
				for b.Loop() {
					f.do(e)
				}
			})
		}
	}
}

// randomMatrix returns values of about normal distribution, always the same for a seed.
func randomMatrix(rows, cols int, seed uint32) Matrix {
	m := New(rows, cols)
	for i := range m.Data {
		var sum float32
		for range 4 {
			seed = seed*1664525 + 1013904223
			sum += float32(int32(seed)) * 0x1p-31
		}
		m.Data[i] = sum
	}
	return m
}
