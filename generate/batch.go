package generate

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A Batch continues requests that come and go, each by a token or more at every step: [Stream] for requests that are not all there when it begins. It belongs
// to one goroutine at a time, and after an error of its source it cannot be used any more: Add and Step return that error again.
type Batch struct {
	chooser
	source   Joinable
	waiting  []live // for their prompts, first come first
	numbers  []int  // of waiting
	requests int    // so far
	told     []told
	failed   error // of the source
}

// A Joinable is a [Source] whose sequences in progress others join.
type Joinable interface {
	// Vocabulary returns the number of token ids.
	Vocabulary() int
	// Join returns the logits after each of rows, as Source's Next does, and behind them those after the prompts of requests that waited, one row each: of
	// none, some or all of them, whose numbers it returns as joined. So a source shares out the work of long prompts among calls, in an order of its own.
	// waiting has the numbers of the requests, first come first; one that has left it without having joined is over. rows and waiting are valid during the
	// call, joined until the next.
	Join(ctx context.Context, rows []Row, waiting []int) (logits mat.Matrix, joined []int, err error)
}

// told is what a step has to tell.
type told struct {
	event Event
	err   error
}

// NewBatch returns a batch without requests, whose sequences in progress will be those of source; e does the arithmetic of choosing.
func NewBatch(e *mat.Engine, source Joinable) *Batch {
	return &Batch{chooser: newChooser(e, source), source: source}
}

// Len returns the number of requests that are not finished.
func (b *Batch) Len() int { return len(b.all) + len(b.waiting) }

// Add adds a request, which waits for the source to compute its prompt, and returns its number: 0 for the first that was added, then 1 and so on. Settings
// that cannot be used are an error, and leave the batch as it was.
func (b *Batch) Add(r Request) (int, error) {
	if b.failed != nil {
		return 0, b.ended()
	}
	l, err := newLive(r, b.requests, b.source.Vocabulary())
	if err != nil {
		return 0, fmt.Errorf("generate: %w", err)
	}
	b.requests++
	b.waiting = append(b.waiting, l)
	return l.request, nil
}

// Step lets the source compute what follows all requests, or more of the prompts of those that wait, and yields what was chosen for each, once the step is
// done: within the loop, requests can be added. An event's Request is the number, also beside a *[RequestError], which ends that request. Nobody hears again what
// a loop that is left early had still to tell. Other errors are those of [Stream], and come after what the step had to tell before it failed. A context that is
// done before a step changes nothing: others can follow.
func (b *Batch) Step(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		b.told = b.told[:0]
		err := b.step(ctx)
		for _, t := range b.told {
			if !yield(t.event, t.err) {
				return
			}
		}
		if err != nil {
			yield(Event{}, err)
		}
	}
}

// ended is the error of a batch that cannot be used any more.
func (b *Batch) ended() error {
	return fmt.Errorf("generate: an error has ended the batch: %w", b.failed)
}

// step sets b.told.
func (b *Batch) step(ctx context.Context) error {
	tell := func(v Event, err error) bool {
		b.told = append(b.told, told{v, err})
		return true
	}
	if b.failed != nil {
		return b.ended()
	}
	if err := ctx.Err(); err != nil && b.Len() > 0 {
		return err
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(l live) bool {
		return l.canceled() && tell(Event{l.request, nil, Canceled}, nil)
	})
	if b.Len() == 0 {
		return nil
	}
	b.numbers = b.numbers[:0]
	for _, l := range b.waiting {
		b.numbers = append(b.numbers, l.request)
	}
	logits, joined, err := b.source.Join(ctx, b.next, b.numbers)
	if err != nil {
		b.failed = err
		return err
	}
	for _, n := range joined {
		i := slices.IndexFunc(b.waiting, func(l live) bool { return l.request == n })
		if i < 0 {
			panic(fmt.Sprintf("generate: a Joinable says that request %d joins, want one of those that wait: %d", n, b.numbers))
		}
		b.all = append(b.all, b.waiting[i])
		b.waiting = slices.Delete(b.waiting, i, i+1)
	}
	rows := 0
	for i := range b.all {
		rows += b.all[i].rows
	}
	if logits.Rows != rows {
		panic(fmt.Sprintf("generate: a Joinable returned %d rows of logits, want %d, with those of requests %d that join", logits.Rows, rows, joined))
	}
	b.choose(logits, tell)
	return nil
}
