package main

import (
	"time"

	"github.com/polytropon/polytropon/mat"
)

// A sample repeats work for at least shortest, after a repetition that is not counted: caches, and the library's threads, are cold then.
// What is longer than long is done once. Every peer does it in the same way.
const (
	shortest = 5 * time.Millisecond
	long     = time.Second
)

// seconds returns how long one repetition takes in a sample.
func seconds(run func()) float64 {
	start := time.Now()
	run()
	if t := time.Since(start); t >= long {
		return t.Seconds()
	}
	for n := 1; ; n *= 2 {
		start := time.Now()
		for range n {
			run()
		}
		if t := time.Since(start); t >= shortest {
			return t.Seconds() / float64(n)
		}
	}
}

// A probe finds what the cores can do at most: the floating-point operations per second of a loop of nothing but multiply-adds.
type probe struct {
	engine *mat.Engine
	rates  []float64 // of each thread
}

func newProbe(e *mat.Engine) *probe { return &probe{engine: e, rates: make([]float64, e.Threads())} }

// Do keeps one core busy for about a millisecond.
func (p *probe) Do(i int) {
	start, flops := time.Now(), 0
	for range 48 {
		flops += p.engine.PeakProbe()
	}
	p.rates[i] = float64(flops) / time.Since(start).Seconds()
}

// ceiling returns the sum of what each thread reaches while it is at it, as some begin later than others, and how many cores that is
// worth: its ratio to what one thread reaches alone just before.
func (p *probe) ceiling() (sum, cores float64) {
	p.Do(0)
	alone := p.rates[0]
	p.engine.Run(len(p.rates), p)
	for _, r := range p.rates {
		sum += r
	}
	return sum, sum / alone
}
