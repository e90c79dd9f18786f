package nn

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// Weights is a parameter in the element type of its file. At most one of the slices is in use.
type Weights struct {
	F32  []float32
	BF16 []mat.BFloat16
	F16  []mat.Float16
}

// WeightsOf returns a tensor's values. F32, BF16 and F16 keep their type, and alias t.Data where the platform allows; F64 is rounded to
// float32; any other type is an error.
func WeightsOf(t safetensors.Tensor) (Weights, error) {
	switch t.DType {
	case safetensors.BF16:
		u, err := t.Uint16s()
		return Weights{BF16: mat.Bits[mat.BFloat16](u)}, err
	case safetensors.F16:
		u, err := t.Uint16s()
		return Weights{F16: mat.Bits[mat.Float16](u)}, err
	}
	if t.DType != safetensors.F32 && t.DType != safetensors.F64 {
		return Weights{}, fmt.Errorf("nn: tensor %s: got dtype %s, want F32, BF16, F16 or F64", t.Name, t.DType)
	}
	f, err := t.Float32s()
	return Weights{F32: f}, err
}

// Tensor returns a tensor with a copy of w, in its type: the reverse of WeightsOf. w has as many elements as shape.
func (w Weights) Tensor(name string, shape []int) safetensors.Tensor {
	w.check(shape...)
	var dtype safetensors.DType
	var data []byte
	switch {
	case w.BF16 != nil:
		dtype = safetensors.BF16
		for _, x := range w.BF16 {
			data = binary.LittleEndian.AppendUint16(data, uint16(x))
		}
	case w.F16 != nil:
		dtype = safetensors.F16
		for _, x := range w.F16 {
			data = binary.LittleEndian.AppendUint16(data, uint16(x))
		}
	default:
		return safetensors.NewFloat32s(name, shape, w.F32)
	}
	return safetensors.Tensor{Info: safetensors.Info{Name: name, DType: dtype, Shape: slices.Clone(shape), Size: int64(len(data))}, Data: data}
}

// Len returns the number of elements.
func (w Weights) Len() int { return len(w.F32) + len(w.BF16) + len(w.F16) }

// Float32s returns the elements as float32, exactly. The result may alias w.
func (w Weights) Float32s() []float32 {
	if w.BF16 == nil && w.F16 == nil {
		return w.F32
	}
	f := make([]float32, w.Len())
	w.widen(f, 0)
	return f
}

// widen sets dst to the elements from offset on.
func (w Weights) widen(dst []float32, offset int) {
	switch {
	case w.BF16 != nil:
		mat.Widen(dst, w.BF16[offset:offset+len(dst)])
	case w.F16 != nil:
		mat.Widen(dst, w.F16[offset:offset+len(dst)])
	default:
		copy(dst, w.F32[offset:offset+len(dst)])
	}
}

// packT packs the transpose of w, an out × in matrix, into the fewest bytes that lose nothing.
func (w Weights) packT(e *mat.Engine, out, in int) *mat.Packed {
	switch {
	case w.BF16 != nil:
		return mat.CompactT(e, w.BF16, out, in, in)
	case w.F16 != nil:
		return mat.CompactT(e, w.F16, out, in, in)
	}
	return mat.CompactT(e, w.F32, out, in, in)
}

// unpackT returns the transpose of a packed matrix, an out × in matrix, in its type.
func unpackT(p *mat.Packed) (w Weights) {
	var ok bool
	if w.F32, ok = mat.UnpackT[float32](p); ok {
		return w
	}
	if w.BF16, ok = mat.UnpackT[mat.BFloat16](p); ok {
		return w
	}
	w.F16, _ = mat.UnpackT[mat.Float16](p)
	return w
}

// check panics where w has not as many elements as shape.
func (w Weights) check(shape ...int) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	if w.Len() != n {
		panic(fmt.Sprintf("nn: %d weights for the shape %v", w.Len(), slices.Clone(shape)))
	}
}
