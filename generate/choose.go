package generate

import (
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A chooser chooses the next tokens of requests in progress.
type chooser struct {
	tools
	verifier Verifier // nil: the source takes no drafts
	all      []live
	next     []Row // what the source is told next
}

func newChooser(e *mat.Engine, source any) chooser {
	v, _ := source.(Verifier)
	return chooser{tools: tools{engine: e}, verifier: v}
}

// live is a request that is not finished.
type live struct {
	search
	request   int // its number
	sequences int // in progress
	rows      int // how many rows of the logits they have
	done      <-chan struct{}
}

// newLive returns a request that has the one row after its prompt.
func newLive(r Request, number, vocabulary int) (live, error) {
	s, err := newSearch(r, vocabulary)
	return live{s, number, 1, 1, r.Done}, err
}

// choose chooses from the logits of all requests' rows, and yields what there is to tell until that returns false, which it then returns.
func (c *chooser) choose(logits mat.Matrix, yield func(Event, error) bool) bool {
	from := 0
	c.next = c.next[:0]
	c.share()
	for i := range c.all {
		l := &c.all[i]
		at := from
		from += l.rows
		l.rows = 0
		if l.canceled() {
			if !yield(Event{l.request, nil, Canceled}, nil) {
				return false
			}
			continue
		}
		o, err := l.step(&c.tools, logits.RowRange(at, from))
		if err != nil {
			if !yield(Event{Request: l.request}, fmt.Errorf("generate: %w", &RequestError{l.request, err})) {
				return false
			}
			continue
		}
		l.sequences = len(o.rows)
		for _, r := range o.rows {
			r.Parent += at
			c.next = append(c.next, r)
			l.rows += 1 + len(r.Draft)
		}
		if len(o.ids) > 0 && !yield(Event{l.request, o.ids, o.finish}, nil) {
			return false
		}
	}
	c.all = slices.DeleteFunc(c.all, func(l live) bool { return l.rows == 0 })
	return true
}

// share tells the searches how many sequences are in progress and how many tokens the draft of each may have.
func (c *chooser) share() {
	c.sequences, c.drafts = 0, 0
	for i := range c.all {
		c.sequences += c.all[i].sequences
	}
	if c.verifier != nil && c.sequences > 0 {
		c.drafts = c.verifier.DraftTokens(c.sequences) / c.sequences
	}
}

// canceled tells whether nobody wants more of the request.
func (l *live) canceled() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}
