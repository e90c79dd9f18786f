package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/safetensors"
)

// A reference holds a padded batch and what PEFT computed from it.
type reference struct {
	file    *safetensors.File
	inputs  [][]int // of each sequence, without padding
	decoder [][]int
	tasks   []int
	labels  []int // of all decoder positions, nil where there are none
}

// inputs are the tensors that hold the batch.
var inputs = []string{"input_ids", "attention_mask", "task_ids", "decoder_input_ids", "labels"}

func readReference(f *safetensors.File) (*reference, error) {
	r := &reference{file: f}
	ids, err := r.table("input_ids")
	if err != nil {
		return nil, err
	}
	mask, err := r.table("attention_mask")
	if err != nil {
		return nil, err
	}
	if r.decoder, err = r.table("decoder_input_ids"); err != nil {
		return nil, err
	}
	if len(mask) != len(ids) || len(r.decoder) != len(ids) {
		return nil, fmt.Errorf("input_ids has %d sequences, attention_mask %d, decoder_input_ids %d", len(ids), len(mask), len(r.decoder))
	}
	for i, row := range ids {
		if len(mask[i]) != len(row) {
			return nil, fmt.Errorf("attention_mask: got %d columns, want %d as input_ids", len(mask[i]), len(row))
		}
		n := slices.Index(append(mask[i], 0), 0)
		if slices.ContainsFunc(mask[i][n:], func(v int) bool { return v != 0 }) {
			return nil, fmt.Errorf("attention_mask: got a sequence %d that is not padded on the right", i)
		}
		r.inputs = append(r.inputs, row[:n])
	}
	if r.tasks, err = r.ints("task_ids"); err != nil {
		return nil, err
	}
	if len(r.tasks) != len(ids) {
		return nil, fmt.Errorf("task_ids: got %d, want %d, one for each sequence", len(r.tasks), len(ids))
	}
	if r.has("labels") {
		if r.labels, err = r.ints("labels"); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *reference) has(name string) bool {
	_, ok := r.file.Info(name)
	return ok
}

// named returns the tensors whose names begin with prefix.
func (r *reference) named(prefix string) []string {
	return slices.DeleteFunc(slices.Clone(r.file.Names()), func(n string) bool { return !strings.HasPrefix(n, prefix) })
}

// ints reads a tensor of integers.
func (r *reference) ints(name string) ([]int, error) {
	t, err := r.file.Tensor(name)
	if err != nil {
		return nil, err
	}
	values, err := t.Int64s()
	if err != nil {
		return nil, err
	}
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(v)
	}
	return out, nil
}

// table reads a matrix of integers, row by row.
func (r *reference) table(name string) ([][]int, error) {
	flat, err := r.ints(name)
	if err != nil {
		return nil, err
	}
	info, _ := r.file.Info(name)
	if len(info.Shape) != 2 || info.Shape[1] == 0 {
		return nil, fmt.Errorf("tensor %s: got shape %v, want a matrix", name, info.Shape)
	}
	return slices.Collect(slices.Chunk(flat, info.Shape[1])), nil
}

// floats reads a tensor that was computed.
func (r *reference) floats(name string) ([]float32, error) {
	t, err := r.file.Tensor(name)
	if err != nil {
		return nil, err
	}
	return t.Float32s()
}
