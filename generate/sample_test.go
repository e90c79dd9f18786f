package generate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// What may be chosen, and with which probability, is what transformers' processors leave.
func TestChoices(t *testing.T) {
	e := engine(t)
	all := readTruth(t)
	if len(all.Choices) < 100 {
		t.Fatalf("got %d recorded choices", len(all.Choices))
	}
	tools := &tools{engine: e}
	for i, c := range all.Choices {
		s := c.Settings.settings(nil)
		source := &hashSource{vocabulary: 60}
		source.add(c.Seed, nil, c.Prompt)
		scores := source.compute().Row(0)
		s.penalize(&tools.penalty, scores, c.Prompt, nil)
		tools.keep(e, s.Sampling, scores)
		kept := slices.SortedFunc(slices.Values(tools.kept), func(a, b candidate) int { return a.id - b.id })
		total := tools.total()
		if len(kept) != len(c.IDs) {
			t.Errorf("choice %d, %+v: got %d tokens, want %v", i, c.Settings, len(kept), c.IDs)
			continue
		}
		for j, k := range kept {
			if k.id != c.IDs[j] || math.Abs(float64(k.weight)/total-float64(c.P[j])) > 1e-6 {
				t.Errorf("choice %d, %+v: got id %d with %g, want %d with %g", i, c.Settings, k.id, float64(k.weight)/total, c.IDs[j], c.P[j])
			}
		}
	}
}

// Tokens are drawn as often as their probabilities say.
func TestSampleFrequencies(t *testing.T) {
	e := engine(t)
	var f filter
	logits := []float32{0, 1, 2, float32(math.Inf(-1)), -1}
	random := rand.New(rand.NewPCG(3, 0))
	const draws = 20000
	counts := make([]float64, len(logits))
	for range draws {
		counts[f.sample(e, &Sampling{Temperature: 1}, random, slices.Clone(logits))]++
	}
	var total float64
	for _, x := range logits {
		total += math.Exp(float64(x))
	}
	for id, x := range logits {
		p := math.Exp(float64(x)) / total
		if sigma := math.Sqrt(draws * p * (1 - p)); math.Abs(counts[id]-draws*p) > 5*sigma {
			t.Errorf("id %d: drawn %g times, want about %g", id, counts[id], draws*p)
		}
	}
}

// The k-th largest, among equals as well.
func TestLargest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var f filter
	for range 200 {
		x := make([]float32, 1+random.IntN(50))
		for i := range x {
			x[i] = float32(random.IntN(20))
		}
		k := 1 + random.IntN(len(x))
		sorted := slices.Sorted(slices.Values(x))
		if got, want := f.largest(x, k), sorted[len(x)-k]; got != want {
			t.Fatalf("number %d of %v: got %g, want %g", k, x, got, want)
		}
	}
}

func BenchmarkSample(b *testing.B) {
	e := engine(b)
	random := rand.New(rand.NewPCG(1, 1))
	logits, scores := make([]float32, 49152), make([]float32, 49152)
	for i := range logits {
		logits[i] = float32(random.NormFloat64() * 3)
	}
	for name, p := range map[string]Sampling{"all": {Temperature: 0.7}, "top-k": {Temperature: 0.7, TopK: 50}, "top-p": {Temperature: 0.7, TopP: 0.9}} {
		b.Run(name, func(b *testing.B) {
			var f filter
			b.ReportAllocs()
			for b.Loop() {
				copy(scores, logits)
				f.sample(e, &p, random, scores)
			}
		})
	}
}
