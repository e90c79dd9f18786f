package generate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// verifying is a source that takes drafts, each of at most so many tokens.
type verifying struct {
	Source
	draft int
}

func (v *verifying) DraftTokens(rows int) int { return v.draft * rows }

// Drafts change nothing of what is sampled, penalized or stopped by a string, alone or in a batch. Where a text repeats itself they save steps.
func TestDraftsChangeNoToken(t *testing.T) {
	e := engine(t)
	without, with := 0, 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		var requests []Request
		for i := range 1 + random.IntN(3) {
			s := Settings{MaxNewTokens: 1 + random.IntN(40)}
			if random.IntN(2) == 0 {
				s.Sampling = &Sampling{Temperature: 0.1 + random.Float64(), TopK: random.IntN(6), TopP: 0.5 + random.Float64()/2, Seed: seed}
			}
			if random.IntN(3) == 0 {
				s.RepetitionPenalty = 1.05
			}
			if random.IntN(2) == 0 {
				s.StopStrings, s.Text = []string{"e", "ca"}, letters
			}
			requests = append(requests, Request{Input: []int{3, 1, 2, 7}, Prompt: []int{i}, Settings: s})
		}
		run := func(draft int) ([]Result, int) {
			source := &hashSource{vocabulary: 9}
			for i := range requests {
				source.add(seed, nil, []int{i})
			}
			results, err := Collect(Stream(t.Context(), e, &verifying{source, draft}, requests), len(requests))
			if err != nil {
				t.Fatal(err)
			}
			return results, source.steps
		}
		want, all := run(0)
		for _, draft := range []int{1, 4} {
			got, some := run(draft)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("seed %d, drafts of %d: got %v, want %v", seed, draft, got, want)
			}
			without, with = without+all, with+some
		}
	}
	if with*4 > without*3 {
		t.Errorf("%d steps, %d without drafts, of texts that repeat themselves", with, without)
	}
}

// A draft ends where its request does, or is none where it is to be none. With a penalty, each of its tokens is one more that may be among the largest.
func TestDraftOfARequest(t *testing.T) {
	e := engine(t)
	for _, test := range []struct {
		settings Settings
		want     []int
	}{
		{Settings{MaxNewTokens: 9}, []int{2, 1, 2}},
		{Settings{MaxNewTokens: 4}, []int{2, 1}},
		{Settings{MaxNewTokens: 2}, nil},
		{Settings{MaxNewTokens: 9, NoDrafts: true}, nil},
	} {
		test.settings.RepetitionPenalty = 1.5
		s := newSingle(Request{Input: []int{3, 4}, Prompt: []int{1, 2, 1, 2}, Settings: test.settings})
		o, err := s.step(&tools{engine: e, sequences: 1, drafts: 3}, view([]float32{0, 1, 0, 0, 0}))
		if err != nil {
			t.Fatal(err)
		}
		if r, largest := o.rows[0], 1+5+len(test.want); !slices.Equal(r.Draft, test.want) || r.Largest != largest {
			t.Errorf("%+v: got %+v, want the draft %v and the largest %d", test.settings, r, test.want, largest)
		}
	}
}

// asked is a source that notes for how many sequences drafts are.
type asked struct {
	Source
	rows []int
}

func (a *asked) DraftTokens(rows int) int {
	a.rows = append(a.rows, rows)
	return 0
}

// All sequences in progress share the tokens of drafts, beams as well.
func TestDraftsAreShared(t *testing.T) {
	source := &asked{Source: &scripted{tokens: [][]int{{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}}}
	requests := []Request{{Settings: Greedy(3)}, {Settings: Settings{MaxNewTokens: 3, Beams: &Beams{N: 3}}}, {Settings: Greedy(1)}}
	if _, err := Collect(Stream(t.Context(), engine(t), source, requests), 3); err != nil {
		t.Fatal(err)
	}
	if want := []int{3, 4, 4}; !slices.Equal(source.rows, want) {
		t.Errorf("got drafts for %d sequences, want %d", source.rows, want)
	}
}

// Logits without a number end a request after the tokens before them, be they a draft's or not.
func TestDraftsBeforeNoToken(t *testing.T) {
	s := newSingle(Request{Prompt: []int{1, 2, 1, 2}, Settings: Greedy(9)})
	tools := tools{engine: engine(t), sequences: 1, drafts: 3}
	row := func(id int) []float32 {
		x := make([]float32, 5)
		for i := range x {
			x[i] = float32(math.NaN())
		}
		if id >= 0 {
			x[id] = 1
		}
		return x
	}
	o, err := s.step(&tools, view(row(1)))
	if err != nil || !slices.Equal(o.rows[0].Draft, []int{2, 1, 2}) {
		t.Fatalf("got %v, %v, want a draft of 2 1 2", o, err)
	}
	o, err = s.step(&tools, view(row(2), row(-1), row(3), row(3)))
	if err != nil || !slices.Equal(o.ids, []int{2}) || o.rows[0].Parent != 0 || o.rows[0].Token != 2 || len(o.rows[0].Draft) > 0 {
		t.Fatalf("got %+v, %v, want the token 2, from which to go on without a draft", o, err)
	}
	if _, err := s.step(&tools, view(row(-1))); err != errNoToken {
		t.Errorf("got %v, want %v", err, errNoToken)
	}
}

func view(rows ...[]float32) mat.Matrix {
	return mat.View(slices.Concat(rows...), len(rows), len(rows[0]))
}

func TestDraft(t *testing.T) {
	for _, test := range []struct {
		name string
		text []int
		most int
		want []int
	}{
		{"nothing occurred before", []int{1, 2, 3, 4}, 5, nil},
		{"a text of nothing", nil, 5, nil},
		{"no room", []int{1, 1, 1}, 0, nil},
		{"what followed a token", []int{7, 8, 9, 1, 7}, 1, []int{8}},
		{"the latest of equal matches", []int{7, 8, 0, 7, 9, 1, 7}, 1, []int{9}},
		{"a longer match before a later one", []int{6, 7, 8, 0, 7, 9, 1, 6, 7}, 1, []int{8}},
		{"three tokens are long enough", []int{5, 6, 7, 8, 2, 0, 4, 6, 7, 8, 3, 1, 5, 6, 7, 8}, 1, []int{3}},
		{"as much as the chances are worth", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3}, 9, []int{4, 5, 6, 7}},
		{"round in circles", []int{4, 5, 5, 5, 5}, 3, []int{5, 5, 5}},
		{"round in larger circles", []int{1, 2, 1, 2, 1}, 3, []int{2, 1, 2}},
	} {
		d := drafter{chance: firstChances}
		d.draft(test.text, 0, test.most, 1./8)
		if !slices.Equal(d.tokens, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, d.tokens, test.want)
		}
	}
}

// Drafts that are right become longer, and where hardly one is there are hardly any.
func TestDraftsLearn(t *testing.T) {
	right, wrong := drafter{chance: firstChances}, drafter{chance: firstChances}
	var same, other []int
	random := rand.New(rand.NewPCG(1, 1))
	drafted := 0
	for i := range 400 {
		same = append(same, i%20)
		right.draft(same, 1, 7, 1./8)
		other = append(other, random.IntN(50))
		wrong.draft(other, 1, 7, 1./8)
		drafted += len(wrong.tokens)
	}
	if len(right.tokens) != 7 || drafted > 60 {
		t.Errorf("got a draft of %d tokens, want 7, and %d tokens in 400 steps, want at most 60", len(right.tokens), drafted)
	}
}
