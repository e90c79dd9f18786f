package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRowsBackward compares with float64, in place with not, and every engine with the first.
func TestRowsBackward(t *testing.T) {
	type results struct {
		softmax, norm, loss Matrix
		weight              []float32
	}
	first := map[int]results{}
	engines(t, func(t *testing.T, e *Engine) {
		for _, cols := range rowSizes {
			rnd := rand.New(rand.NewPCG(uint64(cols), 2))
			x, dy, y := random(rnd, 5, cols, 3), random(rnd, 5, cols, 1), random(rnd, 5, cols, 2)
			e.Softmax(y, x)
			weight, labels := random(rnd, 1, cols, 0).Data, []int{0, -100, cols / 2, cols - 1, -100}
			r := results{softmax: clone(x), norm: clone(x), loss: clone(x), weight: slices.Clone(weight)}
			e.SoftmaxBackward(r.softmax, dy, y)
			e.RMSNormBackward(r.norm, dy, x, weight, 1e-6)
			e.RMSNormWeightBackward(r.weight, dy, x, 1e-6)
			e.CrossEntropyBackward(r.loss, x, labels, -100, 0.3)
			checkCrossEntropy(t, e, x, labels, r.loss)
			dw := make([]float64, cols)
			for i := range x.Rows {
				checkSoftmaxBackward(t, r.softmax.Row(i), dy.Row(i), y.Row(i))
				checkRMSNormBackward(t, r.norm.Row(i), dw, dy.Row(i), x.Row(i), weight)
				checkCrossEntropyBackward(t, r.loss.Row(i), y.Row(i), labels[i])
			}
			for j, v := range dw {
				if want := v + float64(weight[j]); math.Abs(float64(r.weight[j])-want) > 1e-5 {
					t.Fatalf("RMSNormWeightBackward of %d columns: [%d] = %v, want %v", cols, j, r.weight[j], want)
				}
			}
			for _, inPlace := range []struct {
				name string
				do   func(dx Matrix)
				dx   Matrix
				want Matrix
			}{
				{"SoftmaxBackward over dy", func(dx Matrix) { e.SoftmaxBackward(dx, dx, y) }, dy, r.softmax},
				{"SoftmaxBackward over y", func(dx Matrix) { e.SoftmaxBackward(dx, dy, dx) }, y, r.softmax},
				{"RMSNormBackward over dy", func(dx Matrix) { e.RMSNormBackward(dx, dx, x, weight, 1e-6) }, dy, r.norm},
				{"RMSNormBackward over x", func(dx Matrix) { e.RMSNormBackward(dx, dy, dx, weight, 1e-6) }, x, r.norm},
				{"CrossEntropyBackward over the logits", func(dx Matrix) { e.CrossEntropyBackward(dx, dx, labels, -100, 0.3) }, x, r.loss},
			} {
				dx := clone(inPlace.dx)
				inPlace.do(dx)
				for i := range dx.Rows {
					if !slices.EqualFunc(dx.Row(i), inPlace.want.Row(i), same) {
						t.Fatalf("%s, %d columns: another result in row %d", inPlace.name, cols, i)
					}
				}
			}
			want, ok := first[cols]
			if !ok {
				first[cols] = r
				continue
			}
			for _, d := range []string{diff(r.softmax, want.softmax), diff(r.norm, want.norm), diff(r.loss, want.loss)} {
				if d != "" {
					t.Fatalf("not what another engine computes: %s", d)
				}
			}
			if !slices.Equal(r.weight, want.weight) {
				t.Fatalf("RMSNormWeightBackward of %d columns is not what another engine computes", cols)
			}
		}
	})
}

func checkSoftmaxBackward(t *testing.T, dx, dy, y []float32) {
	t.Helper()
	var sum float64
	for j, v := range y {
		sum += float64(v) * float64(dy[j])
	}
	for j, v := range y {
		if want := float64(v) * (float64(dy[j]) - sum); math.Abs(float64(dx[j])-want) > 1e-6*float64(v) {
			t.Fatalf("SoftmaxBackward of %d columns: [%d] = %v, want %v", len(y), j, dx[j], want)
		}
	}
}

// checkRMSNormBackward adds to dw, too, what the row adds.
func checkRMSNormBackward(t *testing.T, dx []float32, dw []float64, dy, x, weight []float32) {
	t.Helper()
	var squares, sum float64
	for j, v := range x {
		squares += float64(v) * float64(v)
		sum += float64(dy[j]) * float64(weight[j]) * float64(v)
	}
	n := float64(len(x))
	root := math.Sqrt(squares/n + 1e-6)
	for j, v := range x {
		dw[j] += float64(dy[j]) * float64(v) / root
		want := (float64(dy[j])*float64(weight[j]) - float64(v)*sum/n/root/root) / root
		if math.Abs(float64(dx[j])-want) > 3e-6*(math.Abs(float64(dy[j])*float64(weight[j]))+math.Abs(float64(v)))/root {
			t.Fatalf("RMSNormBackward of %d columns: [%d] = %v, want %v", len(x), j, dx[j], want)
		}
	}
}

func checkCrossEntropyBackward(t *testing.T, dx, softmax []float32, label int) {
	t.Helper()
	for j, v := range softmax {
		want := float64(v)
		if label < 0 {
			want = 0
		} else if j == label {
			want--
		}
		if want *= float64(float32(0.3)); math.Abs(float64(dx[j])-want) > 1e-7*math.Abs(want)+1e-36 {
			t.Fatalf("CrossEntropyBackward of %d columns: [%d] = %v, want %v", len(softmax), j, dx[j], want)
		}
	}
}

// checkCrossEntropy checks that the losses and their gradients are, bit by bit, those of LogSumExp and CrossEntropyBackward.
func checkCrossEntropy(t *testing.T, e *Engine, x Matrix, labels []int, gradient Matrix) {
	t.Helper()
	sums, alone, losses, dx := make([]float32, x.Rows), make([]float32, x.Rows), make([]float32, x.Rows), clone(x)
	e.LogSumExp(sums, x)
	e.CrossEntropy(alone, Matrix{}, x, labels, -100, 0.3)
	e.CrossEntropy(losses, dx, dx, labels, -100, 0.3)
	for i, label := range labels {
		var want float32
		if label >= 0 {
			want = sums[i] - x.Row(i)[label]
		}
		if losses[i] != want || alone[i] != want {
			t.Fatalf("CrossEntropy of %d columns: row %d: got %v and %v without a gradient, want %v", x.Cols, i, losses[i], alone[i], want)
		}
	}
	if d := diff(dx, gradient); d != "" {
		t.Fatalf("CrossEntropy, not what CrossEntropyBackward gives: %s", d)
	}
}

func TestRowsBackwardPanic(t *testing.T) {
	e := newEngine(t, 1)
	m, o, w := New(2, 3), New(3, 2), make([]float32, 3)
	for name, f := range map[string]func(){
		"SoftmaxBackward":                   func() { e.SoftmaxBackward(m, m, o) },
		"RMSNormBackward":                   func() { e.RMSNormBackward(m, o, m, w, 1) },
		"RMSNormBackward, weights":          func() { e.RMSNormBackward(m, m, m, w[:2], 1) },
		"RMSNormWeightBackward":             func() { e.RMSNormWeightBackward(w, m, o, 1) },
		"RMSNormWeightBackward, weights":    func() { e.RMSNormWeightBackward(w[:2], m, m, 1) },
		"CrossEntropyBackward":              func() { e.CrossEntropyBackward(m, o, []int{0, 0, 0}, -1, 1) },
		"CrossEntropyBackward, labels":      func() { e.CrossEntropyBackward(m, m, []int{0}, -1, 1) },
		"CrossEntropyBackward, large label": func() { e.CrossEntropyBackward(m, m, []int{0, 3}, -1, 1) },
		"CrossEntropyBackward, negative":    func() { e.CrossEntropyBackward(m, m, []int{0, -2}, -1, 1) },
		"CrossEntropy":                      func() { e.CrossEntropy(w[:2], o, m, []int{0, 0}, -1, 1) },
		"CrossEntropy, losses":              func() { e.CrossEntropy(w, m, m, []int{0, 0}, -1, 1) },
		"CrossEntropy, large label":         func() { e.CrossEntropy(w[:2], m, m, []int{0, 3}, -1, 1) },
		"SiLUBackward":                      func() { e.SiLUBackward(m, m, o) },
		"AddScaled":                         func() { e.AddScaled(m, m, o, 1) },
	} {
		mustPanic(t, name, f)
	}
}

func ExampleEngine_SiLUBackward() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	x, dy := View([]float32{-1, 0, 1}, 1, 3), View([]float32{1, 1, 2}, 1, 3)
	e.SiLUBackward(dy, dy, x)
	fmt.Printf("%.3f\n", dy.Row(0))
	// Output: [0.072 0.500 1.855]
}

func ExampleEngine_CrossEntropyBackward() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	logits := New(2, 4)
	e.CrossEntropyBackward(logits, logits, []int{2, -100}, -100, 1)
	fmt.Println(logits.Row(0), logits.Row(1))
	// Output: [0.25 0.25 -0.75 0.25] [0 0 0 0]
}

func ExampleEngine_CrossEntropy() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	logits, losses := New(2, 4), make([]float32, 2)
	e.CrossEntropy(losses, logits, logits, []int{2, -100}, -100, 1)
	fmt.Println(losses, logits.Row(0))
	// Output: [1.3862944 0] [0.25 0.25 -0.75 0.25]
}

func ExampleEngine_RMSNormBackward() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	x, dy, weight := View([]float32{1, 1, 1, 1}, 1, 4), View([]float32{1, 0, 0, 0}, 1, 4), []float32{1, 1, 1, 1}
	dx, dw := New(1, 4), make([]float32, 4)
	e.RMSNormBackward(dx, dy, x, weight, 0)
	e.RMSNormWeightBackward(dw, dy, x, 0)
	fmt.Println(dx.Row(0), dw)
	// Output: [0.75 -0.25 -0.25 -0.25] [1 0 0 0]
}

// Rows without columns can have no label that counts: their losses are 0 too.
func TestCrossEntropyWithoutColumns(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		losses := []float32{1, 2}
		e.CrossEntropy(losses, Matrix{}, New(2, 0), []int{-100, -100}, -100, 1)
		if losses[0] != 0 || losses[1] != 0 {
			t.Errorf("got %v, want 0 0", losses)
		}
	})
}
