package safetensors_test

import (
	"bytes"
	"encoding/binary"
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
