package poly

// A Bank holds the skills of one adapted layer, as two stacks of matrices (PEFT's poly_lora_A and poly_lora_B, tuners/poly/layer.py).
// Split q of the input features and of the output features has skills of its own.
type Bank struct {
	Splits, Skills, R int
	In, Out           int       // of the layer; both are multiples of Splits
	A                 []float32 // Splits × Skills × In/Splits × R
	B                 []float32 // Splits × Skills × R × Out/Splits
}

func (b *Bank) shapeA() []int { return []int{b.Splits, b.Skills, b.In / b.Splits, b.R} }
func (b *Bank) shapeB() []int { return []int{b.Splits, b.Skills, b.R, b.Out / b.Splits} }

// splitA returns the skills of split q of A.
func (b *Bank) splitA(q int) []float32 { return split(b.A, q, b.Splits) }

// splitB returns the skills of split q of B.
func (b *Bank) splitB(q int) []float32 { return split(b.B, q, b.Splits) }

func split(x []float32, q, n int) []float32 {
	size := len(x) / n
	return x[q*size : (q+1)*size]
}
