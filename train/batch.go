package train

import (
	"fmt"
	"iter"
	"math/rand/v2"
)

// A Batch is a micro-batch: what a worker computes at once.
type Batch struct {
	Examples []Example
	Training bool        // it is part of a step; else of an evaluation
	Step     int         // steps before this one
	Index    int         // number of the micro-batch within its step or evaluation
	Labels   int         // what the sum over its labels is divided by: how many count in the whole step, or in this part of an evaluation
	Source   rand.Source // draws that depend on the run's seed, Training, Step and Index alone

	size         Size
	epoch, first int // where the examples are
}

// describe says which examples of the dataset b has, for errors.
func (b *Batch) describe() string {
	return fmt.Sprintf("epoch %d, examples %d to %d", b.epoch, b.first, b.first+len(b.Examples)-1)
}

// A batcher cuts the examples of a dataset into micro-batches: as many consecutive examples as fit.
type batcher struct {
	data              Dataset
	measure           func(Example) (Size, error)
	maxTokens, maxLen int // 0: no limit

	epoch, number int // where the next example is
	next          func() (Example, error, bool)
	stop          func()
	held          Example // the example after the last batch, if holds
	heldSize      Size
	holds         bool
}

// open begins with example number from of an epoch.
func (b *batcher) open(epoch, from int) {
	b.close()
	b.epoch, b.number = epoch, from
	b.next, b.stop = iter.Pull2(b.data.Examples(epoch, from))
}

// close ends the present epoch's iterator.
func (b *batcher) close() {
	if b.stop != nil {
		b.stop()
	}
	b.next, b.stop, b.holds, b.held = nil, nil, false, Example{}
}

// fill sets the examples of a batch, and returns false where the epoch has no more.
func (b *batcher) fill(to *Batch) (bool, error) {
	clear(to.Examples)
	to.Examples, to.size = to.Examples[:0], Size{}
	to.epoch, to.first = b.epoch, b.number
	for {
		ended, err := b.ended()
		if err != nil {
			return false, err
		}
		if ended {
			return len(to.Examples) > 0, nil
		}
		full := b.maxTokens > 0 && to.size.Tokens+b.heldSize.Tokens > b.maxTokens || b.maxLen > 0 && len(to.Examples) == b.maxLen
		if full {
			return true, nil
		}
		to.Examples = append(to.Examples, b.held)
		to.size.Tokens += b.heldSize.Tokens
		to.size.Labels += b.heldSize.Labels
		b.holds = false
		b.number++
	}
}

// ended reports whether the epoch has no more examples. If it has, the next one is then held.
func (b *batcher) ended() (bool, error) {
	if b.holds {
		return false, nil
	}
	x, err, more := b.next()
	if err == nil && !more {
		return true, nil
	}
	if err == nil {
		b.held = x
		b.heldSize, err = b.measure(x)
	}
	switch tokens := b.heldSize.Tokens; {
	case err != nil:
	case tokens < 1:
		err = fmt.Errorf("got a size of %d tokens, want at least 1", tokens)
	case b.maxTokens > 0 && tokens > b.maxTokens:
		err = fmt.Errorf("got %d tokens, want at most %d (BatchTokens)", tokens, b.maxTokens)
	default:
		b.holds = true
		return false, nil
	}
	return false, fmt.Errorf("epoch %d, example %d: %w", b.epoch, b.number, err)
}
