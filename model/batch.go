package model

import (
	"context"
	"fmt"
	"iter"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A Batch generates for requests that join and leave while others are under way, as those of a service do. Each has the tokens that it has alone. It
// belongs to one goroutine at a time.
type Batch struct {
	decoder *Decoder
	tokens  *generate.Batch
}

// NewBatch returns a batch without requests.
func (m *Model) NewBatch() *Batch {
	d := &Decoder{model: m, pass: nn.NewPass(m.engine)}
	return &Batch{d, generate.NewBatch(m.engine, d)}
}

// Len returns the number of requests that are not finished.
func (b *Batch) Len() int { return b.tokens.Len() }

// Add computes the prompt of a request and returns its first event, whose Request is its number: 0 for the first of the batch, then 1 and so on. Tokens
// are chosen by s, or by the request's own settings, as [Model.Generate] does. An error, whether of the request ([Model.Validate]), of its logits or ctx's,
// leaves the batch as it was.
func (b *Batch) Add(ctx context.Context, r Request, s generate.Settings) (generate.Event, error) {
	m := b.decoder.model
	accepted, err := m.accept(b.decoder.pass, r)
	if err != nil {
		return generate.Event{}, fmt.Errorf("model: %w", err)
	}
	s = m.settings(r, s)
	if err := s.Validate(m.Vocabulary()); err != nil {
		return generate.Event{}, fmt.Errorf("model: %w", err)
	}
	logits, err := b.decoder.join(ctx, accepted)
	if err != nil {
		return generate.Event{}, err
	}
	event, err := b.tokens.Add(generate.Request{Prompt: accepted.prompt, Settings: s, Done: r.Done}, logits)
	if err != nil || event.Finish != generate.Running {
		b.decoder.leave()
	}
	return event, err
}

// Step computes one more token of every request and yields them; a beam search yields its tokens at its end. Within the loop, requests can be added. An
// error ends the batch, which can then not be used any more, but for a *[generate.RequestError], which ends a single request. ctx is asked between layers,
// a request's Done once a step.
func (b *Batch) Step(ctx context.Context) iter.Seq2[generate.Event, error] { return b.tokens.Step(ctx) }

// join computes a prompt and adds its sequence behind the decoder's others. It returns the logits after it.
func (d *Decoder) join(ctx context.Context, r decoded) (mat.Matrix, error) {
	d.forget()
	others, n := d.rows, len(d.requests)
	d.requests, d.rows = append(d.requests, r), []row{{n, d.newCache()}}
	logits, err := d.prefill(ctx, n)
	if err != nil {
		d.requests, d.rows = d.requests[:n], others
		return mat.Matrix{}, err
	}
	d.rows = append(others, d.rows...)
	return logits, nil
}

// leave takes back the last join.
func (d *Decoder) leave() { d.rows = d.rows[:len(d.rows)-1] }

// prefill computes the prompt of request n, whose row is the only one.
func (d *Decoder) prefill(ctx context.Context, n int) (mat.Matrix, error) {
	if err := d.reset(); err != nil {
		return mat.Matrix{}, err
	}
	if err := d.model.net.(decodable).prepare(ctx, d.pass, d.requests[n:]); err != nil {
		return mat.Matrix{}, err
	}
	d.step.reset()
	d.step.add(d.rows[0].cache, d.requests[n].encoded, d.requests[n].prompt...)
	return d.compute(ctx)
}

// forget drops the requests without a row.
func (d *Decoder) forget() {
	var kept []decoded
	number := map[int]int{}
	for i := range d.rows {
		r := &d.rows[i]
		n, ok := number[r.request]
		if !ok {
			n = len(kept)
			number[r.request] = n
			kept = append(kept, d.requests[r.request])
		}
		r.request = n
	}
	d.requests = kept
}
