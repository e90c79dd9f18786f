package mat

import "sync"

// A spare keeps values for reuse.
type spare[T any] struct {
	mu     sync.Mutex
	values []T
}

func (s *spare[T]) take() (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.values) - 1
	if n < 0 {
		return v, false
	}
	v = s.values[n]
	s.values = s.values[:n]
	return v, true
}

func (s *spare[T]) put(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, v)
}
