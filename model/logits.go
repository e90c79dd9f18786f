package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A Sequence is one sequence of a batch.
type Sequence struct {
	InputIDs        []int        // the encoder's tokens, or a decoder-only model's: at least one, without padding
	DecoderInputIDs []int        // the decoder's tokens, at least one, the first of them the model's decoder_start_token_id; none of a decoder-only model
	Adapters        []nn.Adapter // what is added to the base model for this sequence, in this order; none is the bare base
}

// Logits are scores of every token id at every position of the decoder, or of a decoder-only model.
type Logits struct {
	mat.Matrix           // a row per position, a column per token id
	Layout     nn.Ragged // which rows belong to which sequence
}

// Of returns the logits of sequence i; they alias l.
func (l Logits) Of(i int) mat.Matrix { return l.RowRange(l.Layout[i], l.Layout[i+1]) }

// Logits computes the logits of a batch, which belong to the caller. A sequence's logits do not depend on the others of the batch, to the
// bit. A sequence without tokens, a token id outside 0 ≤ id < [Model.Vocabulary] and an adapter that fails or was made for another model are errors
// that say which sequence it is. ctx is asked between layers: once it is done, its error is returned.
func (m *Model) Logits(ctx context.Context, batch []Sequence) (Logits, error) {
	deltas := make([][]*nn.Delta, len(batch))
	for i, s := range batch {
		var err error
		if deltas[i], err = m.deltas(s.Adapters); err != nil {
			return Logits{}, fmt.Errorf("model: sequence %d: %w", i, err)
		}
	}
	p := m.passes.Get().(*nn.Pass)
	defer m.passes.Put(p)
	if err := p.Reset(deltas); err != nil {
		return Logits{}, fmt.Errorf("model: %w", err)
	}
	x, rows, err := m.hidden(ctx, p, batch)
	if err != nil {
		return Logits{}, err
	}
	logits := mat.New(x.Rows, m.Vocabulary())
	m.net.output().ForwardTo(p, rows, logits, x.Matrix)
	return Logits{logits, slices.Clone(rows)}, nil
}
