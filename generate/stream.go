package generate

import (
	"context"
	"fmt"
	"iter"

	"github.com/polytropon/polytropon/mat"
)

// A Request is one sequence to be continued.
type Request struct {
	Input    []int // of an encoder with the same vocabulary, for drafts; nil: none
	Prompt   []int // tokens before the new ones, which RepetitionPenalty counts
	Settings Settings
	Done     <-chan struct{} // once it is closed, the request ends as Canceled; nil: never
}

// Finish says why a sequence ended.
type Finish int

const (
	Running  Finish = iota // it has not
	Stopped                // by a stop id or a stop string
	Length                 // it has MaxNewTokens
	Canceled               // its Done was closed
)

// String returns "running", "stopped", "length" or "canceled".
func (f Finish) String() string {
	names := [...]string{"running", "stopped", "length", "canceled"}
	if f < 0 || int(f) >= len(names) {
		return fmt.Sprintf("Finish(%d)", int(f))
	}
	return names[f]
}

// An Event is news of a request.
type Event struct {
	Request int    // its index, of a Batch its number
	IDs     []int  // new tokens, valid until the next event; of a beam search all of them at its end; none with Canceled
	Finish  Finish // with the last event of a request why there are no more
}

// Stream continues all requests together and yields their tokens as they are chosen; e does the arithmetic of choosing. An error ends the
// stream: a *[RequestError] of settings that cannot be used, before anything is computed; the source's; or ctx's, which is asked before every step, as
// is Done. So does the consumer by leaving the loop. Only a *RequestError of logits that are not finite and leave nothing to choose from ends no more
// than its request: the others go on if the loop does.
func Stream(ctx context.Context, e *mat.Engine, source Source, requests []Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := stream(ctx, e, source, requests, yield); err != nil {
			yield(Event{}, err)
		}
	}
}

// A Result is what became of a request.
type Result struct {
	IDs    []int // the new tokens; one that stopped the sequence is the last. Of a canceled request those that there were, none of a beam search
	Finish Finish
}

// Collect gathers a stream of the given number of requests. Any error ends it.
func Collect(events iter.Seq2[Event, error], requests int) ([]Result, error) {
	results := make([]Result, requests)
	for v, err := range events {
		if err != nil {
			return nil, err
		}
		r := &results[v.Request]
		r.IDs, r.Finish = append(r.IDs, v.IDs...), v.Finish
	}
	return results, nil
}

// A search chooses the tokens of one request.
type search interface {
	// step chooses from the logits of the search's rows, which it may overwrite.
	step(t *tools, logits mat.Matrix) (outcome, error)
}

// An outcome is what a search made of a step: the rows that go on, Parent being one of the search's, and what there is to tell.
type outcome struct {
	rows   []Row
	ids    []int
	finish Finish
}

func stream(ctx context.Context, e *mat.Engine, source Source, requests []Request, yield func(Event, error) bool) error {
	c := newChooser(e, source)
	for i, r := range requests {
		l, err := newLive(r, i, source.Vocabulary())
		if err != nil {
			return fmt.Errorf("generate: %w", &RequestError{i, err})
		}
		c.all = append(c.all, l)
	}
	if len(c.all) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	logits, err := source.Start(ctx)
	for {
		if err != nil {
			return err
		}
		if !c.choose(logits, yield) || len(c.next) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		logits, err = source.Next(ctx, c.next)
	}
}

func newSearch(r Request, vocabulary int) (search, error) {
	if err := r.Settings.Validate(vocabulary); err != nil {
		return nil, err
	}
	if err := checkIDs("input", r.Input, vocabulary); err != nil {
		return nil, err
	}
	if err := checkIDs("prompt", r.Prompt, vocabulary); err != nil {
		return nil, err
	}
	if r.Settings.Beams != nil {
		return newBeamSearch(r), nil
	}
	return newSingle(r), nil
}

func checkIDs(name string, ids []int, vocabulary int) error {
	for i, id := range ids {
		if id < 0 || id >= vocabulary {
			return fmt.Errorf("%s: id %d: got %d, want 0 ≤ id < %d", name, i, id, vocabulary)
		}
	}
	return nil
}

// tools are what the searches of a stream share, one after another.
type tools struct {
	engine    *mat.Engine
	sequences int // in progress
	drafts    int // tokens that the draft of each may have
	penalty
	filter
}
