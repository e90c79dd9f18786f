package mat

import (
	"math/bits"
	"sync"
)

// A scratch lends memory and takes it back, so that the steady state allocates nothing. What it has is a power of two long: where ever more is asked for, all
// that has become too small is together no more than what is used.
type scratch struct {
	mu   sync.Mutex
	free [][]float32
}

// leastScratch is the least number of values that are allocated.
const leastScratch = 1 << 12

// Borrow returns n float32 of any content, on a cache line's boundary, for as long as the caller needs them. Return gives them back.
func (e *Engine) Borrow(n int) []float32 {
	s := &e.scratch
	s.mu.Lock()
	defer s.mu.Unlock()
	best := -1
	for i, b := range s.free {
		if cap(b) >= n && (best < 0 || cap(b) < cap(s.free[best])) {
			best = i
		}
	}
	if best >= 0 {
		b, last := s.free[best], len(s.free)-1
		s.free[best], s.free = s.free[last], s.free[:last]
		return b[:n]
	}
	return aligned(1 << bits.Len(uint(max(n, leastScratch)-1)))[:n]
}

// Return gives back what Borrow returned. The caller must not use it afterwards.
func (e *Engine) Return(b []float32) {
	s := &e.scratch
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, b)
}
