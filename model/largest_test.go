package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// wideVocabularies returns models whose logits are of enough tokens, and different enough, for most not to be computed where the largest are wanted.
func wideVocabularies(t *testing.T) map[string]*Model {
	const tokens, dim = 16000, 16
	models := map[string]*Model{}
	for _, dtype := range []safetensors.DType{f32, bf16} {
		table := safetensors.Tensor{Info: safetensors.Info{DType: dtype, Shape: []int{tokens, dim}}}
		rnd := rand.New(rand.NewPCG(1, 2))
		for range tokens * dim {
			bits := math.Float32bits(float32(rnd.NormFloat64() / 8))
			if dtype == bf16 {
				table.Data = binary.LittleEndian.AppendUint16(table.Data, uint16(bits>>16))
			} else {
				table.Data = binary.LittleEndian.AppendUint32(table.Data, bits)
			}
		}
		named := func(name string) safetensors.Tensor { x := table; x.Name = name; return x }
		vocabulary := fmt.Sprint(tokens)
		f := small.with("vocab_size", vocabulary, "decoder_start_token_id", "2")
		llama := smallLlama.with("vocab_size", vocabulary)
		for name, c := range map[string]struct {
			config  fields
			tensors tensors
		}{
			"t5":    {f, f.source(dtype).with(named("shared.weight"))},
			"llama": {llama, llama.llamaSource(t, dtype).with(named("model.embed_tokens.weight"), named("lm_head.weight"))},
		} {
			m, err := New(c.config.text(), c.tensors, engine(t))
			if err != nil {
				t.Fatal(err)
			}
			models[name+" "+dtype.String()] = m
		}
	}
	return models
}

// everyLogit is a source that computes all logits.
type everyLogit struct{ *Decoder }

func (s everyLogit) Next(ctx context.Context, rows []generate.Row) (mat.Matrix, error) {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Largest = 0
	}
	return s.Decoder.Next(ctx, rows)
}

// A request that is chosen from some of the logits gets the tokens that all of them give.
func TestTheLargestLogitsGiveTheSameTokens(t *testing.T) {
	for name, m := range wideVocabularies(t) {
		head := lowRankOf(t, m, m.net.output())
		requests := []Request{{InputIDs: cycle(9, 3)}, {InputIDs: []int{12}}, {InputIDs: cycle(20, 5), Adapters: []nn.Adapter{head}}}
		for label, batch := range map[string][]generate.Settings{
			"greedy":     {{MaxNewTokens: 30}, {MaxNewTokens: 20}},
			"top k":      {{MaxNewTokens: 30, Sampling: &generate.Sampling{Temperature: 0.7, TopK: 5, TopP: 0.9, Seed: 1}}, {MaxNewTokens: 30}},
			"penalties":  {{MaxNewTokens: 14, RepetitionPenalty: 1.4}, {MaxNewTokens: 8, RepetitionPenalty: 2, Sampling: &generate.Sampling{Temperature: 2, TopK: 6}}},
			"a reward":   {{MaxNewTokens: 20, RepetitionPenalty: 0.8}},
			"an adapter": {{MaxNewTokens: 20}, {MaxNewTokens: 20}, {MaxNewTokens: 10}},
			"all of one": {{MaxNewTokens: 20, Sampling: &generate.Sampling{Temperature: 1, Seed: 1}}, {MaxNewTokens: 20}},
		} {
			source, err := m.Decoder(requests[:len(batch)])
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch {
				batch[i].StopIDs = []int{}
				requests[i].Settings = &batch[i]
			}
			var all []generate.Request
			for i := range batch {
				all = append(all, generate.Request{Prompt: source.requests[i].prompt, Settings: batch[i]})
			}
			want, err := generate.Collect(generate.Stream(t.Context(), m.Engine(), everyLogit{source}, all), len(all))
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Generate(t.Context(), requests[:len(batch)], generate.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if !slices.Equal(got[i].IDs, want[i].IDs) {
					t.Errorf("%s, %s, request %d: got %v, want %v", name, label, i, got[i].IDs, want[i].IDs)
				}
			}
		}
	}
}

// So do requests that join others, their first tokens among them, whatever the others and the pieces of prompts make the step compute.
func TestTheLargestLogitsGiveTheSameTokensInABatch(t *testing.T) {
	all := []generate.Settings{
		{}, {Sampling: &generate.Sampling{Temperature: 0.7, TopK: 5, Seed: 1}}, {RepetitionPenalty: 1.4}, {}, {Sampling: &generate.Sampling{Temperature: 1, Seed: 2}},
		{Beams: &generate.Beams{N: 2}}, {RepetitionPenalty: 1.2, Sampling: &generate.Sampling{Temperature: 3, TopK: 3, MinP: 0.01, Seed: 3}}, {}, {RepetitionPenalty: 0.8},
	}
	for name, m := range wideVocabularies(t) {
		adapted := []nn.Adapter{lowRankOf(t, m, m.net.output())}
		b := m.inPieces(3)
		var h heard
		var requests []Request
		some := 0 // steps that did not compute all logits
		for step := 0; len(requests) < 2*len(all) || b.Len() > 0; step++ {
			if i := len(requests); step%2 == 0 && i < 2*len(all) {
				s := all[i%len(all)]
				s.MaxNewTokens, s.StopIDs = 2+i%5, []int{}
				r := Request{InputIDs: cycle(1+i*5%13, 1+i), Settings: &s}
				if i%7 == 6 {
					r.Adapters = adapted
				}
				requests = append(requests, r)
				if _, err := b.Add(r, s); err != nil {
					t.Fatal(err)
				}
			}
			h.advance(t, b)
			if slices.Contains(b.joining.memory[:m.Vocabulary()], float32(math.Inf(-1))) {
				some++
			}
		}
		for i, r := range requests {
			source, err := m.Decoder([]Request{r})
			if err != nil {
				t.Fatal(err)
			}
			alone := []generate.Request{{Prompt: source.requests[0].prompt, Settings: *r.Settings}}
			want, err := generate.Collect(generate.Stream(t.Context(), m.Engine(), everyLogit{source}, alone), 1)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(h.results[i].IDs, want[0].IDs) {
				t.Errorf("%s, request %d, %+v: got %v, want %v", name, i, *r.Settings, h.results[i].IDs, want[0].IDs)
			}
		}
		if some < 10 {
			t.Errorf("%s: %d steps did not compute all logits, want at least 10", name, some)
		}
	}
}

// Where the largest logit is wanted, the decoder computes few others; after the prompts, where nobody has said so, all.
func TestDecoderComputesTheLargestLogits(t *testing.T) {
	for name, m := range wideVocabularies(t) {
		d, err := m.Decoder([]Request{{InputIDs: cycle(9, 3)}, {InputIDs: []int{12}}})
		if err != nil {
			t.Fatal(err)
		}
		logits, err := d.Start(t.Context())
		if slices.Contains(logits.Data, float32(math.Inf(-1))) {
			t.Errorf("%s: not all logits after the prompts are computed", name)
		}
		for range 5 {
			if err != nil {
				t.Fatal(err)
			}
			var rows []generate.Row
			for i := range 2 {
				rows = append(rows, generate.Row{Parent: i, Token: m.Engine().MaxIndex(logits.Row(i)), Largest: 1})
			}
			logits, err = d.Next(t.Context(), rows)
		}
		computed := 0
		for i := range 2 {
			for _, v := range logits.Row(i) {
				if !math.IsInf(float64(v), -1) {
					computed++
				}
			}
		}
		if computed == 0 || computed > m.Vocabulary() {
			t.Errorf("%s: %d of %d logits are computed", name, computed, 2*m.Vocabulary())
		}
	}
}

// lowRankOf returns an adapter that adds to the output of l.
func lowRankOf(t *testing.T, m *Model, l *nn.Linear) nn.Adapter {
	rnd := rand.New(rand.NewPCG(3, 4))
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
		}
		return x
	}
	e := m.Engine()
	low := nn.LowRank{A: mat.Pack(e, values(l.In*2), l.In, 2, 2), B: mat.Pack(e, values(2*l.Out), 2, l.Out, l.Out)}
	return adapter{delta: &nn.Delta{LowRank: map[*nn.Linear]nn.LowRank{l: low}}}
}
