package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/polytropon/polytropon/safetensors"
)

func ExampleNewReader() {
	header := `{"bias":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	file = append(file, 0x80, 0x3f, 0x20, 0xc0)

	f, err := safetensors.NewReader(bytes.NewReader(file), int64(len(file)), "example")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	bias, err := f.Tensor("bias")
	if err != nil {
		log.Fatal(err)
	}
	values, err := bias.Float32s()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bias.DType, bias.Shape, values)
	// Output: BF16 [2] [1 -2.5]
}

func ExampleOpen() {
	f, err := safetensors.Open("testdata/adapter_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names()[:3] {
		info, _ := f.Info(name)
		fmt.Println(info.DType, info.Shape, name)
	}
	fmt.Println(f.Metadata())
	// Output:
	// F32 [2 2 16 2] base_model.model.decoder.block.0.layer.0.SelfAttention.q.poly_lora_A
	// F32 [2 2 2 16] base_model.model.decoder.block.0.layer.0.SelfAttention.q.poly_lora_B
	// F32 [3 4] base_model.model.decoder.block.0.layer.0.SelfAttention.q.poly_router.module_logits
	// map[format:pt]
}

// Tensors that are used one after another are read into the same memory.
func ExampleFile_TensorTo() {
	f, err := safetensors.Open("testdata/adapter_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	largest := float32(0)
	for _, name := range f.Names() {
		t, err := f.TensorTo(buf, name)
		if err != nil {
			log.Fatal(err)
		}
		values, err := t.Float32s()
		if err != nil {
			log.Fatal(err)
		}
		for _, v := range values {
			largest = max(largest, v)
		}
	}
	fmt.Printf("%.3f\n", largest)
	// Output: 6.210
}

func ExampleOpenFolder() {
	fsys := os.DirFS("testdata")
	f, err := safetensors.OpenFolder(fsys, "adapter_bf16")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(len(f.Names()), "tensors")
	// Output: 24 tensors
}

// What is not as the format wants it says where.
func ExampleFormatError() {
	header := `{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(append(file, header...), 0, 0, 0x80, 0x3f)
	_, err := safetensors.NewReader(bytes.NewReader(file), int64(len(file)), "example")
	if e, ok := errors.AsType[*safetensors.FormatError](err); ok {
		fmt.Println(e.File, e.Tensor)
	}
	fmt.Println(err)
	// Output:
	// example bias
	// safetensors: example: tensor "bias": byte 56 of the JSON: data_offsets [0,4] span 4 bytes, but dtype F32 and the shape need 8
}

// The size of a tensor follows from its dtype and shape.
func ExampleDType_Bits() {
	for _, d := range []safetensors.DType{safetensors.F32, safetensors.BF16, safetensors.F4} {
		fmt.Println(d, d.Bits()*6/8, "bytes for 6 elements")
	}
	// Output:
	// F32 24 bytes for 6 elements
	// BF16 12 bytes for 6 elements
	// F4 3 bytes for 6 elements
}

// A file in memory.
func ExampleNewFloat32s() {
	var b bytes.Buffer
	if err := safetensors.Write(&b, []safetensors.Tensor{safetensors.NewFloat32s("weight", []int{2, 1}, []float32{1, -2.5})}, nil); err != nil {
		log.Fatal(err)
	}
	f, err := safetensors.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()), "memory")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Info("weight")
	fmt.Println(info.DType, info.Shape, info.Size)
	// Output: F32 [2 1] 8
}

func ExampleWrite() {
	var b bytes.Buffer
	err := safetensors.Write(&b, []safetensors.Tensor{{
		Info: safetensors.Info{Name: "ids", DType: safetensors.U8, Shape: []int{3}},
		Data: []byte{7, 8, 9},
	}}, map[string]string{"format": "pt"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", b.String()[8:])
	// Output: "{\"__metadata__\":{\"format\":\"pt\"},\"ids\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}  \a\b\t"
}

func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	err = safetensors.WriteFile(path, []safetensors.Tensor{{
		Info: safetensors.Info{Name: "scale", DType: safetensors.F32},
		Data: binary.LittleEndian.AppendUint32(nil, 0x3f800000),
	}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Names())
	// Output: [scale]
}

// A mapped file is read where it is used.
func ExampleMmap() {
	f, err := safetensors.Open("testdata/adapter_bf16.safetensors", safetensors.Mmap())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	t, err := f.Tensor(f.Names()[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.DType, t.Shape, len(t.Data), "bytes")
	// Output: BF16 [2 4] 16 bytes
}

func ExampleOpenFS() {
	f, err := safetensors.OpenFS(os.DirFS("testdata"), "adapter_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	_, err = f.Tensor("lm_head.weight")
	fmt.Println(len(f.Names()), errors.Is(err, safetensors.ErrNotFound))
	// Output: 36 true
}

// A tensor's values in the types of Go.
func ExampleTensor() {
	weight := safetensors.NewFloat32s("weight", []int{2, 2}, []float32{1, 2, 3, 4})
	values, err := weight.Float32s()
	fmt.Println(weight.DType, weight.Shape, values, err)

	half := safetensors.Tensor{Info: safetensors.Info{Name: "half", DType: safetensors.F16, Shape: []int{2}}, Data: []byte{0, 0x3c, 0, 0xc0}}
	exact, err := half.Float64s()
	fmt.Println(exact, err)
	bits, err := half.Uint16s()
	fmt.Printf("%04x %v\n", bits, err)

	ids := safetensors.Tensor{Info: safetensors.Info{Name: "ids", DType: safetensors.I32, Shape: []int{1}}, Data: []byte{0xff, 0xff, 0xff, 0xff}}
	integers, err := ids.Int64s()
	fmt.Println(integers, err)
	_, err = ids.Uint16s()
	fmt.Println(err)
	// Output:
	// F32 [2 2] [1 2 3 4] <nil>
	// [1 -2] <nil>
	// [3c00 c000] <nil>
	// [-1] <nil>
	// safetensors: tensor "ids": dtype I32 cannot be read as 16-bit floats
}
