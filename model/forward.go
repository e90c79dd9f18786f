package model

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
)

// Forward computes the logits of a batch in p, which was made ready for as many sequences: a row per position of the decoder, or of a decoder-only
// model, and a column per token id, and which rows belong to which sequence. They belong to the pass. The Adapters of the sequences have no effect
// here: p says what is added to the base model. With a tape every step is recorded. Errors are those of [Model.Logits].
func (m *Model) Forward(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error) {
	x, rows, err := m.hidden(ctx, p, batch)
	if err != nil {
		return autodiff.Value{}, nil, err
	}
	return m.net.output().Forward(p, rows, x), rows, nil
}

// Loss records the mean over labels of −log softmax(logits)[label] on p's tape, 1 × 1. labels[i] belongs to row i of the logits that [Model.Forward]
// would return; nn.IgnoreIndex does not count, and costs no logits. With n = 0 the divisor is the number of labels that count, as in
// [autodiff.Tape.CrossEntropy]. Errors are those of [Model.Logits], and of a label that is no token id.
func (m *Model) Loss(ctx context.Context, p *nn.Pass, batch []Sequence, labels []int, n int) (autodiff.Value, error) {
	x, rows, err := m.hidden(ctx, p, batch)
	if err != nil {
		return autodiff.Value{}, err
	}
	return m.net.output().CrossEntropy(p, rows, x, labels, n)
}

// hidden computes what the head is applied to.
func (m *Model) hidden(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error) {
	if err := ctx.Err(); err != nil {
		return autodiff.Value{}, nil, err
	}
	for i := range batch {
		if err := m.net.check(&batch[i]); err != nil {
			return autodiff.Value{}, nil, fmt.Errorf("model: sequence %d: %w", i, err)
		}
	}
	return m.net.hidden(ctx, p, batch)
}

func checkIDs(field string, ids []int, vocabulary int) error {
	if len(ids) == 0 {
		return fmt.Errorf("%s: got no tokens, want at least one", field)
	}
	for i, id := range ids {
		if id < 0 || id >= vocabulary {
			return fmt.Errorf("%s[%d]: got %d, want 0 ≤ id < %d", field, i, id, vocabulary)
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
