package safetensors

import "fmt"

// DType is the type of a tensor's elements. The zero value is no dtype.
//
// The order of the constants is the reference implementation's, by growing alignment: the writer sorts tensors by it.
type DType uint8

// The dtypes of the format.
const (
	Bool       DType = iota + 1 // one byte, 0 is false
	F4                          // MXFP4, two elements to a byte
	F6E2M3                      // MXFP6, four elements to three bytes
	F6E3M2                      // MXFP6, four elements to three bytes
	U8                          // unsigned integer
	I8                          // signed integer
	F8E5M2                      // 8-bit float with infinities
	F8E4M3                      // 8-bit float without infinities
	F8E8M0                      // 8-bit exponent, the scales of the MX formats
	F8E4M3FNUZ                  // 8-bit float without infinities and negative zero
	F8E5M2FNUZ                  // 8-bit float without infinities and negative zero
	I16                         // signed integer
	U16                         // unsigned integer
	F16                         // IEEE 754 binary16
	BF16                        // the upper half of an F32
	I32                         // signed integer
	U32                         // unsigned integer
	F32                         // IEEE 754 binary32
	C64                         // complex: two F32, real part first
	F64                         // IEEE 754 binary64
	I64                         // signed integer
	U64                         // unsigned integer
)

var dtypes = [...]struct {
	name string
	bits int
}{
	Bool:       {"BOOL", 8},
	F4:         {"F4", 4},
	F6E2M3:     {"F6_E2M3", 6},
	F6E3M2:     {"F6_E3M2", 6},
	U8:         {"U8", 8},
	I8:         {"I8", 8},
	F8E5M2:     {"F8_E5M2", 8},
	F8E4M3:     {"F8_E4M3", 8},
	F8E8M0:     {"F8_E8M0", 8},
	F8E4M3FNUZ: {"F8_E4M3FNUZ", 8},
	F8E5M2FNUZ: {"F8_E5M2FNUZ", 8},
	I16:        {"I16", 16},
	U16:        {"U16", 16},
	F16:        {"F16", 16},
	BF16:       {"BF16", 16},
	I32:        {"I32", 32},
	U32:        {"U32", 32},
	F32:        {"F32", 32},
	C64:        {"C64", 64},
	F64:        {"F64", 64},
	I64:        {"I64", 64},
	U64:        {"U64", 64},
}

// String returns the format's name of the dtype, such as "BF16" or "F8_E4M3".
func (d DType) String() string {
	if !d.valid() {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Bits returns the size of one element in bits, or 0 if d is no dtype.
func (d DType) Bits() int {
	if !d.valid() {
		return 0
	}
	return dtypes[d].bits
}

func (d DType) valid() bool { return d > 0 && int(d) < len(dtypes) }

// parseDType returns 0 for an unknown name.
func parseDType(name string) DType {
	for d := Bool; d.valid(); d++ {
		if dtypes[d].name == name {
			return d
		}
	}
	return 0
}
