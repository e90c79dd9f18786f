package train

import (
	"iter"
	"math/bits"
	"math/rand/v2"
)

// An Example is an item of a dataset. What its fields mean is the objective's; a [PolyModel] takes transformers' input_ids and labels, and the
// task id that PEFT calls task_ids.
type Example struct {
	InputIDs []int
	Labels   []int // those that are nn.IgnoreIndex don't count
	Task     int
}

// A Dataset is examples in an order that can be found again, in every epoch an order of its own.
type Dataset interface {
	// Examples returns the examples of an epoch, 0 the first, without the first from of them: the same for the same arguments. An error
	// ends them. The slices of an example stay as they are until the examples are no longer asked for.
	Examples(epoch, from int) iter.Seq2[Example, error]
}

// An Indexed holds examples that are found by number, as a Dataset of torch.utils.data does.
type Indexed interface {
	Len() int
	// At returns example i, 0 ≤ i < Len: the same each time.
	At(i int) (Example, error)
}

// A Slice is examples in memory. As a [Dataset] it has their order in every epoch.
type Slice []Example

// Len implements Indexed.
func (s Slice) Len() int { return len(s) }

// At implements Indexed.
func (s Slice) At(i int) (Example, error) { return s[i], nil }

// Examples implements Dataset.
func (s Slice) Examples(_, from int) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		for i := from; i < len(s) && yield(s[i], nil); i++ {
		}
	}
}

// A Stream is a dataset that can only be read from the start of an epoch: what is to be left out is read and dropped.
type Stream func(epoch int) iter.Seq2[Example, error]

// Examples implements Dataset.
func (s Stream) Examples(epoch, from int) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		n := 0
		for x, err := range s(epoch) {
			if n++; n <= from && err == nil {
				continue
			}
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// Shuffle returns the examples of x in an order that depends on seed and the epoch and on nothing else. An epoch needs memory for a number
// per example.
func Shuffle(x Indexed, seed uint64) Dataset { return shuffled{x, seed} }

type shuffled struct {
	Indexed
	seed uint64
}

// Examples implements Dataset.
func (s shuffled) Examples(epoch, from int) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		order := permutation(s.Len(), rand.NewChaCha8(sourceKey(s.seed, shuffling, epoch, 0)))
		for _, i := range order[min(from, len(order)):] {
			if x, err := s.At(i); !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// permutation returns 0 … n-1 in an order that source decides (Fisher and Yates; math/rand's order may change between versions of Go).
func permutation(n int, source rand.Source) []int {
	order := make([]int, n)
	for i := range order {
		j, _ := bits.Mul64(source.Uint64(), uint64(i+1))
		order[i] = order[j]
		order[j] = i
	}
	return order
}
