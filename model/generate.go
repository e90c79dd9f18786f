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
}

// Generate continues all requests together and returns what became of each. Tokens are chosen by s, or by the request's own settings; StopIDs that
// are nil mean [Model.StopIDs]. A request's tokens don't depend on the others. Each token is computed once, and a request that is finished costs nothing
// more. Settings, tokens and adapters that cannot be used are errors that say which request it is. ctx is asked between layers.
func (m *Model) Generate(ctx context.Context, requests []Request, s generate.Settings) ([]generate.Result, error) {
	return generate.Collect(m.Stream(ctx, requests, s), len(requests))
}

// Stream is Generate that yields tokens as they are chosen; those of a beam search come at its end. An error ends it.
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
			chosen[i] = generate.Request{Prompt: d.requests[i].prompt, Settings: s}
			if r.Settings != nil {
				chosen[i].Settings = *r.Settings
			}
			if chosen[i].Settings.StopIDs == nil {
				chosen[i].Settings.StopIDs = m.special.stop
			}
		}
		generate.Stream(ctx, m.engine, d, chosen)(yield)
	}
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
		return nil, fmt.Errorf("config.json: field decoder_start_token_id: got %d, want 0 ≤ id < %d", start, m.Vocabulary())
	}
	return []int{start}, nil
}
