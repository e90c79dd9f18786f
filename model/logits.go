package model

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A Sequence is one sequence of a batch.
type Sequence struct {
	InputIDs        []int        // the encoder's tokens, at least one, without padding
	DecoderInputIDs []int        // the decoder's tokens, at least one, the first of them the model's decoder_start_token_id
	Adapters        []nn.Adapter // what is added to the base model for this sequence, in this order; none is the bare base
}

// Logits are scores of every token id at every decoder position.
type Logits struct {
	mat.Matrix           // a row per decoder position, a column per token id
	Rows       nn.Ragged // which rows belong to which sequence
}

// Of returns the logits of sequence i; they alias l.
func (l Logits) Of(i int) mat.Matrix { return l.RowRange(l.Rows[i], l.Rows[i+1]) }

// Logits computes the logits of a batch, which belong to the caller. A sequence's logits do not depend on the others of the batch, to the
// bit. A sequence without tokens, a token id outside 0 ≤ id < [Model.Vocabulary] and an adapter that fails are errors that say which sequence it is.
// ctx is asked between layers: once it is done, its error is returned.
func (m *Model) Logits(ctx context.Context, batch []Sequence) (Logits, error) {
	if err := ctx.Err(); err != nil {
		return Logits{}, err
	}
	deltas := make([][]*nn.Delta, len(batch))
	for i, s := range batch {
		if err := m.checkIDs("input_ids", s.InputIDs); err != nil {
			return Logits{}, fmt.Errorf("model: sequence %d: %w", i, err)
		}
		if err := m.checkIDs("decoder_input_ids", s.DecoderInputIDs); err != nil {
			return Logits{}, fmt.Errorf("model: sequence %d: %w", i, err)
		}
		for _, a := range s.Adapters {
			d, err := a.Delta()
			if err != nil {
				return Logits{}, fmt.Errorf("model: sequence %d: %w", i, err)
			}
			deltas[i] = append(deltas[i], d)
		}
	}
	p := m.passes.Get().(*nn.Pass)
	defer m.passes.Put(p)
	if err := p.Reset(deltas); err != nil {
		return Logits{}, fmt.Errorf("model: %w", err)
	}
	sources, sourceIDs := gather(batch, func(s Sequence) []int { return s.InputIDs })
	encoder, err := m.t5.encode(ctx, p, sources, sourceIDs)
	if err != nil {
		return Logits{}, err
	}
	rows, ids := gather(batch, func(s Sequence) []int { return s.DecoderInputIDs })
	x, err := m.t5.decode(ctx, p, rows, ids, sources, encoder)
	if err != nil {
		return Logits{}, err
	}
	if m.t5.ScaleOutputs {
		p.Engine.Scale(x, x, m.t5.outputScale())
	}
	logits := mat.New(x.Rows, m.Vocabulary())
	m.t5.head.ForwardTo(p, rows, logits, x)
	return Logits{logits, rows}, nil
}

func (m *Model) checkIDs(field string, ids []int) error {
	if len(ids) == 0 {
		return fmt.Errorf("%s: got no tokens, want at least one", field)
	}
	for i, id := range ids {
		if id < 0 || id >= m.Vocabulary() {
			return fmt.Errorf("%s[%d]: got %d, want 0 ≤ id < %d", field, i, id, m.Vocabulary())
		}
	}
	return nil
}

// gather lays the tokens of all sequences one after another.
func gather(batch []Sequence, of func(Sequence) []int) (nn.Ragged, []int) {
	rows := nn.RaggedOf(len(batch), func(i int) int { return len(of(batch[i])) })
	ids := make([]int, 0, rows.Rows())
	for _, s := range batch {
		ids = append(ids, of(s)...)
	}
	return rows, ids
}
