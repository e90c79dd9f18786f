package generate

import (
	"errors"
	"math/rand/v2"

	"github.com/polytropon/polytropon/mat"
)

// errNoToken says that a model computed nothing to choose from.
var errNoToken = errors.New("got logits of the next token that are not finite, want some to choose from")

// single is a request with one sequence: greedy or sampling.
type single struct {
	Request
	ids    []int
	random *rand.Rand // nil: greedy
	row    [1]Row
}

func newSingle(r Request) *single {
	s := &single{Request: r, ids: make([]int, 0, min(r.Settings.MaxNewTokens, 1024))}
	if p := r.Settings.Sampling; p != nil {
		s.random = rand.New(rand.NewPCG(p.Seed, 0))
	}
	return s
}

func (s *single) step(t *tools, logits mat.Matrix) (outcome, error) {
	scores := logits.Row(0)
	s.Settings.penalize(&t.penalty, scores, s.Prompt, s.ids)
	var id int
	if s.random == nil {
		id = t.engine.MaxIndex(scores)
	} else {
		id = t.sample(t.engine, s.Settings.Sampling, s.random, scores)
	}
	if id < 0 {
		return outcome{}, errNoToken
	}
	s.ids = append(s.ids, id)
	o := outcome{ids: s.ids[len(s.ids)-1:]}
	switch {
	case s.Settings.stops(s.ids):
		o.finish = Stopped
	case len(s.ids) == s.Settings.MaxNewTokens:
		o.finish = Length
	default:
		s.row[0] = Row{Token: id, Largest: s.Settings.Largest(len(s.Prompt) + len(s.ids))}
		o.rows = s.row[:]
	}
	return o, nil
}
