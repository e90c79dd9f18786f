package nn

import "github.com/polytropon/polytropon/mat"

// ForwardCached returns the attention's output in a pass without a tape, as Forward does, over keys and values that lie in a cache for each sequence,
// which several may share. The first query of sequence i stands at position offsets[i]; nil means 0. A query has the bits that Forward gives it over
// the whole sequence.
func (a Attention) ForwardCached(p *Pass, queries Ragged, offsets []int, q mat.Matrix, caches []*mat.Cache, bias Bias) mat.Matrix {
	out := p.Matrix(q.Rows, q.Cols)
	p.Engine.AttentionCached(out, q, caches, mat.Attention{Heads: a.Heads, HeadSize: a.HeadSize, KVHeads: a.KVHeads, Queries: queries, Offsets: offsets,
		Causal: a.Causal, Window: a.Window, Scale: a.Scale, Bias: bias.Vectors})
	return out
}
