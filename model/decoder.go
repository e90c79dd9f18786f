package model

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A Decoder computes next-token logits of sequences in progress, each token once: it keeps keys and values. It is the [generate.Source] and [generate.Verifier] of
// [Model.Generate], for those who choose tokens themselves. It belongs to one goroutine at a time, and after an error cannot be used any more.
type Decoder struct {
	model     *Model
	pass      *nn.Pass
	requests  []decoded
	sequences []sequence // that the last step continued
	spare     []sequence
	rows      []row // of the logits that were returned last
	step      step
	deltas    [][]*nn.Delta // of sequences
	ids       []int         // a token and the draft behind it
	memory    []float32     // of logits
}

// decoded is a request of a decoder.
type decoded struct {
	input, prompt []int // input is the encoder's
	deltas        []*nn.Delta
	encoded       encoded // nil in a decoder-only model
	largest       int     // how many of the largest logits after the prompt are wanted, 0 for all
	more          int     // at most so many tokens follow the prompt, 0 if nobody says
}

// A sequence is one in progress.
type sequence struct {
	request int
	cache   *cache
}

// A row of logits is what follows the first tokens of a sequence, all but those of its draft that come later.
type row struct {
	sequence, tokens int
}

// Decoder returns a decoder that begins with one sequence for each of requests, after its prompt. Their Settings and Done have no effect on it.
// Tokens that the model does not have and adapters that cannot be used are a *[generate.RequestError].
func (m *Model) Decoder(requests []Request) (*Decoder, error) {
	d := &Decoder{model: m, pass: m.passes.Get().(*nn.Pass)}
	for i, r := range requests {
		accepted, err := m.accept(r)
		if err != nil {
			return nil, fmt.Errorf("model: %w", &generate.RequestError{Request: i, Err: err})
		}
		d.requests = append(d.requests, accepted)
	}
	return d, nil
}

// Vocabulary implements [generate.Source].
func (d *Decoder) Vocabulary() int { return d.model.Vocabulary() }

// draftRows is how many rows a step has at most where drafts are why it has more than its sequences.
const draftRows = 8

// DraftTokens implements [generate.Verifier]: a step waits for weights, and up to eight rows, or as many as a kernel takes at once, wait no longer than
// one. In portable Go a step waits for its arithmetic, so there are none.
func (d *Decoder) DraftTokens(rows int) int {
	e := d.pass.Engine
	if e.Level() == "generic" {
		return 0
	}
	atOnce, _ := e.Tile()
	return max(0, min(atOnce, draftRows)-rows)
}

// Start implements [generate.Source]: it computes the prompts.
func (d *Decoder) Start(ctx context.Context) (mat.Matrix, error) {
	if len(d.requests) == 0 {
		return mat.New(0, d.Vocabulary()), nil
	}
	for i, r := range d.requests {
		c := d.newCache()
		c.reserve(len(r.prompt), min(len(r.prompt), r.more)) // no more than it would grow by
		d.sequences = append(d.sequences, sequence{i, c})
	}
	if err := d.reset(d.sequences); err != nil {
		return mat.Matrix{}, err
	}
	if err := d.model.net.prepare(ctx, d.pass, d.requests); err != nil {
		return mat.Matrix{}, err
	}
	d.step.reset()
	for i, s := range d.sequences {
		r := &d.requests[i]
		d.step.add(s.cache, r.encoded, r.prompt, 1, r.largest)
	}
	return d.compute(ctx)
}

// Next implements [generate.Source].
func (d *Decoder) Next(ctx context.Context, rows []generate.Row) (mat.Matrix, error) {
	d.follow(rows)
	if err := d.reset(d.sequences); err != nil {
		return mat.Matrix{}, err
	}
	d.add(rows)
	return d.compute(ctx)
}

// add makes the step that of rows, the first of the decoder's sequences.
func (d *Decoder) add(rows []generate.Row) {
	d.step.reset()
	for i, next := range rows {
		s := d.sequences[i]
		d.ids = append(append(d.ids[:0], next.Token), next.Draft...)
		d.step.add(s.cache, d.requests[s.request].encoded, d.ids, len(d.ids), next.Largest)
	}
}

// follow makes d.sequences those that rows continue. The first to continue one takes over its cache; another becomes a copy, in a
// cache of the same request that nobody continues if there is one, which differs from it in a few tokens only.
func (d *Decoder) follow(rows []generate.Row) {
	next := d.spare[:0]
	for _, r := range rows {
		from := d.rows[r.Parent].sequence
		next = append(next, sequence{d.sequences[from].request, d.take(from)})
	}
	for i, r := range rows {
		if next[i].cache != nil {
			continue
		}
		c := d.leftOver(next[i].request)
		if c == nil {
			c = d.newCache()
		}
		// Its first continuation has the parent's cache.
		for j := range i {
			if d.rows[rows[j].Parent].sequence == d.rows[r.Parent].sequence {
				c.become(next[j].cache, d.rows[r.Parent].tokens)
				break
			}
		}
		next[i].cache = c
	}
	for i, r := range rows {
		next[i].cache.truncate(d.rows[r.Parent].tokens)
	}
	clear(d.sequences) // of caches that nobody continues
	d.sequences, d.spare = next, d.sequences
}

// newCache returns a cache of no tokens.
func (d *Decoder) newCache() *cache {
	layers, heads, headSize := d.model.net.cacheShape()
	c := &cache{layers: make([]*mat.Cache, layers)}
	for i := range c.layers {
		c.layers[i] = d.pass.Engine.NewCache(heads, headSize)
	}
	return c
}

// take returns the cache of a sequence, the first time.
func (d *Decoder) take(i int) *cache {
	c := d.sequences[i].cache
	d.sequences[i].cache = nil
	return c
}

// leftOver takes the cache of a sequence of the request, if one is left.
func (d *Decoder) leftOver(request int) *cache {
	for i, s := range d.sequences {
		if s.request == request && s.cache != nil {
			return d.take(i)
		}
	}
	return nil
}

// reset makes the pass ready for sequences.
func (d *Decoder) reset(sequences []sequence) error {
	d.deltas = d.deltas[:0]
	for _, s := range sequences {
		d.deltas = append(d.deltas, d.requests[s.request].deltas)
	}
	if err := d.pass.Reset(d.deltas); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}

// compute returns the logits that the step wants.
func (d *Decoder) compute(ctx context.Context) (mat.Matrix, error) {
	if err := ctx.Err(); err != nil {
		return mat.Matrix{}, err
	}
	x, err := d.model.net.advance(ctx, d.pass, &d.step)
	if err != nil {
		return mat.Matrix{}, err
	}
	if n := x.Rows * d.Vocabulary(); len(d.memory) < n {
		d.memory = make([]float32, n)
	}
	logits := mat.View(d.memory, x.Rows, d.Vocabulary())
	d.model.net.output().ForwardLargest(d.pass, d.step.wanted, logits, x, d.step.largest)
	d.rows = d.rows[:0]
	for i, c := range d.step.caches {
		for r := range d.step.wanted.Len(i) {
			d.rows = append(d.rows, row{i, len(c.ids) - d.step.wanted.Len(i) + 1 + r})
		}
	}
	return logits, nil
}
