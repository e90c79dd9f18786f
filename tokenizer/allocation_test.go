//go:build !race

package tokenizer

import "testing"

// Once texts of the length have been seen, only the result is allocated.
func TestAllocations(t *testing.T) {
	lines := prose(t)
	for _, file := range vocabularyFiles {
		tok := vocabularyOf(t, file)
		var ids []int
		encode := func() {
			for _, line := range lines {
				ids = tok.AppendEncode(ids[:0], line, true)
			}
		}
		encode()
		if got := testing.AllocsPerRun(20, encode); got >= 1 {
			t.Errorf("%s: got %v allocations, want none", file, got)
		}
	}
}
