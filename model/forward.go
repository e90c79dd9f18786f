package model

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
)

// Forward computes the logits of a batch in p, which was made ready for as many sequences: a row per decoder position and a column per token
// id, and which rows belong to which sequence. They belong to the pass. The Adapters of the sequences have no effect here: p says what is added to the base model. With a tape
// every step is recorded. Errors are those of [Model.Logits].
func (m *Model) Forward(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error) {
	x, rows, err := m.hidden(ctx, p, batch)
	if err != nil {
		return autodiff.Value{}, nil, err
	}
	return m.t5.head.Forward(p, rows, x), rows, nil
}

// hidden computes what the head is applied to.
func (m *Model) hidden(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error) {
	if err := ctx.Err(); err != nil {
		return autodiff.Value{}, nil, err
	}
	for i, s := range batch {
		if err := m.checkIDs("input_ids", s.InputIDs); err != nil {
			return autodiff.Value{}, nil, fmt.Errorf("model: sequence %d: %w", i, err)
		}
		if err := m.checkIDs("decoder_input_ids", s.DecoderInputIDs); err != nil {
			return autodiff.Value{}, nil, fmt.Errorf("model: sequence %d: %w", i, err)
		}
	}
	sources, sourceIDs := gather(p, batch, func(s *Sequence) []int { return s.InputIDs })
	encoder, err := m.t5.encode(ctx, p, sources, sourceIDs)
	if err != nil {
		return autodiff.Value{}, nil, err
	}
	rows, ids := gather(p, batch, func(s *Sequence) []int { return s.DecoderInputIDs })
	x, err := m.t5.decode(ctx, p, rows, ids, sources, encoder)
	return x, rows, err
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

// gather lays the tokens of all sequences one after another, in the pass's memory.
func gather(p *nn.Pass, batch []Sequence, of func(*Sequence) []int) (nn.Ragged, []int) {
	rows := nn.Ragged(p.Ints(len(batch) + 1))
	rows[0] = 0
	for i := range batch {
		rows[i+1] = rows[i] + len(of(&batch[i]))
	}
	ids := p.Ints(rows.Rows())
	for i := range batch {
		copy(ids[rows[i]:], of(&batch[i]))
	}
	return rows, ids
}
