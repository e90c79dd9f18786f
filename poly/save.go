package poly

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// replaceFile writes a file through a temporary one beside it, so that nobody sees half of it. The file keeps the permissions of the one that it
// replaces, or has those of a new one.
func replaceFile(path string, data []byte) (err error) {
	f, err := os.OpenFile(fmt.Sprintf("%s.%08x.tmp", path, rand.Uint32()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if old, err := os.Lstat(path); err == nil && old.Mode().IsRegular() {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
