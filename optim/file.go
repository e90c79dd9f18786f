package optim

import (
	"fmt"

	"github.com/polytropon/polytropon/safetensors"
)

// Save writes the state of o to a safetensors file. It replaces a file at path as a whole or not at all.
func Save(path string, o Optimizer) error {
	if err := safetensors.WriteFile(path, o.State(), nil); err != nil {
		return fmt.Errorf("optim: save: %w", err)
	}
	return nil
}

// Load sets the state of o to what Save wrote to the file at path. On an error, which names the file and the tensor, o stays as it was.
func Load(path string, o Optimizer) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return fmt.Errorf("optim: load: %w", err)
	}
	defer f.Close()
	return load(f, path, o)
}

func load(f *safetensors.File, path string, o Optimizer) error {
	var tensors []safetensors.Tensor
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return fmt.Errorf("optim: load: %w", err)
		}
		tensors = append(tensors, t)
	}
	if err := o.SetState(tensors); err != nil {
		return fmt.Errorf("optim: load %s: %w", path, err)
	}
	return nil
}
