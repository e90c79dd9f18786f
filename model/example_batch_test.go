package model_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"sync"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
)

func ExampleBatch() {
	m, e := open()
	defer e.Close()
	ctx := context.Background()
	b := m.NewBatch()
	if _, err := b.Add(model.Request{InputIDs: []int{5, 1}}, generate.Greedy(3)); err != nil {
		log.Fatal(err)
	}
	var ids [2][]int
	for step := 0; b.Len() > 0; step++ {
		if step == 1 { // another joins
			if _, err := b.Add(model.Request{InputIDs: []int{7, 2, 3, 11, 1}}, generate.Greedy(2)); err != nil {
				log.Fatal(err)
			}
		}
		for event, err := range b.Step(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			ids[event.Request] = append(ids[event.Request], event.IDs...) // of a stream, what is sent on
			if event.Finish != generate.Running {
				fmt.Println("request", event.Request, ids[event.Request], event.Finish)
			}
		}
	}
	// Output:
	// request 0 [0 0 0] length
	// request 1 [0 0] length
}

// A conversation: the next turn computes what is new in it, whoever had a turn in between.
func ExampleBatch_SetPrefixCache() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	m, err := model.Open("testdata/llama", e)
	if err != nil {
		log.Fatal(err)
	}
	b := m.NewBatch()
	b.SetPrefixCache(64 << 20)
	var ids []int // of the conversation
	for _, turn := range [][]int{{5, 1, 9, 4}, {2, 7}, {3}} {
		ids = append(ids, turn...)
		if _, err := b.Add(model.Request{InputIDs: slices.Clone(ids)}, generate.Greedy(2)); err != nil {
			log.Fatal(err)
		}
		for b.Len() > 0 {
			for event, err := range b.Step(context.Background()) {
				if err != nil {
					log.Fatal(err)
				}
				ids = append(ids, event.IDs...)
			}
		}
	}
	fmt.Println(ids)
	// Output: [5 1 9 4 4 8 2 7 4 8 3 4 8]
}

// A service: requests join while others are under way, tokens are handed on as they come, what one request asks for spoils no other, and one whose client has
// left ends. In a handler, ctx is that of the http.Request, and the texts that a tokenizer's Decoder returns go to the client as they come.
func ExampleBatch_service() {
	m, e := open()
	defer e.Close()
	const most = 4 // new tokens

	type client struct {
		model.Request
		text chan string
	}
	clients := make(chan client)
	service, stop := context.WithCancel(context.Background())
	answer := func(ctx context.Context, ids []int) string {
		c := client{model.Request{InputIDs: ids, Done: ctx.Done()}, make(chan string, most+1)} // has room: no client holds up another
		select {
		case clients <- c:
		case <-ctx.Done():
			return "canceled"
		case <-service.Done():
			return "closed" // status 503
		}
		var all []string
		for text := range c.text {
			all = append(all, text)
		}
		return strings.Join(all, " ")
	}

	loop := func() {
		batch := m.NewBatch()
		waiting := map[int]client{}
		end := func(c client, why string) {
			c.text <- why
			close(c.text)
		}
		add := func(c client) {
			n, err := batch.Add(c.Request, generate.Greedy(most))
			if err != nil {
				end(c, err.Error()) // status 400
				return
			}
			waiting[n] = c
		}
		for {
			if batch.Len() == 0 {
				select {
				case c := <-clients:
					add(c)
				case <-service.Done():
					return
				}
			}
			for more := true; more && batch.Len() < 16; {
				select {
				case c := <-clients:
					add(c)
				default:
					more = false
				}
			}
			for event, err := range batch.Step(service) {
				c := waiting[event.Request]
				if e, ok := errors.AsType[*generate.RequestError](err); ok { // an adapter with broken numbers, say
					end(c, e.Err.Error())
					delete(waiting, event.Request)
					continue
				} else if err != nil { // of all: the service stops
					for _, c := range waiting {
						end(c, err.Error())
					}
					return
				}
				for _, id := range event.IDs {
					c.text <- fmt.Sprint(id)
				}
				if event.Finish != generate.Running {
					end(c, event.Finish.String())
					delete(waiting, event.Request)
				}
			}
		}
	}
	var loops, all sync.WaitGroup
	loops.Go(loop)
	gone, leave := context.WithCancel(context.Background())
	leave()
	var answers [3]string
	all.Go(func() { answers[0] = answer(context.Background(), []int{5, 1}) })
	all.Go(func() { answers[1] = answer(context.Background(), []int{13}) })
	all.Go(func() { answers[2] = answer(gone, []int{7, 2, 3, 11, 1}) })
	all.Wait()
	stop()
	loops.Wait()
	fmt.Println(strings.Join(answers[:], "\n"))
	// Output:
	// 0 0 0 0 length
	// model: input_ids[0]: got 13, want 0 ≤ id < 13
	// canceled
}
