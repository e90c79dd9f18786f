package asm

import (
	"math/rand/v2"
	"testing"
)

// A boundsKernel is a Bounds for up to mr rows.
type boundsKernel struct {
	f  Bounds
	mr int
}

// otherBounds is the kernel that a level has on other machines.
var otherBounds = map[string]boundsKernel{}

// TestBounds compares with the portable code, between guard pages.
func TestBounds(t *testing.T) {
	for _, l := range Levels() {
		t.Run(l.Name, func(t *testing.T) {
			testBounds(t, boundsKernel{l.Gemm.Bounds, l.Gemm.BoundsMR})
			if other, ok := otherBounds[l.Name]; ok {
				testBounds(t, other)
			}
		})
	}
}

func testBounds(t *testing.T, kernel boundsKernel) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, k := range []int{4, 8, 12, 36, 100, 512} {
		for m := 1; m <= kernel.mr; m++ {
			for panels := 1; panels <= 3; panels++ {
				for _, place := range []placer{atStart, atEnd} {
					lda, ld := k+2*(k%8), panels+1
					a, b := placed[int16](place, (m-1)*lda+k), placed[int8](place, BoundsCols*panels*k)
					for i := range a {
						a[i] = int16(rnd.IntN(2*8192+1) - 8192)
					}
					for i := range b {
						b[i] = int8(rnd.IntN(255) - 127)
					}
					scale, radius := filled(rnd, placed[float32](place, BoundsCols*panels)), filled(rnd, placed[float32](place, BoundsCols*panels))
					size := filled(rnd, placed[float32](place, m))
					most, least := filled(rnd, placed[float32](place, (m-1)*ld+panels)), filled(rnd, placed[float32](place, (m-1)*ld+panels))
					wantMost, wantLeast := append([]float32(nil), most...), append([]float32(nil), least...)
					boundsGeneric(m, k, panels, &a[0], lda, &b[0], &scale[0], &radius[0], &size[0], &wantMost[0], &wantLeast[0], ld)
					kernel.f(m, k, panels, &a[0], lda, &b[0], &scale[0], &radius[0], &size[0], &most[0], &least[0], ld)
					for i := range most {
						if most[i] != wantMost[i] || least[i] != wantLeast[i] {
							t.Fatalf("m %d, k %d, %d panels, at %d: got %v and %v, want %v and %v", m, k, panels, i, most[i], least[i], wantMost[i], wantLeast[i])
						}
					}
				}
			}
		}
	}
}
