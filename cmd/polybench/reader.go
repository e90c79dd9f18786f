package main

import (
	"time"

	"github.com/polytropon/polytropon/mat"
)

// A reader measures how fast weights can be read, to compare with work that has to read them.
type reader struct {
	engine  *mat.Engine
	weights *mat.Packed
	parts   int
	stream  int

	rates, shares []float64
}

// newReader returns a reader, or nil where there is nothing to read.
func newReader(e *mat.Engine, weights *mat.Packed) *reader {
	if weights == nil {
		return nil
	}
	return &reader{engine: e, weights: weights, parts: 4 * e.Threads()}
}

// sample measures the best of 1, 2, 4 and 8 streams, after work that took the given time.
func (r *reader) sample(seconds float64) {
	if r == nil {
		return
	}
	bytes, best := float64(r.weights.Bytes()), 0.0
	for r.stream = 1; r.stream <= 8; r.stream *= 2 {
		start := time.Now()
		r.engine.Run(r.parts, r)
		best = max(best, bytes/time.Since(start).Seconds()/1e9)
	}
	r.rates = append(r.rates, best)
	r.shares = append(r.shares, bytes/seconds/1e9/best)
}

// Do implements mat.Task: it reads one part of the weights.
func (r *reader) Do(i int) { r.engine.ReadProbe(r.weights, i, r.parts, r.stream) }
