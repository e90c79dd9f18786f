package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// Tensor is a tensor with its data: little-endian values in C order.
type Tensor struct {
	Info
	Data []byte
}

// Float32s returns the values of an F32, F16, BF16, F64, I64, I32, U8 or BOOL tensor; any other dtype is an error. Widening is
// exact and keeps the payloads of NaNs; F64, I64 and I32 round to the nearest, ties to even. A BOOL is 1 unless its byte is 0.
//
// The result of an F32 tensor shares memory with Data where the machine is little-endian and Data is aligned to 4 bytes, as it
// is when a File allocated it.
func (t Tensor) Float32s() ([]float32, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	if t.DType == F32 {
		if view, ok := viewOf[float32](t.Data, n); ok {
			return view, nil
		}
	}
	out := make([]float32, n)
	d := t.Data
	switch t.DType {
	case F32:
		for i := range out {
			out[i] = f32(d[4*i:])
		}
	case F16:
		for i := range out {
			out[i] = f16(d[2*i:])
		}
	case BF16:
		for i := range out {
			out[i] = bf16(d[2*i:])
		}
	case F64:
		for i := range out {
			out[i] = narrow(f64(d[8*i:]))
		}
	case I64:
		for i := range out {
			out[i] = float32(i64(d[8*i:]))
		}
	case I32:
		for i := range out {
			out[i] = float32(i32(d[4*i:]))
		}
	case U8:
		for i := range out {
			out[i] = float32(d[i])
		}
	case Bool:
		for i := range out {
			out[i] = float32(truth(d[i]))
		}
	default:
		return nil, t.unsupported("float32")
	}
	return out, nil
}

// Float64s returns the values of a tensor of the dtypes of [Tensor.Float32s]. All are exact, with the payloads of NaNs, but
// I64, which rounds to the nearest, ties to even. The result never shares memory with Data.
func (t Tensor) Float64s() ([]float64, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	out := make([]float64, n)
	d := t.Data
	switch t.DType {
	case F32:
		for i := range out {
			out[i] = widen(f32(d[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = widen(f16(d[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = widen(bf16(d[2*i:]))
		}
	case F64:
		for i := range out {
			out[i] = f64(d[8*i:])
		}
	case I64:
		for i := range out {
			out[i] = float64(i64(d[8*i:]))
		}
	case I32:
		for i := range out {
			out[i] = float64(i32(d[4*i:]))
		}
	case U8:
		for i := range out {
			out[i] = float64(d[i])
		}
	case Bool:
		for i := range out {
			out[i] = float64(truth(d[i]))
		}
	default:
		return nil, t.unsupported("float64")
	}
	return out, nil
}

// Int64s returns the values of an I64, I32, U8 or BOOL tensor; any other dtype is an error. A BOOL is 1 unless its byte is 0.
// The result never shares memory with Data.
func (t Tensor) Int64s() ([]int64, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	out := make([]int64, n)
	d := t.Data
	switch t.DType {
	case I64:
		for i := range out {
			out[i] = i64(d[8*i:])
		}
	case I32:
		for i := range out {
			out[i] = int64(i32(d[4*i:]))
		}
	case U8:
		for i := range out {
			out[i] = int64(d[i])
		}
	case Bool:
		for i := range out {
			out[i] = truth(d[i])
		}
	default:
		return nil, t.unsupported("int64")
	}
	return out, nil
}

// Uint16s returns the bits of the values of an F16 or BF16 tensor; any other dtype is an error. The result shares memory with
// Data where the machine is little-endian and Data is aligned to 2 bytes, as it is when a File allocated it.
func (t Tensor) Uint16s() ([]uint16, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	if t.DType != F16 && t.DType != BF16 {
		return nil, t.unsupported("16-bit floats")
	}
	if view, ok := viewOf[uint16](t.Data, n); ok {
		return view, nil
	}
	out := make([]uint16, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(t.Data[2*i:])
	}
	return out, nil
}

func (t Tensor) unsupported(want string) error {
	return &FormatError{Tensor: t.Name, Reason: fmt.Sprintf("dtype %v cannot be read as %s", t.DType, want)}
}

// elements checks that dtype, shape and Data agree and returns the number of elements.
func (t Tensor) elements() (int, error) {
	if !t.DType.valid() {
		return 0, &FormatError{Tensor: t.Name, Reason: fmt.Sprintf("unknown dtype %v", t.DType)}
	}
	if len(t.Shape) > maxRank {
		return 0, &FormatError{Tensor: t.Name, Reason: fmt.Sprintf("shape of %d dimensions, want at most %d", len(t.Shape), maxRank)}
	}
	n := newProduct()
	for _, d := range t.Shape {
		if d < 0 || !n.multiply(int64(d)) {
			return 0, &FormatError{Tensor: t.Name, Reason: fmt.Sprintf("the number of elements of shape %v is negative or overflows an int", t.Shape)}
		}
	}
	size, err := byteSize(t.DType, n.elements())
	if err != nil {
		return 0, inTensor(err, t.Name)
	}
	if int64(len(t.Data)) != size {
		return 0, &FormatError{Tensor: t.Name, Reason: fmt.Sprintf(
			"%d bytes of data, but dtype %v and shape %v need %d", len(t.Data), t.DType, t.Shape, size)}
	}
	return int(n.elements()), nil
}

// NewFloat32s returns an F32 tensor with a copy of values, which must be as many as shape has elements.
func NewFloat32s(name string, shape []int, values []float32) Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	if n != len(values) {
		panic(fmt.Sprintf("safetensors: %d values for the shape %v", len(values), shape))
	}
	data := make([]byte, 0, 4*n)
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Info{Name: name, DType: F32, Shape: slices.Clone(shape), Size: int64(len(data))}, data}
}

// littleEndian tells whether this machine stores numbers as the format does.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// viewOf reads n values in place, if their bytes stand as this machine needs them.
func viewOf[T float32 | uint16](data []byte, n int) ([]T, bool) {
	var zero T
	p := unsafe.Pointer(unsafe.SliceData(data))
	if !littleEndian || n == 0 || uintptr(p)%unsafe.Alignof(zero) != 0 {
		return nil, false
	}
	return unsafe.Slice((*T)(p), n), true
}
