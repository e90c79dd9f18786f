package main

import (
	"fmt"
	"time"
)

// A demoProgress tells how far the training is, some times a second.
type demoProgress struct {
	*progress
	demo *demo
	due  time.Time // of the next news
	loss float64   // a moving mean
}

// tell is called after each step with the losses so far.
func (p *demoProgress) tell(losses []float64) {
	n := len(losses)
	p.loss += (losses[n-1] - p.loss) / float64(min(n, 50))
	if now := time.Now(); now.After(p.due) {
		p.due = now.Add(time.Second / 5)
		p.step(fmt.Sprintf("training, step %d, %.0f %%, loss %.3f", n, 100*p.demo.share(n), p.loss))
	}
}
