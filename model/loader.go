package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// A Source is where a model's tensors come from: a *safetensors.File, for one. The model keeps the Data of some of them, embeddings and norms for
// instance, which must stay as it is as long as the model is used: a file that was opened with [safetensors.Mmap] must not be closed before.
type Source interface {
	// Names lists the tensors that there are.
	Names() []string
	// Info describes a tensor.
	Info(name string) (safetensors.Info, bool)
	// Tensor reads a tensor.
	Tensor(name string) (safetensors.Tensor, error)
}

// loader takes tensors from a source by name, checks their shapes and notes which were taken. The first error is kept.
type loader struct {
	engine *mat.Engine
	source Source
	taken  map[string]bool
	err    error
	memory []byte // of what is borrowed
}

func (l *loader) has(name string) bool {
	_, ok := l.source.Info(name)
	return ok
}

// weights takes a tensor of the given shape.
func (l *loader) weights(name string, shape ...int) nn.Weights {
	return l.read(name, shape, l.source.Tensor)
}

// A lender is a source that can read a tensor into memory that is there.
type lender interface {
	TensorTo(buf []byte, name string) (safetensors.Tensor, error)
}

// borrowed takes a tensor of the given shape whose values are valid until the next one is borrowed.
func (l *loader) borrowed(name string, shape ...int) nn.Weights {
	s, ok := l.source.(lender)
	if !ok {
		return l.weights(name, shape...)
	}
	return l.read(name, shape, func(name string) (safetensors.Tensor, error) {
		t, err := s.TensorTo(l.memory, name)
		if len(t.Data) > len(l.memory) {
			l.memory = t.Data
		}
		return t, err
	})
}

// read is weights, with the given way to read.
func (l *loader) read(name string, shape []int, tensor func(name string) (safetensors.Tensor, error)) nn.Weights {
	l.taken[name] = true
	if l.err != nil {
		return nn.Weights{}
	}
	info, ok := l.source.Info(name)
	if !ok {
		l.err = fmt.Errorf("tensor %s is missing, want shape %v", name, shape)
		return nn.Weights{}
	}
	if !slices.Equal(info.Shape, shape) {
		l.err = fmt.Errorf("tensor %s: got shape %v, want %v", name, info.Shape, shape)
		return nn.Weights{}
	}
	t, err := tensor(name)
	if err != nil {
		l.err = err
		return nn.Weights{}
	}
	w, err := nn.WeightsOf(t)
	l.err = err
	return w
}

func (l *loader) linear(path string, out, in int) *nn.Linear {
	if w := l.borrowed(path+".weight", out, in); l.err == nil {
		return nn.NewLinear(l.engine, w, out, in)
	}
	return nil
}

// linearWith is linear, with a bias if biased.
func (l *loader) linearWith(path string, out, in int, biased bool) *nn.Linear {
	linear := l.linear(path, out, in)
	if !biased {
		return linear
	}
	if b := l.weights(path+".bias", out); l.err == nil {
		return linear.WithBias(b.Float32s())
	}
	return nil
}

func (l *loader) norm(path string, dim int, epsilon float32) *nn.RMSNorm {
	if w := l.weights(path+".weight", dim); l.err == nil {
		return nn.NewRMSNorm(w.Float32s(), epsilon)
	}
	return nil
}

// same takes a tensor that old files hold besides its original: it must be equal, bit for bit.
func (l *loader) same(name, original string) {
	if l.err != nil || !l.has(name) {
		return
	}
	l.taken[name] = true
	a, err := l.source.Tensor(name)
	if err != nil {
		l.err = err
		return
	}
	b, err := l.source.Tensor(original)
	if err != nil {
		l.err = err
		return
	}
	if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !slices.Equal(a.Data, b.Data) {
		l.err = fmt.Errorf("tensor %s: got values that differ from %s, want the same", name, original)
	}
}

// ignore takes a tensor that old files hold and no model uses.
func (l *loader) ignore(name string) { l.taken[name] = true }

// finish returns the first error, or one that names the tensors that nobody took.
func (l *loader) finish() error {
	if l.err != nil {
		return l.err
	}
	var unknown []string
	for _, name := range l.source.Names() {
		if !l.taken[name] {
			unknown = append(unknown, name)
		}
	}
	if n := len(unknown); n > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("%d tensors that the config does not imply: %s", n, strings.Join(unknown[:min(n, 4)], ", "))
	}
	return nil
}
