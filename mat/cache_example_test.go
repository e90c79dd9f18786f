package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// Two sequences have their first two positions in common; then each goes on by itself.
func ExampleCache_CopyFrom() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	first, second := e.NewCache(1, 2), e.NewCache(1, 2)
	keys, values := mat.New(3, 2), mat.New(3, 2)
	first.Append(keys, values)
	second.CopyFrom(first, 2, 0)
	second.Append(keys, values)
	fmt.Println(first.Len(), second.Len())
	// Output: 3 5
}

// A prompt of 1000 tokens is computed in two parts; the second is appended where there is room for it.
func ExampleCache_Reserve() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	cache := e.NewCache(1, 2)
	cache.Reserve(1000)
	for range 2 {
		cache.Append(mat.New(500, 2), mat.New(500, 2))
	}
	fmt.Println(cache.Len())
	// Output: 1000
}

// Of four positions that were computed on trial, one is of use.
func ExampleCache_Truncate() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	cache := e.NewCache(1, 2)
	cache.Append(mat.New(6, 2), mat.New(6, 2))
	cache.Append(mat.New(4, 2), mat.New(4, 2))
	cache.Truncate(7)
	fmt.Println(cache.Len())
	// Output: 7
}

// A step of decoding: a sequence of two positions goes on by one, whose query sees all three.
func ExampleEngine_AttentionAppend() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	cache := e.NewCache(1, 1)
	cache.Append(mat.New(2, 1), mat.View([]float32{0, 1}, 2, 1))
	a := mat.Attention{Heads: 1, HeadSize: 1, Causal: true, Queries: []int{0, 1}, Offsets: []int{2}}
	out, q, k, v := mat.New(1, 1), mat.New(1, 1), mat.New(1, 1), mat.View([]float32{8}, 1, 1)
	e.AttentionAppend(out, q, k, v, []*mat.Cache{cache}, a)
	fmt.Println(out.Row(0), cache.Len())
	// Output: [3] 3
}
