package safetensors

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Option changes how [Open] opens a file.
type Option func(*options)

type options struct{ mmap bool }

// Mmap maps the file into memory instead of reading tensors one by one. Data of tensors then lies in the mapping: it is
// shared by all callers, has no alignment beyond that of the file, crashes the program when written to, and is gone after
// [File.Close]: whatever keeps it, as a model does, must be used no more, or the program crashes. If another process shortens
// the file, touching what was cut off crashes the program; replacing the file by a rename, as [WriteFile] does, is safe on Unix.
// Mmap works on Unix and Windows; elsewhere Open returns an error that wraps [errors.ErrUnsupported].
func Mmap() Option { return func(o *options) { o.mmap = true } }

// Open opens the file at path and checks its header. The error wraps [fs.ErrNotExist] if there is no file, and a
// [*FormatError] if the content is invalid.
func Open(path string, opts ...Option) (*File, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if info, err := os.Stat(path); err == nil {
		if err := checkRegular(info, path); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	if o.mmap {
		return openMapped(f, path)
	}
	return newFile(openPart(f, path))
}

// OpenFS opens a file of fsys and checks its header. Files that implement [io.ReaderAt] are read tensor by tensor; others
// are read into memory at once. Errors are those of [Open].
func OpenFS(fsys fs.FS, name string) (*File, error) {
	return newFile(openPartFS(fsys, name))
}

// NewReader opens a file whose size bytes are in r and checks its header. The name appears in errors. Closing the File does
// not close r. Errors are those of [Open].
func NewReader(r io.ReaderAt, size int64, name string) (*File, error) {
	return newFile(newPart(&part{name: name, r: r, close: noClose}, size))
}

// newFile makes a File of one part.
func newFile(p *part, err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	return &File{name: p.name, parts: []*part{p}, entries: p.header.entries}, nil
}

// openMapped takes f over. A mapping outlives the file it was made from.
func openMapped(f *os.File, name string) (*File, error) {
	defer f.Close()
	size, err := regularSize(f, name)
	if err != nil {
		return nil, err
	}
	// An empty file cannot be mapped.
	if err := checkFileSize(size); err != nil {
		return nil, inFile(err, name)
	}
	mapped, unmap, err := mapFile(f, size)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: map into memory: %w", name, err)
	}
	return newFile(newPart(&part{name: name, r: bytes.NewReader(mapped), mapped: mapped, close: unmap}, size))
}

func openPartFS(fsys fs.FS, name string) (*part, error) {
	f, err := openFS(fsys, name)
	if err != nil {
		return nil, err
	}
	return openPart(f, name)
}

// openFS opens a file that can be read to an end.
func openFS(fsys fs.FS, name string) (fs.File, error) {
	if info, err := fs.Stat(fsys, name); err == nil {
		if err := checkRegular(info, name); err != nil {
			return nil, err
		}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

// openPart takes f over.
func openPart(f fs.File, name string) (*part, error) {
	size, err := regularSize(f, name)
	if err != nil {
		f.Close()
		return nil, err
	}
	if r, ok := f.(io.ReaderAt); ok {
		return newPart(&part{name: name, r: r, close: f.Close}, size)
	}
	data, err := io.ReadAll(f)
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", name, err)
	}
	return newPart(&part{name: name, r: bytes.NewReader(data), close: noClose}, int64(len(data)))
}

// regularSize returns the size of an open file, which may have taken the place of what was checked before.
func regularSize(f fs.File, name string) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("safetensors: %s: %w", name, err)
	}
	return info.Size(), checkRegular(info, name)
}

// checkRegular refuses folders, pipes and devices. To open a pipe can take for ever.
func checkRegular(info fs.FileInfo, name string) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("safetensors: %s: not a regular file, its mode is %v", name, info.Mode())
	}
	return nil
}

func noClose() error { return nil }
