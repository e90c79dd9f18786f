package mat

import (
	"fmt"
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// BFloat16 is the bits of a bfloat16: a storage type. All arithmetic is float32.
type BFloat16 uint16

// Float16 is the bits of an IEEE binary16: a storage type. All arithmetic is float32.
type Float16 uint16

// Element is a type in which weights are stored.
type Element interface{ float32 | BFloat16 | Float16 }

// Float32 returns b's value, exactly.
func (b BFloat16) Float32() float32 { return asm.BFloat16(uint16(b)) }

// Float32 returns h's value, exactly; a signalling NaN becomes quiet.
func (h Float16) Float32() float32 { return asm.Float16(uint16(h)) }

// Widen converts src to float32, exactly; dst must be as long.
func Widen[T Element](dst []float32, src []T) {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("mat: %d values widened into %d", len(src), len(dst)))
	}
	switch s := any(src).(type) {
	case []float32:
		copy(dst, s)
	case []BFloat16:
		for i, v := range s {
			dst[i] = v.Float32()
		}
	case []Float16:
		for i, v := range s {
			dst[i] = v.Float32()
		}
	}
}

// Bits reinterprets the raw 16-bit patterns of a file as a storage type; the result aliases u.
func Bits[T BFloat16 | Float16](u []uint16) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(u))), len(u))
}
