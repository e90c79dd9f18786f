package mat

import "fmt"

// AdamStep is what a step of Adam or AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019) does to each parameter w with the gradient g, the mean m of
// gradients and v of their squares: in this order, rounding each operation but the fused multiply-adds, of which m and v take one each,
//
//	m = m + MeanGain·(g - m)                       or g + (MeanGain - 1)·(g - m) where MeanGain is at least ½, as torch.lerp does
//	v = v·SquareKeep + (SquareGain·g)·g
//	w = w·Keep + (m·Rate)/(√v/RootScale + Eps)
type AdamStep struct {
	Keep                   float32 // of the parameter: 1, or less for AdamW's weight decay
	MeanGain               float32 // 1 - β₁, in (0, 1]
	SquareKeep, SquareGain float32 // β₂ and 1 - β₂
	RootScale              float32 // √(1 - β₂ᵗ) in step t
	Eps                    float32
	Rate                   float32 // negative: the learning rate over 1 - β₁ᵗ
}

// AdamRow does a step, on the calling goroutine. It changes w, m and v; none of the slices, all of one length, may overlap another.
func (e *Engine) AdamRow(w, g, m, v []float32, s AdamStep) {
	if len(g) != len(w) || len(m) != len(w) || len(v) != len(w) {
		panic(fmt.Sprintf("mat: AdamRow of %d values with %d gradients and %d and %d means", len(w), len(g), len(m), len(v)))
	}
	toward := s.MeanGain
	if toward >= 0.5 {
		toward -= 1
	}
	e.level.Elem.Adam(w, g, m, v, s.Keep, toward, s.SquareKeep, s.SquareGain, s.RootScale, s.Eps, s.Rate)
}
