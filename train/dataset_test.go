package train_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/train"
)

// numbered are examples that are told apart by their task.
func numbered(n int) train.Slice {
	s := make(train.Slice, n)
	for i := range s {
		s[i].Task = i
	}
	return s
}

func tasks(t *testing.T, d iter.Seq2[train.Example, error]) []int {
	t.Helper()
	var list []int
	for x, err := range d {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x.Task)
	}
	return list
}

// TestDatasets checks that every way to hold examples gives each once, and what is left from any number on.
func TestDatasets(t *testing.T) {
	const n = 50
	slice := numbered(n)
	for name, d := range map[string]train.Dataset{
		"slice":    slice,
		"shuffled": train.Shuffle(slice, 5),
		"stream":   train.Stream(func(epoch int) iter.Seq2[train.Example, error] { return slice.Examples(epoch, 0) }),
	} {
		for epoch := range 3 {
			whole := tasks(t, d.Examples(epoch, 0))
			sorted := slices.Sorted(slices.Values(whole))
			for i, task := range sorted {
				if task != i || len(sorted) != n {
					t.Fatalf("%s, epoch %d: got %v, want every example once", name, epoch, whole)
				}
			}
			if got := slices.Equal(whole, sorted); got != (name != "shuffled") {
				t.Errorf("%s, epoch %d: got the order of the slice: %v", name, epoch, got)
			}
			for from := range n + 2 {
				if got := tasks(t, d.Examples(epoch, from)); !slices.Equal(got, whole[min(from, n):]) {
					t.Errorf("%s, epoch %d from %d: got %v, want %v", name, epoch, from, got, whole[min(from, n):])
				}
			}
			for x := range d.Examples(epoch, 0) {
				if x.Task == whole[3] {
					break // must not panic
				}
			}
		}
	}
	order := func(seed uint64, epoch int) []int { return tasks(t, train.Shuffle(slice, seed).Examples(epoch, 0)) }
	if slices.Equal(order(5, 0), order(5, 1)) || slices.Equal(order(5, 0), order(6, 0)) {
		t.Error("got the same order in another epoch or with another seed")
	}
}

// broken is an Indexed that cannot read one of its examples.
type broken struct{ train.Slice }

var errBroken = errors.New("the disk is gone")

func (b broken) At(i int) (train.Example, error) {
	if i == 2 {
		return train.Example{}, errBroken
	}
	return b.Slice.At(i)
}

// TestDatasetError checks that an example that cannot be read ends a run with an error that says which it is.
func TestDatasetError(t *testing.T) {
	at := slices.Index(tasks(t, train.Shuffle(numbered(12), 1).Examples(0, 0)), 2)
	c := lookupConfig(testEngine(t, mat.Options{}), newLookup(10, 8, 10, 1))
	c.Train = train.Shuffle(broken{successors(12, 1, 10)}, 1)
	err := newLoop(t, c).Run(context.Background())
	if !errors.Is(err, errBroken) {
		t.Fatalf("got %v, want %v", err, errBroken)
	}
	if want := "train: epoch 0, example " + string(rune('0'+at)) + ": the disk is gone"; at < 10 && err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestDatasetsEndWithAnError checks that an example that cannot be read is the last, also one that is to be left out.
func TestDatasetsEndWithAnError(t *testing.T) {
	stream := train.Stream(func(int) iter.Seq2[train.Example, error] {
		return func(yield func(train.Example, error) bool) {
			for i := 0; i < 9 && yield(broken{numbered(9)}.At(i)); i++ {
			}
		}
	})
	for name, d := range map[string]iter.Seq2[train.Example, error]{
		"shuffled":         train.Shuffle(broken{numbered(9)}, 1).Examples(0, 0),
		"stream":           stream.Examples(0, 0),
		"stream, left out": stream.Examples(0, 5),
	} {
		var errs []error
		for _, err := range d {
			errs = append(errs, err)
		}
		if i := slices.Index(errs, errBroken); i < 0 || i != len(errs)-1 {
			t.Errorf("%s: got %v, want the last to be %v", name, errs, errBroken)
		}
	}
}

// counted is a dataset that counts its iterators that have not ended.
type counted struct {
	train.Dataset
	open *int
}

// Examples implements train.Dataset.
func (c counted) Examples(epoch, from int) iter.Seq2[train.Example, error] {
	return func(yield func(train.Example, error) bool) {
		*c.open++
		defer func() { *c.open-- }()
		c.Dataset.Examples(epoch, from)(yield)
	}
}

// TestIteratorsEnd checks that a dataset's iterators, which may hold files, end with the run, however it ends.
func TestIteratorsEnd(t *testing.T) {
	var open int
	for name, change := range map[string]func(c *train.Config){
		"amid an epoch": func(c *train.Config) { c.MaxSteps = 1 },
		"a training example that cannot be read": func(c *train.Config) {
			c.Train = counted{train.Shuffle(broken{successors(12, 1, 10)}, 1), &open}
		},
		"an example of the evaluation that cannot be read": func(c *train.Config) {
			c.Eval = counted{train.Shuffle(broken{successors(12, 1, 10)}, 1), &open}
		},
	} {
		c := lookupConfig(testEngine(t, mat.Options{}), newLookup(10, 8, 10, 1))
		c.Train, c.Eval, c.EvalSteps = counted{ragged(30), &open}, counted{ragged(5), &open}, 2
		change(&c)
		err := newLoop(t, c).Run(t.Context())
		if (err == nil) != (c.MaxSteps == 1) || open != 0 {
			t.Errorf("%s: got %v and %d iterators that have not ended, want none", name, err, open)
		}
	}
}

// TestMicroBatches checks how examples of 1, 2, 3, 4, 1, … tokens are cut into micro-batches and steps.
func TestMicroBatches(t *testing.T) {
	type step struct {
		epoch int
		sizes []int // tokens of the micro-batches
	}
	for _, c := range []struct {
		name         string
		tokens, size int
		accumulation int
		want         []step // two epochs
	}{
		{"by size", 0, 2, 2, []step{{0, []int{3, 7}}, {0, []int{3, 7}}, {1, []int{3, 7}}, {1, []int{3, 7}}}},
		{"by tokens", 6, 0, 2, []step{{0, []int{6, 5}}, {0, []int{5, 4}}, {1, []int{6, 5}}, {1, []int{5, 4}}}},
		{"by both", 6, 2, 3, []step{{0, []int{3, 3, 5}}, {0, []int{5, 4}}, {1, []int{3, 3, 5}}, {1, []int{5, 4}}}},
		{"all", 20, 8, 1, []step{{0, []int{20}}, {1, []int{20}}}},
		{"an epoch is a step", 0, 1, 100, []step{{0, []int{1, 2, 3, 4, 1, 2, 3, 4}}, {1, []int{1, 2, 3, 4, 1, 2, 3, 4}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []step
			examples := 0
			o := meddling{newLookup(10, 8, 10, 1), func(b *train.Batch) {
				if b.Step == len(got) {
					got = append(got, step{})
				}
				tokens := 0
				for _, x := range b.Examples {
					tokens += len(x.InputIDs)
				}
				if s := &got[b.Step]; b.Index == len(s.sizes) {
					s.sizes = append(s.sizes, tokens)
				}
			}}
			config := lookupConfig(testEngine(t, mat.Options{}), o)
			config.Train, config.MaxSteps, config.NumTrainEpochs = ragged(8), 0, 2
			config.BatchTokens, config.BatchSize, config.GradientAccumulationSteps, config.Workers = c.tokens, c.size, c.accumulation, 1
			config.OnStep = func(p train.Progress) {
				s := &got[p.Step-1]
				s.epoch = p.Epoch
				tokens := 0
				for _, n := range s.sizes {
					tokens += n
				}
				examples += p.Examples
				if p.MicroBatches != len(s.sizes) || p.Tokens != tokens || p.Labels != tokens {
					t.Errorf("got %+v, want %d micro-batches with %d tokens and labels", p, len(s.sizes), tokens)
				}
			}
			l := newLoop(t, config)
			run(t, l)
			if !slices.EqualFunc(got, c.want, func(a, b step) bool { return a.epoch == b.epoch && slices.Equal(a.sizes, b.sizes) }) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if want := (train.Position{Step: len(c.want), Epoch: 2, Tokens: 40}); l.Position() != want || examples != 2*8 {
				t.Errorf("got %+v and %d examples, want %+v and %d", l.Position(), examples, want, 2*8)
			}
		})
	}
}
