package mat

import (
	"testing"
	"unsafe"
)

func TestAligned(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 1000, hugePage/4 - 1, hugePage / 4, hugePage/4 + 1, hugePage} {
		b := aligned(n)
		boundary := uintptr(lineSize)
		if 4*n >= hugePage {
			boundary = hugePage
		}
		if len(b) != n || cap(b) != n {
			t.Errorf("%d values: got %d of %d", n, len(b), cap(b))
		}
		if at := uintptr(unsafe.Pointer(unsafe.SliceData(b))); at%boundary != 0 {
			t.Errorf("%d values begin at %#x, want a multiple of %d", n, at, boundary)
		}
		for i, v := range b {
			if v != 0 {
				t.Fatalf("%d values: value %d is %v", n, i, v)
			}
		}
	}
}

func TestStore(t *testing.T) {
	var s store
	sizes := []int{0, 1, ownPiece - 1, ownPiece, ownPiece + 2, 3 << 20, 100, maxPiece + 2, 3 << 20, 1 << 20, ownPiece, 40 << 20, 1 << 20}
	var got [][]byte
	for i, size := range sizes {
		p := s.take(size)
		if uintptr(p)%lineSize != 0 {
			t.Errorf("%d bytes at %p, want a multiple of %d", size, p, lineSize)
		}
		b := unsafe.Slice((*byte)(p), size)
		for _, step := range []int{0, size / 2, size - 1} {
			if size > 0 {
				b[step] = byte(i + 1)
			}
		}
		got = append(got, b)
	}
	for i, b := range got {
		for _, step := range []int{0, len(b) / 2, len(b) - 1} {
			if len(b) > 0 && b[step] != byte(i+1) {
				t.Errorf("byte %d of %d bytes belongs to others: got %d, want %d", step, len(b), b[step], i+1)
			}
		}
	}
}

// Weights of a model lie side by side, so that they fill huge pages.
func TestStoreSharesPieces(t *testing.T) {
	var s store
	first := uintptr(s.take(1 << 20))
	for i := range uintptr(pieceWeights - 1) {
		if at := uintptr(s.take(1 << 20)); at != first+(i+1)<<20 {
			t.Fatalf("weight %d is %d bytes after the first, want %d", i+1, at-first, (i+1)<<20)
		}
	}
}
