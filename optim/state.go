package optim

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/safetensors"
)

// stepName is the tensor of the number of steps. Names of other tensors have a dot.
const stepName = "step"

// A state is what an optimiser remembers from one step to the next.
type state struct {
	groups  []Group
	steps   int64
	tensors []tensor
}

type tensor struct {
	name   string
	shape  []int
	values []float32
}

// add gives the state a tensor of zeros and returns its values, which belong to the optimiser for ever.
func (s *state) add(p *autodiff.Param, kind string, shape []int) []float32 {
	t := tensor{name: p.Name + "." + kind, shape: slices.Clone(shape), values: make([]float32, elements(shape))}
	s.tensors = append(s.tensors, t)
	return t.values
}

// Groups is Optimizer.Groups.
func (s *state) Groups() []Group { return slices.Clone(s.groups) }

// Steps is Optimizer.Steps.
func (s *state) Steps() int { return int(s.steps) }

// State is Optimizer.State.
func (s *state) State() []safetensors.Tensor {
	out := []safetensors.Tensor{{
		Info: safetensors.Info{Name: stepName, DType: safetensors.I64, Size: 8},
		Data: binary.LittleEndian.AppendUint64(nil, uint64(s.steps)),
	}}
	for _, t := range s.tensors {
		out = append(out, safetensors.NewFloat32s(t.name, t.shape, t.values))
	}
	return out
}

// SetState is Optimizer.SetState.
func (s *state) SetState(tensors []safetensors.Tensor) error {
	given := make(map[string]safetensors.Tensor, len(tensors))
	for _, t := range tensors {
		if _, ok := given[t.Name]; ok {
			return fmt.Errorf("optim: got tensor %q twice, want it once", t.Name)
		}
		given[t.Name] = t
	}
	steps, err := takeSteps(given)
	if err != nil {
		return err
	}
	values := make([][]float32, len(s.tensors))
	for i, t := range s.tensors {
		if values[i], err = t.take(given); err != nil {
			return err
		}
	}
	for _, t := range tensors {
		if _, ok := given[t.Name]; ok {
			return fmt.Errorf("optim: got tensor %q, want only those of this optimiser's parameters", t.Name)
		}
	}
	s.steps = steps
	for i, t := range s.tensors {
		copy(t.values, values[i])
	}
	return nil
}

// take removes from given the tensor that stands for t, and returns its values.
func (t *tensor) take(given map[string]safetensors.Tensor) ([]float32, error) {
	g, err := takeTensor(given, t.name, safetensors.F32, t.shape)
	if err != nil {
		return nil, err
	}
	values, err := g.Float32s()
	if err != nil {
		return nil, fmt.Errorf("optim: %w", err)
	}
	return values, nil
}

func takeSteps(given map[string]safetensors.Tensor) (int64, error) {
	g, err := takeTensor(given, stepName, safetensors.I64, nil)
	if err != nil {
		return 0, err
	}
	steps, err := g.Int64s()
	if err != nil {
		return 0, fmt.Errorf("optim: %w", err)
	}
	if steps[0] < 0 || steps[0] > maxSteps {
		return 0, fmt.Errorf("optim: tensor %q: got %d, want a number of steps from 0 to %d", stepName, steps[0], maxSteps)
	}
	return steps[0], nil
}

// maxSteps is how many steps a state can have: what a float64 and an int on every machine can count.
const maxSteps = math.MaxInt32

func takeTensor(given map[string]safetensors.Tensor, name string, dtype safetensors.DType, shape []int) (safetensors.Tensor, error) {
	t, ok := given[name]
	switch {
	case !ok:
		return t, fmt.Errorf("optim: tensor %q is missing, want %v of shape %v", name, dtype, shape)
	case t.DType != dtype:
		return t, fmt.Errorf("optim: tensor %q: got %v, want %v", name, t.DType, dtype)
	case !slices.Equal(t.Shape, shape):
		return t, fmt.Errorf("optim: tensor %q: got shape %v, want %v", name, t.Shape, shape)
	}
	delete(given, name)
	return t, nil
}
