package poly_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

func TestTaskOutOfRange(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	for _, id := range []int{-1, 3, 1 << 40} {
		batch := []model.Sequence{
			{InputIDs: []int{5}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{a.Task(0)}},
			{InputIDs: []int{5}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{a.Task(id)}},
		}
		_, err := m.Logits(t.Context(), batch)
		var te *poly.TaskError
		if !errors.As(err, &te) || te.ID != id || te.Tasks != 3 || !strings.Contains(err.Error(), "sequence 1") {
			t.Errorf("task %d: got %v", id, err)
		}
	}
}

// Many goroutines use one adapter at the same time, also at its first use, and all get the same bits.
func TestConcurrentUse(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	logits := make([][]float32, 8)
	var wg sync.WaitGroup
	for i := range logits {
		wg.Go(func() {
			batch := []model.Sequence{{InputIDs: []int{5, 6, 7}, DecoderInputIDs: []int{0, 9}, Adapters: []nn.Adapter{a.Task(1)}}}
			l, err := m.Logits(t.Context(), batch)
			if err != nil {
				t.Error(err)
			}
			logits[i] = l.Data
		})
	}
	wg.Wait()
	for _, l := range logits[1:] {
		if !slices.Equal(l, logits[0]) {
			t.Fatal("two goroutines got other bits")
		}
	}
}

// Two adapters that both have a copy of a module cannot be summed, as in PEFT.
func TestTwoCopiesOfAModule(t *testing.T) {
	const dir = "testdata/peft-0.8/bf16-two-mts"
	m := openBase(t, dir+"/base")
	a, b := openAdapter(t, dir+"/adapter", m), openAdapter(t, dir+"/second", m)
	batch := []model.Sequence{{InputIDs: []int{5}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{a.Task(0), b.Task(0)}}}
	if _, err := m.Logits(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "modules_to_save") {
		t.Errorf("got %v", err)
	}
}
