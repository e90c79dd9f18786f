package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

func TestCrossEntropyIsTorchs(t *testing.T) {
	e := engine(t)
	logits := mat.View([]float32{1, 2, 3, -1, 0.5, 0, 100, -100, 0, 4, 4, 4}, 4, 3)
	for _, c := range []struct {
		labels []int
		want   float64 // of torch.nn.functional.cross_entropy
	}{
		{[]int{0, 1, 2, 2}, 26.027587890625},
		{[]int{2, IgnoreIndex, 0, IgnoreIndex}, 0.20380297303199768},
		{slices.Repeat([]int{IgnoreIndex}, 4), math.NaN()},
	} {
		got, err := CrossEntropy(e, logits, c.labels)
		if err != nil || !(math.Abs(float64(got)-c.want) <= 1e-6*c.want) && (got == got || c.want == c.want) {
			t.Errorf("labels %v: got %v, %v, want %v", c.labels, got, err, c.want)
		}
	}
	if got, err := CrossEntropy(e, mat.New(0, 3), nil); got == got || err != nil {
		t.Errorf("no rows: got %v, %v, want NaN", got, err)
	}
}

// TestCrossEntropyIsWithinRounding compares with float64: an error of two units of the largest logit per row, and those of the exponentials.
func TestCrossEntropyIsWithinRounding(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 3))
	for _, c := range []struct {
		rows, cols int
		scale      float32
	}{{1, 1, 1}, {3, 7, 1}, {20, 1000, 1}, {20, 1000, 30}, {5, 33, 1e4}, {4, 40000, 3}} {
		logits, labels := random(rnd, c.rows, c.cols), make([]int, c.rows)
		e.Scale(logits, logits, c.scale)
		want, n, largest := 0.0, 0.0, 0.0
		for i := range labels {
			row := logits.Row(i)
			if labels[i] = rnd.IntN(c.cols); i > 0 && i%3 == 0 {
				labels[i] = IgnoreIndex
				continue
			}
			sum, m := 0.0, float64(slices.Max(row))
			for _, x := range row {
				sum += math.Exp(float64(x) - m)
				largest = max(largest, math.Abs(float64(x)))
			}
			want += m + math.Log(sum) - float64(row[labels[i]])
			n++
		}
		want /= n
		got, err := CrossEntropy(e, logits, labels)
		if bound := 0x1p-24*(3*largest+30) + 0x1p-24*want; err != nil || math.Abs(float64(got)-want) > bound {
			t.Errorf("%+v: got %v, %v, want %v ± %v", c, got, err, want, bound)
		}
	}
}

func TestCrossEntropyRefusesLabels(t *testing.T) {
	e := engine(t)
	for _, c := range []struct {
		labels []int
		want   string
	}{
		{[]int{0, 3}, "nn: label 1: got 3, want 0 ≤ label < 3 or -100"},
		{[]int{-1, 0}, "nn: label 0: got -1, want 0 ≤ label < 3 or -100"},
		{[]int{IgnoreIndex, -101}, "nn: label 1: got -101, want 0 ≤ label < 3 or -100"},
	} {
		if _, err := CrossEntropy(e, mat.New(2, 3), c.labels); err == nil || err.Error() != c.want {
			t.Errorf("labels %v: got %v, want %s", c.labels, err, c.want)
		}
	}
}
