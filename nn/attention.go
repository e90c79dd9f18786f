package nn

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Attention is softmax(scale·Q·Kᵀ + bias)·V for every head of every sequence. A head is a range of HeadSize columns of Q, K and V.
type Attention struct {
	Heads, HeadSize int
	KVHeads         int     // the heads of K and V, each for Heads/KVHeads heads of Q; 0 means Heads
	Causal          bool    // query i sees keys 0 … i only
	Window          int     // of those it sees the last ones, itself included; 0 means all
	Scale           float32 // 0 means 1
}

// Forward returns the attention's output: q.Rows × Heads·HeadSize. Sequence i's queries are the rows of q that queries names, its keys and
// values the rows of k and v that keys names. bias is the zero Bias or what RelativeBias.Forward returned for sequences at least as
// long. A sequence without keys gives zeros.
func (a Attention) Forward(p *Pass, queries, keys Ragged, q, k, v autodiff.Value, bias Bias) autodiff.Value {
	shape := a.shape(queries, bias)
	shape.Keys = keys
	if p.Tape != nil {
		return p.Tape.Attention(q, k, v, bias.trained, shape)
	}
	out := p.Matrix(q.Rows, q.Cols)
	p.Engine.Attention(out, q.Matrix, k.Matrix, v.Matrix, shape)
	return autodiff.Constant(out)
}

// ForwardCached returns the attention's output in a pass without a tape, as Forward does, over keys and values that lie in a cache for each sequence,
// which several may share. The first query of sequence i stands at position offsets[i]; nil means 0. A query has the bits that Forward gives it over
// the whole sequence.
func (a Attention) ForwardCached(p *Pass, queries Ragged, offsets []int, q mat.Matrix, caches []*mat.Cache, bias Bias) mat.Matrix {
	out := p.Matrix(q.Rows, q.Cols)
	shape := a.shape(queries, bias)
	shape.Offsets = offsets
	p.Engine.AttentionCached(out, q, caches, shape)
	return out
}

// ForwardAppend is ForwardCached that first appends to the cache of each sequence, which no other shares, the keys and values of the new positions: the
// rows of k and v that queries names. The positions begin where the cache ends.
func (a Attention) ForwardAppend(p *Pass, queries Ragged, offsets []int, q, k, v mat.Matrix, caches []*mat.Cache, bias Bias) mat.Matrix {
	out := p.Matrix(q.Rows, q.Cols)
	shape := a.shape(queries, bias)
	shape.Offsets = offsets
	p.Engine.AttentionAppend(out, q, k, v, caches, shape)
	return out
}

// shape returns all but where the keys are.
func (a Attention) shape(queries Ragged, bias Bias) mat.Attention {
	return mat.Attention{Heads: a.Heads, HeadSize: a.HeadSize, KVHeads: a.KVHeads, Queries: queries,
		Causal: a.Causal, Window: a.Window, Scale: a.Scale, Bias: bias.Vectors}
}
