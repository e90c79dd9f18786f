package poly

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
	if err := replaceFile(filepath.Join(dir, configName), data); err != nil {
		return fmt.Errorf("poly: save: %w", err)
	}
	return nil
}

// replaceFile writes a file through a temporary one beside it, so that nobody sees half of it.
func replaceFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
