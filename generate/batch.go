package generate

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A Batch continues requests that come and go, each by a token at every step: [Stream] for requests that are not all there when it begins. It belongs
// to one goroutine at a time, and after an error of its source it cannot be used any more.
type Batch struct {
	tools
	source   Source
	all      []live
	next     []Row // what the source is told next
	rows     int   // that the source has
	requests int   // so far
	told     []told
}

// told is what a step has to tell.
type told struct {
	event Event
	err   error
}

// live is a request that is not finished.
type live struct {
	search
	request int // its number
	rows    int // how many rows of the logits it has
	done    <-chan struct{}
}

// NewBatch returns a batch without requests, whose sequences in progress will be those of source; e does what arithmetic choosing takes. Source's Start is
// not called.
func NewBatch(e *mat.Engine, source Source) *Batch {
	return &Batch{tools: tools{engine: e}, source: source}
}

// Len returns the number of requests that are not finished.
func (b *Batch) Len() int { return len(b.all) }

// Add adds a request, whose prompt the source has computed, with these logits after it, 1 × Vocabulary, and returns its first event, whose Request is its
// number: 0 for the first that was added, then 1 and so on. Where that is not the last event, the source counts the request as the row behind all that it
// has, when it is told of the next ones. Settings that cannot be used and logits that leave nothing to choose from are errors.
func (b *Batch) Add(r Request, logits mat.Matrix) (Event, error) {
	s, err := newSearch(r, b.source.Vocabulary())
	if err != nil {
		return Event{}, fmt.Errorf("generate: %w", err)
	}
	o, err := s.step(&b.tools, logits)
	if err != nil {
		return Event{}, fmt.Errorf("generate: %w", err)
	}
	l := live{s, b.requests, len(o.rows), r.Done}
	b.requests++
	if l.rows > 0 {
		b.follow(b.rows, o.rows)
		b.rows++
		b.all = append(b.all, l)
	}
	return Event{l.request, o.ids, o.finish}, nil
}

// Step lets the source compute what follows all requests and yields what was chosen for each, once the step is done: within the loop, requests can
// be added. Errors are those of [Stream].
func (b *Batch) Step(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if len(b.all) == 0 {
			return
		}
		if err := ctx.Err(); err != nil {
			yield(Event{}, err)
			return
		}
		logits, err := b.source.Next(ctx, b.next)
		if err != nil {
			yield(Event{}, err)
			return
		}
		b.told = b.told[:0]
		b.choose(logits, func(v Event, err error) bool {
			b.told = append(b.told, told{v, err})
			return true
		})
		for _, t := range b.told {
			if !yield(t.event, t.err) {
				return
			}
		}
	}
}

// choose chooses from the logits of all requests' rows, and yields what there is to tell until that returns false, which it then returns.
func (b *Batch) choose(logits mat.Matrix, yield func(Event, error) bool) bool {
	from := 0
	b.next, b.rows = b.next[:0], logits.Rows
	for i := range b.all {
		l := &b.all[i]
		at := from
		from += l.rows
		if l.canceled() {
			l.rows = 0
			if !yield(Event{l.request, nil, Canceled}, nil) {
				return false
			}
			continue
		}
		o, err := l.step(&b.tools, logits.RowRange(at, from))
		if err != nil {
			l.rows = 0
			if !yield(Event{Request: l.request}, fmt.Errorf("generate: %w", &RequestError{l.request, err})) {
				return false
			}
			continue
		}
		b.follow(at, o.rows)
		l.rows = len(o.rows)
		if len(o.ids) > 0 && !yield(Event{l.request, o.ids, o.finish}, nil) {
			return false
		}
	}
	b.all = slices.DeleteFunc(b.all, func(l live) bool { return l.rows == 0 })
	return true
}

// follow adds the rows that a request goes on with, whose own begin at from, to those of the next step.
func (b *Batch) follow(from int, rows []Row) {
	for _, r := range rows {
		b.next = append(b.next, Row{from + r.Parent, r.Token})
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
