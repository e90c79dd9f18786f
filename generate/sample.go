package generate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A filter keeps the tokens that sampling may choose, in memory that it uses again. What looks at every token goes by blocks, with the engine's vector
// functions: where many sequences are sampled, that is what takes the time.
type filter struct {
	kept []candidate
	all  []float32 // probabilities of every token
	some []float32 // those of kept, or scores
	heap []float32
}

// A candidate is a token that may be chosen, with a weight in proportion to its probability.
type candidate struct {
	score, weight float32
	id            int
}

// tokenBlock is how many tokens are looked at together, by their largest or their sum, and one by one only where that says so.
const tokenBlock = 256

// sample returns a token drawn with the probabilities that p leaves of scores, -1 where there is none. It overwrites scores.
func (f *filter) sample(e *mat.Engine, p *Sampling, random *rand.Rand, scores []float32) int {
	u := random.Float64()
	if !p.filters(len(scores)) {
		f.weigh(e, p, scores)
		return f.draw(e, u)
	}
	f.keep(e, p, scores)
	at, id := float64(u*f.total()), -1
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

// filters reports whether p leaves out tokens of a vocabulary.
func (p *Sampling) filters(vocabulary int) bool {
	return p.TopK > 0 && p.TopK < vocabulary || p.TopP > 0 && p.TopP < 1 || p.MinP > 0
}

// weigh sets f.all to the probabilities of all tokens.
func (f *filter) weigh(e *mat.Engine, p *Sampling, scores []float32) {
	f.all = slices.Grow(f.all[:0], len(scores))[:len(scores)]
	soften(e, p, f.all, scores)
}

// soften sets weights to the softmax of scores, which it divides by the temperature.
func soften(e *mat.Engine, p *Sampling, weights, scores []float32) {
	if t := float32(p.Temperature); t != 1 {
		if t < 1e-20 { // quotients could pass the end of float32: of differences from the largest only those that count for nothing do
			most := e.MaxRow(scores)
			for i := range scores {
				scores[i] -= most
			}
		}
		e.DivRow(scores, scores, t)
	}
	e.Softmax(mat.View(weights, 1, len(scores)), mat.View(scores, 1, len(scores)))
}

// draw returns the token at the share u of f.all, -1 where none has a weight.
func (f *filter) draw(e *mat.Engine, u float64) int {
	var total float64
	for i := 0; i < len(f.all); i += tokenBlock {
		total += float64(e.SumRow(f.all[i:min(i+tokenBlock, len(f.all))]))
	}
	at := float64(u * total)
	for i := 0; i < len(f.all); i += tokenBlock {
		block := f.all[i:min(i+tokenBlock, len(f.all))]
		if sum := float64(e.SumRow(block)); at >= sum {
			at -= sum
			continue
		}
		for j, w := range block {
			if at -= float64(w); at < 0 {
				return i + j
			}
		}
	}
	id := len(f.all) - 1 // or the last one with a weight: rounding has lost a little
	for id >= 0 && !(f.all[id] > 0) {
		id--
	}
	return id
}

// keep sets f.kept to the tokens that p leaves, by falling score where p has TopK or TopP, else by id. Of tokens with the same score
// the one with the smaller id ranks first.
func (f *filter) keep(e *mat.Engine, p *Sampling, scores []float32) {
	if p.TopK > 0 && p.TopK < len(scores) {
		f.keepTop(e, p, scores)
		f.cut(p.TopP, f.total())
	} else {
		f.weigh(e, p, scores)
		most := e.MaxRow(f.all)
		if p.TopP > 0 && p.TopP < 1 {
			f.keepLikely(e, p.TopP, most, scores)
			f.cut(p.TopP, 1)
		} else {
			f.collect(e, f.all, float32(p.MinP)*most)
		}
	}
	f.drop(p.MinP)
}

// keepTop keeps the TopK largest scores, and those equal to the last of them. They are chosen before the temperature changes them: it can make equal what is
// not, and a source may know only the largest.
func (f *filter) keepTop(e *mat.Engine, p *Sampling, scores []float32) {
	f.kept, f.some = f.kept[:0], f.some[:0]
	if squares := e.DotRow(scores, scores); squares != squares {
		return // there are no probabilities where one is NaN
	}
	for i := 0; i < len(scores); i += tokenBlock {
		f.some = append(f.some, e.MaxRow(scores[i:min(i+tokenBlock, len(scores))]))
	}
	least := float32(-math.MaxFloat32)
	if p.TopK <= len(f.some) { // so many are at least as large
		least = max(least, f.largest(f.some, p.TopK))
	}
	f.collect(e, scores, least)
	f.some = f.some[:0]
	for _, c := range f.kept {
		f.some = append(f.some, c.weight)
	}
	if p.TopK < len(f.some) {
		least = f.largest(f.some, p.TopK)
		f.kept = slices.DeleteFunc(f.kept, func(c candidate) bool { return c.weight < least })
	}
	n := len(f.kept)
	f.some = slices.Grow(f.some[:0], 2*n)[:2*n]
	for i, c := range f.kept {
		f.some[i] = c.weight
	}
	soften(e, p, f.some[n:], f.some[:n])
	for i := range f.kept {
		f.kept[i].score, f.kept[i].weight = f.some[i], f.some[n+i]
	}
	f.rank()
}

// keepLikely keeps, by falling score, tokens that have together the share p of f.all, and all that are as likely as any of them. most is the largest weight.
func (f *filter) keepLikely(e *mat.Engine, p float64, most float32, scores []float32) {
	const margin = 1e-6 // more than the order of a sum can change
	// Tokens below the last bound have together less than half of what is not needed.
	for least, last := most/16, float32((1-p)/float64(2*len(scores))); ; least /= 16 {
		f.collect(e, f.all, max(least, last))
		if least <= last || f.total() > p+margin {
			break
		}
	}
	for i := range f.kept {
		f.kept[i].score = scores[f.kept[i].id]
	}
	f.rank()
}

// collect sets f.kept to the tokens whose value in x is at least the given one, by id; the value is their weight.
func (f *filter) collect(e *mat.Engine, x []float32, least float32) {
	f.kept = f.kept[:0]
	for i := 0; i < len(x); i += tokenBlock {
		block := x[i:min(i+tokenBlock, len(x))]
		if !(e.MaxRow(block) >= least) {
			continue
		}
		for j, v := range block {
			if v >= least {
				f.kept = append(f.kept, candidate{weight: v, id: i + j})
			}
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
		if above >= float64(p*total) {
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
