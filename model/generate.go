package model

import (
	"context"
	"fmt"
	"iter"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/nn"
)

// A Request is one sequence to be generated.
type Request struct {
	InputIDs []int              // the prompt, at least one token; of an encoder-decoder model the encoder's tokens
	Adapters []nn.Adapter       // as in a Sequence
	Settings *generate.Settings // nil: those of the call
	Done     <-chan struct{}    // once it is closed, the request ends as generate.Canceled and the others go on; nil: never
}

// Generate continues all requests together and returns what became of each. Tokens are chosen by s, or by the request's own settings; StopIDs that
// are nil mean [Model.StopIDs]. A request's tokens don't depend on the others. What is computed of a token is kept, and a request that is finished costs nothing
// more. A few sequences have drafts ([generate.Verifier]): texts that repeat a part of the input or of themselves take fewer steps.
//
// Settings, tokens and adapters that cannot be used are a *[generate.RequestError] that says which request it is, before anything is computed ([Model.Validate]
// finds them for one request). ctx is asked between layers, a request's Done between tokens.
//
// The requests of a call are all there when it begins, and each computes its own prompt. A [Batch] is for those that come later, and for those whose prompts begin
// alike.
func (m *Model) Generate(ctx context.Context, requests []Request, s generate.Settings) ([]generate.Result, error) {
	return generate.Collect(m.Stream(ctx, requests, s), len(requests))
}

// Stream is Generate that yields tokens as they are chosen; those of a beam search come at its end. An error ends it, but
// for one of [generate.Stream] that concerns a single request.
func (m *Model) Stream(ctx context.Context, requests []Request, s generate.Settings) iter.Seq2[generate.Event, error] {
	return func(yield func(generate.Event, error) bool) {
		d, err := m.Decoder(requests)
		if err != nil {
			yield(generate.Event{}, err)
			return
		}
		defer m.passes.Put(d.pass)
		chosen := make([]generate.Request, len(requests))
		for i, r := range requests {
			accepted := &d.requests[i]
			chosen[i] = generate.Request{Input: accepted.input, Prompt: accepted.prompt, Settings: m.settings(r, s), Done: r.Done}
			accepted.largest, accepted.more = chosen[i].Settings.Largest(len(accepted.prompt)), chosen[i].Settings.MaxNewTokens
		}
		generate.Stream(ctx, m.engine, d, chosen)(yield)
	}
}

// Validate says why [Model.Generate] would refuse a request with the settings s, or its own, so that a service can before the request joins others.
// Lengths and the number of beams are the caller's to bound: the model computes prompts and texts longer than [Architecture].MaxPositions too, and the time and
// memory of a beam search grow with its beams.
func (m *Model) Validate(r Request, s generate.Settings) error {
	_, _, err := m.validate(r, s)
	return err
}

// validate returns what a decoder keeps of a request and by which settings its tokens are chosen.
func (m *Model) validate(r Request, s generate.Settings) (decoded, generate.Settings, error) {
	accepted, err := m.accept(r)
	if err != nil {
		return decoded{}, s, fmt.Errorf("model: %w", err)
	}
	s = m.settings(r, s)
	if err := s.Validate(m.Vocabulary()); err != nil {
		return decoded{}, s, fmt.Errorf("model: %w", err)
	}
	return accepted, s, nil
}

// settings returns those of a request in a call with the settings s.
func (m *Model) settings(r Request, s generate.Settings) generate.Settings {
	if r.Settings != nil {
		s = *r.Settings
	}
	if s.StopIDs == nil {
		s.StopIDs = m.special.stop
	}
	return s
}

// accept returns what a decoder keeps of a request.
func (m *Model) accept(r Request) (decoded, error) {
	prompt, err := m.prompt(r)
	if err != nil {
		return decoded{}, err
	}
	deltas, err := m.deltas(r.Adapters)
	if err != nil {
		return decoded{}, err
	}
	if err := nn.CheckDeltas(deltas); err != nil {
		return decoded{}, err
	}
	accepted := decoded{prompt: prompt, deltas: deltas}
	if m.architecture.EncoderLayers > 0 {
		accepted.input = r.InputIDs
	}
	return accepted, nil
}

// prompt returns the tokens with which the decoder begins.
func (m *Model) prompt(r Request) ([]int, error) {
	if err := checkIDs("input_ids", r.InputIDs, m.Vocabulary()); err != nil {
		return nil, err
	}
	if m.architecture.EncoderLayers == 0 {
		return r.InputIDs, nil
	}
	start := m.StartID()
	if start < 0 || start >= m.Vocabulary() {
		return nil, fmt.Errorf("decoder_start_token_id: got %d, want 0 ≤ id < %d", start, m.Vocabulary())
	}
	return []int{start}, nil
}
