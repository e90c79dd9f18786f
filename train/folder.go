package train

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/polytropon/polytropon/internal/atomicfile"
)

// A folder of checkpoints has one folder for each, checkpoint-<step>. It gets its name once all of its files are on the disk, and loses it
// before the first is removed, so that whatever has the name is complete.
const (
	checkpointPrefix = "checkpoint-"
	writing          = ".writing"  // a checkpoint that has no name yet
	removing         = ".removing" // one that has none any more
)

func checkpointName(step int) string { return checkpointPrefix + strconv.Itoa(step) }

// LastCheckpoint returns the path of the checkpoint in the folder dir that has done the most steps (transformers' get_last_checkpoint). The
// error wraps [fs.ErrNotExist] where there is none.
func LastCheckpoint(dir string) (string, error) {
	steps, err := checkpoints(dir)
	if err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	if len(steps) == 0 {
		return "", fmt.Errorf("train: %s: %w: no %s<step>", dir, fs.ErrNotExist, checkpointPrefix)
	}
	return filepath.Join(dir, checkpointName(steps[len(steps)-1])), nil
}

// BestCheckpoint returns the path of the checkpoint in the folder dir that had the least evaluation loss, as the last one says. The error
// wraps [fs.ErrNotExist] where there is none.
func BestCheckpoint(dir string) (string, error) {
	last, err := LastCheckpoint(dir)
	if err != nil {
		return "", err
	}
	p, err := readPosition(last)
	if err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	if p.BestStep == 0 {
		return "", fmt.Errorf("train: %s: %w: no evaluation so far", last, fs.ErrNotExist)
	}
	best := filepath.Join(dir, checkpointName(p.BestStep))
	if _, err := os.Stat(best); err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	return best, nil
}

// checkpoints returns the steps of the checkpoints in dir, in ascending order.
func checkpoints(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), checkpointPrefix)
		if !ok || !e.IsDir() {
			continue
		}
		if step, err := strconv.Atoi(number); err == nil && step > 0 && checkpointName(step) == e.Name() {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// removeCheckpoints removes all checkpoints in dir but those of two steps.
func removeCheckpoints(dir string, last, best int) error {
	steps, err := checkpoints(dir)
	if err != nil {
		return err
	}
	unnamed := filepath.Join(dir, removing)
	if err := os.RemoveAll(unnamed); err != nil { // of a process that was killed
		return err
	}
	for _, step := range steps {
		if step == last || step == best {
			continue
		}
		if err := os.Rename(filepath.Join(dir, checkpointName(step)), unnamed); err != nil {
			return err
		}
		if err := os.RemoveAll(unnamed); err != nil {
			return err
		}
	}
	return nil
}

// writeFolder makes the folder name in dir, with the files that write puts there, as a whole or not at all.
func writeFolder(dir, name string, write func(dir string) error) (err error) {
	unnamed := filepath.Join(dir, writing)
	if err := os.RemoveAll(unnamed); err != nil { // of a process that was killed
		return err
	}
	if err := os.Mkdir(unnamed, 0o777); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(unnamed)
		}
	}()
	if err := errors.Join(write(unnamed), syncFiles(unnamed)); err != nil {
		return err
	}
	if err := os.Rename(unnamed, filepath.Join(dir, name)); err != nil {
		return err
	}
	atomicfile.SyncFolder(dir)
	return nil
}

// syncFiles puts the files in dir, and that it has them, on the disk.
func syncFiles(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			atomicfile.SyncFolder(path)
			return nil
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0) // Windows syncs only what can be written
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// sameFolder reports whether two paths name one folder.
func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
