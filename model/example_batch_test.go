package model_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"

	"github.com/polytropon/polytropon/generate"
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
	answer := func(ctx context.Context, ids []int) string {
		c := client{model.Request{InputIDs: ids, Done: ctx.Done()}, make(chan string, most+1)} // has room: no client holds up another
		clients <- c
		var all []string
		for text := range c.text {
			all = append(all, text)
		}
		return strings.Join(all, " ")
	}

	go func() {
		batch := m.NewBatch()
		waiting := map[int]client{}
		add := func(c client) {
			n, err := batch.Add(c.Request, generate.Greedy(most))
			if err != nil {
				c.text <- err.Error() // status 400
				close(c.text)
				return
			}
			waiting[n] = c
		}
		for {
			if batch.Len() == 0 {
				add(<-clients)
			}
			for more := true; more && batch.Len() < 16; {
				select {
				case c := <-clients:
					add(c)
				default:
					more = false
				}
			}
			for event, err := range batch.Step(context.Background()) {
				c := waiting[event.Request]
				for _, id := range event.IDs {
					c.text <- fmt.Sprint(id)
				}
				end := event.Finish.String()
				if e, ok := errors.AsType[*generate.RequestError](err); ok { // an adapter with broken numbers, say
					end = e.Err.Error()
				} else if err != nil {
					log.Fatal(err)
				} else if event.Finish == generate.Running {
					continue
				}
				c.text <- end
				close(c.text)
				delete(waiting, event.Request)
			}
		}
	}()

	gone, leave := context.WithCancel(context.Background())
	leave()
	var answers [3]string
	var all sync.WaitGroup
	all.Go(func() { answers[0] = answer(context.Background(), []int{5, 1}) })
	all.Go(func() { answers[1] = answer(context.Background(), []int{13}) })
	all.Go(func() { answers[2] = answer(gone, []int{7, 2, 3, 11, 1}) })
	all.Wait()
	fmt.Println(strings.Join(answers[:], "\n"))
	// Output:
	// 0 0 0 0 length
	// model: input_ids[0]: got 13, want 0 ≤ id < 13
	// canceled
}
