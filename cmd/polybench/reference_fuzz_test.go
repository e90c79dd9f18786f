package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/polytropon/polytropon/safetensors"
)

// FuzzReference reads batches of any shape and mask: the sequences of one that can be read are those that the mask says, with a label for each row.
func FuzzReference(f *testing.F) {
	f.Add(uint8(2), uint8(3), []byte{0, 1, 1, 1, 1, 1}, []byte{9, 8, 7, 6, 5, 4}, uint8(0))
	f.Add(uint8(2), uint8(3), []byte{1, 1, 1, 1, 1, 0}, []byte{1, 2, 3, 4}, uint8(2))
	f.Add(uint8(0), uint8(3), []byte{}, []byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, rows, cols uint8, mask, labels []byte, decoder uint8) {
		var tensors []safetensors.Tensor
		add := func(name string, values []byte, shape ...int) {
			n := 1
			for _, d := range shape {
				n *= d
			}
			data := make([]byte, 8*n)
			for i := range n {
				if i < len(values) {
					binary.LittleEndian.PutUint64(data[8*i:], uint64(values[i]))
				}
			}
			tensors = append(tensors, safetensors.Tensor{Info: safetensors.Info{Name: name, DType: safetensors.I64, Shape: shape, Size: int64(len(data))}, Data: data})
		}
		r, c := int(rows%8), int(cols%16)
		add("input_ids", nil, r, c)
		add("attention_mask", mask, r, c)
		add("task_ids", nil, r)
		add("labels", labels, len(labels))
		if decoder > 0 {
			add("decoder_input_ids", nil, r, int(decoder))
		}
		var file bytes.Buffer
		if err := safetensors.Write(&file, tensors, nil); err != nil {
			t.Fatal(err)
		}
		opened, err := safetensors.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()), "reference")
		if err != nil {
			t.Fatal(err)
		}
		ref, err := readReference(opened)
		if err != nil {
			return
		}
		tokens := 0
		for _, ids := range ref.inputs {
			tokens += len(ids)
		}
		ones := 0
		for _, m := range mask[:min(len(mask), r*c)] {
			ones += min(1, int(m))
		}
		if len(ref.inputs) != r || r == 0 || tokens != ones {
			t.Errorf("got %d sequences of %d tokens, want %d of %d", len(ref.inputs), tokens, r, ones)
		}
		if decoder > 0 {
			return
		}
		if len(ref.labels) != tokens {
			t.Errorf("got %d labels for %d tokens", len(ref.labels), tokens)
		}
	})
}
