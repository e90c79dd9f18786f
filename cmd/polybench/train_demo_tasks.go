package main

import (
	"iter"
	"math/rand/v2"

	"github.com/polytropon/polytropon/train"
)

// A toyTask of the demo: a capital and a small letter are hidden among marks, and the answer is both in a cipher, the capital first. Tasks of the same
// cipher have other marks. Nothing in the input tells the cipher, so that only the skills of the task can.
type toyTask struct {
	cipher string
	encode func(letter int) int // of 26
	marks  string               // what the letters are hidden among,
	least  int                  // of which there are so many to twice as many
}

// toyCiphers are the ciphers of the tasks.
var toyCiphers = []struct {
	name   string
	encode func(letter int) int
}{
	{"next letter", func(letter int) int { return (letter + 1) % 26 }},
	{"mirror image", func(letter int) int { return 25 - letter }},
	{"half a turn", func(letter int) int { return (letter + 13) % 26 }},
}

// toyTasks have each cipher among few digits and among more signs. A task's id is its index.
var toyTasks = func() (tasks []toyTask) {
	for _, c := range toyCiphers {
		tasks = append(tasks, toyTask{c.name, c.encode, "0123456789", 1}, toyTask{c.name, c.encode, "+-*/=<>.,:", 4})
	}
	return tasks
}()

// example makes an example; the tokens are bytes, of the answer with end as the last.
func (t *toyTask) example(rng *rand.Rand, end int) (x train.Example) {
	capital, small := rng.IntN(26), rng.IntN(26)
	x.InputIDs = []int{'A' + capital, 'a' + small}
	for range t.least + rng.IntN(t.least+1) {
		x.InputIDs = append(x.InputIDs, int(t.marks[rng.IntN(len(t.marks))]))
	}
	rng.Shuffle(len(x.InputIDs), func(i, j int) { x.InputIDs[i], x.InputIDs[j] = x.InputIDs[j], x.InputIDs[i] })
	x.Labels = []int{'A' + t.encode(capital), 'a' + t.encode(small), end}
	return x
}

// isHeldOut tells whether an input is one of those, an eighth, that are not trained on in any task.
func isHeldOut(ids []int) bool {
	sum := 0
	for _, id := range ids {
		sum += id
	}
	return sum%8 == 0
}

// A toySet has examples of all tasks in turn, without an end.
type toySet struct {
	seed    uint64
	end     int // the token that ends an answer
	heldOut bool
}

// Examples implements train.Dataset. All epochs are the same.
func (s toySet) Examples(_, from int) iter.Seq2[train.Example, error] {
	return func(yield func(train.Example, error) bool) {
		for i := from; yield(s.at(i), nil); i++ {
		}
	}
}

// at returns example i.
func (s toySet) at(i int) train.Example {
	rng := rand.New(rand.NewPCG(s.seed, uint64(i)))
	task := i % len(toyTasks)
	for {
		if x := toyTasks[task].example(rng, s.end); isHeldOut(x.InputIDs) == s.heldOut {
			x.Task = task
			return x
		}
	}
}

// toyText returns the text of bytes.
func toyText(ids []int) string {
	text := make([]byte, len(ids))
	for i, id := range ids {
		text[i] = byte(id)
	}
	return string(text)
}
