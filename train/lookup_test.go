package train_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/train"
)

// lookup is a model of one's own: it scores the label of a token by weight · table[id].
type lookup struct {
	table, weight *autodiff.Param // ids × dim, labels × dim
	ids, labels   []int           // of a batch
}

func newLookup(ids, dim, labels int, seed uint64) *lookup {
	source := rand.New(rand.NewPCG(seed, 0))
	param := func(name string, rows int) *autodiff.Param {
		values := make([]float32, rows*dim)
		for i := range values {
			values[i] = source.Float32() - 0.5
		}
		return autodiff.NewParam(name, []int{rows, dim}, values)
	}
	return &lookup{table: param("table", ids), weight: param("weight", labels)}
}

// Params implements train.Objective.
func (m *lookup) Params() []*autodiff.Param { return []*autodiff.Param{m.table, m.weight} }

// Measure implements train.Objective.
func (m *lookup) Measure(x train.Example) (train.Size, error) {
	if len(x.Labels) != len(x.InputIDs) {
		return train.Size{}, fmt.Errorf("got %d labels, want %d", len(x.Labels), len(x.InputIDs))
	}
	size := train.Size{Tokens: len(x.InputIDs)}
	for _, label := range x.Labels {
		if label != nn.IgnoreIndex {
			size.Labels++
		}
	}
	return size, nil
}

// Loss implements train.Objective.
func (m *lookup) Loss(_ context.Context, p *nn.Pass, b *train.Batch) (autodiff.Value, error) {
	m.ids, m.labels = m.ids[:0], m.labels[:0]
	for _, x := range b.Examples {
		m.ids, m.labels = append(m.ids, x.InputIDs...), append(m.labels, x.Labels...)
	}
	t := p.Tape
	logits := t.MulT(t.Gather(t.Param(m.table), m.ids, -1), t.Param(m.weight))
	return t.CrossEntropy(logits, m.labels, nn.IgnoreIndex, b.Labels)
}

// Replica implements train.Replicator: the values are shared, the gradients are not.
func (m *lookup) Replica() train.Objective {
	share := func(p *autodiff.Param) *autodiff.Param { return autodiff.NewParam(p.Name, p.Shape, p.Value.Data) }
	return &lookup{table: share(m.table), weight: share(m.weight)}
}

// successors are examples of n tokens each in which a token's label is the next number.
func successors(count, n, tokens int) train.Slice {
	var examples train.Slice
	for i := range count {
		x := train.Example{InputIDs: make([]int, n), Labels: make([]int, n)}
		for j := range n {
			x.InputIDs[j] = (i + j) % tokens
			x.Labels[j] = (i + j + 1) % tokens
		}
		examples = append(examples, x)
	}
	return examples
}
