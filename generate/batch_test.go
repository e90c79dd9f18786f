package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// joinable computes a prompt in as many calls as its request's number says and one more, and gives request i the tokens i, i+1 and so on.
type joinable struct {
	rows  []int // requests
	next  []int // their tokens
	calls []string
	spent int          // calls for the first that waits
	none  map[int]bool // requests without a number among their logits
	wrong int          // added to the numbers of those that join
	extra int          // rows of logits that nobody asked for
	fail  error
}

func (c *joinable) Vocabulary() int { return 40 }

func (c *joinable) DraftTokens(int) int { return 0 }

func (c *joinable) Join(_ context.Context, rows []Row, waiting []int) (logits mat.Matrix, joined []int, err error) {
	c.calls = append(c.calls, fmt.Sprint(len(rows), waiting))
	if c.fail != nil {
		return mat.Matrix{}, nil, c.fail
	}
	var requests, next []int
	for _, r := range rows {
		requests, next = append(requests, c.rows[r.Parent]), append(next, r.Token+1)
	}
	if c.spent++; len(waiting) > 0 && c.spent > waiting[0] {
		joined = []int{waiting[0] + c.wrong}
		c.spent = 0
	}
	requests, next = append(requests, joined...), append(next, joined...)
	c.rows, c.next = requests, next
	m := mat.New(len(requests)+c.extra, c.Vocabulary())
	for i, r := range requests {
		if m.Row(i)[next[i]] = 1; c.none[r] {
			for j := range m.Cols {
				m.Row(i)[j] = float32(math.NaN())
			}
		}
	}
	return m, joined, nil
}

// steps does the steps of a batch until it is empty and returns what they told, before calling for each what is done before it.
func steps(t *testing.T, b *Batch, before func(step int)) []string {
	var told []string
	for step := 0; b.Len() > 0; step++ {
		before(step)
		for v, err := range b.Step(t.Context()) {
			if told = append(told, fmt.Sprint(step, ": ", v.Request, v.IDs, v.Finish)); err != nil {
				told[len(told)-1] = fmt.Sprint(step, ": ", err)
			}
		}
	}
	return told
}

// Requests are told of in the order in which they came, whatever the source takes for their prompts, and have a token with each step from then on.
func TestBatchWaitsForPrompts(t *testing.T) {
	source := &joinable{none: map[int]bool{3: true}}
	b := NewBatch(engine(t), source)
	done := make(chan struct{})
	add := func(n int, done <-chan struct{}) {
		if _, err := b.Add(Request{Settings: Greedy(n), Done: done}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		add(4, nil)
	}
	got := steps(t, b, func(step int) {
		switch step {
		case 4:
			add(3, nil)  // request 3, which has no numbers
			add(3, done) // request 4, which is canceled while it waits
			add(1, nil)  // request 5
		case 7:
			close(done)
		}
	})
	want := []string{
		"0: 0 [0] running",
		"1: 0 [1] running",
		"2: 0 [2] running", "2: 1 [1] running",
		"3: 0 [3] length", "3: 1 [2] running",
		"4: 1 [3] running",
		"5: 1 [4] length", "5: 2 [2] running",
		"6: 2 [3] running",
		"7: 4 [] canceled", "7: 2 [4] running",
		"8: 2 [5] length",
		"9: generate: request 3: " + errNoToken.Error(),
		"15: 5 [5] length",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want = []string{"0 [0 1 2]", "1 [1 2]", "1 [1 2]", "2 [2]", "1 [2 3 4 5]", "1 [2 3 4 5]", "1 [3 4 5]", "1 [3 5]", "1 [3 5]", "0 [3 5]", "0 [5]"}
	if got := source.calls[:11]; !slices.Equal(got, want) {
		t.Errorf("got calls %q, want %q", got, want)
	}
}

// Where the only requests that there are are canceled, the source is not asked.
func TestBatchOfCanceledRequests(t *testing.T) {
	source := &joinable{}
	b := NewBatch(engine(t), source)
	done := make(chan struct{})
	close(done)
	for range 2 {
		if _, err := b.Add(Request{Settings: Greedy(3), Done: done}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := steps(t, b, func(int) {}), []string{"0: 0 [] canceled", "0: 1 [] canceled"}; !slices.Equal(got, want) || len(source.calls) != 0 {
		t.Errorf("got %q and %d calls, want %q and none", got, len(source.calls), want)
	}
}

// What cannot be added is an error that changes nothing, and a context that is done ends a step before the source is asked.
func TestBatchErrors(t *testing.T) {
	source := &joinable{}
	b := NewBatch(engine(t), source)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for v, err := range b.Step(canceled) {
		t.Errorf("got %v, %v of a batch without requests, want nothing", v, err)
	}
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{}, "generate: max_new_tokens: got 0, want at least 1"},
		{Request{Prompt: []int{1, 40}, Settings: Greedy(1)}, "generate: prompt: id 1: got 40, want 0 ≤ id < 40"},
		{Request{Input: []int{-7}, Settings: Greedy(1)}, "generate: input: id 0: got -7, want 0 ≤ id < 40"},
	} {
		if _, err := b.Add(c.request); err == nil || err.Error() != c.want || b.Len() != 0 {
			t.Errorf("got %v, %d requests, want %s", err, b.Len(), c.want)
		}
	}
	if n, err := b.Add(Request{Settings: Greedy(3)}); err != nil || n != 0 || b.Len() != 1 {
		t.Errorf("got %d, %v, %d requests", n, err, b.Len())
	}
	for v, err := range b.Step(canceled) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", v, err)
		}
	}
	if len(source.calls) != 0 {
		t.Errorf("got %d calls of the source", len(source.calls))
	}
	// The step that fails still tells what happened before.
	done := make(chan struct{})
	if n, err := b.Add(Request{Settings: Greedy(3), Done: done}); err != nil || n != 1 {
		t.Errorf("got %d, %v", n, err)
	}
	close(done)
	source.fail = errors.New("out of paper")
	var got []string
	for v, err := range b.Step(t.Context()) {
		got = append(got, fmt.Sprint(v.Request, v.Finish, err))
	}
	if want := []string{"1 canceled <nil>", "0 running out of paper"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// It was the last one.
	calls, failed := len(source.calls), source.fail
	source.fail = nil
	if _, err := b.Add(Request{Settings: Greedy(3)}); !errors.Is(err, failed) {
		t.Errorf("a batch that has failed: got %v of Add, want %v", err, failed)
	}
	told := 0
	for v, err := range b.Step(t.Context()) {
		if told++; !errors.Is(err, failed) {
			t.Errorf("a batch that has failed: got %v, %v of Step, want %v", v, err, failed)
		}
	}
	if told != 1 || len(source.calls) != calls {
		t.Errorf("a batch that has failed: got %d events and %d calls of the source, want one and none", told, len(source.calls)-calls)
	}
}

// A source cannot let somebody join who does not wait, nor return logits of others.
func TestBatchOfAWrongSource(t *testing.T) {
	for _, test := range []struct {
		source *joinable
		want   string
	}{
		{&joinable{wrong: 1}, "generate: a Joinable says that request 1 joins, want one of those that wait: [0]"},
		{&joinable{extra: 1}, "generate: a Joinable returned 2 rows of logits, want 1, with those of requests [0] that join"},
	} {
		b := NewBatch(engine(t), test.source)
		if _, err := b.Add(Request{Settings: Greedy(3)}); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}()
			for range b.Step(t.Context()) {
			}
		}()
	}
}
