package generate

import (
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// errNoToken says that a model computed nothing to choose from.
var errNoToken = errors.New("got logits of the next token that are not finite, want some to choose from")

// single is a request with one sequence: greedy or sampling.
type single struct {
	Request
	text   []int      // Input, Prompt and the new tokens
	before int        // tokens of text that are not new
	random *rand.Rand // nil: greedy
	drafter
	row [1]Row
}

func newSingle(r Request) *single {
	text := slices.Concat(r.Input, r.Prompt)
	s := &single{Request: r, before: len(text), text: slices.Grow(text, min(r.Settings.MaxNewTokens, 1024)), drafter: drafter{chance: firstChances}}
	if p := r.Settings.Sampling; p != nil {
		s.random = rand.New(rand.NewPCG(p.Seed, 0))
	}
	return s
}

// step chooses a token from the first row of logits and, as long as these are the tokens of the draft, from those after it: so they are the
// tokens that are chosen without drafts.
func (s *single) step(t *tools, logits mat.Matrix) (outcome, error) {
	was := len(s.text)
	for i := range logits.Rows {
		id := s.choose(t, logits.Row(i))
		if id < 0 {
			if i == 0 {
				return outcome{}, errNoToken
			}
			return s.next(t, was, i-1, 0), nil // whose step finds this row again
		}
		s.text = append(s.text, id)
		switch ids := s.text[s.before:]; {
		case s.Settings.stops(ids):
			return outcome{ids: s.text[was:], finish: Stopped}, nil
		case len(ids) == s.Settings.MaxNewTokens:
			return outcome{ids: s.text[was:], finish: Length}, nil
		case i == logits.Rows-1 || id != s.tokens[i]:
			drafts := min(t.drafts, s.Settings.MaxNewTokens-len(ids)-1)
			if s.Settings.NoDrafts {
				drafts = 0
			}
			return s.next(t, was, i, drafts), nil
		}
	}
	panic("generate: no logits")
}

// next goes on after a row of logits, with a draft of at most so many tokens. The new tokens begin at was.
func (s *single) next(t *tools, was, row, drafts int) outcome {
	s.draft(s.text, len(s.text)-was, drafts, worthARow*float64(t.sequences))
	s.row[0] = Row{
		Parent: row, Token: s.text[len(s.text)-1], Draft: s.tokens,
		Largest: s.Settings.Largest(len(s.Prompt) + len(s.text) - s.before + len(s.tokens)),
	}
	return outcome{ids: s.text[was:], rows: s.row[:]}
}

// choose returns the next token, -1 if there is none to choose from.
func (s *single) choose(t *tools, scores []float32) int {
	s.Settings.penalize(&t.penalty, scores, s.Prompt, s.text[s.before:])
	if s.random == nil {
		return t.engine.MaxIndex(scores)
	}
	return t.sample(t.engine, s.Settings.Sampling, s.random, scores)
}
