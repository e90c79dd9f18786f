package model

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/generate"
)

// Requests that join when chance has it, of all kinds, have the tokens that they have alone.
func TestBatchHasTheTokensOfGenerate(t *testing.T) {
	for name, m := range decodables(t) {
		random := rand.New(rand.NewPCG(5, 6))
		b := m.NewBatch()
		var requests []Request
		var results []generate.Result
		hear := func(v generate.Event, err error) {
			if err != nil {
				t.Fatal(err)
			}
			if v.Request == len(results) {
				results = append(results, generate.Result{})
			}
			r := &results[v.Request]
			if r.Finish != generate.Running {
				t.Errorf("%s: got %v of a finished request", name, v)
			}
			r.IDs, r.Finish = append(r.IDs, v.IDs...), v.Finish
		}
		add := func() {
			s := generate.Greedy(1 + random.IntN(9))
			switch random.IntN(4) {
			case 0:
				s.Beams = &generate.Beams{N: 1 + random.IntN(3), LengthPenalty: 1}
			case 1:
				s.Sampling = &generate.Sampling{Temperature: 2, Seed: random.Uint64()}
			case 2:
				s.StopIDs = []int{}
			}
			requests = append(requests, Request{InputIDs: cycle(1+random.IntN(40), 1+random.IntN(12)), Settings: &s})
			hear(b.Add(t.Context(), requests[len(requests)-1], generate.Greedy(1)))
		}
		for step := 0; step < 60 || b.Len() > 0; step++ {
			for step < 60 && random.IntN(2) == 0 {
				add()
			}
			for v, err := range b.Step(t.Context()) {
				hear(v, err)
				if step < 60 && random.IntN(20) == 0 {
					add() // in the midst of it
				}
			}
			if n := len(b.decoder.requests); n > 40 {
				t.Fatalf("%s: keeps %d requests", name, n)
			}
		}
		if len(requests) < 40 {
			t.Fatalf("%s: got %d requests", name, len(requests))
		}
		for i, r := range requests {
			alone, err := m.Generate(t.Context(), []Request{r}, generate.Greedy(1))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := results[i], alone[0]; !slices.Equal(got.IDs, want.IDs) || got.Finish != want.Finish {
				t.Errorf("%s: request %d (%+v): got %v, alone %v", name, i, *r.Settings, got, want)
			}
		}
	}
}

// What cannot be added changes nothing; a request that is canceled leaves.
func TestBatchGoesOn(t *testing.T) {
	for name, m := range decodables(t) {
		settings := generate.Settings{MaxNewTokens: 8, StopIDs: []int{}}
		request := Request{InputIDs: cycle(11, 5)}
		alone, err := m.Generate(t.Context(), []Request{request}, settings)
		if err != nil {
			t.Fatal(err)
		}
		b := m.NewBatch()
		for range b.Step(t.Context()) {
			t.Errorf("%s: got an event of nothing", name)
		}
		v, err := b.Add(t.Context(), request, settings)
		if err != nil {
			t.Fatal(err)
		}
		ids := slices.Clone(v.IDs)
		done := make(chan struct{})
		if _, err := b.Add(t.Context(), Request{InputIDs: []int{3}, Done: done}, settings); err != nil {
			t.Fatal(err)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		finish := generate.Running
		for step := 0; b.Len() > 0; step++ {
			for _, c := range []struct {
				ctx      context.Context
				ids      []int
				settings generate.Settings
				want     string
			}{
				{t.Context(), nil, settings, "model: input_ids: got no tokens"},
				{t.Context(), []int{13}, settings, "model: input_ids[0]: got 13"},
				{t.Context(), []int{3}, generate.Settings{}, "model: max_new_tokens: got 0"},
				{canceled, []int{3}, settings, "context canceled"},
			} {
				if _, err := b.Add(c.ctx, Request{InputIDs: c.ids}, c.settings); err == nil || !strings.HasPrefix(err.Error(), c.want) {
					t.Errorf("%s: got %v, want %s", name, err, c.want)
				}
			}
			// One that ends with its first token.
			if v, err := b.Add(t.Context(), Request{InputIDs: []int{4}}, generate.Settings{MaxNewTokens: 1, StopIDs: []int{}}); err != nil || v.Finish != generate.Length {
				t.Errorf("%s: got %v, %v", name, v, err)
			}
			if step == 2 {
				close(done)
			}
			for v, err := range b.Step(t.Context()) {
				switch {
				case err != nil:
					t.Fatal(err)
				case v.Request == 0:
					ids, finish = append(ids, v.IDs...), v.Finish
				case v.Request == 1 && (v.Finish == generate.Canceled) != (step == 2):
					t.Errorf("%s: step %d: got %v", name, step, v)
				}
			}
			if n, want := len(b.decoder.rows), 2; n > want {
				t.Errorf("%s: got %d rows, want at most %d", name, n, want)
			}
		}
		if !slices.Equal(ids, alone[0].IDs) || finish != generate.Length {
			t.Errorf("%s: got %v (%v), alone %v", name, ids, finish, alone[0].IDs)
		}
		if _, err := b.Add(t.Context(), request, settings); err != nil {
			t.Fatal(err)
		}
		for v, err := range b.Step(canceled) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, %v, want %v", name, v, err, context.Canceled)
			}
		}
	}
}
