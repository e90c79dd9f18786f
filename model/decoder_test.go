package model

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"weak"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// smallMistral has shared key heads and a window of 3 tokens.
func smallMistral(t testing.TB) *Model {
	const dim, inner, queries, keys, layers = 16, 24, 24, 8, 2
	s := tensors{}
	add := func(name string, shape ...int) {
		x := tensor(name+".weight", safetensors.F32, shape...)
		s[x.Name] = x
	}
	add("model.embed_tokens", 13, dim)
	add("lm_head", 13, dim)
	add("model.norm", dim)
	for i := range layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		add(p+"input_layernorm", dim)
		add(p+"post_attention_layernorm", dim)
		add(p+"self_attn.q_proj", queries, dim)
		add(p+"self_attn.k_proj", keys, dim)
		add(p+"self_attn.v_proj", keys, dim)
		add(p+"self_attn.o_proj", dim, queries)
		add(p+"mlp.gate_proj", inner, dim)
		add(p+"mlp.up_proj", inner, dim)
		add(p+"mlp.down_proj", dim, inner)
	}
	m, err := New([]byte(`{"model_type": "mistral", "vocab_size": 13, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
		"num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 4, "sliding_window": 3, "eos_token_id": 4}`), s, engine(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decodables returns a model of each kind.
func decodables(t testing.TB) map[string]*Model {
	t5 := func(name, scaled string) *Model {
		f := small.with("model_type", `"`+name+`"`, "scale_decoder_outputs", scaled, "decoder_start_token_id", "2", "eos_token_id", "[1, 7]")
		return f.open(t, engine(t))
	}
	return map[string]*Model{"t5": t5("t5", "true"), "umt5": t5("umt5", "false"), "mistral": smallMistral(t)}
}

// whole returns the sequence of a request with new tokens.
func (m *Model) whole(r Request, ids []int) Sequence {
	if m.architecture.EncoderLayers == 0 {
		return Sequence{InputIDs: slices.Concat(r.InputIDs, ids)}
	}
	return Sequence{InputIDs: r.InputIDs, DecoderInputIDs: slices.Concat([]int{m.StartID()}, ids)}
}

// TestDecoderHasTheBitsOfLogits lets sequences branch off, also amid drafts, change places and end as chance has it, and compares each step's logits with
// those of the whole sequences. Lengths go beyond where a cache grows.
func TestDecoderHasTheBitsOfLogits(t *testing.T) {
	requests := []Request{{InputIDs: cycle(9, 3)}, {InputIDs: []int{12}}, {InputIDs: cycle(61, 7)}}
	for name, m := range decodables(t) {
		random := rand.New(rand.NewPCG(1, 2))
		d, err := m.Decoder(requests)
		if err != nil {
			t.Fatal(err)
		}
		type path struct {
			request int
			ids     []int
		}
		var paths []path
		for i := range requests {
			paths = append(paths, path{request: i})
		}
		got, err := d.Start(t.Context())
		for n := range 60 {
			if err != nil {
				t.Fatal(err)
			}
			var all []Sequence
			for _, p := range paths {
				all = append(all, m.whole(requests[p.request], p.ids))
			}
			want, err2 := m.Logits(t.Context(), all)
			if err2 != nil {
				t.Fatal(err2)
			}
			for i := range paths {
				if !slices.Equal(got.Row(i), want.Of(i).Row(want.Layout.Len(i)-1)) {
					t.Fatalf("%s, step %d: sequence %d has other logits than without a cache", name, n, i)
				}
			}
			var rows []generate.Row
			var next []path
			for r := range requests {
				var mine []int
				for i, p := range paths {
					if p.request == r {
						mine = append(mine, i)
					}
				}
				if len(mine) == 0 || r == 1 && n == 30 {
					continue
				}
				for range 1 + random.IntN(3) {
					row := generate.Row{Parent: mine[random.IntN(len(mine))], Token: random.IntN(13)}
					next = append(next, path{r, append(slices.Clip(paths[row.Parent].ids), row.Token)})
					for range random.IntN(5) * random.IntN(2) {
						row.Draft = append(row.Draft, random.IntN(13))
						next = append(next, path{r, append(slices.Clip(next[len(next)-1].ids), row.Draft[len(row.Draft)-1])})
					}
					rows = append(rows, row)
				}
			}
			paths = next
			got, err = d.Next(t.Context(), rows)
		}
	}
}

// everyStrategy has a request of each strategy for each of the inputs.
func everyStrategy(inputs ...[]int) []Request {
	var requests []Request
	for i, ids := range inputs {
		for _, s := range []generate.Settings{
			{MaxNewTokens: 7, RepetitionPenalty: 1.3},
			{MaxNewTokens: 9, Beams: &generate.Beams{N: 3, LengthPenalty: 1}},
			{MaxNewTokens: 12, Sampling: &generate.Sampling{Temperature: 1, TopK: 5, Seed: uint64(i)}},
			{MaxNewTokens: 20, StopIDs: []int{}},
		} {
			requests = append(requests, Request{InputIDs: ids, Settings: &s})
		}
	}
	return requests
}

func TestGenerateAloneAsInABatch(t *testing.T) {
	requests := everyStrategy(cycle(9, 3), []int{12}, cycle(40, 7))
	for name, m := range decodables(t) {
		together, err := m.Generate(t.Context(), requests, generate.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range requests {
			alone, err := m.Generate(t.Context(), requests[i:i+1], generate.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(alone[0].IDs, together[i].IDs) || alone[0].Finish != together[i].Finish {
				t.Errorf("%s, request %d: alone %v, together %v", name, i, alone[0], together[i])
			}
		}
	}
}

// A greedy token is the largest logit's, and the model's stop ids are used unless a request has its own.
func TestGenerateIsGreedy(t *testing.T) {
	for name, m := range decodables(t) {
		request := Request{InputIDs: []int{5, 1}}
		ids := []int{}
		for len(ids) < 15 {
			last := logits(t, m, m.whole(request, ids))
			last = last[len(last)-13:]
			ids = append(ids, slices.Index(last, slices.Max(last)))
		}
		stopped := ids
		if n := slices.IndexFunc(ids, func(id int) bool { return slices.Contains(m.StopIDs(), id) }); n >= 0 {
			stopped = ids[:n+1]
		}
		own := generate.Greedy(15)
		own.StopIDs = []int{}
		got, err := m.Generate(t.Context(), []Request{request, {InputIDs: request.InputIDs, Settings: &own}}, generate.Greedy(15))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[0].IDs, stopped) || !slices.Equal(got[1].IDs, ids) {
			t.Errorf("%s: got %v and %v, want %v and %v", name, got[0].IDs, got[1].IDs, stopped, ids)
		}
	}
}

func TestGenerateErrors(t *testing.T) {
	m := small.with("decoder_start_token_id", "2").open(t, engine(t))
	failure := errors.New("no task 7")
	greedy := generate.Greedy(3)
	norm := m.Modules()[slices.IndexFunc(m.Modules(), func(m nn.Module) bool { return m.Path == "encoder.final_layer_norm" })].Layer
	copied := adapter{delta: &nn.Delta{Replaced: map[nn.Layer]nn.Layer{norm: norm}}}
	for _, c := range []struct {
		model    *Model
		request  Request
		settings generate.Settings
		want     string
	}{
		{m, Request{}, greedy, "model: request 1: input_ids: got no tokens, want at least one"},
		{m, Request{InputIDs: []int{3, 13}}, greedy, "model: request 1: input_ids[1]: got 13, want 0 ≤ id < 13"},
		{m, Request{InputIDs: []int{3}, Adapters: []nn.Adapter{adapter{err: failure}}}, greedy, "model: request 1: no task 7"},
		{m, Request{InputIDs: []int{3}, Settings: &generate.Settings{}}, greedy, "generate: request 1: max_new_tokens: got 0, want at least 1"},
		{m, Request{InputIDs: []int{3}, Adapters: []nn.Adapter{copied, copied}}, greedy,
			"model: request 1: nn: two of its adapters have a copy of the same module (modules_to_save); only one of them can be used"},
		{small.with("decoder_start_token_id", "13").open(t, engine(t)), Request{InputIDs: []int{3}}, greedy,
			"model: request 0: decoder_start_token_id: got 13, want 0 ≤ id < 13"},
		{small.open(t, engine(t)), Request{InputIDs: []int{3}}, greedy, "model: request 0: decoder_start_token_id: got -1, want 0 ≤ id < 13"},
	} {
		results, err := c.model.Generate(t.Context(), []Request{{InputIDs: []int{1}}, c.request}, c.settings)
		if err == nil || err.Error() != c.want || results != nil {
			t.Errorf("got %v, want %s", err, c.want)
		}
		e, ok := errors.AsType[*generate.RequestError](err)
		if !ok || fmt.Sprintf("request %d: %v", e.Request, e.Err) != c.want[strings.Index(c.want, "request"):] {
			t.Errorf("got %#v, want a RequestError", err)
			continue
		}
		if err := c.model.Validate(c.request, c.settings); err == nil || err.Error() != "model: "+e.Err.Error() {
			t.Errorf("Validate: got %v, want model: %v", err, e.Err)
		}
	}
	if err := m.Validate(Request{InputIDs: []int{3}}, greedy); err != nil {
		t.Error(err)
	}
}

// A request ends when its Done is closed; the others have the tokens that they have alone.
func TestGenerateWithoutACanceledRequest(t *testing.T) {
	for name, m := range decodables(t) {
		settings := generate.Settings{MaxNewTokens: 6, StopIDs: []int{}}
		done := make(chan struct{})
		requests := []Request{{InputIDs: []int{3, 5}, Done: done}, {InputIDs: cycle(20, 7)}}
		alone, err := m.Generate(t.Context(), requests[1:], settings)
		if err != nil {
			t.Fatal(err)
		}
		var results [2]generate.Result
		for v, err := range m.Stream(t.Context(), requests, settings) {
			if err != nil {
				t.Fatal(err)
			}
			r := &results[v.Request]
			r.IDs, r.Finish = append(r.IDs, v.IDs...), v.Finish
			if v.Request == 1 && len(r.IDs) == 2 {
				close(done)
			}
		}
		if r := results[0]; r.Finish != generate.Canceled || len(r.IDs) != 2 {
			t.Errorf("%s: got %v, want two tokens and canceled", name, r)
		}
		if !slices.Equal(results[1].IDs, alone[0].IDs) {
			t.Errorf("%s: got %v, want %v", name, results[1].IDs, alone[0].IDs)
		}
	}
}

func TestGenerateEndsWithTheContext(t *testing.T) {
	for name, m := range decodables(t) {
		// It is asked before every layer, at least.
		for n := 1; n < 12; n++ {
			_, err := m.Generate(&countdown{t.Context(), n}, everyStrategy([]int{1}), generate.Settings{})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s, cancelled at question %d: got %v", name, n, err)
			}
		}
	}
}

func TestGenerateOfManyGoroutines(t *testing.T) {
	m := smallMistral(t)
	requests := everyStrategy(cycle(9, 3), []int{12})
	want, err := m.Generate(t.Context(), requests, generate.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range requests {
		wg.Go(func() {
			got, err := m.Generate(t.Context(), requests[g:], generate.Settings{})
			if err != nil || !slices.EqualFunc(got, want[g:], func(a, b generate.Result) bool { return slices.Equal(a.IDs, b.IDs) }) {
				t.Errorf("goroutine %d: got %v, %v, want %v", g, got, err, want[g:])
			}
		})
	}
	wg.Wait()
}

func FuzzSpecial(f *testing.F) {
	f.Add(`{"eos_token_id": [1, 2]}`, `{"eos_token_id": 3, "pad_token_id": -1}`)
	f.Add(`{"decoder_start_token_id": 0}`, `{"pad_token_id": [[]]}`)
	f.Fuzz(func(t *testing.T, config, generation string) {
		_, err := readSpecial([]byte(config), fstest.MapFS{"generation_config.json": {Data: []byte(generation)}})
		if err != nil && !strings.HasPrefix(err.Error(), "model: ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSpecialTokens(t *testing.T) {
	for _, c := range []struct {
		config, generation string
		stop               []int
		start              int
	}{
		{"", "", nil, -1},
		{`"eos_token_id": 3, "pad_token_id": 5`, "", []int{3}, 5},
		{`"eos_token_id": [3, 4], "pad_token_id": 5, "decoder_start_token_id": 0`, "", []int{3, 4}, 0},
		{`"eos_token_id": 3, "decoder_start_token_id": 0`, `{"eos_token_id": [8], "decoder_start_token_id": 7}`, []int{8}, 7},
		{`"eos_token_id": 3, "decoder_start_token_id": 0`, `{"eos_token_id": null, "pad_token_id": 2}`, []int{3}, 0},
		{`"eos_token_id": null`, `{"pad_token_id": 2}`, nil, 2},
		{`"pad_token_id": 3`, `{"pad_token_id": -5}`, nil, -1},
		{`"bos_token_id": 4, "pad_token_id": 0`, "", nil, 4},
		{`"bos_token_id": 4, "decoder_start_token_id": 0`, `{"bos_token_id": 6}`, nil, 0},
		{`"eos_token_id": [12, 13, 3, 32000]`, "", []int{12, 3}, -1}, // of 13
		{`"eos_token_id": [3, -1, 4]`, "", []int{3, 4}, -1},
		{`"eos_token_id": 0`, "", []int{0}, -1},
		{`"eos_token_id": 3`, `{"eos_token_id": -1}`, nil, -1}, // none
	} {
		f := folder(t)
		text := strings.Replace(string(small.text()), "}", ", "+c.config+"}", 1)
		f["config.json"].Data = []byte(strings.Replace(text, ", }", "}", 1))
		delete(f, "generation_config.json")
		if c.generation != "" {
			f["generation_config.json"] = &fstest.MapFile{Data: []byte(c.generation)}
		}
		m, err := OpenFS(f, engine(t))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.StopIDs(), c.stop) || m.StartID() != c.start {
			t.Errorf("%s and %s: got %v and %d, want %v and %d", c.config, c.generation, m.StopIDs(), m.StartID(), c.stop, c.start)
		}
	}
	for _, c := range []struct{ generation, want string }{
		{`{"eos_token_id": "</s>"}`, `generation_config.json: field eos_token_id: got "</s>", want a token id or a list of them`},
		{`{"eos_token_id": []}`, "field eos_token_id: got [], want"},
		{`{"eos_token_id": [1, null]}`, "field eos_token_id: got [1, null], want"},
		{`{"pad_token_id": "b", "decoder_start_token_id": "a"}`, `field decoder_start_token_id: got "a", want`},
		{`[]`, "generation_config.json: not a JSON object"},
	} {
		f := folder(t)
		f["generation_config.json"] = &fstest.MapFile{Data: []byte(c.generation)}
		if _, err := OpenFS(f, engine(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	// What generation_config.json says does not make config.json right.
	wrong := small.with("eos_token_id", `"</s>"`)
	const want = `model: config.json: field eos_token_id: got "</s>", want a token id or a list of them`
	fails(t, wrong.text(), small.source(f32), want)
	f := folder(t)
	f["config.json"].Data = wrong.text()
	f["generation_config.json"] = &fstest.MapFile{Data: []byte(`{"eos_token_id": 3}`)}
	if _, err := OpenFS(f, engine(t)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFinishedSequencesAreForgotten checks that nothing holds the keys and values of a sequence that does not go on.
func TestFinishedSequencesAreForgotten(t *testing.T) {
	for name, m := range decodables(t) {
		d, err := m.Decoder([]Request{{InputIDs: []int{3, 5}}, {InputIDs: []int{4}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		finished := weak.Make(d.sequences[1].cache)
		if _, err := d.Next(t.Context(), []generate.Row{{Parent: 0, Token: 1}}); err != nil {
			t.Fatal(err)
		}
		if runtime.GC(); finished.Value() != nil {
			t.Errorf("%s: they are held", name)
		}
		runtime.KeepAlive(d)
	}
}

// TestDecodeNothing decodes no sequences.
func TestDecodeNothing(t *testing.T) {
	for name, m := range decodables(t) {
		d, err := m.Decoder(nil)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := d.Start(t.Context()); err != nil || x.Rows != 0 || x.Cols != m.Vocabulary() {
			t.Errorf("%s: got %s, %v", name, x.Shape(), err)
		}
	}
}
