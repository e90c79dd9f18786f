package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// batch has sequences of one to many tokens; the first two are those of testdata/reference.py.
var batch = []Sequence{
	{InputIDs: []int{5, 1}, DecoderInputIDs: []int{0, 4, 9}},
	{InputIDs: cycle(40, 7), DecoderInputIDs: cycle(31, 5)},
	{InputIDs: []int{12}, DecoderInputIDs: []int{0}},
	{InputIDs: cycle(9, 3), DecoderInputIDs: cycle(17, 2)},
}

// cycle returns 0, step, 2·step, … modulo 13: n ids.
func cycle(n, step int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = step * i % 13
	}
	return ids
}

// logits returns the logits of the batch, row by row.
func logits(t testing.TB, m *Model, batch ...Sequence) []float32 {
	t.Helper()
	l, err := m.Logits(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return l.Data
}

// A reference is what transformers computed with a model of testdata/reference.py: the logits of the last position of each sequence.
type reference struct {
	Config fields
	Last   [][]float64
}

// UnmarshalJSON keeps the fields as text.
func (f *fields) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	err := json.Unmarshal(data, &raw)
	*f = fields{}
	for name, value := range raw {
		(*f)[name] = string(value)
	}
	return err
}

func references(t *testing.T) map[string]reference {
	data, err := os.ReadFile("testdata/logits.json")
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]reference
	if err := json.Unmarshal(data, &r); err != nil || len(r) != 4 {
		t.Fatal(err, len(r))
	}
	return r
}

// TestLogitsAreTransformers allows for float32 in another order: a few units of the largest logit's last place per layer.
func TestLogitsAreTransformers(t *testing.T) {
	e := engine(t)
	for name, c := range references(t) {
		got, err := c.Config.open(t, e).Logits(t.Context(), batch[:len(c.Last)])
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Last {
			of := got.Of(i)
			row := of.Row(of.Rows - 1)
			for j, x := range want {
				if !(math.Abs(float64(row[j])-x) <= 4e-6) {
					t.Errorf("%s: sequence %d, token %d: got %v, want %v", name, i, j, row[j], x)
				}
			}
		}
	}
}

func TestLogitsRefuseTokens(t *testing.T) {
	m := small.open(t, engine(t))
	for _, c := range []struct {
		input, decoder []int
		want           string
	}{
		{nil, []int{0}, "input_ids: got no tokens, want at least one"},
		{[]int{}, []int{0}, "input_ids: got no tokens, want at least one"},
		{[]int{1}, nil, "decoder_input_ids: got no tokens, want at least one"},
		{[]int{1, 13}, []int{0}, "input_ids[1]: got 13, want 0 ≤ id < 13"},
		{[]int{-1}, []int{0}, "input_ids[0]: got -1, want 0 ≤ id < 13"},
		{[]int{1}, []int{0, 2, math.MaxInt}, fmt.Sprintf("decoder_input_ids[2]: got %d, want 0 ≤ id < 13", math.MaxInt)},
		{[]int{1}, []int{math.MinInt}, fmt.Sprintf("decoder_input_ids[0]: got %d, want 0 ≤ id < 13", math.MinInt)},
	} {
		_, err := m.Logits(t.Context(), []Sequence{batch[0], {InputIDs: c.input, DecoderInputIDs: c.decoder}})
		if want := "model: sequence 1: " + c.want; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		p := nn.NewPass(m.Engine())
		if err := p.Reset(make([][]*nn.Delta, 1)); err != nil {
			t.Fatal(err)
		}
		for name, of := range map[string]func([]Sequence) error{
			"Forward": func(b []Sequence) error { _, _, err := m.Forward(t.Context(), p, b); return err },
			"Loss":    func(b []Sequence) error { _, err := m.Loss(t.Context(), p, b, []int{0}, 0); return err },
		} {
			err := of([]Sequence{{InputIDs: c.input, DecoderInputIDs: c.decoder}})
			if want := "model: sequence 0: " + c.want; err == nil || err.Error() != want {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
		}
	}
}

// An adapter is what the test says.
type adapter struct {
	delta *nn.Delta
	err   error
}

func (a adapter) Delta() (*nn.Delta, error) { return a.delta, a.err }

func TestLogitsNameTheSequenceWhoseAdapterFails(t *testing.T) {
	m := small.open(t, engine(t))
	failure := errors.New("no task 7")
	replaced := func() nn.Adapter {
		for _, module := range m.Modules() {
			if module.Path == "encoder.final_layer_norm" {
				return adapter{delta: &nn.Delta{Replaced: map[nn.Layer]nn.Layer{module.Layer: module.Layer}}}
			}
		}
		return nil
	}
	for _, c := range []struct {
		adapters []nn.Adapter
		want     string
	}{
		{[]nn.Adapter{adapter{delta: &nn.Delta{}}, adapter{err: failure}}, "model: sequence 1: no task 7"},
		{[]nn.Adapter{replaced(), replaced()}, "model: sequence 1: nn: two of its adapters have a copy of the same module"},
	} {
		s := batch[0]
		s.Adapters = c.adapters
		_, err := m.Logits(t.Context(), []Sequence{batch[0], s})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || c.adapters[1].(adapter).err != nil && !errors.Is(err, failure) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// An adapter for one model is no adapter for another, even of the same folder: it would change nothing.
func TestAdapterOfAnotherModel(t *testing.T) {
	started := small.with("decoder_start_token_id", "0")
	m, other := started.open(t, engine(t)), started.open(t, engine(t))
	const want = "0: adapter 0: got one that was made for another model, want one for this"
	for _, module := range other.Modules() {
		var d nn.Delta
		switch module.Path {
		case "encoder.final_layer_norm":
			d.Replaced = map[nn.Layer]nn.Layer{module.Layer: module.Layer}
		case "lm_head":
			d.LowRank = map[*nn.Linear]nn.LowRank{module.Layer.(*nn.Linear): {}}
		default:
			continue
		}
		s := batch[0]
		s.Adapters = []nn.Adapter{adapter{delta: &d}}
		if _, err := m.Logits(t.Context(), []Sequence{s}); err == nil || err.Error() != "model: sequence "+want {
			t.Errorf("%s: got %v, want model: sequence %s", module.Path, err, want)
		}
		r := Request{InputIDs: s.InputIDs, Adapters: s.Adapters}
		if _, err := m.Generate(t.Context(), []Request{r}, generate.Greedy(1)); err == nil || err.Error() != "model: request "+want {
			t.Errorf("%s: got %v, want model: request %s", module.Path, err, want)
		}
	}
}

func TestLogitsOfNothing(t *testing.T) {
	m := small.open(t, engine(t))
	l, err := m.Logits(t.Context(), nil)
	if err != nil || l.Rows != 0 || l.Cols != 13 || l.Layout.Sequences() != 0 {
		t.Errorf("got %v, %v", l, err)
	}
}

// A countdown is a context that is cancelled when it is asked for the nth time.
type countdown struct {
	context.Context
	n int
}

func (c *countdown) Err() error {
	if c.n--; c.n <= 0 {
		return context.Canceled
	}
	return nil
}

func TestLogitsEndWithTheContext(t *testing.T) {
	m := small.open(t, engine(t))
	want := logits(t, m, batch...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Logits(ctx, batch); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := m.Logits(expired, batch); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	// It is asked at the start and before each of the four layers.
	for n := 1; n <= 5; n++ {
		if _, err := m.Logits(&countdown{t.Context(), n}, batch); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at question %d: got %v", n, err)
		}
		if got := logits(t, m, batch...); !slices.Equal(got, want) {
			t.Errorf("other logits after a call cancelled at question %d", n)
		}
	}
}

// TestLogitsAloneAsInABatch checks every part of the batch, and the beginning of each sequence.
func TestLogitsAloneAsInABatch(t *testing.T) {
	m := small.with("model_type", `"umt5"`).open(t, engine(t))
	all, err := m.Logits(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for from := range batch {
		for to := from + 1; to <= len(batch); to++ {
			want := all.RowRange(all.Layout[from], all.Layout[to])
			if got := logits(t, m, batch[from:to]...); !slices.Equal(got, want.Data) {
				t.Errorf("sequences %d to %d have other logits without the others", from, to)
			}
		}
		for n := 1; n <= len(batch[from].DecoderInputIDs); n++ {
			s := batch[from]
			s.DecoderInputIDs = s.DecoderInputIDs[:n]
			if got := logits(t, m, s); !slices.Equal(got, all.Of(from).RowRange(0, n).Data) {
				t.Errorf("sequence %d: its first %d positions have other logits without what follows", from, n)
			}
		}
	}
}

func TestLogitsHaveTheSameBitsOnEveryEngine(t *testing.T) {
	if name := os.Getenv("POLY_REQUIRE_CPU"); name != "" && !slices.Contains(mat.Levels(), name) {
		t.Fatalf("level %q is not available here", name)
	}
	for name, c := range references(t) {
		var want []float32
		for _, level := range mat.Levels() {
			for threads := 1; threads <= 2; threads++ {
				e, err := mat.NewEngine(mat.Options{Level: level, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				got := logits(t, c.Config.open(t, e), batch...)
				e.Close()
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %s with %d threads: other bits", name, level, threads)
				}
			}
		}
	}
}

func TestLogitsOfManyGoroutines(t *testing.T) {
	m := small.open(t, engine(t))
	var want [][]float32
	for _, s := range batch {
		want = append(want, logits(t, m, s))
	}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 8 {
				k := (g + i) % len(batch)
				l, err := m.Logits(t.Context(), []Sequence{batch[k], batch[(k+1)%len(batch)]})
				if err != nil || !slices.Equal(l.Of(0).Data, want[k]) || !slices.Equal(l.Of(1).Data, want[(k+1)%len(batch)]) {
					t.Errorf("goroutine %d, call %d: other logits, %v", g, i, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestScaledLogits checks that the scale is d_model to the power of -1/2, here a quarter.
func TestScaledLogits(t *testing.T) {
	e := engine(t)
	scaled := logits(t, small.open(t, e), batch[0])
	for i, x := range logits(t, small.with("scale_decoder_outputs", "false").open(t, e), batch[0]) {
		if scaled[i] != x/4 {
			t.Fatalf("logit %d: %v, without scale %v", i, scaled[i], x)
		}
	}
}
