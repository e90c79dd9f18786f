package generate_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
)

// counting is a model that counts: after token n comes n+1, and almost as likely n+2.
type counting struct{ last []int }

func (*counting) Vocabulary() int { return 10 }

func (c *counting) Start(context.Context) (mat.Matrix, error) { return c.logits(), nil }

func (c *counting) Next(_ context.Context, rows []generate.Row) (mat.Matrix, error) {
	c.last = c.last[:0]
	for _, r := range rows {
		c.last = append(c.last, r.Token)
	}
	return c.logits(), nil
}

func (c *counting) logits() mat.Matrix {
	m := mat.New(len(c.last), 10)
	for i, n := range c.last {
		m.Row(i)[(n+1)%10], m.Row(i)[(n+2)%10] = 5, 4
	}
	return m
}

func ExampleStream() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	requests := []generate.Request{
		{Prompt: []int{2}, Settings: generate.Greedy(3)},
		{Prompt: []int{5}, Settings: generate.Settings{MaxNewTokens: 9, StopIDs: []int{7}}},
	}
	for v, err := range generate.Stream(context.Background(), e, &counting{last: []int{2, 5}}, requests) {
		if err != nil {
			panic(err)
		}
		fmt.Println("request", v.Request, "token", v.IDs, v.Finish)
	}
	// Output:
	// request 0 token [3] running
	// request 1 token [6] running
	// request 0 token [4] running
	// request 1 token [7] stopped
	// request 0 token [5] length
}

// drafted is the same model for drafts too.
type drafted struct{ counting }

func (*drafted) DraftTokens(rows int) int { return 3 * rows }

func (c *drafted) Next(_ context.Context, rows []generate.Row) (mat.Matrix, error) {
	c.last = c.last[:0]
	for _, r := range rows {
		c.last = append(append(c.last, r.Token), r.Draft...)
	}
	return c.logits(), nil
}

// What the prompt says comes again.
func ExampleVerifier() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	requests := []generate.Request{{Prompt: []int{3, 4, 5, 6, 7, 1, 2}, Settings: generate.Greedy(6)}}
	for v, err := range generate.Stream(context.Background(), e, &drafted{counting{last: []int{2}}}, requests) {
		if err != nil {
			panic(err)
		}
		fmt.Println(v.IDs)
	}
	// Output:
	// [3]
	// [4 5]
	// [6 7 8]
}

// Join computes the prompt of one request at a time, which is its number.
func (c *counting) Join(_ context.Context, rows []generate.Row, waiting []int) (logits mat.Matrix, joined []int, err error) {
	c.last = c.last[:0]
	for _, r := range rows {
		c.last = append(c.last, r.Token)
	}
	if len(waiting) > 0 {
		joined = waiting[:1]
		c.last = append(c.last, joined...)
	}
	return c.logits(), joined, nil
}

func ExampleBatch() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	b := generate.NewBatch(e, &counting{})
	for range 2 {
		if _, err := b.Add(generate.Request{Settings: generate.Greedy(2)}); err != nil {
			panic(err)
		}
	}
	for step := 1; b.Len() > 0; step++ {
		for v, err := range b.Step(context.Background()) {
			if err != nil {
				panic(err)
			}
			fmt.Println("step", step, "request", v.Request, "token", v.IDs, v.Finish)
			if v.Request == 0 && v.Finish == generate.Length {
				if _, err := b.Add(generate.Request{Settings: generate.Greedy(1)}); err != nil { // joins
					panic(err)
				}
			}
		}
	}
	// Output:
	// step 1 request 0 token [1] running
	// step 2 request 0 token [2] length
	// step 2 request 1 token [2] running
	// step 3 request 1 token [3] length
	// step 3 request 2 token [3] length
}

func ExampleCollect() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	settings := generate.Settings{MaxNewTokens: 4, Beams: &generate.Beams{N: 2, LengthPenalty: 1}}
	results, err := generate.Collect(generate.Stream(context.Background(), e, &counting{last: []int{0}}, []generate.Request{{Settings: settings}}), 1)
	fmt.Println(results, err)
	// Output: [{[1 2 3 4] length}] <nil>
}

// A sequence ends at the token that completes a stop string in the text, which a tokenizer's Decode would give.
func ExampleSettings() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	digits := func(ids []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ""), "[]") }
	settings := generate.Settings{MaxNewTokens: 9, StopStrings: []string{"45"}, Text: digits}
	results, err := generate.Collect(generate.Stream(context.Background(), e, &counting{last: []int{0}}, []generate.Request{{Settings: settings}}), 1)
	fmt.Println(results, err)
	// Output: [{[1 2 3 4 5] stopped}] <nil>
}

// A token among the 50 largest once the penalty has made those of 7 tokens smaller was among the 57 largest before.
func ExampleSettings_Largest() {
	settings := generate.Settings{MaxNewTokens: 9, RepetitionPenalty: 1.2, Sampling: &generate.Sampling{Temperature: 1, TopK: 50}}
	fmt.Println(settings.Largest(7))
	// Output: 57
}

func ExampleGreedy() {
	fmt.Println(generate.Greedy(32).MaxNewTokens)
	// Output: 32
}

func ExampleSettings_Validate() {
	settings := generate.Settings{MaxNewTokens: 9, StopIDs: []int{2, 10}}
	fmt.Println(settings.Validate(10))
	settings = generate.Settings{MaxNewTokens: 9, Sampling: &generate.Sampling{Temperature: 0}}
	fmt.Println(settings.Validate(10))
	// Output:
	// stop id: got 10, want 0 ≤ id < 10
	// temperature: got 0, want a number of a float32 that is more than 0
}
