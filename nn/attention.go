package nn

import "github.com/polytropon/polytropon/mat"

// Attention is softmax(Q·Kᵀ + bias)·V for every head of every sequence. A head is a range of HeadSize columns of Q, K and V. The scores are not
// scaled.
type Attention struct {
	Heads, HeadSize int
	Causal          bool // query i sees keys 0 … i only
}

// Forward returns the attention's output: q.Rows × Heads·HeadSize, in the pass's memory. Sequence i's queries are the rows of q that
// queries names, its keys and values the rows of k and v that keys names. bias is nil or what RelativeBias.Forward returned for
// sequences at least as long. A sequence without keys gives zeros.
func (a Attention) Forward(p *Pass, queries, keys Ragged, q, k, v mat.Matrix, bias []mat.Matrix) mat.Matrix {
	out := p.Matrix(q.Rows, a.Heads*a.HeadSize)
	p.Engine.Attention(out, q, k, v, mat.Attention{
		Heads: a.Heads, HeadSize: a.HeadSize, Queries: queries, Keys: keys, Causal: a.Causal, Bias: bias,
	})
	return out
}
