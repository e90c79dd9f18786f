package asm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTranspose compares the transposes and copies of every level with the definition, NaN payloads included, and checks that nothing between
// the rows of the result is written.
func TestTranspose(t *testing.T) {
	for _, l := range Levels() {
		t.Run(l.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			sizes := []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 63}
			for _, rows := range sizes {
				for _, cols := range sizes {
					testTranspose(t, rnd, l.Gemm.Transpose, rows, cols, true)
					testTranspose(t, rnd, l.Gemm.Copy, rows, cols, false)
				}
			}
		})
	}
}

func testTranspose(t *testing.T, rnd *rand.Rand, f transpose, rows, cols int, transposed bool) {
	t.Helper()
	dstRows, dstCols := rows, cols
	if transposed {
		dstRows, dstCols = cols, rows
	}
	lds, ldd := cols+rnd.IntN(4), dstCols+rnd.IntN(4)
	place := []placer{atStart, atEnd}[rnd.IntN(2)]
	src, dst := placed[float32](place, (rows-1)*lds+cols), placed[float32](place, (dstRows-1)*ldd+dstCols)
	for i := range src {
		src[i] = math.Float32frombits(rnd.Uint32())
	}
	for i := range dst {
		dst[i] = math.Float32frombits(rnd.Uint32())
	}
	want := slices.Clone(dst)
	for i := range rows {
		for j := range cols {
			if transposed {
				want[j*ldd+i] = src[i*lds+j]
			} else {
				want[i*ldd+j] = src[i*lds+j]
			}
		}
	}
	f(&dst[0], ldd, &src[0], lds, rows, cols)
	for i := range dst {
		if math.Float32bits(dst[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%d × %d, transposed %t, strides %d and %d: element %d is %x, want %x", rows, cols, transposed, lds, ldd, i, dst[i], want[i])
		}
	}
}

// TestRead checks that the probe stays inside its operand.
func TestRead(t *testing.T) {
	for _, l := range Levels() {
		for streams := 1; streams <= 8; streams++ {
			for _, place := range []placer{atStart, atEnd} {
				l.Gemm.Read(&placed[float32](place, 96*streams)[0], streams, 96)
			}
		}
	}
}
