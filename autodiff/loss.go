package autodiff

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// CrossEntropy returns Σ −log softmax(row)[label] / n, 1 × 1: labels[i] belongs to row i of logits, and rows whose label is ignore don't
// count. With n = 0 the divisor is the number of rows that count, which makes it their mean, NaN where there are none, as in torch. (Where
// one batch is computed in several steps, n is the number of its labels that count.) A label outside 0 ≤ label < logits.Cols is an error.
// The tape keeps labels until it is reset.
func (t *Tape) CrossEntropy(logits Value, labels []int, ignore, n int) (Value, error) {
	count, err := countLabels(labels, logits.Rows, logits.Cols, ignore)
	if err != nil {
		return Value{}, err
	}
	sums := t.Scratch(1, logits.Rows).Row(0)
	t.Engine.LogSumExp(sums, logits.Matrix)
	total := 0.0
	for i, label := range labels {
		if label != ignore {
			total += float64(sums[i] - logits.Row(i)[label])
		}
	}
	if n == 0 {
		n = count
	}
	loss := t.New(1, 1, t.Needs(logits))
	loss.Data[0] = float32(total / float64(n))
	if loss.Needs() {
		*Record[crossEntropy](t) = crossEntropy{loss, logits, labels, ignore, n}
	}
	return loss, nil
}

// countLabels returns how many labels of so many rows of logits, with a column for each label that there can be, are not ignore.
func countLabels(labels []int, rows, cols, ignore int) (int, error) {
	if len(labels) != rows {
		panic(fmt.Sprintf("autodiff: %d labels for logits of %d×%d", len(labels), rows, cols))
	}
	count := 0
	for i, label := range labels {
		if label == ignore {
			continue
		}
		if label < 0 || label >= cols {
			return 0, fmt.Errorf("autodiff: label %d: got %d, want 0 ≤ label < %d or %d", i, label, cols, ignore)
		}
		count++
	}
	return count, nil
}

type crossEntropy struct {
	loss, logits Value
	labels       []int
	ignore, n    int
}

// Backward implements Op: dlogits = (softmax − onehot(label))·dloss/n in rows that count.
func (c *crossEntropy) Backward(t *Tape) {
	g, ok := t.Grad(c.loss)
	if !ok {
		return
	}
	t.accumulate(c.logits, func(d mat.Matrix) {
		t.Engine.CrossEntropyBackward(d, c.logits.Matrix, c.labels, c.ignore, g.Data[0]/float32(c.n))
	})
}
