package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// A reference holds a padded batch and what PEFT computed from it. Without decoder_input_ids it is one of a decoder-only model.
type reference struct {
	file    *safetensors.File
	width   int     // of the padded batch
	inputs  [][]int // of each sequence, without padding
	decoder [][]int // of each sequence, nil where the model is decoder-only
	tasks   []int
	labels  []int // of all rows of the logits, nil where there are none
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
	r.decoder = make([][]int, len(ids))
	encoderDecoder := r.has("decoder_input_ids")
	if encoderDecoder {
		if r.decoder, err = r.table("decoder_input_ids"); err != nil {
			return nil, err
		}
	}
	if len(mask) != len(ids) || len(r.decoder) != len(ids) {
		return nil, fmt.Errorf("input_ids has %d sequences, attention_mask %d, decoder_input_ids %d", len(ids), len(mask), len(r.decoder))
	}
	side := "left"
	if encoderDecoder {
		side = "right"
	}
	for i, row := range ids {
		if r.width = len(row); len(mask[i]) != len(row) {
			return nil, fmt.Errorf("attention_mask: got %d columns, want %d as input_ids", len(mask[i]), len(row))
		}
		from, to := slices.Index(append(mask[i], 1), 1), len(row)
		if encoderDecoder {
			from, to = 0, slices.Index(append(mask[i], 0), 0)
		}
		for j, m := range mask[i] {
			if (m != 0) != (from <= j && j < to) {
				return nil, fmt.Errorf("attention_mask: got a sequence %d that is not padded on the %s", i, side)
			}
		}
		r.inputs = append(r.inputs, row[from:to])
	}
	if r.tasks, err = r.ints("task_ids"); err != nil {
		return nil, err
	}
	if len(r.tasks) != len(ids) {
		return nil, fmt.Errorf("task_ids: got %d, want %d, one for each sequence", len(r.tasks), len(ids))
	}
	if !r.has("labels") {
		return r, nil
	}
	if r.labels, err = r.ints("labels"); err != nil {
		return nil, err
	}
	if !encoderDecoder {
		if len(r.labels) != len(ids)*r.width {
			return nil, fmt.Errorf("labels: got %d, want %d as input_ids", len(r.labels), len(ids)*r.width)
		}
		r.labels = r.shifted(r.labels)
	}
	return r, nil
}

// shifted returns what each row of a decoder-only model's logits predicts: the label of the next token.
func (r *reference) shifted(padded []int) []int {
	var labels []int
	for i, ids := range r.inputs {
		end := (i + 1) * r.width
		labels = append(labels, padded[min(end-len(ids)+1, end):end]...)
		if len(ids) > 0 {
			labels = append(labels, nn.IgnoreIndex)
		}
	}
	return labels
}

// padded returns logits as the reference has them: those of a decoder-only model with rows of zeros for the padding.
func (r *reference) padded(l model.Logits) []float32 {
	if r.has("decoder_input_ids") {
		return l.Data
	}
	values := make([]float32, len(r.inputs)*r.width*l.Cols)
	for i, ids := range r.inputs {
		copy(values[((i+1)*r.width-len(ids))*l.Cols:], l.Of(i).Data)
	}
	return values
}

func (r *reference) has(name string) bool {
	_, ok := r.file.Info(name)
	return ok
}

// named returns the tensors whose names begin with prefix.
func (r *reference) named(prefix string) []string {
	return slices.DeleteFunc(r.file.Names(), func(n string) bool { return !strings.HasPrefix(n, prefix) })
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
	if len(info.Shape) != 2 || len(flat) == 0 {
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
