package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Embedding is a table of vectors by token.
type Embedding struct {
	Tokens, Dim int
	Padding     int // the token whose vector is not trained (torch's padding_idx), -1 where there is none
	weight      Weights
	param       *autodiff.Param // tokens × dim, in weight's place, where the layer is trained
}

// NewEmbedding returns an embedding with the table w, tokens × dim, without a Padding. It keeps w.
func NewEmbedding(w Weights, tokens, dim int) *Embedding {
	w.check(tokens, dim)
	return &Embedding{Tokens: tokens, Dim: dim, Padding: -1, weight: w}
}

// Params implements Layer.
func (e *Embedding) Params() []ParamInfo { return []ParamInfo{{"weight", []int{e.Tokens, e.Dim}}} }

// Values implements Layer.
func (e *Embedding) Values() map[string]Weights {
	if e.param != nil {
		return map[string]Weights{"weight": {F32: e.param.Value.Data}}
	}
	return map[string]Weights{"weight": e.weight}
}

// With implements Layer.
func (e *Embedding) With(_ *mat.Engine, values map[string]Weights) Layer {
	w := values["weight"]
	w.check(e.Tokens, e.Dim)
	return &Embedding{Tokens: e.Tokens, Dim: e.Dim, Padding: e.Padding, weight: w}
}

// WithParams implements Layer. The layer can be used on a tape only.
func (e *Embedding) WithParams(params map[string]*autodiff.Param) Layer {
	return &Embedding{Tokens: e.Tokens, Dim: e.Dim, Padding: e.Padding, param: params["weight"]}
}

// Forward returns the vectors of ids, one row each. 0 ≤ id < Tokens.
func (e *Embedding) Forward(p *Pass, rows Ragged, ids []int) autodiff.Value {
	p.check(rows)
	if len(ids) != rows.Rows() {
		panic(fmt.Sprintf("nn: embedding %d×%d of %d ids with %d rows", e.Tokens, e.Dim, len(ids), rows.Rows()))
	}
	if p.Tape == nil {
		x := p.Matrix(len(ids), e.Dim)
		each(p, rows, e, func(e *Embedding, from, to int) { e.look(x, ids, from, to) })
		return autodiff.Constant(x)
	}
	with := inPlaceOf(p, e)
	if with.param != nil {
		return p.Tape.Gather(p.Tape.Param(with.param), ids, with.Padding)
	}
	x := p.Tape.New(len(ids), e.Dim, false)
	with.look(x.Matrix, ids, 0, len(ids))
	return x
}

// look sets the rows from ≤ i < to of x to the vectors of their ids.
func (e *Embedding) look(x mat.Matrix, ids []int, from, to int) {
	for i := from; i < to; i++ {
		if id := ids[i]; id < 0 || id >= e.Tokens {
			panic(fmt.Sprintf("nn: embedding %d×%d: id %d of row %d", e.Tokens, e.Dim, id, i))
		}
		e.weight.widen(x.Row(i), ids[i]*e.Dim)
	}
}
