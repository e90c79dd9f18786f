package model_test

import (
	"context"
	"fmt"
	"log"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/model"
)

func ExampleModel_Generate() {
	m, e := open()
	defer e.Close()
	beams := generate.Settings{MaxNewTokens: 6, Beams: &generate.Beams{N: 3, LengthPenalty: 1}}
	results, err := m.Generate(context.Background(), []model.Request{
		{InputIDs: []int{5, 1}},
		{InputIDs: []int{7, 2, 3, 11, 1}, Settings: &beams},
	}, generate.Greedy(4))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Println(r.IDs, r.Finish)
	}
	// Output:
	// [0 0 0 0] length
	// [7 7 7 7 7 7] length
}

func ExampleModel_Stream() {
	m, e := open()
	defer e.Close()
	settings := generate.Settings{MaxNewTokens: 3, Sampling: &generate.Sampling{Temperature: 0.8, TopP: 0.9, Seed: 1}}
	for event, err := range m.Stream(context.Background(), []model.Request{{InputIDs: []int{5, 1}}}, settings) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.IDs, event.Finish)
	}
	// Output:
	// [7] running
	// [2] running
	// [0] length
}

func ExampleModel_Decoder() {
	m, e := open()
	defer e.Close()
	d, err := m.Decoder([]model.Request{{InputIDs: []int{5, 1}}})
	if err != nil {
		log.Fatal(err)
	}
	logits, err := d.Start(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", logits.Row(0)[:3])
	// Token 4 comes next, or token 9: two sequences that both continue the first.
	logits, err = d.Next(context.Background(), []generate.Row{{Parent: 0, Token: 4}, {Parent: 0, Token: 9}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n%.4f\n", logits.Row(0)[:3], logits.Row(1)[:3])
	// Output:
	// [0.2030 -0.1217 -0.0600]
	// [-0.0880 -0.1765 0.0568]
	// [0.1584 -0.2039 -0.0037]
}

// A service refuses a request before it joins others.
func ExampleModel_Validate() {
	m, e := open()
	defer e.Close()
	for _, r := range []model.Request{
		{InputIDs: []int{5, 1}},
		{InputIDs: []int{5, 13}},
		{InputIDs: []int{5, 1}, Settings: &generate.Settings{MaxNewTokens: 4, StopIDs: []int{-1}}},
	} {
		fmt.Println(m.Validate(r, generate.Greedy(4)))
	}
	// Output:
	// <nil>
	// model: input_ids[1]: got 13, want 0 ≤ id < 13
	// model: stop id: got -1, want 0 ≤ id < 13
}

func ExampleModel_StopIDs() {
	m, e := open()
	defer e.Close()
	ends := append(m.StopIDs(), 0) // token 0 ends a sequence as well
	results, err := m.Generate(context.Background(), []model.Request{{InputIDs: []int{5, 1}}}, generate.Settings{MaxNewTokens: 4, StopIDs: ends})
	fmt.Println(ends, results, err)
	// Output: [1 0] [{[0] stopped}] <nil>
}
