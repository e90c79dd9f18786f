package safetensors

import (
	"encoding/binary"
	"math"
)

// The functions here decode one value at the start of b. Floats are converted through their bits where a machine's own
// instructions would change NaNs: some make signalling NaNs quiet, some drop the payload.

func f32(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
func f64(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
func i32(b []byte) int32   { return int32(binary.LittleEndian.Uint32(b)) }
func i64(b []byte) int64   { return int64(binary.LittleEndian.Uint64(b)) }

func bf16(b []byte) float32 {
	return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
}

func f16(b []byte) float32 {
	h := uint32(binary.LittleEndian.Uint16(b))
	sign, exponent, fraction := h>>15<<31, h>>10&0x1f, h&0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction · 2^-24, which is exact
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// narrow rounds to the nearest float32, ties to even. Of a NaN it keeps the sign and the upper bits of the payload, and
// makes it quiet so that a payload cut off cannot turn it into an infinity.
func narrow(x float64) float32 {
	if x == x {
		return float32(x)
	}
	b := math.Float64bits(x)
	return math.Float32frombits(uint32(b>>63)<<31 | 0x1ff<<22 | uint32(b>>29)&(1<<22-1))
}

// widen is exact.
func widen(x float32) float64 {
	if x == x {
		return float64(x)
	}
	b := uint64(math.Float32bits(x))
	return math.Float64frombits(b>>31<<63 | 0x7ff<<52 | b&(1<<23-1)<<29)
}

// truth reads a BOOL, of which the format checks no more than any other value.
func truth(b byte) int64 {
	if b == 0 {
		return 0
	}
	return 1
}
