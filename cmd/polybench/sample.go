package main

import (
	"slices"
	"time"

	"github.com/polytropon/polytropon/mat"
)

// sampleTime is about how long one sample of a measurement runs: long against the clock and the start of the workers, short against
// the other users of the machine.
const sampleTime = 5 * time.Millisecond

// A sampler measures work on one engine, each sample between two runs of a loop of nothing but multiply-adds on the same threads.
type sampler struct {
	engine *mat.Engine
	flops  float64 // or bytes, of the work
	work   func()
	repeat int // calls per sample

	seconds, rates, ceilings, shares []float64
}

// newSampler warms the work up and finds how often to repeat it.
func newSampler(e *mat.Engine, flops float64, work func()) *sampler {
	s := &sampler{engine: e, flops: flops, work: work, repeat: 1}
	work()
	for {
		if d := s.run(); d > sampleTime/2 || s.repeat > 1<<20 {
			s.repeat = max(1, int(float64(s.repeat)*float64(sampleTime)/float64(d)))
			return s
		}
		s.repeat *= 2
	}
}

func (s *sampler) run() time.Duration {
	start := time.Now()
	for range s.repeat {
		s.work()
	}
	return time.Since(start)
}

// sample takes one sample.
func (s *sampler) sample() {
	before := ceiling(s.engine)
	d := s.run().Seconds() / float64(s.repeat)
	peak := (before + ceiling(s.engine)) / 2
	rate := s.flops / d / 1e9
	s.seconds, s.rates = append(s.seconds, d), append(s.rates, rate)
	s.ceilings, s.shares = append(s.ceilings, peak), append(s.shares, rate/peak)
}

// ceiling returns how many GFLOPS all threads of e together reach in registers: the sum of what each reaches while it is at it, as some
// begin later than others.
func ceiling(e *mat.Engine) float64 {
	p := &probe{engine: e, rates: make([]float64, e.Threads())}
	e.Run(len(p.rates), p)
	var sum float64
	for _, r := range p.rates {
		sum += r
	}
	return sum
}

// probe is the task that measures the ceiling; each part keeps one thread busy, for about a millisecond.
type probe struct {
	engine *mat.Engine
	rates  []float64 // of the parts, in GFLOPS
}

// Do implements mat.Task.
func (p *probe) Do(i int) {
	start := time.Now()
	flops := 0
	for range 48 {
		flops += p.engine.PeakProbe()
	}
	p.rates[i] = float64(flops) / time.Since(start).Seconds() / 1e9
}

// quantile returns the q-quantile of x, between 0 and 1.
func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	at := q * float64(len(s)-1)
	i := int(at)
	if i+1 == len(s) {
		return s[i]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}

func median(x []float64) float64 { return quantile(x, 0.5) }
