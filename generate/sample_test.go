package generate

import (
	"cmp"
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

// Of many tokens those are kept, and drawn, that the definition says.
func TestChoicesOfManyTokens(t *testing.T) {
	e := engine(t)
	random := rand.New(rand.NewPCG(5, 6))
	var f filter
	for range 60 {
		n := 1 + random.IntN(3000)
		logits := make([]float32, n)
		spread := 1 + 6*random.Float64()
		for i := range logits {
			if logits[i] = float32(random.NormFloat64() * spread); random.IntN(4) == 0 {
				logits[i] = float32(math.Inf(-1))
			}
		}
		logits[random.IntN(n)] = 3
		for _, p := range []Sampling{
			{Temperature: 1}, {Temperature: 0.6}, {Temperature: 3}, {Temperature: 0.9, TopK: 1}, {Temperature: 2, TopK: 40}, {Temperature: 1.5, TopK: 400, TopP: 0.7},
			{Temperature: 1, TopP: 0.5}, {Temperature: 2, TopP: 0.95}, {Temperature: 1, TopP: 0.9999}, {Temperature: 1, TopP: 1e-9}, {Temperature: 1, MinP: 0.05},
			{Temperature: 1.3, TopK: 100, TopP: 0.9, MinP: 0.01},
		} {
			want := choices(p, logits)
			u := random.Float64()
			at, id := u, -1
			for _, c := range want {
				if at -= c.p; at < 0 {
					id = c.id
					break
				}
			}
			got := f.sample(e, &p, rand.New(constantSource(u)), slices.Clone(logits))
			if near := slices.IndexFunc(want, func(c choice) bool { u -= c.p; return math.Abs(u) < 1e-5 }) >= 0; got != id && !near {
				t.Errorf("%d tokens, %+v: got %d, want %d", n, p, got, id)
			}
		}
	}
}

// Whatever the settings and however large the logits, a token is drawn if and only if there are probabilities; of the least temperatures it is the likeliest.
func TestSampleAtTheEnds(t *testing.T) {
	e := engine(t)
	random := rand.New(rand.NewPCG(1, 2))
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	var f filter
	for _, test := range []struct {
		logits []float32
		chosen bool
	}{
		{[]float32{5}, true},
		{[]float32{-5}, true},
		{[]float32{-inf}, false},
		{[]float32{-inf, 7, -inf}, true},
		{slices.Repeat([]float32{3e38, -3e38, -2e38, 2.9e38}, 300), true},
		{slices.Repeat([]float32{-inf}, 600), false},
		{append(make([]float32, 600), inf), false},
		{append(make([]float32, 600), nan), false},
		{append(slices.Repeat([]float32{-inf}, 600), inf), false},
	} {
		for _, temperature := range []float64{1e-45, 1e-38, 1, 3e38} {
			for _, k := range []int{0, 1, 5, 1000} {
				for _, topP := range []float64{0, 1e-300, 0.5, 1 - 0x1p-53} {
					for _, minP := range []float64{0, 1e-300, 1} {
						p := Sampling{Temperature: temperature, TopK: k, TopP: topP, MinP: minP}
						id := f.sample(e, &p, random, slices.Clone(test.logits))
						if test.chosen != (id >= 0) || id >= 0 && (math.IsInf(float64(test.logits[id]), -1) || temperature < 1 && test.logits[id] < slices.Max(test.logits)) {
							t.Fatalf("%d logits %v, %+v: got %d", len(test.logits), test.logits[:min(4, len(test.logits))], p, id)
						}
					}
				}
			}
		}
	}
}

// However sums are rounded, the largest number that a random source gives draws the last token that can be drawn.
func TestSampleTheLast(t *testing.T) {
	e := engine(t)
	random := rand.New(rand.NewPCG(3, 4))
	var f filter
	for range 100 {
		logits := make([]float32, 1+random.IntN(1000))
		for i := range logits {
			logits[i] = random.Float32()
		}
		last := len(logits) - 1
		logits = append(logits, slices.Repeat([]float32{float32(math.Inf(-1))}, random.IntN(3))...)
		if got := f.sample(e, &Sampling{Temperature: 1}, rand.New(constantSource(1-0x1p-53)), logits); got != last {
			t.Errorf("got %d of %d tokens, want %d", got, len(logits), last)
		}
	}
}

// A choice is a token with its probability.
type choice struct {
	id int
	p  float64
}

// choices returns what may be chosen, in the order in which it is drawn from.
func choices(p Sampling, logits []float32) []choice {
	var all []choice
	for id, x := range logits {
		if !math.IsInf(float64(x), -1) {
			all = append(all, choice{id, float64(x)})
		}
	}
	byID := slices.Clone(all)
	slices.SortStableFunc(all, func(a, b choice) int { return cmp.Compare(b.p, a.p) })
	if p.TopK > 0 && p.TopK < len(all) {
		for n := p.TopK; n < len(all); n++ {
			if all[n].p < all[p.TopK-1].p {
				all = all[:n]
			}
		}
	}
	if p.TopK == 0 && (p.TopP == 0 || p.TopP == 1) {
		all = byID
	}
	soften := func() {
		var sum float64
		for _, c := range all {
			sum += c.p
		}
		for i := range all {
			all[i].p /= sum
		}
	}
	for i := range all {
		all[i].p = math.Exp(all[i].p / p.Temperature)
	}
	soften()
	if p.TopP > 0 && p.TopP < 1 {
		above := 0.0
		for i, c := range all {
			if above >= p.TopP {
				all = all[:i]
				break
			}
			above += c.p
		}
	}
	soften()
	most := 0.0
	for _, c := range all {
		most = max(most, c.p)
	}
	all = slices.DeleteFunc(all, func(c choice) bool { return c.p < p.MinP*most })
	soften()
	return all
}

// A constantSource gives Float64 the same number again and again.
type constantSource float64

func (s constantSource) Uint64() uint64 { return uint64(s * (1 << 53)) }

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
