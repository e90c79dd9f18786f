package poly_test

import (
	"errors"
	"math"
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
	for _, id := range []int{-1, 3, math.MaxInt} {
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

// Many goroutines use one base with several adapters and tasks at the same time, also at their first use, and each sequence gets the bits
// that it has alone.
func TestConcurrentUse(t *testing.T) {
	m := openBase(t, example+"/base")
	open := func() (choices [][]nn.Adapter) {
		a, b := openAdapter(t, example+"/adapter", m), openAdapter(t, example+"/second", m)
		return [][]nn.Adapter{nil, {a.Task(0)}, {a.Task(2)}, {b.Task(4)}, {a.Task(1), b.Task(0)}, {b.Task(1), a.Task(1)}}
	}
	sequence := func(adapters []nn.Adapter) model.Sequence {
		return model.Sequence{InputIDs: []int{5, 6, 7}, DecoderInputIDs: []int{0, 9}, Adapters: adapters}
	}
	var want [][]float32
	for _, adapters := range open() {
		l, err := m.Logits(t.Context(), []model.Sequence{sequence(adapters)})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, l.Data)
	}
	choices := open()
	var wg sync.WaitGroup
	for g := range 12 {
		wg.Go(func() {
			var batch []model.Sequence
			var is []int
			for i := range 1 + g%4 {
				is = append(is, (g+i*i)%len(choices))
				batch = append(batch, sequence(choices[is[i]]))
			}
			for range 3 {
				l, err := m.Logits(t.Context(), batch)
				if err != nil {
					t.Error(err)
					return
				}
				for i, k := range is {
					if !slices.Equal(l.Of(i).Data, want[k]) {
						t.Errorf("goroutine %d: sequence %d with choice %d has other bits than alone", g, i, k)
					}
				}
			}
		})
	}
	wg.Wait()
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
