package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Embedding is a table of vectors by token.
type Embedding struct {
	Tokens, Dim int
	weight      Weights
}

// NewEmbedding returns an embedding with the table w, tokens × dim. It keeps w.
func NewEmbedding(w Weights, tokens, dim int) *Embedding {
	w.check(tokens, dim)
	return &Embedding{tokens, dim, w}
}

// Params implements Layer.
func (e *Embedding) Params() []Param { return []Param{{"weight", []int{e.Tokens, e.Dim}}} }

// With implements Layer.
func (e *Embedding) With(_ *mat.Engine, values map[string]Weights) Layer {
	return NewEmbedding(values["weight"], e.Tokens, e.Dim)
}

// Forward returns the vectors of ids, one row each, in the pass's memory. 0 ≤ id < Tokens.
func (e *Embedding) Forward(p *Pass, rows Ragged, ids []int) mat.Matrix {
	if len(ids) != rows.Rows() {
		panic(fmt.Sprintf("nn: embedding %d×%d of %d ids with %d rows", e.Tokens, e.Dim, len(ids), rows.Rows()))
	}
	x := p.Matrix(len(ids), e.Dim)
	each(p, rows, e, func(e *Embedding, from, to int) {
		for i := from; i < to; i++ {
			if id := ids[i]; id < 0 || id >= e.Tokens {
				panic(fmt.Sprintf("nn: embedding %d×%d: id %d of row %d", e.Tokens, e.Dim, id, i))
			}
			e.weight.widen(x.Row(i), ids[i]*e.Dim)
		}
	})
	return x
}
