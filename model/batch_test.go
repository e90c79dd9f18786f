package model

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// inPieces returns an empty batch whose steps compute at most so many tokens of prompts, whether or not others wait.
func (m *Model) inPieces(tokens int) *Batch {
	b := m.NewBatch()
	b.joining.piece, b.joining.alone = tokens, tokens
	return b
}

// heard is what a batch has told of each request.
type heard struct {
	results []generate.Result
	first   []int // the step of the first token
	step    int
}

// advance does a step.
func (h *heard) advance(t *testing.T, b *Batch) {
	t.Helper()
	h.step++
	for v, err := range b.Step(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		h.hear(t, v)
	}
}

func (h *heard) hear(t *testing.T, v generate.Event) {
	t.Helper()
	for v.Request >= len(h.results) {
		h.results, h.first = append(h.results, generate.Result{}), append(h.first, 0)
	}
	r := &h.results[v.Request]
	if r.Finish != generate.Running {
		t.Errorf("got %v of a finished request", v)
	}
	if len(r.IDs) == 0 && len(v.IDs) > 0 {
		h.first[v.Request] = h.step
	}
	r.IDs, r.Finish = append(r.IDs, v.IDs...), v.Finish
}

// lowRank returns an adapter that adds thin products of random numbers to some of m's linear layers.
func lowRank(m *Model, seed uint64) nn.Adapter {
	random := rand.New(rand.NewPCG(seed, 0))
	pack := func(rows, cols int) *mat.Packed {
		x := make([]float32, rows*cols)
		for i := range x {
			x[i] = float32(random.NormFloat64() / 4)
		}
		return mat.Pack(m.engine, x, rows, cols, cols)
	}
	d := &nn.Delta{LowRank: map[*nn.Linear]nn.LowRank{}}
	for _, module := range m.Modules() {
		if l, ok := module.Layer.(*nn.Linear); ok && random.IntN(2) == 0 {
			d.LowRank[l] = nn.LowRank{A: pack(l.In, 2), B: pack(2, l.Out)}
		}
	}
	return adapter{delta: d}
}

// Requests that join when chance has it, of all kinds, have the tokens that they have alone, however prompts are cut.
func TestBatchHasTheTokensOfGenerate(t *testing.T) {
	for name, m := range decodables(t) {
		for seed, piece := range []int{1, 3, 7, pieceTokens, pieceTokens, pieceTokens} {
			random := rand.New(rand.NewPCG(5, uint64(seed)))
			adapters := [][]nn.Adapter{nil, {lowRank(m, 1)}, {lowRank(m, 2)}}
			b := m.inPieces(piece)
			b.SetPrefixCache([]int{0, 30_000, 1 << 30}[seed%3])
			var requests []Request
			var h heard
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
				r := Request{InputIDs: cycle(1+random.IntN(40), 1+random.IntN(12)), Adapters: adapters[random.IntN(3)], Settings: &s}
				n, err := b.Add(r, generate.Greedy(1))
				if err != nil || n != len(requests) {
					t.Fatalf("%s: got request %d, %v", name, n, err)
				}
				requests = append(requests, r)
			}
			for step := 0; step < 60 || b.Len() > 0; step++ {
				for step < 60 && random.IntN(2) == 0 {
					add()
				}
				if seed%2 == 1 && step < 60 && step%15 == 0 {
					for range 8 { // at once
						add()
					}
				}
				for v, err := range b.Step(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					h.hear(t, v)
					if step < 60 && random.IntN(20) == 0 {
						add() // in the midst of it
					}
				}
				if n := len(b.joining.requests); n > 40 {
					t.Fatalf("%s: keeps %d requests", name, n)
				}
				for _, s := range b.joining.sequences {
					if slices.ContainsFunc(b.joining.prefixes.kept, func(x prefix) bool { return x.cache == s.cache }) {
						t.Fatalf("%s: keeps a prefix that a sequence goes on from", name)
					}
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
				if got, want := h.results[i], alone[0]; !slices.Equal(got.IDs, want.IDs) || got.Finish != want.Finish {
					t.Errorf("%s, pieces of %d: request %d (%+v): got %v, alone %v", name, piece, i, *r.Settings, got, want)
				}
			}
		}
	}
}

// The logits after a prompt, wherever it is cut, and after a sequence that goes on meanwhile are those of the whole sequences.
func TestJoiningHasTheBitsOfLogits(t *testing.T) {
	for name, m := range decodables(t) {
		running, request := Request{InputIDs: cycle(7, 3)}, Request{InputIDs: cycle(40, 5), Adapters: []nn.Adapter{lowRank(m, 3)}}
		for piece := 1; piece <= 41; piece++ {
			j := m.inPieces(piece).joining
			wait := func(number int, r Request) {
				accepted, err := m.accept(r)
				if err != nil {
					t.Fatal(err)
				}
				accepted.more = 5
				j.wait(number, accepted)
			}
			join := func(rows []generate.Row, waiting ...int) mat.Matrix {
				x, _, err := j.Join(t.Context(), rows, waiting)
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
			check := func(last []float32, r Request, ids []int) {
				t.Helper()
				s := m.whole(r, ids)
				s.Adapters = r.Adapters
				whole := logits(t, m, s)
				if !slices.Equal(last, whole[len(whole)-len(last):]) {
					t.Fatalf("%s, pieces of %d: after %d tokens other logits than without a cache", name, piece, len(ids))
				}
			}
			wait(0, running)
			got := join(nil, 0)
			for got.Rows == 0 {
				got = join(nil, 0)
			}
			check(got.Row(0), running, nil)
			wait(1, request)
			ids := []int{}
			for got.Rows == 1 {
				ids = append(ids, len(ids)%13)
				got = join([]generate.Row{{Token: ids[len(ids)-1]}}, 1)
				check(got.Row(0), running, ids)
			}
			check(got.Row(1), request, nil)
			got = join([]generate.Row{{Parent: 1, Token: 4}})
			check(got.Row(0), request, []int{4})
		}
	}
}

// endless has a token at every step.
var endless = generate.Settings{MaxNewTokens: 1 << 20, StopIDs: []int{}, NoDrafts: true}

// add adds a request with nothing but a prompt, and returns its number.
func (b *Batch) add(t *testing.T, ids []int, s generate.Settings) int {
	t.Helper()
	n, err := b.Add(Request{InputIDs: ids}, s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// beginning returns n ids that begin with first.
func beginning(first, n int) []int {
	ids := cycle(n, 5)
	ids[0] = first
	return ids
}

// Of prompts so many tokens are computed a step, half of them of the one that has waited for longest and the others of those of which the least is left, and
// those under way have a token at every step.
func TestBatchComputesPromptsInPieces(t *testing.T) {
	m := smallMistral(t)
	lengths := []int{20, 1, 3, 9}
	for piece, first := range map[int][]int{ // steps
		1:  {20, 21, 24, 33},
		2:  {17, 1, 4, 13},
		3:  {9, 1, 4, 11},
		4:  {9, 1, 2, 7},
		10: {4, 1, 1, 3},
		33: {1, 1, 1, 1},
	} {
		b := m.inPieces(piece)
		var h heard
		for i := range 2 {
			b.add(t, []int{i}, endless)
		}
		for len(h.results) < 2 {
			h.advance(t, b)
		}
		h = heard{}
		left := 0
		for i, n := range lengths {
			b.add(t, beginning(2+i, n), endless)
			left += n
		}
		for len(h.results) < 6 || slices.Contains(h.first[2:], 0) {
			h.advance(t, b)
			if got, want := len(b.joining.step.ids)-h.running(h.step-1), min(piece, left); got != want {
				t.Errorf("pieces of %d: got %d tokens of prompts in step %d, want %d", piece, got, h.step, want)
			}
			left -= min(piece, left)
		}
		if got := h.first[2:]; !slices.Equal(got, first) {
			t.Errorf("pieces of %d: got the first tokens in steps %d, want %d", piece, got, first)
		}
		for i, r := range h.results {
			if got, want := len(r.IDs), h.step-h.first[i]+1; got != want {
				t.Errorf("pieces of %d: got %d tokens of request %d, want %d", piece, got, i, want)
			}
		}
	}
}

// running returns how many requests, two of them from before, had a token up to a step.
func (h *heard) running(step int) int {
	n := 2
	for _, first := range h.first[2:] {
		if first > 0 && first <= step {
			n++
		}
	}
	return n
}

// Where nobody waits for a next token, 512 tokens of prompts are computed at once; short ones are together in any case. An encoder's input is never cut.
func TestBatchComputesPromptsTogether(t *testing.T) {
	for name, m := range decodables(t) {
		for _, c := range []struct {
			lengths []int
			running bool
			first   []int // steps
			llama   []int // steps of a decoder alone; nil: the same
		}{
			{[]int{300}, false, []int{1}, nil},
			{[]int{300, 2}, false, []int{1, 1}, nil},
			{[]int{800}, false, []int{1}, []int{2}},
			{[]int{600, 3}, false, []int{1, 1}, []int{3, 1}},
			{[]int{300}, true, []int{1}, []int{7}},
			{[]int{12, 12, 24}, true, []int{1, 1, 1}, nil},
			{[]int{24, 23, 23}, true, []int{1, 1, 1}, []int{1, 1, 2}},
			{[]int{30, 23, 23}, true, []int{1, 1, 1}, []int{1, 2, 2}},
			{[]int{12, 12, 24, 1}, true, []int{1, 1, 1, 1}, []int{1, 1, 2, 1}},
			{[]int{49, 1, 47, 1}, true, []int{1, 1, 2, 1}, []int{2, 1, 3, 1}},
		} {
			b := m.NewBatch()
			h, others := heard{}, 0
			if c.running {
				b.add(t, []int{1}, endless)
				h.advance(t, b)
				others = 1
			}
			h.step = 0
			for i, n := range c.lengths {
				b.add(t, beginning(2+i, n), endless)
			}
			for len(h.results) < others+len(c.lengths) || slices.Contains(h.first[others:], 0) {
				h.advance(t, b)
			}
			want := c.first
			if m.architecture.EncoderLayers == 0 && c.llama != nil {
				want = c.llama
			}
			if got := h.first[others:]; !slices.Equal(got, want) {
				t.Errorf("%s, prompts of %d, others under way %t: got first tokens in steps %d, want %d", name, c.lengths, c.running, got, want)
			}
		}
	}
}

// A request can be canceled before its prompt, amid it, at its end and later: it leaves, and the others have the tokens that they have alone.
func TestBatchWithoutACanceledRequest(t *testing.T) {
	for name, m := range decodables(t) {
		settings := generate.Settings{MaxNewTokens: 12, StopIDs: []int{}, NoDrafts: true}
		inputs := [][]int{cycle(6, 5), cycle(21, 3), cycle(9, 2)} // the second is canceled
		alone, err := m.Generate(t.Context(), []Request{{InputIDs: inputs[0]}, {InputIDs: inputs[2]}}, settings)
		if err != nil {
			t.Fatal(err)
		}
		for last := range 12 {
			b := m.inPieces(5)
			done := make(chan struct{})
			var h heard
			b.add(t, inputs[0], settings)
			h.advance(t, b)
			if _, err := b.Add(Request{InputIDs: inputs[1], Done: done}, settings); err != nil {
				t.Fatal(err)
			}
			b.add(t, inputs[2], settings)
			had := 0
			for b.Len() > 0 {
				if h.step == 1+last {
					close(done)
					if len(h.results) > 1 {
						had = len(h.results[1].IDs)
					}
				}
				h.advance(t, b)
			}
			if r := h.results[1]; r.Finish != generate.Canceled || len(r.IDs) != had {
				t.Errorf("%s, after %d steps: got %v, want %d tokens and canceled", name, last, r, had)
			}
			for i, want := range map[int]generate.Result{0: alone[0], 2: alone[1]} {
				if got := h.results[i]; !slices.Equal(got.IDs, want.IDs) || got.Finish != want.Finish {
					t.Errorf("%s, canceled after %d steps: request %d: got %v, alone %v", name, last, i, got, want)
				}
			}
		}
	}
}

// What cannot be added changes nothing.
func TestBatchRefuses(t *testing.T) {
	for name, m := range decodables(t) {
		settings := generate.Settings{MaxNewTokens: 8, StopIDs: []int{}}
		ids := cycle(11, 5)
		alone, err := m.Generate(t.Context(), []Request{{InputIDs: ids}}, settings)
		if err != nil {
			t.Fatal(err)
		}
		b := m.inPieces(3)
		for range b.Step(t.Context()) {
			t.Errorf("%s: got an event of nothing", name)
		}
		b.add(t, ids, settings)
		var h heard
		for b.Len() > 0 {
			for _, c := range []struct {
				request  Request
				settings generate.Settings
				want     string
			}{
				{Request{}, settings, "model: input_ids: got no tokens, want at least one"},
				{Request{InputIDs: []int{13}}, settings, "model: input_ids[0]: got 13, want 0 ≤ id < 13"},
				{Request{InputIDs: []int{3}}, generate.Settings{}, "model: max_new_tokens: got 0, want at least 1"},
				{Request{InputIDs: []int{3}, Adapters: []nn.Adapter{adapter{err: errors.New("no task 7")}}}, settings, "model: no task 7"},
				{Request{InputIDs: []int{3}, Adapters: []nn.Adapter{lowRank(m, 1), nil}}, settings, "model: adapter 1: got nil"},
				{Request{InputIDs: []int{3}, Adapters: []nn.Adapter{adapter{}}}, settings, "model: adapter 0: its Delta is nil"},
			} {
				if _, err := b.Add(c.request, c.settings); err == nil || err.Error() != c.want {
					t.Errorf("%s: got %v, want %s", name, err, c.want)
				}
			}
			h.advance(t, b)
		}
		if got, want := h.results[0], alone[0]; len(h.results) != 1 || !slices.Equal(got.IDs, want.IDs) || got.Finish != want.Finish {
			t.Errorf("%s: got %v, alone %v", name, h.results, want)
		}
	}
}

// A request whose adapter has broken numbers ends with an error, and the others go on.
func TestBatchWithoutAFailedRequest(t *testing.T) {
	for name, m := range decodables(t) {
		broken := &nn.Delta{LowRank: map[*nn.Linear]nn.LowRank{}}
		for _, module := range m.Modules() {
			if l, ok := module.Layer.(*nn.Linear); ok {
				x := make([]float32, max(l.In, l.Out))
				for i := range x {
					x[i] = float32(math.NaN())
				}
				broken.LowRank[l] = nn.LowRank{A: mat.Pack(m.engine, x, l.In, 1, 1), B: mat.Pack(m.engine, x, 1, l.Out, l.Out)}
			}
		}
		settings := generate.Settings{MaxNewTokens: 8, StopIDs: []int{}}
		inputs := [][]int{cycle(6, 5), cycle(21, 3), cycle(9, 2)}
		alone, err := m.Generate(t.Context(), []Request{{InputIDs: inputs[0]}, {InputIDs: inputs[2]}}, settings)
		if err != nil {
			t.Fatal(err)
		}
		b := m.inPieces(5)
		b.add(t, inputs[0], settings)
		if _, err := b.Add(Request{InputIDs: inputs[1], Adapters: []nn.Adapter{adapter{delta: broken}}}, settings); err != nil {
			t.Fatal(err)
		}
		b.add(t, inputs[2], settings)
		var h heard
		var failed []error
		for b.Len() > 0 {
			for v, err := range b.Step(t.Context()) {
				if err != nil {
					failed = append(failed, err)
					continue
				}
				h.hear(t, v)
			}
		}
		if e, ok := errors.AsType[*generate.RequestError](errors.Join(failed...)); len(failed) != 1 || !ok || e.Request != 1 {
			t.Errorf("%s: got errors %v, want one of request 1", name, failed)
		}
		for i, want := range map[int]generate.Result{0: alone[0], 2: alone[1]} {
			if got := h.results[i]; !slices.Equal(got.IDs, want.IDs) || got.Finish != want.Finish {
				t.Errorf("%s: request %d: got %v, alone %v", name, i, got, want)
			}
		}
	}
}

// A step ends with its context, whatever it computes.
func TestBatchStepEndsWithTheContext(t *testing.T) {
	for name, m := range decodables(t) {
		for n := 1; n < 5; n++ {
			b := m.inPieces(5)
			b.add(t, []int{1}, endless)
			new(heard).advance(t, b)
			b.add(t, cycle(20, 3), endless)
			canceled := false
			for v, err := range b.Step(&countdown{t.Context(), n}) {
				if canceled = errors.Is(err, context.Canceled); !canceled {
					t.Errorf("%s, question %d: got %v, %v, want %v", name, n, v, err, context.Canceled)
				}
			}
			if !canceled {
				t.Errorf("%s, question %d: got no error", name, n)
			}
			// What a step has left that began is of no use. Question 1 comes before the step.
			if _, err := b.Add(Request{InputIDs: []int{1}}, endless); errors.Is(err, context.Canceled) != (n > 1) {
				t.Errorf("%s, question %d: got %v of Add after it", name, n, err)
			}
			for v, err := range b.Step(t.Context()) {
				if errors.Is(err, context.Canceled) != (n > 1) {
					t.Errorf("%s, question %d: got %v, %v of the next step", name, n, v, err)
				}
			}
		}
	}
}

// A batch that has nothing to do holds no keys and values.
func TestEmptyBatchForgets(t *testing.T) {
	for name, m := range decodables(t) {
		for _, tokens := range []int{1, 3} {
			b := m.inPieces(5)
			done := make(chan struct{})
			b.add(t, cycle(7, 3), generate.Settings{MaxNewTokens: tokens, StopIDs: []int{}})
			if _, err := b.Add(Request{InputIDs: cycle(30, 3), Done: done}, endless); err != nil {
				t.Fatal(err)
			}
			var caches []weak.Pointer[cache]
			for _, p := range b.joining.waiting {
				caches = append(caches, weak.Make(p.cache))
			}
			var h heard
			for range 4 {
				h.advance(t, b)
			}
			close(done)
			h.advance(t, b)
			if b.Len() != 0 {
				t.Fatalf("%s: got %d requests, want none", name, b.Len())
			}
			runtime.GC()
			for i, c := range caches {
				if c.Value() != nil {
					t.Errorf("%s: those of request %d are held", name, i)
				}
			}
			runtime.KeepAlive(b)
		}
	}
}

// Nothing holds the keys and values of a prompt that is not computed further.
func TestCanceledPromptsAreForgotten(t *testing.T) {
	m := smallMistral(t)
	b := m.inPieces(5)
	b.add(t, []int{1}, endless)
	done := make(chan struct{})
	if _, err := b.Add(Request{InputIDs: cycle(30, 3), Done: done}, endless); err != nil {
		t.Fatal(err)
	}
	var h heard
	for range 3 {
		h.advance(t, b)
	}
	canceled := weak.Make(b.joining.waiting[0].cache)
	close(done)
	h.advance(t, b)
	if runtime.GC(); canceled.Value() != nil {
		t.Error("they are held")
	}
	runtime.KeepAlive(b)
}
