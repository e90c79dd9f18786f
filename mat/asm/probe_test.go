package asm

import (
	"sync"
	"testing"
)

// Several threads can run the probes of every level at the same time: the race detector finds nothing that they share.
func TestProbesShareNothing(t *testing.T) {
	src := make([]float32, 32)
	for _, l := range Levels() {
		var threads sync.WaitGroup
		for range 2 {
			threads.Go(func() {
				l.Gemm.Peak(1)
				l.Gemm.Read(&src[0], 1, len(src))
			})
		}
		threads.Wait()
	}
}
