package train

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/safetensors"
)

// Files of a checkpoint besides the objective's.
const (
	parametersName = "model.safetensors" // of an objective that is no Saver
	optimizerName  = "optimizer.safetensors"
)

// Load puts the loop where a checkpoint was taken: the folder of one, as [LastCheckpoint] finds it. A run that goes on from there has the
// bits of one that was never stopped, if all else is the same. Errors name the file and the tensor or field. After an error the loop must not
// be used.
func (l *Loop) Load(checkpoint string) error {
	p, err := readPosition(checkpoint)
	if err != nil {
		return fmt.Errorf("train: load: %w", err)
	}
	if s, ok := l.config.Objective.(Saver); ok {
		err = s.Load(checkpoint)
	} else {
		err = loadParams(filepath.Join(checkpoint, parametersName), l.config.Objective.Params())
	}
	if err != nil {
		return fmt.Errorf("train: load: %w", err)
	}
	path := filepath.Join(checkpoint, optimizerName)
	if err := optim.Load(path, l.config.Optimizer); err != nil {
		return fmt.Errorf("train: load: %w", err)
	}
	if steps := l.config.Optimizer.Steps(); steps != p.Step {
		return fmt.Errorf("train: load %s: got %d steps, want %d as in %s", path, steps, p.Step, positionName)
	}
	l.position, l.saved = p, Position{}
	if filepath.Base(checkpoint) == checkpointName(p.Step) && sameFolder(filepath.Dir(checkpoint), l.config.OutputDir) {
		l.saved = p
	}
	return nil
}

// keep makes sure that OutputDir has a checkpoint of the present step, which is then the last, and beside it only the best.
func (l *Loop) keep() error {
	if l.config.OutputDir == "" || l.saved == l.position {
		return nil
	}
	name, err := checkpointName(l.position.Step), error(nil)
	if l.saved.Step == l.position.Step { // it has been evaluated since
		err = l.position.save(filepath.Join(l.config.OutputDir, name))
	} else {
		err = writeFolder(l.config.OutputDir, name, l.save)
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint of step %d: %w", l.position.Step, err)
	}
	l.saved = l.position
	if err := removeCheckpoints(l.config.OutputDir, l.position.Step, l.position.BestStep); err != nil {
		return fmt.Errorf("train: remove old checkpoints: %w", err)
	}
	return nil
}

// save writes a checkpoint's files to the folder dir.
func (l *Loop) save(dir string) error {
	var err error
	if s, ok := l.config.Objective.(Saver); ok {
		err = s.Save(dir)
	} else {
		err = saveParams(filepath.Join(dir, parametersName), l.config.Objective.Params())
	}
	if err != nil {
		return err
	}
	if err := optim.Save(filepath.Join(dir, optimizerName), l.config.Optimizer); err != nil {
		return err
	}
	return l.position.save(dir)
}

// checkOutput returns an error if OutputDir has checkpoints that the loop did not come from or that are ahead of it.
func (l *Loop) checkOutput() error {
	if l.config.OutputDir == "" {
		return nil
	}
	if err := os.MkdirAll(l.config.OutputDir, 0o777); err != nil {
		return fmt.Errorf("train: OutputDir: %w", err)
	}
	steps, err := checkpoints(l.config.OutputDir)
	if err != nil {
		return fmt.Errorf("train: OutputDir: %w", err)
	}
	if n := len(steps); n > 0 && steps[n-1] > l.saved.Step {
		return fmt.Errorf("train: OutputDir: got %s, which this run did not come from, want it loaded or another folder",
			filepath.Join(l.config.OutputDir, checkpointName(steps[n-1])))
	}
	return nil
}

func saveParams(path string, params []*autodiff.Param) error {
	var tensors []safetensors.Tensor
	for _, p := range params {
		tensors = append(tensors, safetensors.NewFloat32s(p.Name, p.Shape, p.Value.Data))
	}
	return safetensors.WriteFile(path, tensors, nil)
}

// loadParams sets params to what saveParams wrote. Where it fails they stay as they are.
func loadParams(path string, params []*autodiff.Param) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if n := len(f.Names()); n != len(params) {
		return fmt.Errorf("%s: got %d tensors, want %d", path, n, len(params))
	}
	values := make([][]float32, len(params))
	for i, p := range params {
		t, err := f.Tensor(p.Name)
		if err != nil {
			return err
		}
		if t.DType != safetensors.F32 || !slices.Equal(t.Shape, p.Shape) {
			return fmt.Errorf("%s: tensor %s: got %v of shape %v, want %v of shape %v", path, p.Name, t.DType, t.Shape, safetensors.F32, p.Shape)
		}
		if values[i], err = t.Float32s(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for i, p := range params {
		copy(p.Value.Data, values[i])
	}
	return nil
}
