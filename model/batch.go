package model

import (
	"context"
	"iter"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/nn"
)

// A Batch generates for requests that join and leave while others are under way, as those of a service do. Each has the tokens that it has alone. It
// belongs to one goroutine at a time.
//
// A prompt of a decoder-only model that begins as another request's tokens do, with the same adapters, takes over what has been computed of those and computes
// the rest: a system prompt is computed once. That goes for requests that are there, and with [Batch.SetPrefixCache] for earlier ones.
type Batch struct {
	joining *joining
	tokens  *generate.Batch
}

// NewBatch returns a batch without requests.
func (m *Model) NewBatch() *Batch {
	j := &joining{Decoder: Decoder{model: m, pass: nn.NewPass(m.engine)}, piece: pieceTokens, alone: aloneTokens}
	return &Batch{j, generate.NewBatch(m.engine, j)}
}

// Len returns the number of requests that are not finished.
func (b *Batch) Len() int { return b.tokens.Len() }

// Add adds a request and returns its number: 0 for the first of the batch, then 1 and so on. Tokens are chosen by s, or by the request's own settings, as
// [Model.Generate] does. The batch keeps r.InputIDs, which must not change, and computes the prompt with its next steps. An error is the request's
// ([Model.Validate]) and leaves the batch as it was, or that of a Step that has ended the batch.
func (b *Batch) Add(r Request, s generate.Settings) (int, error) {
	m := b.joining.model
	accepted, s, err := m.validate(r, s)
	if err != nil {
		return 0, err
	}
	number, err := b.tokens.Add(generate.Request{Input: accepted.input, Prompt: accepted.prompt, Settings: s, Done: r.Done})
	if err != nil {
		return 0, err
	}
	accepted.largest, accepted.more = s.Largest(len(accepted.prompt)), s.MaxNewTokens
	b.joining.wait(number, accepted)
	return number, nil
}

// SetPrefixCache lets the batch keep the keys and values of requests that are over, up to so many bytes, for those to come: the next turn of a conversation
// computes what is new in it. What has been of no use for longest is forgotten first. 0, as at the beginning, keeps nothing. What is kept holds its adapters in
// memory, too; what is larger than the limit by itself is not kept. On a model with an encoder it has no effect: what that computes depends on all of its input.
//
// A token takes 8 · layers · key and value heads · head size bytes ([Architecture]), and a request has room for some hundred more than it came to.
func (b *Batch) SetPrefixCache(bytes int) {
	if b.joining.model.architecture.EncoderLayers == 0 {
		b.joining.prefixes.bound(max(0, bytes))
	}
}

// Step computes one more token of every request, or with a draft some, and yields them, in events whose Request is the number; a beam search yields its tokens
// at its end. Within the loop, requests can be added; nobody hears again what a loop that is left early had still to tell.
//
// A request has its first token with the step that completes its prompt. So that a long one holds up nobody, a step computes no more than 48 tokens of prompts,
// along with the next tokens of the others; where nobody waits for a next token, up to 512. Half of them are of the prompt that has waited for longest, the others
// of those of which the least is left. The input of an encoder, which sees all of it, is computed as a whole: that which has waited for longest, and with it
// short ones, at most 48 tokens together.
//
// A *[generate.RequestError] ends a single request, that of the event beside it. Any other error ends the batch: Add and Step return it from then on. ctx is asked
// between layers, and ends the batch there; before a step it changes nothing. So ctx is the service's, and a request has its Done, which is asked once a step.
func (b *Batch) Step(ctx context.Context) iter.Seq2[generate.Event, error] {
	return func(yield func(generate.Event, error) bool) {
		b.tokens.Step(ctx)(yield)
		if b.Len() == 0 {
			b.joining.empty()
		}
	}
}
