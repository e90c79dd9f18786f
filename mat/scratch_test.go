package mat

import "testing"

// Texts that become ever longer, say, need no more memory than the longest does, but for a factor.
func TestScratchOfEverLargerSlices(t *testing.T) {
	e := newEngine(t, 1)
	const largest = 1 << 20
	for n := 1; n <= largest; n += 1 << 12 {
		b := e.Borrow(n)
		if len(b) != n {
			t.Fatalf("got %d values, want %d", len(b), n)
		}
		e.Return(b)
	}
	size := 0
	for _, b := range e.scratch.free {
		size += cap(b)
	}
	if size > 2*largest {
		t.Errorf("keeps %d values in %d slices, want at most %d", size, len(e.scratch.free), 2*largest)
	}
}
