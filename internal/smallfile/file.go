// Package smallfile reads files that are small as a rule, such as configs, with bounds on what a hostile one can cost.
package smallfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadPath is [Read] for a path of the system, which need not be one that an [fs.FS] takes: it can be absolute, or no UTF-8.
func ReadPath(path string, most int) ([]byte, error) { return Read(system{}, path, most) }

// system has the files of the system by their paths.
type system struct{}

func (system) Open(path string) (fs.File, error) { return os.Open(path) }

func (system) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// Read returns what a file of fsys holds, which has at most the given number of bytes. A folder, a pipe or a device is an error: some of them never
// come to an end. Errors name the file.
func Read(fsys fs.FS, name string, most int) ([]byte, error) {
	if info, err := fs.Stat(fsys, name); err == nil && !info.Mode().IsRegular() { // to open a pipe can take for ever
		return nil, fmt.Errorf("%s: not a regular file, its mode is %v", name, info.Mode())
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > most {
		return nil, fmt.Errorf("%s: got more than %d bytes, want at most that", name, most)
	}
	return data, nil
}
