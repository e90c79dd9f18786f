package generate

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// What cannot be added is an error that changes nothing, and a context that is done ends a step before the source is asked.
func TestBatchErrors(t *testing.T) {
	source := &scripted{tokens: [][]int{{1, 2, 3, 4}}, rows: []int{0}}
	b := NewBatch(engine(t), source)
	nan := mat.New(1, source.Vocabulary())
	for i := range nan.Data {
		nan.Data[i] = float32(math.NaN())
	}
	if _, err := b.Add(Request{Settings: Greedy(3)}, nan); !errors.Is(err, errNoToken) {
		t.Errorf("got %v, want %v", err, errNoToken)
	}
	if _, err := b.Add(Request{}, mat.New(1, source.Vocabulary())); err == nil || err.Error() != "generate: max_new_tokens: got 0, want at least 1" {
		t.Errorf("got %v", err)
	}
	v, err := b.Add(Request{Settings: Greedy(3)}, mat.New(1, source.Vocabulary()))
	if err != nil || v.Request != 0 || len(v.IDs) != 1 || b.Len() != 1 {
		t.Errorf("got %v, %v, %d requests", v, err, b.Len())
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for v, err := range b.Step(canceled) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", v, err)
		}
	}
	if len(source.calls) != 0 {
		t.Errorf("got %d calls of the source", len(source.calls))
	}
	source.fail = errors.New("out of paper")
	for v, err := range b.Step(t.Context()) {
		if !errors.Is(err, source.fail) {
			t.Errorf("got %v, %v", v, err)
		}
	}
}
