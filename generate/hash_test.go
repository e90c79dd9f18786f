package generate

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// hashSource is the model of testdata/record.py: its logits are a hash of the last two tokens.
type hashSource struct {
	vocabulary int
	seeds      []uint64
	stop       [][]int
	rows       []hashRow
	steps      int
}

type hashRow struct{ request, a, b int }

func (s *hashSource) add(seed uint64, stop, prompt []int) {
	r := hashRow{len(s.seeds), -1, prompt[len(prompt)-1]}
	if len(prompt) > 1 {
		r.a = prompt[len(prompt)-2]
	}
	s.seeds, s.stop, s.rows = append(s.seeds, seed), append(s.stop, stop), append(s.rows, r)
}

func (s *hashSource) Vocabulary() int { return s.vocabulary }

func (s *hashSource) Start(context.Context) (mat.Matrix, error) { return s.compute(), nil }

func (s *hashSource) Next(_ context.Context, rows []Row) (mat.Matrix, error) {
	var next []hashRow
	for _, r := range rows {
		p := s.rows[r.Parent]
		for _, token := range append([]int{r.Token}, r.Draft...) {
			p = hashRow{p.request, p.b, token}
			next = append(next, p)
		}
	}
	s.rows = next
	return s.compute(), nil
}

func (s *hashSource) compute() mat.Matrix {
	s.steps++
	m := mat.New(len(s.rows), s.vocabulary)
	for i, r := range s.rows {
		from := ((s.seeds[r.request]*1000003+uint64(r.a))*1000003 + uint64(r.b)) * 1000003
		row := m.Row(i)
		for id := range row {
			x := from + uint64(id)
			x ^= x >> 33
			x *= 0xff51afd7ed558ccd
			x ^= x >> 33
			x *= 0xc4ceb9fe1a85ec53
			x ^= x >> 33
			row[id] = float32(x>>40)*0x1p-21 - 4
		}
		for _, id := range s.stop[r.request] {
			row[id] += 2
		}
	}
	return m
}

// truth is what testdata/record.py recorded.
type truth struct {
	Sequences []struct {
		truthCase
		Vocabulary int
		Stop, Want []int
	}
	Choices []struct {
		truthCase
		IDs []int
		P   []float32
	}
}

type truthCase struct {
	Seed     uint64
	Prompt   []int
	Settings truthSettings
}

type truthSettings struct {
	MaxNewTokens      int      `json:"max_new_tokens"`
	NumBeams          int      `json:"num_beams"`
	LengthPenalty     *float64 `json:"length_penalty"`
	EarlyStopping     any      `json:"early_stopping"`
	RepetitionPenalty float64  `json:"repetition_penalty"`
	Temperature       float64
	TopK              int     `json:"top_k"`
	TopP              float64 `json:"top_p"`
	MinP              float64 `json:"min_p"`
}

func (s truthSettings) settings(stop []int) Settings {
	out := Settings{MaxNewTokens: s.MaxNewTokens, StopIDs: stop, RepetitionPenalty: s.RepetitionPenalty}
	if s.NumBeams > 1 {
		out.Beams = &Beams{N: s.NumBeams, LengthPenalty: 1}
		if s.LengthPenalty != nil {
			out.Beams.LengthPenalty = *s.LengthPenalty
		}
		switch s.EarlyStopping {
		case true:
			out.Beams.EarlyStopping = StopEarly
		case "never":
			out.Beams.EarlyStopping = StopNever
		}
	}
	if s.Temperature != 0 {
		out.Sampling = &Sampling{Temperature: s.Temperature, TopK: s.TopK, TopP: s.TopP, MinP: s.MinP}
	}
	return out
}

func readTruth(t *testing.T) truth {
	data, err := os.ReadFile("testdata/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var all truth
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func engine(t testing.TB) *mat.Engine {
	e, err := mat.NewEngine(mat.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// Every request alone gives transformers' tokens, and so it does in a batch of all that have the same vocabulary, with and without drafts.
func TestSequences(t *testing.T) {
	e := engine(t)
	all := readTruth(t)
	if len(all.Sequences) < 400 {
		t.Fatalf("got %d recorded sequences", len(all.Sequences))
	}
	for _, draft := range []int{0, 1, 2, 9} {
		batches := map[int]*hashSource{}
		requests := map[int][]Request{}
		want := map[int][][]int{}
		for i, c := range all.Sequences {
			r := Request{Prompt: c.Prompt, Settings: c.Settings.settings(c.Stop)}
			alone := &hashSource{vocabulary: c.Vocabulary}
			alone.add(c.Seed, c.Stop, c.Prompt)
			got, err := Collect(Stream(t.Context(), e, &verifying{alone, draft}, []Request{r}), 1)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got[0].IDs, c.Want) {
				t.Errorf("drafts of %d, sequence %d, %+v: got %v, want %v", draft, i, c.Settings, got[0].IDs, c.Want)
			}
			v := c.Vocabulary
			if batches[v] == nil {
				batches[v] = &hashSource{vocabulary: v}
			}
			batches[v].add(c.Seed, c.Stop, c.Prompt)
			requests[v] = append(requests[v], r)
			want[v] = append(want[v], c.Want)
		}
		for v, source := range batches {
			got, err := Collect(Stream(t.Context(), e, &verifying{source, draft}, requests[v]), len(requests[v]))
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want[v] {
				if !slices.Equal(got[i].IDs, w) {
					t.Errorf("drafts of %d, vocabulary %d, request %d of a batch: got %v, want %v", draft, v, i, got[i].IDs, w)
				}
			}
		}
	}
}
