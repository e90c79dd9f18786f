package model

import (
	"cmp"
	"context"
	"slices"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
)

// How many tokens of prompts a step computes at most. While others have a token with each step: with 48 a batch is as fast as with whole prompts, and its steps
// take some six times as long as without; fewer make first tokens wait, more the next ones. Of a prompt without others: 512 at a time are as fast as all.
const (
	pieceTokens = 48
	aloneTokens = 512
)

// copiedTokens is how many tokens' keys and values are copied in less time than one is computed: a hundred in a small model, more in larger ones.
const copiedTokens = 64

// joining is the decoder of a batch, whose steps compute prompts too: its generate.Joinable.
type joining struct {
	Decoder
	waiting      []prompt // first come first
	order        []int    // of waiting, as the step at hand computes them
	joined       []int    // with the last step
	prefixes     prefixes // of requests that are over
	goesOn       []bool   // which of requests the step at hand continues
	piece, alone int      // pieceTokens and aloneTokens, but in tests
}

// A prompt waits to be computed, or for the rest of it.
type prompt struct {
	number int // of the request
	decoded
	cache *cache // of what is computed
	known int    // how many tokens need not be computed any more:
	from  *cache // has them, if it is not nil
	ids   []int  // what the step at hand computes
}

// try makes use of x if it has more of p's tokens than are known: never the last one, which logits come from.
func (p *prompt) try(x prefix) {
	ids := x.cache.ids
	if len(ids) <= p.known || ids[p.known] != p.prompt[p.known] || !slices.Equal(x.deltas, p.deltas) {
		return // as nearly always, many prompts being tried at each step
	}
	if n := min(common(ids, p.prompt), len(p.prompt)-1); n > p.known {
		p.known, p.from = n, x.cache
	}
}

// left returns how many tokens are still to be computed after the step at hand.
func (p *prompt) left() int { return len(p.prompt) - p.known - len(p.ids) }

// take lets the step at hand compute so many tokens more, or all that are left, and returns how many it may compute less for that.
func (p *prompt) take(n int) int {
	if n = min(n, p.left()); n == 0 {
		return 0
	}
	copied := 0
	if p.ids == nil {
		copied = p.known - len(p.cache.ids)
	}
	p.ids = p.prompt[p.known : p.known+len(p.ids)+n]
	return n + copied/copiedTokens
}

// prefix is what is computed of p.
func (p *prompt) prefix() prefix { return prefix{p.deltas, p.cache} }

// wait adds the prompt of a request behind the others.
func (j *joining) wait(number int, r decoded) {
	j.waiting = append(j.waiting, prompt{number: number, decoded: r, cache: j.newCache()})
}

// Join implements generate.Joinable.
func (j *joining) Join(ctx context.Context, rows []generate.Row, waiting []int) (logits mat.Matrix, joined []int, err error) {
	j.waiting = slices.DeleteFunc(j.waiting, func(p prompt) bool {
		_, waits := slices.BinarySearch(waiting, p.number)
		if !waits {
			j.prefixes.keep(p.prefix())
		}
		return !waits
	})
	j.retire(rows)
	j.follow(rows)
	prompts := j.choose()
	if err := j.begin(ctx, prompts); err != nil {
		return mat.Matrix{}, nil, err
	}
	if err := j.reset(j.sequences); err != nil {
		return mat.Matrix{}, nil, err
	}
	j.add(rows)
	j.joined = j.joined[:0]
	for i, s := range j.sequences[len(rows):] {
		p, wanted := &j.waiting[prompts[i]], 0
		if p.left() == 0 {
			j.joined = append(j.joined, p.number)
			wanted = 1
		}
		j.step.add(s.cache, j.requests[s.request].encoded, p.ids, wanted, p.largest)
	}
	logits, err = j.compute(ctx)
	if err != nil {
		return mat.Matrix{}, nil, err
	}
	j.sequences = slices.Delete(j.sequences, len(rows)+len(j.joined), len(j.sequences))
	j.waiting = slices.DeleteFunc(j.waiting, func(p prompt) bool { return len(p.cache.ids) == len(p.prompt) })
	return logits, j.joined, nil
}

// choose says what the step computes of the prompts, and returns which those are, the ones that it completes first.
func (j *joining) choose() []int {
	for i := range j.waiting {
		p := &j.waiting[i]
		p.known, p.from, p.ids = len(p.cache.ids), nil, nil
	}
	if j.model.architecture.EncoderLayers > 0 {
		j.chooseWhole()
	} else {
		j.choosePieces()
	}
	return slices.DeleteFunc(j.order, func(i int) bool { return j.waiting[i].ids == nil })
}

// choosePieces gives half of the step to the prompt that has waited for longest, so that it gets done, and the rest by what is left of them, so that a short one
// does not wait for long ones. What a whole step would compute is left to the next ones if the step computes it for another prompt.
func (j *joining) choosePieces() {
	size := j.piece
	if len(j.sequences) == 0 {
		size = j.alone
	}
	for i := range j.waiting {
		j.find(&j.waiting[i])
	}
	n := size
	if len(j.waiting) > 0 {
		n -= j.waiting[0].take((n + 1) / 2)
	}
	j.sort((*prompt).left) // of what that completes nothing is left: so it is among the first
	for _, i := range j.order {
		if n <= 0 {
			break
		}
		if p := &j.waiting[i]; j.shared(p) < size {
			n -= p.take(n)
		}
	}
}

// find looks for those of p's tokens whose keys and values are there.
func (j *joining) find(p *prompt) {
	for _, s := range j.sequences {
		p.try(prefix{j.requests[s.request].deltas, s.cache})
	}
	for i := range j.waiting {
		p.try(j.waiting[i].prefix())
	}
	for _, x := range j.prefixes.kept {
		p.try(x)
	}
}

// shared returns how many of p's next tokens are those of a prompt that the step at hand computes.
func (j *joining) shared(p *prompt) int {
	most := 0
	for i := range j.waiting {
		if q := &j.waiting[i]; q != p && q.ids != nil && slices.Equal(q.deltas, p.deltas) {
			most = max(most, min(common(q.prompt, p.prompt), len(p.prompt)-1)-p.known)
		}
	}
	return most
}

// chooseWhole is for an encoder, which computes its input as a whole: the one that has waited for longest, and others, short ones first, that are no more than a
// piece.
func (j *joining) chooseWhole() {
	j.sort(func(p *prompt) int { return len(p.input) })
	n := j.piece
	for _, i := range j.order {
		p := &j.waiting[i]
		if i > 0 {
			if len(p.input) > n {
				continue
			}
			n -= len(p.input)
		}
		p.ids = p.prompt
	}
}

// sort makes j.order that of the sizes of the prompts, those of the same size first come first.
func (j *joining) sort(size func(*prompt) int) {
	j.order = j.order[:0]
	for i := range j.waiting {
		j.order = append(j.order, i)
	}
	slices.SortStableFunc(j.order, func(a, b int) int { return cmp.Compare(size(&j.waiting[a]), size(&j.waiting[b])) })
}

// begin makes prompts sequences behind the others.
func (j *joining) begin(ctx context.Context, prompts []int) error {
	if len(prompts) == 0 {
		return nil
	}
	j.forget()
	n, m := len(j.sequences), len(j.requests)
	for _, i := range prompts {
		p := &j.waiting[i]
		p.cache.reserve(len(p.prompt), p.more)
		if p.from != nil {
			p.cache.become(p.from, p.known)
			j.prefixes.used(p.from)
		}
		j.sequences = append(j.sequences, sequence{len(j.requests), p.cache})
		j.requests = append(j.requests, p.decoded)
	}
	if err := j.reset(j.sequences[n:]); err != nil {
		return err
	}
	return j.model.net.prepare(ctx, j.pass, j.requests[m:])
}

// forget drops the requests without a sequence.
func (j *joining) forget() {
	var kept []decoded
	number := map[int]int{}
	for i := range j.sequences {
		s := &j.sequences[i]
		n, ok := number[s.request]
		if !ok {
			n = len(kept)
			number[s.request] = n
			kept = append(kept, j.requests[s.request])
		}
		s.request = n
	}
	j.requests = kept
}

// retire keeps what it may of the requests that none of rows continues: of several beams the first.
func (j *joining) retire(rows []generate.Row) {
	if j.prefixes.limit == 0 {
		return
	}
	j.goesOn = slices.Grow(j.goesOn[:0], len(j.requests))[:len(j.requests)]
	clear(j.goesOn)
	for _, r := range rows {
		j.goesOn[j.sequences[j.rows[r.Parent].sequence].request] = true
	}
	for _, s := range j.sequences {
		if !j.goesOn[s.request] {
			j.goesOn[s.request] = true
			j.prefixes.keep(prefix{j.requests[s.request].deltas, s.cache})
		}
	}
}

// empty drops all requests, which are over, and what is there of their sequences but for what it may keep.
func (j *joining) empty() {
	for i := range j.waiting {
		j.prefixes.keep(j.waiting[i].prefix())
	}
	j.retire(nil)
	clear(j.waiting)
	clear(j.sequences)
	j.waiting, j.sequences, j.rows, j.requests = j.waiting[:0], j.sequences[:0], j.rows[:0], nil
	j.step.reset()
}
