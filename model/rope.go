package model

import (
	"math"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A rope turns the two elements i and i + d/2 of a head of size d by an angle: the token's position times inverse[i] (Su et al. 2021, with the pairs
// of transformers' rotate_half).
type rope struct {
	inverse []float32
	scale   float32 // of sine and cosine
}

// newRope returns the rope of heads of the given size. It computes what transformers' modeling_rope_utils.py does in float32, in the same order, but
// for powers, which are rounded once.
func newRope(c ropeConfig, headSize int) rope {
	r := rope{inverse: make([]float32, headSize/2), scale: 1}
	var low, high float64
	if c.Type == "yarn" {
		low, high = c.yarnRange(headSize)
		r.scale = float32(c.AttentionFactor)
	}
	factor := float32(c.Factor)
	for i := range r.inverse {
		exponent := float32(2*i) / float32(headSize)
		period := float32(mat.Pow(float64(float32(c.Theta)), float64(exponent))) // in tokens, of a turn by one radian
		inverse := 1 / period
		switch c.Type {
		case "linear":
			inverse /= factor
		case "llama3":
			inverse = c.llama3(inverse)
		case "yarn":
			keep := 1 - min(max((float32(i)-float32(low))/float32(high-low), 0), 1)
			inverse = float32(1/float32(factor*period)*(1-keep)) + float32(inverse*keep)
		}
		r.inverse[i] = inverse
	}
	return r
}

// llama3 divides the low frequencies by the factor, keeps the high ones, and goes smoothly between them.
func (c *ropeConfig) llama3(inverse float32) float32 {
	wavelength := float32(1/inverse) * float32(2*math.Pi)
	factor := float32(c.Factor)
	switch {
	case wavelength > float32(c.Original/c.Low):
		return inverse / factor
	case wavelength < float32(c.Original/c.High):
		return inverse
	}
	s := (float32(float32(1/wavelength)*float32(c.Original)) - float32(c.Low)) / float32(c.High-c.Low)
	return float32((1-s)*inverse)/factor + float32(s*inverse)
}

// yarnRange returns the pairs between which yarn goes from keeping frequencies to dividing them (Peng et al. 2023).
func (c *ropeConfig) yarnRange(headSize int) (low, high float64) {
	dim := float64(headSize)
	pair := func(rotations float64) float64 { // the pair that turns so often over the original length
		return float64(dim*mat.Log(c.Original/(rotations*2*math.Pi))) / float64(2*mat.Log(c.Theta))
	}
	low, high = pair(c.Fast), pair(c.Slow)
	if c.Truncate {
		low, high = math.Floor(low), -math.Floor(-high)
	}
	low, high = max(low, 0), min(high, dim-1)
	if low == high {
		high += 0.001
	}
	return low, high
}

// angles returns the angles of tokens at the given positions, a row each.
func (r rope) angles(p *nn.Pass, positions []int) nn.Angles {
	a := nn.NewAngles(p, len(positions), len(r.inverse))
	for i, position := range positions {
		cos, sin := a.Cos.Row(i), a.Sin.Row(i)
		for j, inverse := range r.inverse {
			angle := float64(float32(float32(position) * inverse))
			cos[j] = float32(mat.Cos(angle)) * r.scale
			sin[j] = float32(mat.Sin(angle)) * r.scale
		}
	}
	return a
}
