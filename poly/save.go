package poly

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/polytropon/polytropon/internal/atomicfile"
	"github.com/polytropon/polytropon/safetensors"
)

// Save writes the adapter to the folder dir, which it makes where needed, as PeftModel.save_pretrained does: adapter_model.safetensors, with
// the tensors as they were read but without strangers, and adapter_config.json with inference_mode true. Each file is replaced as a
// whole or not at all.
func (a *Adapter) Save(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("poly: save to %s: got a file, want a folder", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("poly: save: %w", err)
	}
	config := *a.config
	config.InferenceMode = true
	data, err := config.Marshal()
	if err != nil {
		return err
	}
	if err := safetensors.WriteFile(filepath.Join(dir, tensorStem+".safetensors"), a.tensors, a.metadata); err != nil {
		return fmt.Errorf("poly: save: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, configName), data); err != nil {
		return fmt.Errorf("poly: save: %w", err)
	}
	return nil
}
