package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func bytesOf(t *testing.T, values any) []byte {
	t.Helper()
	b, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vector makes a tensor of values, whose data starts at the given distance from an aligned address.
func vector(t *testing.T, d DType, values any, misaligned int) Tensor {
	t.Helper()
	b := bytesOf(t, values)
	data := alignedBytes(len(b) + misaligned)[misaligned:]
	copy(data, b)
	return Tensor{Info{Name: "x", DType: d, Shape: []int{8 * len(b) / d.Bits()}}, data}
}

func bits32(x []float32) []uint32 {
	out := make([]uint32, len(x))
	for i, v := range x {
		out[i] = math.Float32bits(v)
	}
	return out
}

func bits64(x []float64) []uint64 {
	out := make([]uint64, len(x))
	for i, v := range x {
		out[i] = math.Float64bits(v)
	}
	return out
}

// TestHalves decodes all 65536 values of both 16-bit types and compares with their definitions.
func TestHalves(t *testing.T) {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	// define gives the value of a float of the given fraction bits and exponent bias, or a NaN with its payload.
	define := func(h uint16, fractionBits, exponentBits int) uint32 {
		sign := uint32(h>>15) << 31
		top := 1<<exponentBits - 1
		exponent, fraction := int(h>>fractionBits)&top, float64(h&(1<<fractionBits-1))
		switch {
		case exponent == top:
			return sign | 0x7f800000 | uint32(fraction)<<(23-fractionBits)
		case exponent == 0:
			return sign | math.Float32bits(float32(math.Ldexp(fraction, 1-top/2-fractionBits)))
		}
		return sign | math.Float32bits(float32(math.Ldexp(1+math.Ldexp(fraction, -fractionBits), exponent-top/2)))
	}
	for _, c := range []struct {
		dtype                      DType
		fractionBits, exponentBits int
	}{{F16, 10, 5}, {BF16, 7, 8}} {
		for misaligned := range 2 {
			x := vector(t, c.dtype, all, misaligned)
			got, err := x.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			wide, err := x.Float64s()
			if err != nil {
				t.Fatal(err)
			}
			for i, h := range all {
				want := define(h, c.fractionBits, c.exponentBits)
				if math.Float32bits(got[i]) != want {
					t.Fatalf("%v %#04x: got %#08x, want %#08x", c.dtype, h, math.Float32bits(got[i]), want)
				}
				if math.Float64bits(wide[i]) != math.Float64bits(widen(math.Float32frombits(want))) {
					t.Fatalf("%v %#04x: got %v in float64", c.dtype, h, wide[i])
				}
			}
			raw, err := x.Uint16s()
			if err != nil || !slices.Equal(raw, all) {
				t.Errorf("%v: bits differ, %v", c.dtype, err)
			}
		}
	}
}

func TestFloat32s(t *testing.T) {
	cases := []struct {
		dtype  DType
		values any
		want   []uint32
	}{
		{F32, []uint32{0x3f800000, 0x80000000, 0x00000001, 0x7f800001, 0xffa12345}, []uint32{0x3f800000, 0x80000000, 0x00000001, 0x7f800001, 0xffa12345}},
		{F64, []float64{1.5, 0x1p-149, 0x1p-150, 0x1.8p-150, 0x1.fffffefffffffp127, 0x1.ffffffp127, math.Inf(-1)}, []uint32{0x3fc00000, 1, 0, 1, 0x7f7fffff, 0x7f800000, 0xff800000}},
		{F64, []float64{1 + 0x1p-24, 1 + 0x1p-23 + 0x1p-24, -1 - 0x1.000001p-24}, []uint32{0x3f800000, 0x3f800002, 0xbf800001}},
		{F64, []uint64{0x7ff0000000000001, 0xfff8000000000000, 0x7ff8123460000000}, []uint32{0x7fc00000, 0xffc00000, 0x7fc091a3}},
		{I64, []int64{1<<24 + 1, -(1<<24 + 3), math.MinInt64, math.MaxInt64}, []uint32{0x4b800000, 0xcb800002, 0xdf000000, 0x5f000000}},
		{I32, []int32{1, -1, 1<<24 + 1, math.MinInt32}, []uint32{0x3f800000, 0xbf800000, 0x4b800000, 0xcf000000}},
		{U8, []uint8{0, 1, 255}, []uint32{0, 0x3f800000, 0x437f0000}},
		{Bool, []uint8{0, 1, 2, 255}, []uint32{0, 0x3f800000, 0x3f800000, 0x3f800000}},
	}
	for _, c := range cases {
		for misaligned := range 2 {
			got, err := vector(t, c.dtype, c.values, misaligned).Float32s()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(bits32(got), c.want) {
				t.Errorf("%v misaligned by %d: got %#x, want %#x", c.dtype, misaligned, bits32(got), c.want)
			}
		}
	}
}

func TestFloat64s(t *testing.T) {
	cases := []struct {
		dtype  DType
		values any
		want   []uint64
	}{
		{F64, []uint64{0x3ff0000000000000, 1, 0x7ff0000000000001}, []uint64{0x3ff0000000000000, 1, 0x7ff0000000000001}},
		{F32, []uint32{0x3f800000, 0x80000000, 0x00000001, 0x7f800001, 0xff800000}, []uint64{0x3ff0000000000000, 1 << 63, 0x36a0000000000000, 0x7ff0000020000000, 0xfff0000000000000}},
		{I64, []int64{1 << 53, 1<<53 + 1, math.MinInt64}, []uint64{0x4340000000000000, 0x4340000000000000, 0xc3e0000000000000}},
		{I32, []int32{-1}, []uint64{0xbff0000000000000}},
		{U8, []uint8{255}, []uint64{0x406fe00000000000}},
		{Bool, []uint8{0, 2}, []uint64{0, 0x3ff0000000000000}},
	}
	for _, c := range cases {
		got, err := vector(t, c.dtype, c.values, 0).Float64s()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(bits64(got), c.want) {
			t.Errorf("%v: got %#x, want %#x", c.dtype, bits64(got), c.want)
		}
	}
}

func TestInt64s(t *testing.T) {
	cases := []struct {
		dtype  DType
		values any
		want   []int64
	}{
		{I64, []int64{math.MinInt64, -1, math.MaxInt64}, []int64{math.MinInt64, -1, math.MaxInt64}},
		{I32, []int32{math.MinInt32, -1, math.MaxInt32}, []int64{math.MinInt32, -1, math.MaxInt32}},
		{U8, []uint8{0, 255}, []int64{0, 255}},
		{Bool, []uint8{0, 1, 2}, []int64{0, 1, 1}},
	}
	for _, c := range cases {
		got, err := vector(t, c.dtype, c.values, 0).Int64s()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.dtype, got, c.want)
		}
	}
}

func TestViews(t *testing.T) {
	if !littleEndian {
		t.Skip("this machine has to copy")
	}
	for misaligned := range 5 {
		x := vector(t, F32, []float32{1, 2}, misaligned)
		got, _ := x.Float32s()
		if shared := unsafe.Pointer(&got[0]) == unsafe.Pointer(&x.Data[0]); shared != (misaligned%4 == 0) {
			t.Errorf("F32 misaligned by %d: shares memory: %v", misaligned, shared)
		}
		h := vector(t, BF16, []uint16{1, 2}, misaligned)
		raw, _ := h.Uint16s()
		if shared := unsafe.Pointer(&raw[0]) == unsafe.Pointer(&h.Data[0]); shared != (misaligned%2 == 0) {
			t.Errorf("BF16 misaligned by %d: shares memory: %v", misaligned, shared)
		}
	}
}

func TestConversionErrors(t *testing.T) {
	convert := map[string]func(Tensor) error{
		"Float32s": func(t Tensor) error { _, err := t.Float32s(); return err },
		"Float64s": func(t Tensor) error { _, err := t.Float64s(); return err },
		"Int64s":   func(t Tensor) error { _, err := t.Int64s(); return err },
		"Uint16s":  func(t Tensor) error { _, err := t.Uint16s(); return err },
	}
	bad := map[string]Tensor{
		"dtype F8_E5M2 cannot be read as":    {Info{Name: "x", DType: F8E5M2, Shape: []int{1}}, make([]byte, 1)},
		"unknown dtype DType(0)":             {Info{Name: "x"}, nil},
		"unknown dtype DType(99)":            {Info{Name: "x", DType: 99}, nil},
		"3 bytes of data, but dtype I32":     {Info{Name: "x", DType: I32}, make([]byte, 3)},
		"is negative or overflows an int":    {Info{Name: "x", DType: U8, Shape: []int{-1}}, nil},
		"elements of shape [0 " + maxInt():   {Info{Name: "x", DType: U8, Shape: []int{0, math.MaxInt, 2}}, nil},
		"3 elements of F4 do not fill whole": {Info{Name: "x", DType: F4, Shape: []int{3}}, make([]byte, 2)},
		"shape of 65 dimensions":             {Info{Name: "x", DType: U8, Shape: make([]int, 65)}, nil},
	}
	for name, f := range convert {
		for want, tensor := range bad {
			err := f(tensor)
			var format *FormatError
			if !errors.As(err, &format) || format.Tensor != "x" || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got error %v, want %q", name, err, want)
			}
		}
	}
}

func maxInt() string { return fmt.Sprint(math.MaxInt) }

func TestDTypes(t *testing.T) {
	for d := Bool; d.valid(); d++ {
		if parseDType(d.String()) != d {
			t.Errorf("%v is not read as itself", d)
		}
		if d > Bool+1 && d.Bits() < (d-1).Bits() {
			t.Errorf("%v is out of order", d)
		}
	}
	if U64 != 22 || U64.Bits() != 64 || DType(0).Bits() != 0 || DType(23).Bits() != 0 {
		t.Error("wrong bits")
	}
}

// TestNewFloat32s wants the number of values that the shape says.
func TestNewFloat32s(t *testing.T) {
	x := NewFloat32s("x", []int{2, 1}, []float32{1, -2})
	if got, err := x.Float32s(); err != nil || !slices.Equal(got, []float32{1, -2}) || x.Size != 8 || !slices.Equal(x.Shape, []int{2, 1}) {
		t.Errorf("got %v, %v of %v", got, err, x.Info)
	}
	for _, shape := range [][]int{{}, {3}, {2, 0}} {
		func() {
			defer func() {
				if got, want := recover(), fmt.Sprintf("safetensors: 2 values for the shape %v", shape); got != want {
					t.Errorf("got panic %v, want %s", got, want)
				}
			}()
			NewFloat32s("x", shape, []float32{1, 2})
		}()
	}
}
