package mat

import (
	"sync"
	"unsafe"
)

const (
	lineSize = 64      // of a cache, in bytes
	hugePage = 2 << 20 // of memory, in bytes, where the system has them
)

// aligned returns n zeros that begin on a cache line's boundary. If they fill huge pages, they begin on the boundary of one and the system is
// asked for them, since the processor finds 512 times as much memory through one entry of its page table. That is for what lives long: huge pages that
// the system has to make anew for each call cost more than they gain, so matrices and arenas have none.
func aligned(n int) []float32 {
	boundary, pages := lineSize, 4*n/hugePage
	if pages > 0 {
		boundary = hugePage
	}
	b := make([]float32, n+boundary/4)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b)))%uintptr(boundary)) / 4
	b = b[skip : skip+n : skip+n]
	if pages > 0 {
		adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), pages*hugePage))
	}
	return b
}

const (
	ownPiece     = 64 << 10 // weights below this size, in bytes, are allocated one by one
	pieceWeights = 16       // how many weights of the size that asks for a piece go into it,
	maxPiece     = 64 << 20 // or fewer, where they would be more bytes
)

// A store allocates memory for packed weights. Those of a model are packed one after another, and many are no huge page long; together they fill
// pieces of many. A piece is freed with the last weight in it, but the last piece not before the next one is begun.
type store struct {
	mu   sync.Mutex
	rest []float32 // of the last piece
}

// take returns size bytes on a cache line's boundary.
func (s *store) take(size int) unsafe.Pointer {
	n := ceilDiv(size, lineSize) * lineSize / 4
	if size < ownPiece {
		return unsafe.Pointer(unsafe.SliceData(aligned(n)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > len(s.rest) {
		piece := aligned(max(n, min(pieceWeights*n, maxPiece/4)))
		if rest := piece[n:]; len(rest) > len(s.rest) {
			s.rest = rest
		}
		return unsafe.Pointer(&piece[0])
	}
	b := s.rest
	s.rest = b[n:]
	return unsafe.Pointer(&b[0])
}
