package generate

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// pieces is the text of tokens as a tokenizer makes it: a space at its start is left out, and a run of bytes (of the last pieces, one each) that is no text becomes
// as many U+FFFD.
func pieces(of []string, bytes int) func(ids []int) string {
	return func(ids []int) string {
		var text, run strings.Builder
		end := func() {
			if s := run.String(); utf8.ValidString(s) {
				text.WriteString(s)
			} else {
				text.WriteString(strings.Repeat("\ufffd", len(s)))
			}
			run.Reset()
		}
		for _, id := range ids {
			if id >= len(of)-bytes {
				run.WriteString(of[id])
				continue
			}
			end()
			text.WriteString(of[id])
		}
		end()
		return strings.TrimPrefix(text.String(), " ")
	}
}

// Texts stop where one of the strings is in the whole text.
func TestStopsAtTheSameToken(t *testing.T) {
	all := []string{"a", " a", "b", " bb", "", "", "ccc", " dddd dddd dddd dddd dddd", "é", "\xf0", "\x9f", "\x99", "\x82"}
	text := pieces(all, 4)
	stops := []string{" aa", "ccc ccc", "dddd a dddd", "🙂b🙂", "🙂🙂🙂a", "éééa", strings.Repeat("a", 9), "\ufffda\ufffd\ufffda"}
	rnd := rand.New(rand.NewPCG(1, 2))
	at := map[string]int{}
	for range 400 {
		stop := stops[rnd.IntN(len(stops))]
		s := Settings{StopStrings: []string{"never", stop}, Text: text}
		some := rnd.Perm(len(all))[:1+rnd.IntN(4)]
		var ids []int
		for stopped := false; len(ids) < 300 && !stopped; {
			if id := some[rnd.IntN(len(some))]; id < len(all)-4 {
				ids = append(ids, id)
			} else if ids = append(ids, 9, 10, 11, 12); rnd.IntN(20) == 0 {
				ids = ids[:len(ids)-1-rnd.IntN(3)]
			}
			stopped = s.stops(ids)
			if want := strings.Contains(text(ids), stop); stopped != want {
				t.Fatalf("%q in %q: got %t, want %t", stop, text(ids), stopped, want)
			}
		}
		if len(ids) > 2*tailTokens && len(ids) < 300 {
			at[stop]++
		}
	}
	if len(at) < len(stops)/2 {
		t.Errorf("long texts stopped at %v only", at)
	}
}

// A token of a long text takes as long as one of a short text.
func TestStopsInTimeOfTheTail(t *testing.T) {
	asked := 0
	s := Settings{StopStrings: []string{"never"}, Text: func(ids []int) string {
		asked += len(ids)
		return letters(ids)
	}}
	const n = 10000
	ids := make([]int, n)
	for i := range ids {
		if s.stops(ids[:i+1]) {
			t.Fatalf("stops at token %d", i)
		}
	}
	if most := n * 12 * tailTokens; asked > most {
		t.Errorf("asked for the text of %d tokens, want at most %d", asked, most)
	}
}
