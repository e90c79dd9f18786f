package safetensors

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
)

// modelOf makes n BF16 tensors of 256 rows and columns.
func modelOf(n int) []Tensor {
	tensors := make([]Tensor, n)
	for i := range tensors {
		tensors[i] = Tensor{
			Info{Name: fmt.Sprintf("model.layers.%d.mlp.down_proj.weight", i), DType: BF16, Shape: []int{256, 256}},
			make([]byte, 2*256*256),
		}
	}
	return tensors
}

func BenchmarkParseHeader(b *testing.B) {
	tensors := modelOf(1000)
	header, err := encodeHeader(tensors, map[string]string{"format": "pt"})
	if err != nil {
		b.Fatal(err)
	}
	text, size := string(header[8:]), int64(len(tensors)*len(tensors[0].Data))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseHeader(text, size); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "model.safetensors")
	tensors := modelOf(256)
	if err := WriteFile(path, tensors, nil); err != nil {
		b.Fatal(err)
	}
	for name, opts := range map[string][]Option{"ReadAt": nil, "Mmap": {Mmap()}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(tensors) * len(tensors[0].Data)))
			for b.Loop() {
				f, err := Open(path, opts...)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := readAll(f); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
}

func BenchmarkFloat32s(b *testing.B) {
	for _, d := range []DType{F32, F16, BF16, F64, I64} {
		b.Run(d.String(), func(b *testing.B) {
			data := alignedBytes(d.Bits() / 8 << 16)
			copy(data, bytes.Repeat([]byte{0x12, 0x3c}, len(data)/2))
			x := Tensor{Info{Name: "x", DType: d, Shape: []int{1 << 16}}, data}
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := x.Float32s(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
