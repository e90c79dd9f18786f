package generate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A filter keeps the tokens that sampling may choose, in memory that it uses again.
type filter struct {
	kept []candidate
	all  []float32 // probabilities of every token
	heap []float32
}

// A candidate is a token that may be chosen, with a weight in proportion to its probability.
type candidate struct {
	score, weight float32
	id            int
}

// sample returns a token drawn with the probabilities that p leaves of scores, -1 where there is none. It overwrites scores.
func (f *filter) sample(e *mat.Engine, p *Sampling, random *rand.Rand, scores []float32) int {
	f.keep(e, p, scores)
	at, id := float64(random.Float64()*f.total()), -1
	for _, c := range f.kept {
		if c.weight > 0 {
			id = c.id
		}
		if at -= float64(c.weight); at < 0 {
			break
		}
	}
	return id
}

// keep sets f.kept to the tokens that p leaves, by falling score where p has TopK or TopP, else by id. Of tokens with the same score
// the one with the smaller id ranks first.
func (f *filter) keep(e *mat.Engine, p *Sampling, scores []float32) {
	// Of the logits, not of what the temperature makes of them: it can make equal what a source that knows only the largest does not have.
	some := p.TopK > 0 && p.TopK < len(scores)
	if some {
		least := f.largest(scores, p.TopK)
		for i, s := range scores {
			if s < least {
				scores[i] = float32(math.Inf(-1))
			}
		}
	}
	if t := float32(p.Temperature); t != 1 {
		for i := range scores {
			scores[i] /= t
		}
	}
	f.all = slices.Grow(f.all[:0], len(scores))[:len(scores)]
	e.Softmax(mat.View(f.all, 1, len(scores)), mat.View(scores, 1, len(scores)))
	switch {
	case some:
		f.collect(scores, 0)
		f.rank()
		f.cut(p.TopP, f.total())
	case p.TopP > 0 && p.TopP < 1:
		// Tokens below this weight have together less than half of 1 - TopP, and so rank after those that have TopP.
		f.collect(scores, float32((1-p.TopP)/float64(2*len(scores))))
		f.rank()
		f.cut(p.TopP, 1)
	default:
		f.collect(scores, 0)
	}
	f.drop(p.MinP)
}

// collect sets f.kept to the tokens with a finite score and a weight not below the given one, by id.
func (f *filter) collect(scores []float32, weight float32) {
	f.kept = f.kept[:0]
	for id, s := range scores {
		if w := f.all[id]; s >= -math.MaxFloat32 && w >= weight {
			f.kept = append(f.kept, candidate{s, w, id})
		}
	}
}

// rank sorts f.kept by falling score.
func (f *filter) rank() {
	slices.SortFunc(f.kept, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
}

func (f *filter) total() float64 {
	var sum float64
	for _, c := range f.kept {
		sum += float64(c.weight)
	}
	return sum
}

// cut drops the tokens of a ranked f.kept that come after such as have the share p of the total, unless p is 0 or 1.
func (f *filter) cut(p, total float64) {
	if p == 0 || p == 1 {
		return
	}
	var above float64
	for i, c := range f.kept {
		if above >= float64(p*total) && i > 0 {
			f.kept = f.kept[:i]
			return
		}
		above += float64(c.weight)
	}
}

// drop drops the tokens whose weight is less than p times the largest.
func (f *filter) drop(p float64) {
	var most float32
	for _, c := range f.kept {
		most = max(most, c.weight)
	}
	least := float32(p) * most
	f.kept = slices.DeleteFunc(f.kept, func(c candidate) bool { return c.weight < least })
}

// largest returns the k-th largest score, and keeps the k largest in a heap meanwhile, the least of them first.
func (f *filter) largest(scores []float32, k int) float32 {
	h := slices.Grow(f.heap[:0], k)
	for _, s := range scores {
		switch {
		case len(h) < k:
			h = append(h, s)
			if len(h) == k {
				slices.Sort(h)
			}
		case s > h[0]:
			h[0] = s
			sink(h)
		}
	}
	f.heap = h
	return h[0]
}

// sink moves the first element of h to its place in the heap.
func sink(h []float32) {
	for i := 0; ; {
		least := 2*i + 1
		if least >= len(h) {
			return
		}
		if right := least + 1; right < len(h) && h[right] < h[least] {
			least = right
		}
		if h[i] <= h[least] {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
