package model

import (
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

// joining is the decoder of a batch, whose steps compute prompts too: its generate.Joinable.
type joining struct {
	Decoder
	waiting      []prompt // first come first; only of the first a part may be computed
	piece, alone int      // pieceTokens and aloneTokens, but in tests
}

// A prompt waits to be computed, or for the rest of it.
type prompt struct {
	number int // of the request
	decoded
	tokens int    // at most so many follow
	cache  *cache // of what is computed
	ids    []int  // what the step at hand computes
}

// wait adds the prompt of a request, which at most so many tokens follow, behind the others.
func (j *joining) wait(number int, r decoded, tokens int) {
	j.waiting = append(j.waiting, prompt{number: number, decoded: r, tokens: tokens, cache: j.newCache()})
}

// Join implements generate.Joinable.
func (j *joining) Join(ctx context.Context, rows []generate.Row, waiting []int) (mat.Matrix, error) {
	j.waiting = slices.DeleteFunc(j.waiting, func(p prompt) bool {
		_, waits := slices.BinarySearch(waiting, p.number)
		return !waits
	})
	j.follow(rows)
	joining := j.choose()
	if err := j.begin(ctx, joining); err != nil {
		return mat.Matrix{}, err
	}
	if err := j.reset(j.sequences); err != nil {
		return mat.Matrix{}, err
	}
	j.add(rows)
	complete := 0
	for i, s := range j.sequences[len(rows):] {
		p, wanted := &joining[i], 0
		if len(s.cache.ids)+len(p.ids) == len(p.prompt) {
			complete++
			wanted = 1
		}
		j.step.add(s.cache, j.requests[s.request].encoded, p.ids, wanted, p.largest)
	}
	logits, err := j.compute(ctx)
	if err != nil {
		return mat.Matrix{}, err
	}
	j.sequences = slices.Delete(j.sequences, len(rows)+complete, len(j.sequences))
	j.waiting = slices.Delete(j.waiting, 0, complete)
	return logits, nil
}

// choose says what the step computes of the prompts, and returns those, of which the last may not be complete then.
func (j *joining) choose() []prompt {
	if j.model.architecture.EncoderLayers > 0 {
		return j.chooseWhole()
	}
	left, n := j.piece, 0
	most := left
	if len(j.sequences) == 0 {
		most = j.alone
	}
	for whole := true; whole && n < len(j.waiting) && left > 0; n++ {
		p := &j.waiting[n]
		rest := p.prompt[len(p.cache.ids):]
		p.ids = rest[:min(most, len(rest))]
		whole = len(p.ids) == len(rest)
		left -= len(p.ids)
		most = left
	}
	return j.waiting[:n]
}

// chooseWhole is choose for an encoder, which computes its input as a whole: the first, and others while they are not more than a piece.
func (j *joining) chooseWhole() []prompt {
	left, n := j.piece, 0
	for ; n < len(j.waiting) && (n == 0 || len(j.waiting[n].input) <= left); n++ {
		p := &j.waiting[n]
		p.ids = p.prompt
		left -= len(p.input)
	}
	return j.waiting[:n]
}

// begin makes prompts sequences behind the others.
func (j *joining) begin(ctx context.Context, prompts []prompt) error {
	if len(prompts) == 0 {
		return nil
	}
	j.forget()
	n, m := len(j.sequences), len(j.requests)
	for _, p := range prompts {
		p.cache.reserve(len(p.prompt), p.tokens)
		j.sequences = append(j.sequences, sequence{len(j.requests), p.cache})
		j.requests = append(j.requests, p.decoded)
	}
	if err := j.reset(j.sequences[n:]); err != nil {
		return err
	}
	return j.model.net.(decodable).prepare(ctx, j.pass, j.requests[m:])
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

// empty drops all requests, which are finished, and what is kept of their sequences.
func (j *joining) empty() {
	clear(j.waiting)
	clear(j.sequences)
	j.waiting, j.sequences, j.rows, j.requests = j.waiting[:0], j.sequences[:0], j.rows[:0], nil
	j.step.reset()
}
