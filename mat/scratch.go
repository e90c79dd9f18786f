package mat

import "sync"

// A scratch lends memory and takes it back, so that the steady state allocates nothing.
type scratch struct {
	mu   sync.Mutex
	free [][]float32
}

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
	const granule = 1 << 12
	return aligned((n + granule - 1) / granule * granule)[:n]
}

// Return gives back what Borrow returned. The caller must not use it afterwards.
func (e *Engine) Return(b []float32) {
	s := &e.scratch
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, b)
}
