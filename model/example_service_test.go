package model_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/model"
)

// A service refuses what cannot be computed before it puts requests together, hands on tokens as they come, and lets go of a request whose client has
// left. In a handler, ctx is that of the http.Request, and the texts of a tokenizer's Decoder go to the client as they come.
func ExampleModel_Stream_service() {
	m, e := open()
	defer e.Close()
	settings := generate.Greedy(4)

	type job struct {
		model.Request
		tokens chan string
	}
	jobs := make(chan job)
	answer := func(ctx context.Context, ids []int) string {
		j := job{model.Request{InputIDs: ids, Done: ctx.Done()}, make(chan string, settings.MaxNewTokens+1)} // has room: no client holds up another
		if err := m.Validate(j.Request, settings); err != nil {
			return err.Error() // status 400
		}
		jobs <- j
		var text []string
		for t := range j.tokens {
			text = append(text, t)
		}
		return strings.Join(text, " ")
	}

	go func() { // one of these for each batch that may be under way at once
		for first := range jobs {
			batch := []job{first}
			for wait := time.After(5 * time.Millisecond); len(batch) < 16; {
				select {
				case j := <-jobs:
					batch = append(batch, j)
					continue
				case <-wait:
				}
				break
			}
			var requests []model.Request
			for _, j := range batch {
				requests = append(requests, j.Request)
			}
			for event, err := range m.Stream(context.Background(), requests, settings) {
				if e, ok := errors.AsType[*generate.RequestError](err); ok { // an adapter with broken numbers, say: the others go on
					batch[e.Request].tokens <- e.Err.Error()
					close(batch[e.Request].tokens)
					continue
				} else if err != nil {
					log.Fatal(err)
				}
				tokens := batch[event.Request].tokens
				for _, id := range event.IDs {
					tokens <- fmt.Sprint(id)
				}
				if event.Finish != generate.Running {
					tokens <- event.Finish.String()
					close(tokens)
				}
			}
		}
	}()

	gone, leave := context.WithCancel(context.Background())
	leave()
	var answers [3]string
	var clients sync.WaitGroup
	clients.Go(func() { answers[0] = answer(context.Background(), []int{5, 1}) })
	clients.Go(func() { answers[1] = answer(context.Background(), []int{13}) })
	clients.Go(func() { answers[2] = answer(gone, []int{7, 2, 3, 11, 1}) })
	clients.Wait()
	fmt.Println(strings.Join(answers[:], "\n"))
	// Output:
	// 0 0 0 0 length
	// model: input_ids[0]: got 13, want 0 ≤ id < 13
	// canceled
}
