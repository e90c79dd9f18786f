//go:build unix

package asm

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A placer places an operand between pages that must not be touched, next to the first or to the last of them.
type placer bool

const atStart, atEnd placer = false, true

// regions are mappings whose first and last pages are protected, kept for use by one operand after another.
var regions struct {
	sync.Mutex
	free [][]byte
	next int
}

// placed returns n elements. They are valid until a few more calls have been made.
func placed[T any](p placer, n int) []T {
	const size, keep = 1 << 20, 12
	page := unix.Getpagesize()
	regions.Lock()
	defer regions.Unlock()
	if len(regions.free) < keep {
		b, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			panic(err)
		}
		for _, guard := range [][]byte{b[:page], b[page+size:]} {
			if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
				panic(err)
			}
		}
		regions.free = append(regions.free, b[page:page+size])
	}
	b := regions.free[regions.next%len(regions.free)]
	regions.next++
	bytes := n * int(unsafe.Sizeof(*new(T)))
	if bytes > size {
		panic("operand too large")
	}
	if p == atEnd {
		b = b[size-bytes:]
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
