package asm

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestChains compares with the portable code, between guard pages.
func TestChains(t *testing.T) {
	for _, l := range Levels() {
		rnd := rand.New(rand.NewPCG(1, 2))
		for k := range 40 {
			for _, place := range []placer{atStart, atEnd} {
				var a, b [4]unsafe.Pointer
				for i := range a {
					a[i] = unsafe.Pointer(unsafe.SliceData(filled(rnd, placed[float32](place, max(1, k)))))
					b[i] = unsafe.Pointer(unsafe.SliceData(filled(rnd, placed[float32](place, max(1, 8*k)))))
				}
				for _, add := range []bool{false, true} {
					c := (*[32]float32)(filled(rnd, placed[float32](place, 32)))
					want := *c
					generic.Gemm.Chains(k, &a, &b, &want, add)
					if l.Gemm.Chains(k, &a, &b, c, add); *c != want {
						t.Fatalf("%s, k %d, add %t: got %v, want %v", l.Name, k, add, *c, want)
					}
				}
			}
		}
	}
}

func filled(rnd *rand.Rand, x []float32) []float32 {
	for i := range x {
		x[i] = rnd.Float32() - 0.5
	}
	return x
}
