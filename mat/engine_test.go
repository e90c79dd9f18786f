package mat

import (
	"strings"
	"testing"
)

func TestNewEngine(t *testing.T) {
	t.Setenv("POLY_CPU", "generic")
	e, err := NewEngine(Options{})
	if err != nil || e.Level() != "generic" {
		t.Fatalf("POLY_CPU=generic: %v, %v", e, err)
	}
	for _, level := range Levels() {
		if e, err := NewEngine(Options{Level: level}); err != nil || e.Level() != level {
			t.Errorf("level %s: %v, %v", level, e, err)
		}
	}
	t.Setenv("POLY_CPU", "mmx")
	if _, err := NewEngine(Options{}); err == nil || !strings.HasPrefix(err.Error(), `mat: POLY_CPU: "mmx" is not available here, want one of `) {
		t.Errorf("POLY_CPU=mmx: %v", err)
	}
	for threads, want := range map[int]string{-1: "mat: threads: got -1, want 0 ≤ threads ≤ 4096", 4097: "mat: threads: got 4097, want 0 ≤ threads ≤ 4096"} {
		if _, err := NewEngine(Options{Level: "generic", Threads: threads}); err == nil || err.Error() != want {
			t.Errorf("threads %d: %v", threads, err)
		}
	}
	if e, err := NewEngine(Options{Level: "generic", Threads: 3}); err != nil || e.Threads() != 3 {
		t.Errorf("threads 3: %v, %v", e, err)
	}
}
