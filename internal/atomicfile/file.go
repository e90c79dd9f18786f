// Package atomicfile writes files that are there as a whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A File is written beside the file that it will replace.
type File struct {
	*os.File
	path      string
	committed bool
}

// Create creates a file next to path, with the permissions of the file that is there or those of a new one.
func Create(path string) (*File, error) {
	for {
		file, err := os.OpenFile(fmt.Sprintf("%s.%08x.tmp", path, rand.Uint32()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f := &File{File: file, path: path}
		if old, err := os.Lstat(path); err == nil && old.Mode().IsRegular() {
			if err := f.Chmod(old.Mode().Perm()); err != nil {
				f.Discard()
				return nil, err
			}
		}
		return f, nil
	}
}

// Write writes data to the file at path: a whole file, with the permissions that Create gives it.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

// Commit syncs and closes the file and renames it to path: that holds what it held before, or all of the new file. A symbolic link there is replaced,
// not followed.
func (f *File) Commit() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), f.path); err != nil {
		return err
	}
	f.committed = true
	SyncFolder(filepath.Dir(f.path))
	return nil
}

// Discard closes and removes the file, unless it was committed.
func (f *File) Discard() {
	if !f.committed {
		f.Close()
		os.Remove(f.Name())
	}
}

// SyncFolder makes what was renamed in dir last through a power failure. Not every system can, and the file is already in place: errors have nothing
// to add.
func SyncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}
