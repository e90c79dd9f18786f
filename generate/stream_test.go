package generate

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// scripted gives every request its own list of next tokens, and remembers how many rows each call had.
type scripted struct {
	tokens [][]int // -1: none of the logits is a number
	rows   []int   // requests of the rows
	at     int
	calls  []int
	fail   error
}

func (s *scripted) Vocabulary() int { return 30 }

func (s *scripted) Start(context.Context) (mat.Matrix, error) {
	for i := range s.tokens {
		s.rows = append(s.rows, i)
	}
	return s.compute()
}

func (s *scripted) Next(_ context.Context, rows []Row) (mat.Matrix, error) {
	var next []int
	for _, r := range rows {
		next = append(next, s.rows[r.Parent])
	}
	s.rows = next
	return s.compute()
}

func (s *scripted) compute() (mat.Matrix, error) {
	m := mat.New(len(s.rows), s.Vocabulary())
	for i, r := range s.rows {
		if token := s.tokens[r][s.at]; token >= 0 {
			m.Row(i)[token] = 1
			continue
		}
		for j := range m.Row(i) {
			m.Row(i)[j] = float32(math.NaN())
		}
	}
	s.at++
	s.calls = append(s.calls, len(s.rows))
	return m, s.fail
}

// letters writes token 0 as a, 1 as b and so on.
func letters(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteByte(byte('a' + id))
	}
	return b.String()
}

// A request ends at its own stop token, stop string or length, and is then left out.
func TestStops(t *testing.T) {
	e := engine(t)
	source := &scripted{tokens: [][]int{{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {5, 5, 5, 5, 5}, {1, 2, 3, 4, 5}}}
	requests := []Request{
		{Settings: Greedy(5)},
		{Settings: Settings{MaxNewTokens: 5, StopIDs: []int{9, 3}}},
		{Settings: Settings{MaxNewTokens: 5, StopStrings: []string{"x", "cd"}, Text: letters}},
		{Settings: Settings{MaxNewTokens: 1, StopIDs: []int{9}}},
		{Settings: Settings{MaxNewTokens: 5, StopIDs: []int{5}}},
	}
	got, err := Collect(Stream(t.Context(), e, source, requests), len(requests))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Result{
		{[]int{1, 2, 3, 4, 5}, Length}, {[]int{1, 2, 3}, Stopped}, {[]int{1, 2, 3}, Stopped}, {[]int{5}, Length}, {[]int{1, 2, 3, 4, 5}, Stopped},
	} {
		if !slices.Equal(got[i].IDs, want.IDs) || got[i].Finish != want.Finish {
			t.Errorf("request %d: got %v (%v), want %v (%v)", i, got[i].IDs, got[i].Finish, want.IDs, want.Finish)
		}
	}
	if want := []int{5, 4, 4, 2, 2}; !slices.Equal(source.calls, want) {
		t.Errorf("rows of each step: got %v, want %v", source.calls, want)
	}
}

// A stop string ends a beam as a stop token does.
func TestBeamsStopAtStrings(t *testing.T) {
	e := engine(t)
	for seed := range uint64(40) {
		run := func(s Settings) []int {
			s.MaxNewTokens, s.Beams = 12, &Beams{N: 3, LengthPenalty: 1}
			source := &hashSource{vocabulary: 20}
			source.add(seed, []int{4}, []int{1, 2})
			r, err := Collect(Stream(t.Context(), e, source, []Request{{Settings: s}}), 1)
			if err != nil {
				t.Fatal(err)
			}
			return r[0].IDs
		}
		byID := run(Settings{StopIDs: []int{4}})
		byText := run(Settings{StopStrings: []string{"e"}, Text: letters})
		if !slices.Equal(byID, byText) {
			t.Errorf("seed %d: by id %v, by text %v", seed, byID, byText)
		}
	}
}

// Tokens come as they are chosen; leaving the loop ends the work.
func TestStreamInSteps(t *testing.T) {
	source := &scripted{tokens: [][]int{{1, 2, 3, 4}, {4, 3, 2, 1}}}
	var got []int
	for v, err := range Stream(t.Context(), engine(t), source, []Request{{Settings: Greedy(4)}, {Settings: Greedy(2)}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v.Request, v.IDs[0], int(v.Finish))
		if v.IDs[0] == 3 && v.Request == 0 {
			break
		}
	}
	if want := []int{0, 1, 0, 1, 4, 0, 0, 2, 0, 1, 3, int(Length), 0, 3, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(source.calls) != 3 {
		t.Errorf("got %d steps, want 3", len(source.calls))
	}
	if got, err := Collect(Stream(t.Context(), engine(t), source, nil), 0); err != nil || len(got) != 0 || len(source.calls) != 3 {
		t.Errorf("without requests: got %v, %v and %d steps more, want nothing", got, err, len(source.calls)-3)
	}
}

// A request's random choices depend on its seed only: not on the batch, the kernels or the architecture.
func TestSamplingAloneAndTogether(t *testing.T) {
	var first [][]int
	for _, level := range mat.Levels() {
		e, err := mat.NewEngine(mat.Options{Level: level})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		together := &hashSource{vocabulary: 300}
		var requests []Request
		var alone [][]int
		for i := range 6 {
			s := Settings{MaxNewTokens: 20, Sampling: &Sampling{Temperature: 0.9, TopK: i * 10, TopP: 0.9, MinP: 0.01, Seed: uint64(i)}}
			together.add(uint64(i), nil, []int{i})
			requests = append(requests, Request{Prompt: []int{i}, Settings: s})
			source := &hashSource{vocabulary: 300}
			source.add(uint64(i), nil, []int{i})
			r, err := Collect(Stream(t.Context(), e, source, requests[i:]), 1)
			if err != nil {
				t.Fatal(err)
			}
			alone = append(alone, r[0].IDs)
		}
		got, err := Collect(Stream(t.Context(), e, together, requests), len(requests))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if !slices.Equal(got[i].IDs, alone[i]) {
				t.Errorf("%s: request %d: together %v, alone %v", level, i, got[i].IDs, alone[i])
			}
		}
		if first == nil {
			first = alone
		}
		if !slices.EqualFunc(first, alone, slices.Equal) {
			t.Errorf("%s: other tokens than %s", level, mat.Levels()[0])
		}
		recorded := []int{203, 273, 202, 68, 223, 24, 192, 74, 263, 186, 249, 143, 289, 253, 227, 56, 222, 85, 150, 268}
		if !slices.Equal(alone[3], recorded) {
			t.Errorf("%s: got %v, want %v as recorded", level, alone[3], recorded)
		}
	}
}

// A request whose Done is closed ends before its next token, and the others go on.
func TestCanceledRequest(t *testing.T) {
	e := engine(t)
	for _, s := range []Settings{Greedy(4), {MaxNewTokens: 4, Beams: &Beams{N: 2}}} {
		done := make(chan struct{})
		source := &scripted{tokens: [][]int{{1, 2, 3, 4}, {4, 3, 2, 1}, {5, 6, 7, 8}}}
		requests := []Request{{Settings: Greedy(4)}, {Settings: s, Done: done}, {Settings: Greedy(4)}}
		var results [3]Result
		for v, err := range Stream(t.Context(), e, source, requests) {
			if err != nil {
				t.Fatal(err)
			}
			r := &results[v.Request]
			if r.Finish != Running {
				t.Errorf("got %+v after the request's end", v)
			}
			r.IDs, r.Finish = append(r.IDs, v.IDs...), v.Finish
			if v.Request == 2 && len(r.IDs) == 2 {
				close(done)
			}
		}
		canceled := []int{4, 3}
		if s.Beams != nil {
			canceled = nil
		}
		for i, want := range []Result{{[]int{1, 2, 3, 4}, Length}, {canceled, Canceled}, {[]int{5, 6, 7, 8}, Length}} {
			if !slices.Equal(results[i].IDs, want.IDs) || results[i].Finish != want.Finish {
				t.Errorf("request %d: got %v, want %v", i, results[i], want)
			}
		}
		if want := []int{3, 3, 3, 2}; s.Beams == nil && !slices.Equal(source.calls, want) {
			t.Errorf("rows of each step: got %v, want %v", source.calls, want)
		}
	}
	// The only one, and one that its consumer leaves.
	done := make(chan struct{})
	close(done)
	source := &scripted{tokens: [][]int{{1, 2}, {1, 2}}}
	got, err := Collect(Stream(t.Context(), e, source, []Request{{Settings: Greedy(2), Done: done}}), 1)
	if err != nil || got[0].Finish != Canceled || len(source.calls) != 1 {
		t.Errorf("got %v, %v, %d steps", got, err, len(source.calls))
	}
	source = &scripted{tokens: source.tokens}
	for v, err := range Stream(t.Context(), e, source, []Request{{Settings: Greedy(2)}, {Settings: Greedy(2), Done: done}, {Settings: Greedy(2)}}) {
		if err != nil {
			t.Errorf("got %v, %v", v, err)
		}
		if v.Finish == Canceled {
			break
		}
	}
	if len(source.calls) != 1 {
		t.Errorf("got %d steps, want one", len(source.calls))
	}
}

func TestErrors(t *testing.T) {
	e := engine(t)
	failure := errors.New("out of paper")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name   string
		ctx    context.Context
		source *scripted
		want   string
		is     error
	}{
		{"canceled", canceled, &scripted{}, "canceled", context.Canceled},
		{"source", t.Context(), &scripted{fail: failure}, "paper", failure},
		{"no number", t.Context(), &scripted{tokens: [][]int{{-1}}}, "request 0: got logits", errNoToken},
	} {
		if test.source.tokens == nil {
			test.source.tokens = [][]int{{1, 2, 3}}
		}
		for _, s := range []Settings{Greedy(3), {MaxNewTokens: 3, Beams: &Beams{N: 2}}, {MaxNewTokens: 3, Sampling: &Sampling{Temperature: 1}}} {
			test.source.rows, test.source.at = nil, 0
			_, err := Collect(Stream(test.ctx, e, test.source, []Request{{Settings: s}}), 1)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v", test.name, err)
			}
			if test.ctx == canceled && len(test.source.calls) > 0 {
				t.Errorf("%s: got %d steps, want none", test.name, len(test.source.calls))
			}
		}
	}
	// Canceled between two tokens.
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := 0
	for _, err := range Stream(ctx, e, &scripted{tokens: [][]int{{1, 2, 3}}}, []Request{{Settings: Greedy(3)}}) {
		if n++; n == 2 {
			stop()
		}
		if n == 3 && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v after the second token", err)
		}
	}
	if n != 3 {
		t.Errorf("got %d events, want two tokens and an error", n)
	}
}

func TestSettingsErrors(t *testing.T) {
	sampling := func(p Sampling) Settings { return Settings{MaxNewTokens: 1, Sampling: &p} }
	beams := func(b Beams) Settings { return Settings{MaxNewTokens: 100, Beams: &b} }
	nan := math.NaN()
	for _, test := range []struct {
		settings Settings
		want     string
	}{
		{Greedy(0), "max_new_tokens: got 0"},
		{Settings{MaxNewTokens: 1, StopIDs: []int{1, 30}}, "stop id: got 30, want 0 ≤ id < 30"},
		{Settings{MaxNewTokens: 1, StopIDs: []int{-1}}, "stop id: got -1"},
		{Settings{MaxNewTokens: 1, StopStrings: []string{"a"}}, "function"},
		{Settings{MaxNewTokens: 1, StopStrings: []string{"a", ""}, Text: letters}, "empty"},
		{Settings{MaxNewTokens: 1, RepetitionPenalty: -1}, "repetition_penalty: got -1"},
		{Settings{MaxNewTokens: 1, RepetitionPenalty: nan}, "repetition_penalty: got NaN"},
		{Settings{MaxNewTokens: 1, RepetitionPenalty: 1e-60}, "repetition_penalty: got 1e-60"},
		{Settings{MaxNewTokens: 1, RepetitionPenalty: 1e60}, "repetition_penalty: got 1e+60"},
		{Settings{MaxNewTokens: 1, Beams: &Beams{N: 1}, Sampling: &Sampling{Temperature: 1}}, "both"},
		{beams(Beams{}), "num_beams: got 0"},
		{beams(Beams{N: 1, LengthPenalty: nan}), "length_penalty: got NaN"},
		{beams(Beams{N: 1, LengthPenalty: -40}), "length_penalty: got -40"},
		{beams(Beams{N: 1, EarlyStopping: -1}), "early_stopping: got -1"},
		{beams(Beams{N: 1, EarlyStopping: 3}), "early_stopping: got 3"},
		{sampling(Sampling{}), "temperature: got 0"},
		{sampling(Sampling{Temperature: nan}), "temperature: got NaN"},
		{sampling(Sampling{Temperature: 1e-60}), "temperature: got 1e-60"},
		{sampling(Sampling{Temperature: 1, TopK: -1}), "top_k: got -1"},
		{sampling(Sampling{Temperature: 1, TopP: 1.5}), "top_p: got 1.5"},
		{sampling(Sampling{Temperature: 1, TopP: -0.5}), "top_p: got -0.5"},
		{sampling(Sampling{Temperature: 1, MinP: 1.5}), "min_p: got 1.5"},
		{sampling(Sampling{Temperature: 1, MinP: -0.5}), "min_p: got -0.5"},
		{sampling(Sampling{Temperature: 1, MinP: nan}), "min_p: got NaN"},
	} {
		_, err := Collect(Stream(t.Context(), engine(t), &scripted{}, []Request{{Settings: test.settings}}), 1)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "request 0") {
			t.Errorf("got %v, want %q", err, test.want)
		}
		if e, ok := errors.AsType[*RequestError](err); !ok || e.Request != 0 || e.Err.Error() != test.settings.Validate(30).Error() {
			t.Errorf("got %#v, want a RequestError of what Validate says", err)
		}
	}
	_, err := Collect(Stream(t.Context(), engine(t), &scripted{}, []Request{{Prompt: []int{3, 99}, Settings: Greedy(1)}}), 1)
	if err == nil || !strings.Contains(err.Error(), "prompt: id 1: got 99") {
		t.Errorf("got %v", err)
	}
}

func TestSettingsAtTheEndsAreUsed(t *testing.T) {
	for _, s := range []Settings{
		{StopIDs: []int{0, 29}},
		{RepetitionPenalty: math.MaxFloat32},
		{Beams: &Beams{N: 1, EarlyStopping: StopHeuristic}},
		{Beams: &Beams{N: 1, EarlyStopping: StopNever}},
		{Sampling: &Sampling{Temperature: math.MaxFloat32, TopP: 1, MinP: 1}},
	} {
		s.MaxNewTokens = 1
		if err := s.Validate(30); err != nil {
			t.Errorf("%+v: got %v", s, err)
		}
	}
}

// A source may leave out all but so many of the largest logits, after seven tokens.
func TestSettingsSayHowManyLogitsCount(t *testing.T) {
	for _, test := range []struct {
		settings Settings
		want     int // 0: all
	}{
		{Settings{}, 1},
		{Settings{RepetitionPenalty: 1}, 1},
		{Settings{RepetitionPenalty: 1.5}, 8},
		{Settings{RepetitionPenalty: 0.5}, 0}, // which raises any of them
		{Settings{Beams: &Beams{N: 1}}, 0},
		{Settings{Sampling: &Sampling{}}, 0},
		{Settings{Sampling: &Sampling{}, RepetitionPenalty: 1.5}, 0},
		{Settings{Sampling: &Sampling{TopK: 5}}, 5},
		{Settings{Sampling: &Sampling{TopK: 5}, RepetitionPenalty: 1.5}, 12},
	} {
		if got := test.settings.Largest(7); got != test.want {
			t.Errorf("%+v: got %d, want %d", test.settings, got, test.want)
		}
	}
}

// A request without numbers to choose from ends; the others go on if the consumer does.
func TestOneRequestFails(t *testing.T) {
	for _, s := range []Settings{Greedy(3), {MaxNewTokens: 3, Beams: &Beams{N: 2}}, {MaxNewTokens: 3, Sampling: &Sampling{Temperature: 1}}} {
		requests := []Request{{Settings: Greedy(3)}, {Settings: s}, {Settings: Greedy(3)}}
		source := &scripted{tokens: [][]int{{1, 2, 3}, {4, -1}, {7, 8, 9}}}
		var results [3]Result
		var failed []error
		for v, err := range Stream(t.Context(), engine(t), source, requests) {
			if err != nil {
				failed = append(failed, err)
				continue
			}
			results[v.Request].IDs = append(results[v.Request].IDs, v.IDs...)
		}
		if len(failed) != 1 || failed[0].Error() != "generate: request 1: "+errNoToken.Error() {
			t.Errorf("got errors %v, want one of request 1", failed)
		}
		if !slices.Equal(results[0].IDs, []int{1, 2, 3}) || !slices.Equal(results[2].IDs, []int{7, 8, 9}) {
			t.Errorf("got %v, want all tokens of requests 0 and 2", results)
		}
		source = &scripted{tokens: source.tokens}
		if got, err := Collect(Stream(t.Context(), engine(t), source, requests), 3); got != nil || !errors.Is(err, errNoToken) || len(source.calls) != 2 {
			t.Errorf("Collect: got %v, %v after %d steps, want an error after 2", got, err, len(source.calls))
		}
	}
}

// Where a logit is infinite or NaN, there are no probabilities to choose by; greedily, the largest number is chosen.
func TestLogitsThatAreNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		logits []float32
		greedy int // -1: an error
		chosen bool
	}{
		{[]float32{0, -inf, 9, -inf}, 2, true},
		{[]float32{0, inf, 9, 0}, 1, false},
		{[]float32{nan, 1, 9, 0}, 2, false},
		{[]float32{nan, nan, nan, nan}, -1, false},
		{[]float32{-inf, -inf, -inf, -inf}, 0, false},
	} {
		for _, s := range []Settings{
			{}, {Beams: &Beams{N: 2}}, {Sampling: &Sampling{Temperature: 1e-6}}, {Sampling: &Sampling{Temperature: 1, TopK: 1}}, {Sampling: &Sampling{Temperature: 1, TopP: 0.1}},
		} {
			s.MaxNewTokens = 1
			source := &constant{mat.New(1, 4), mat.New(2, 4)}
			copy(source.logits.Data, test.logits)
			got, err := Collect(Stream(t.Context(), engine(t), source, []Request{{Settings: s}}), 1)
			switch ok := s.Beams == nil && s.Sampling == nil && test.greedy >= 0 || test.chosen; {
			case !ok && !errors.Is(err, errNoToken):
				t.Errorf("%v, %+v: got %v, %v, want an error", test.logits, s, got, err)
			case ok && (err != nil || got[0].IDs[0] != test.greedy):
				t.Errorf("%v, %+v: got %v, %v, want %d", test.logits, s, got, err, test.greedy)
			}
		}
	}
}

// One beam is greedy, and the settings that mean all tokens are none.
func TestSettingsThatChangeNothing(t *testing.T) {
	e := engine(t)
	for seed := range uint64(20) {
		run := func(s Settings) []int {
			s.MaxNewTokens, s.StopIDs = 8, []int{4}
			source := &hashSource{vocabulary: 20}
			source.add(seed, nil, []int{1, 2})
			r, err := Collect(Stream(t.Context(), e, source, []Request{{Prompt: []int{1, 2}, Settings: s}}), 1)
			if err != nil {
				t.Fatal(err)
			}
			return r[0].IDs
		}
		for _, pair := range [][2]Settings{
			{{}, {Beams: &Beams{N: 1, LengthPenalty: 1}}},
			{{}, {RepetitionPenalty: 1}},
			{{Sampling: &Sampling{Temperature: 1}}, {Sampling: &Sampling{Temperature: 1, TopK: 20, TopP: 1}}},
			{{Sampling: &Sampling{Temperature: 1, MinP: 0.1}}, {Sampling: &Sampling{Temperature: 1, TopK: 20, MinP: 0.1}}},
			{{Sampling: &Sampling{Temperature: 1, MinP: 0.1}}, {Sampling: &Sampling{Temperature: 1, TopP: 1, MinP: 0.1}}},
		} {
			if a, b := run(pair[0]), run(pair[1]); !slices.Equal(a, b) {
				t.Errorf("seed %d: got %v with %+v, want %v as with %+v", seed, b, pair[1], a, pair[0])
			}
		}
	}
}

// A beam search tells of its tokens once, at its end, and why it ended.
func TestBeamsTellAtTheEnd(t *testing.T) {
	for _, test := range []struct {
		stop []int
		want Result
	}{
		{[]int{3}, Result{[]int{1, 2, 3}, Stopped}},
		{nil, Result{[]int{1, 2, 3, 4}, Length}},
	} {
		s := Settings{MaxNewTokens: 4, StopIDs: test.stop, Beams: &Beams{N: 1, LengthPenalty: 1}}
		var got []Result
		for v, err := range Stream(t.Context(), engine(t), &scripted{tokens: [][]int{{1, 2, 3, 4}}}, []Request{{Settings: s}}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, Result{slices.Clone(v.IDs), v.Finish})
		}
		if want := []Result{test.want}; !reflect.DeepEqual(got, want) {
			t.Errorf("stop ids %d: got %v, want %v", test.stop, got, want)
		}
	}
}

// Where longer sequences are worth less, the length that makes the most of a beam is its present one: then StopNever ends a search when StopHeuristic does.
func TestBeamsThatGainNothingByLength(t *testing.T) {
	e := engine(t)
	early := 0
	for seed := range uint64(40) {
		run := func(early EarlyStopping) ([]int, int) {
			source := &hashSource{vocabulary: 20}
			source.add(seed, []int{4}, []int{1, 2})
			s := Settings{MaxNewTokens: 12, StopIDs: []int{4}, Beams: &Beams{N: 3, LengthPenalty: -1, EarlyStopping: early}}
			r, err := Collect(Stream(t.Context(), e, source, []Request{{Settings: s}}), 1)
			if err != nil {
				t.Fatal(err)
			}
			return r[0].IDs, source.steps
		}
		got, steps := run(StopNever)
		want, least := run(StopHeuristic)
		if !slices.Equal(got, want) || steps != least {
			t.Errorf("seed %d: got %v after %d steps, want %v after %d", seed, got, steps, want, least)
		}
		if least < 12 {
			early++
		}
	}
	if early < 10 {
		t.Errorf("got %d of 40 searches that end early, want at least 10", early)
	}
}

// Of equal sequences the one that was finished first is the result.
func TestBeamsOfEqualScore(t *testing.T) {
	source := &constant{mat.New(1, 4), mat.New(2, 4)}
	s := Settings{MaxNewTokens: 3, StopIDs: []int{0}, Beams: &Beams{N: 2, LengthPenalty: 1}}
	got, err := Collect(Stream(t.Context(), engine(t), source, []Request{{Settings: s}}), 1)
	if err != nil || !slices.Equal(got[0].IDs, []int{0}) {
		t.Errorf("got %v, %v, want [0]", got, err)
	}
}

// As many beams go on as there should be, though every stop id is likelier than what goes on; of equals those with the smaller ids.
func TestBeamsBesideStopIDs(t *testing.T) {
	falling := []float32{0, -1, -2, -3, -4, -5}
	for _, test := range []struct {
		logits []float32
		beams  int
		stop   []int
		early  EarlyStopping
		want   []Row
	}{
		{falling, 2, []int{0, 1, 2}, StopNever, []Row{{Token: 3}, {Token: 4}}},
		{falling, 2, []int{0, 2}, StopEarly, []Row{{Token: 1}, {Token: 3}}}, // 2 is none of the best two, and finishes nothing
		{make([]float32, 6), 1, []int{0}, StopNever, []Row{{Token: 1}}},
		{make([]float32, 6), 2, nil, StopNever, []Row{{Token: 0}, {Token: 1}}},
	} {
		beams := Beams{N: test.beams, LengthPenalty: 1, EarlyStopping: test.early}
		s := newBeamSearch(Request{Settings: Settings{MaxNewTokens: 9, StopIDs: test.stop, Beams: &beams}})
		o, err := s.step(&tools{engine: engine(t)}, mat.View(slices.Clone(test.logits), 1, 6))
		if err != nil || !reflect.DeepEqual(o.rows, test.want) {
			t.Errorf("%+v: got %v, %v, want %v", test, o.rows, err, test.want)
		}
	}
}

// More beams than there are sequences are as many as there are.
func TestManyBeams(t *testing.T) {
	e := engine(t)
	run := func(n int) []int {
		source := &hashSource{vocabulary: 5}
		source.add(3, []int{4}, []int{1})
		settings := Settings{MaxNewTokens: 3, StopIDs: []int{4}, Beams: &Beams{N: n, LengthPenalty: 1}}
		r, err := Collect(Stream(t.Context(), e, source, []Request{{Prompt: []int{1}, Settings: settings}}), 1)
		if err != nil {
			t.Fatal(err)
		}
		return r[0].IDs
	}
	if all, many := run(5*5*5), run(math.MaxInt); !slices.Equal(all, many) {
		t.Errorf("got %v with as many beams as an int holds, want %v", many, all)
	}
}

// constant gives the same logits over and over, in the same memory.
type constant struct{ logits, out mat.Matrix }

func (c *constant) Vocabulary() int                               { return c.logits.Cols }
func (c *constant) Start(ctx context.Context) (mat.Matrix, error) { return c.Next(ctx, make([]Row, 1)) }
func (c *constant) Next(_ context.Context, rows []Row) (mat.Matrix, error) {
	for i := range rows {
		copy(c.out.Row(i), c.logits.Row(0))
	}
	return c.out.RowRange(0, len(rows)), nil
}

func TestFinishString(t *testing.T) {
	for f, want := range map[Finish]string{Running: "running", Stopped: "stopped", Length: "length", Canceled: "canceled", -1: "Finish(-1)", 4: "Finish(4)"} {
		if got := f.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
