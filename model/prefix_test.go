package model

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// asked is a request for one token.
type asked struct {
	ids      []int
	adapters []nn.Adapter
	with     bool // the next one is added at the same time
}

// computed returns how many tokens b computes of prompts until the first tokens of all of them, a request after the other but for those together.
func computed(t *testing.T, b *Batch, requests []asked) []int {
	t.Helper()
	var counts []int
	for i, r := range requests {
		if _, err := b.Add(Request{InputIDs: r.ids, Adapters: r.adapters}, generate.Settings{MaxNewTokens: 1, StopIDs: []int{}}); err != nil {
			t.Fatal(err)
		}
		if r.with && i+1 < len(requests) {
			continue
		}
		n := 0
		for b.Len() > 0 {
			last := 0 // of the batch's last step, at whose end there is no more to see
			for _, err := range b.Step(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				last = len(b.joining.step.ids)
			}
			n += max(last, len(b.joining.step.ids))
		}
		counts = append(counts, n)
	}
	return counts
}

// What a prompt has in common with one before, with the same adapters, is computed once.
func TestPrefixesAreComputedOnce(t *testing.T) {
	m := smallMistral(t)
	a, b := lowRank(m, 1), lowRank(m, 2)
	ids, other := cycle(40, 5), beginning(1, 40)
	branch := slices.Concat(ids[:30], []int{12, 12, 12})
	one := newPrefix(m, len(ids)).cache.bytes()
	const atEnds = 5 // tokens that two compute, as less than a step's worth is not waited for
	for name, c := range map[string]struct {
		limit    int
		requests []asked
		want     []int
	}{
		"nothing is kept":                   {0, []asked{{ids: ids}, {ids: ids}}, []int{40, 40}},
		"the same again":                    {1 << 20, []asked{{ids: ids}, {ids: ids}}, []int{40, 1}},
		"another end":                       {1 << 20, []asked{{ids: ids}, {ids: branch}, {ids: branch}, {ids: ids}}, []int{40, 3, 1, 1}},
		"a longer one":                      {1 << 20, []asked{{ids: ids[:10]}, {ids: ids}, {ids: ids[:10]}}, []int{10, 30, 1}},
		"nothing in common":                 {1 << 20, []asked{{ids: ids}, {ids: other}}, []int{40, 40}},
		"an adapter":                        {1 << 20, []asked{{ids, []nn.Adapter{a}, false}, {ids, []nn.Adapter{a}, false}, {ids: ids}}, []int{40, 1, 40}},
		"other adapters":                    {1 << 20, []asked{{ids, []nn.Adapter{a}, false}, {ids, []nn.Adapter{b}, false}}, []int{40, 40}},
		"another order of adapters":         {1 << 20, []asked{{ids, []nn.Adapter{a, b}, false}, {ids, []nn.Adapter{b, a}, false}}, []int{40, 40}},
		"no room":                           {one - 1, []asked{{ids: ids}, {ids: ids}}, []int{40, 40}},
		"room for the last one":             {one, []asked{{ids: ids}, {ids: other}, {ids: other}, {ids: ids}}, []int{40, 40, 1, 40}},
		"one that is too much by itself":    {one, []asked{{ids: ids}, {ids: cycle(600, 7)}, {ids: ids}}, []int{40, 599, 1}},
		"room for two":                      {2 * one, []asked{{ids: ids}, {ids: other}, {ids: ids}, {ids: other}}, []int{40, 40, 1, 1}},
		"what was of use last":              {2 * one, []asked{{ids: ids}, {ids: other}, {ids: ids}, {ids: beginning(2, 40)}, {ids: ids}, {ids: other}}, []int{40, 40, 1, 40, 1, 40}},
		"at once":                           {0, []asked{{ids, nil, true}, {branch, nil, true}, {ids, nil, true}, {ids: ids[:20]}}, []int{40 + 3 + 1 + 1 + atEnds}},
		"at once, with other adapters":      {0, []asked{{ids, nil, true}, {ids, []nn.Adapter{a}, true}, {ids, []nn.Adapter{b}, false}}, []int{120}},
		"at once, less than a step's worth": {0, []asked{{ids[:12], nil, true}, {slices.Concat(ids[:3], []int{12, 12, 12}), nil, false}}, []int{12 + 6}},
	} {
		batch := m.inPieces(4)
		batch.SetPrefixCache(c.limit)
		if got := computed(t, batch, c.requests); !slices.Equal(got, c.want) {
			t.Errorf("%s: computed %d tokens, want %d", name, got, c.want)
		}
	}
}

// newPrefix returns a prefix of n tokens of arbitrary keys and values, with the room that a request for one more token has.
func newPrefix(m *Model, n int) prefix {
	d := m.inPieces(1).joining
	c := d.newCache()
	c.reserve(n, 1)
	c.ids = cycle(n, 5)
	return prefix{nil, c}
}

// A conversation's next turn computes what is new in it, and so does who comes again after having left.
func TestConversationsGoOn(t *testing.T) {
	m := smallMistral(t)
	b := m.inPieces(4)
	b.SetPrefixCache(1 << 20)
	settings := generate.Settings{MaxNewTokens: 9, StopIDs: []int{}}
	ids := cycle(20, 5)
	var h heard
	b.add(t, ids, settings)
	for b.Len() > 0 {
		h.advance(t, b)
	}
	turn := slices.Concat(ids, h.results[0].IDs, []int{7, 7})
	if got := computed(t, b, []asked{{ids: turn}}); got[0] != 3 { // the last token that was chosen, and two
		t.Errorf("the next turn computed %d tokens, want 3", got[0])
	}
	done := make(chan struct{})
	if _, err := b.Add(Request{InputIDs: beginning(1, 30), Done: done}, settings); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.advance(t, b)
	}
	close(done)
	h.advance(t, b)
	if got := computed(t, b, []asked{{ids: beginning(1, 30)}}); got[0] != 30-3*4 {
		t.Errorf("who comes again computed %d tokens, want %d", got[0], 30-3*4)
	}
	b.SetPrefixCache(0)
	if got := computed(t, b, []asked{{ids: turn}}); got[0] != len(turn) {
		t.Errorf("with nothing kept %d tokens were computed, want %d", got[0], len(turn))
	}
}

// The logits after a prompt that takes over a part from another one, at any length, are those of the whole sequence.
func TestPrefixesHaveTheBitsOfLogits(t *testing.T) {
	m := smallMistral(t)
	random := rand.New(rand.NewPCG(3, 4))
	adapters := []nn.Adapter{lowRank(m, 3)}
	for common := range 70 {
		j := m.inPieces(1 + random.IntN(50)).joining
		join := func(rows []generate.Row, number int, r Request) (last mat.Matrix) {
			accepted, err := m.accept(r)
			if err != nil {
				t.Fatal(err)
			}
			accepted.more = 5
			j.wait(number, accepted)
			for joined := []int(nil); len(joined) == 0; {
				if last, joined, err = j.Join(t.Context(), rows, []int{number}); err != nil {
					t.Fatal(err)
				}
				if rows != nil {
					rows = []generate.Row{{Token: 3}}
				}
			}
			return last
		}
		first := Request{InputIDs: cycle(70, 5), Adapters: adapters}
		second := Request{InputIDs: slices.Concat(first.InputIDs[:common], cycle(1+random.IntN(9), 7)), Adapters: adapters}
		join(nil, 0, first)
		got := join([]generate.Row{{Token: 3}}, 1, second)
		whole := logits(t, m, Sequence{InputIDs: second.InputIDs, Adapters: adapters})
		if got := got.Row(1); !slices.Equal(got, whole[len(whole)-len(got):]) {
			t.Fatalf("%d tokens in common: other logits than those of the whole prompt", common)
		}
	}
}

// Finished requests of an encoder and a decoder are not kept.
func TestEncodersKeepNothing(t *testing.T) {
	m := decodables(t)["t5"]
	b := m.NewBatch()
	b.SetPrefixCache(1 << 20)
	computed(t, b, []asked{{ids: cycle(9, 5)}, {ids: cycle(9, 5)}})
	if n := len(b.joining.prefixes.kept); n > 0 {
		t.Errorf("got %d, want none", n)
	}
}
