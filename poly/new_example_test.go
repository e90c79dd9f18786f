package poly_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"maps"
	"math"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// identity is a model of one's own: a layer y = x over two features.
type identity struct {
	engine *mat.Engine
	dense  *nn.Linear
}

func (m *identity) Type() string        { return "custom" }
func (m *identity) Engine() *mat.Engine { return m.engine }
func (m *identity) Modules() []nn.Module {
	return []nn.Module{{Path: "dense", Type: "Linear", Layer: m.dense}}
}

// tensors are those of an adapter, in memory.
type tensors map[string]safetensors.Tensor

func (t tensors) add(name string, shape []int, values ...float32) {
	x := safetensors.Tensor{Info: safetensors.Info{Name: name, DType: safetensors.F32, Shape: shape, Size: int64(4 * len(values))}}
	for _, v := range values {
		x.Data = binary.LittleEndian.AppendUint32(x.Data, math.Float32bits(v))
	}
	t[name] = x
}

func (t tensors) Names() []string                                { return slices.Sorted(maps.Keys(t)) }
func (t tensors) Info(name string) (safetensors.Info, bool)      { x, ok := t[name]; return x.Info, ok }
func (t tensors) Tensor(name string) (safetensors.Tensor, error) { return t[name], nil }
func (t tensors) Metadata() map[string]string                    { return map[string]string{"format": "pt"} }

// An adapter in memory for a model of one's own: whatever lists its layers by name can be adapted.
func ExampleNew() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base := &identity{e, nn.NewLinear(e, nn.Weights{F32: []float32{1, 0, 0, 1}}, 2, 2)}

	config := poly.NewConfig()
	config.R, config.NTasks, config.NSkills = 1, 2, 2
	config.TargetModules = poly.ModuleNames("dense")
	source := tensors{}
	source.add("base_model.model.dense.poly_lora_A", []int{1, 2, 2, 1}, 1, 0, 0, 1) // skill 0 looks at feature 0, skill 1 at feature 1
	source.add("base_model.model.dense.poly_lora_B", []int{1, 2, 1, 2}, 100, 0, 0, 100)
	source.add("base_model.model.dense.poly_router.module_logits", []int{2, 2}, 20, -20, -20, 20)
	adapter, err := poly.New(config, base, source)
	if err != nil {
		log.Fatal(err)
	}

	deltas := make([][]*nn.Delta, 2) // of two sequences, one for each task
	for task := range deltas {
		d, err := adapter.Task(task).Delta()
		if err != nil {
			log.Fatal(err)
		}
		deltas[task] = []*nn.Delta{d}
	}
	p := nn.NewPass(e)
	if err := p.Reset(deltas); err != nil {
		log.Fatal(err)
	}
	y := base.dense.Forward(p, nn.Ragged{0, 1, 2}, autodiff.Constant(mat.View([]float32{1, 2, 1, 2}, 2, 2)))
	fmt.Printf("%.2f %.2f\n", y.Row(0), y.Row(1))
	// Output: [101.00 2.00] [1.00 202.00]
}
