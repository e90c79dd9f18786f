package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// IgnoreIndex is the label that CrossEntropy leaves out (torch's ignore_index).
const IgnoreIndex = -100

// CrossEntropy returns the mean over all labels but IgnoreIndex of −log softmax(row)[label]; labels[i] belongs to row i of logits. It is NaN
// where no label counts, as in torch. A label outside 0 ≤ label < logits.Cols is an error.
func CrossEntropy(e *mat.Engine, logits mat.Matrix, labels []int) (float32, error) {
	if len(labels) != logits.Rows {
		panic(fmt.Sprintf("nn: %d labels for logits of %s", len(labels), logits.Shape()))
	}
	sums := make([]float32, logits.Rows)
	e.LogSumExp(sums, logits)
	total, n := 0.0, 0.0
	for i, label := range labels {
		if label == IgnoreIndex {
			continue
		}
		if label < 0 || label >= logits.Cols {
			return 0, fmt.Errorf("nn: label %d: got %d, want 0 ≤ label < %d or %d", i, label, logits.Cols, IgnoreIndex)
		}
		total += float64(sums[i] - logits.Row(i)[label])
		n++
	}
	return float32(total / n), nil
}
