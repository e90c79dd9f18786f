package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// Two sequences, of one and of two tokens, with one head of two columns; a token sees itself and what came before.
func ExampleEngine_Attention() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	q, k := mat.New(3, 2), mat.New(3, 2) // zeros: all keys weigh the same
	v := mat.View([]float32{
		1, 2,

		3, 4,
		5, 6,
	}, 3, 2)
	rows := []int{0, 1, 3}
	a := mat.Attention{Heads: 1, HeadSize: 2, Queries: rows, Keys: rows, Causal: true}
	out := mat.New(3, 2)
	e.Attention(out, q, k, v, a)
	for i := range out.Rows {
		fmt.Println(out.Row(i))
	}
	// Output:
	// [1 2]
	// [3 4]
	// [4 5]
}

// The gradient of the sum of all results: a value gets what the queries that see it weigh it with.
func ExampleEngine_AttentionBackward() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	q, k, v, out := mat.New(2, 1), mat.New(2, 1), mat.View([]float32{3, 5}, 2, 1), mat.New(2, 1)
	a := mat.Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 2}, Keys: []int{0, 2}, Causal: true}
	e.Attention(out, q, k, v, a)
	dOut := mat.View([]float32{1, 1}, 2, 1)
	d := mat.AttentionGradients{Q: mat.New(2, 1), K: mat.New(2, 1), V: mat.New(2, 1)}
	e.AttentionBackward(d, dOut, out, q, k, v, a)
	fmt.Println(d.V.Data)
	// Output:
	// [1.5 0.5]
}

// A sequence that grows by a token at a time, whose keys and values so far are kept.
func ExampleEngine_AttentionCached() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	q, out := mat.New(1, 2), mat.New(1, 2)
	key, values := mat.New(1, 2), mat.View([]float32{3, 4, 5, 6}, 2, 2) // zeros: all keys weigh the same
	cache := e.NewCache(1, 2)
	for n := range values.Rows {
		cache.Append(key, values.RowRange(n, n+1))
		a := mat.Attention{Heads: 1, HeadSize: 2, Queries: []int{0, 1}, Offsets: []int{n}, Causal: true}
		e.AttentionCached(out, q, []*mat.Cache{cache}, a)
		fmt.Println(out.Row(0))
	}
	// Output:
	// [3 4]
	// [4 5]
}
