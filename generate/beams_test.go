package generate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// The best extensions of many tokens are those that sorting all of them gives, equal ones in the order of beams and ids.
func TestRankOfManyTokens(t *testing.T) {
	e := engine(t)
	random := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		beams, tokens := 1+random.IntN(4), 1+random.IntN(2000)
		logits := mat.New(beams, tokens)
		for i := range logits.Data {
			logits.Data[i] = float32(random.IntN(300)) / 16
		}
		for _, factor := range []float64{0, 1.5, 0.7} {
			s := newBeamSearch(Request{Prompt: []int{0, tokens / 2}, Settings: Settings{MaxNewTokens: 5, RepetitionPenalty: factor, Beams: &Beams{N: 4}}})
			s.running = make([]beam, beams)
			var all []extension
			sums := make([]float32, beams)
			e.LogSumExp(sums, logits)
			for i := range beams {
				s.running[i] = beam{score: -float32(random.IntN(40)) / 8, ids: []int{random.IntN(tokens)}}
				scores := slices.Clone(logits.Row(i))
				for id := range scores {
					scores[id] -= sums[i]
				}
				s.Settings.penalize(new(penalty), scores, s.Prompt, s.running[i].ids)
				for id, score := range scores {
					all = append(all, extension{score + s.running[i].score, i, id})
				}
			}
			slices.SortStableFunc(all, func(a, b extension) int { return cmp.Compare(b.score, a.score) })
			s.rank(&tools{engine: e}, mat.View(slices.Clone(logits.Data), beams, tokens))
			if want := all[:min(8, len(all))]; !slices.Equal(s.top, want) {
				t.Fatalf("%d beams of %d tokens, penalty %g: got %v, want %v", beams, tokens, factor, s.top, want)
			}
		}
	}
}

func BenchmarkRank(b *testing.B) {
	e := engine(b)
	random := rand.New(rand.NewPCG(1, 1))
	logits := mat.New(4, 49152)
	for i := range logits.Data {
		logits.Data[i] = float32(random.NormFloat64() * 3)
	}
	s := newBeamSearch(Request{Settings: Settings{MaxNewTokens: 5, Beams: &Beams{N: 4}}})
	s.running = slices.Repeat([]beam{{score: float32(math.Log(0.5))}}, 4)
	t := &tools{engine: e}
	for b.Loop() {
		s.rank(t, logits)
	}
}
