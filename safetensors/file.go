package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// Info describes a tensor.
type Info struct {
	Name   string
	DType  DType
	Shape  []int // empty for a scalar; belongs to the caller
	Offset int64 // of the first byte, counted from the start of the data, which is the end of the file's header
	Size   int64 // bytes
}

// File is an open safetensors file, or the parts of a sharded model seen as one file. Its methods may be called by several
// goroutines at once. Close it when done; Names, Info and Metadata still work after that.
type File struct {
	name    string
	parts   []*part
	entries []entry // of all parts, sorted by name

	mu     sync.RWMutex // held for reading by reads, for writing by Close
	closed bool
}

// Names returns the names of all tensors, sorted by bytes. The slice belongs to the caller.
func (f *File) Names() []string {
	names := make([]string, len(f.entries))
	for i, e := range f.entries {
		names[i] = e.name
	}
	return names
}

// Info describes a tensor without reading its data. It reports whether there is a tensor of that name.
func (f *File) Info(name string) (Info, bool) {
	e, ok := f.find(name)
	if !ok {
		return Info{}, false
	}
	return f.info(e), true
}

// Tensor reads a tensor. Its Data belongs to the caller and is aligned to 64 bytes, unless the file was opened with [Mmap].
//
// The error wraps [ErrNotFound] for an unknown name, [fs.ErrClosed] after Close, and [io.ErrUnexpectedEOF] if the file has
// become shorter since it was opened.
func (f *File) Tensor(name string) (Tensor, error) { return f.TensorTo(nil, name) }

// TensorTo is Tensor whose Data is the start of buf if that is long enough and the file was not opened with [Mmap]: so tensors that are used one after another
// can lie in the same memory.
func (f *File) TensorTo(buf []byte, name string) (Tensor, error) {
	e, ok := f.find(name)
	if !ok {
		return Tensor{}, fmt.Errorf("safetensors: %s: tensor %s: %w", f.name, quote(name), ErrNotFound)
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	p := f.parts[e.part]
	if f.closed {
		return Tensor{}, fmt.Errorf("safetensors: %s: tensor %s: %w", p.name, quote(name), fs.ErrClosed)
	}
	data, err := p.read(buf, p.data+e.offset, e.size)
	if err != nil {
		return Tensor{}, fmt.Errorf("safetensors: %s: tensor %s: %w", p.name, quote(name), err)
	}
	return Tensor{Info: f.info(e), Data: data}, nil
}

// Metadata returns the file's __metadata__, nil if it has none. The map belongs to the caller. The metadata of a sharded
// model is that of all its parts; where they differ, the part whose name sorts first counts.
func (f *File) Metadata() map[string]string {
	var m map[string]string
	for _, p := range f.parts {
		m = p.header.addMetadata(m)
	}
	return m
}

// Close releases what the File holds, after the reads that are under way. Calling it again does nothing.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	var errs []error
	for _, p := range f.parts {
		errs = append(errs, p.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("safetensors: close %s: %w", f.name, err)
	}
	return nil
}

func (f *File) find(name string) (entry, bool) {
	i, ok := slices.BinarySearchFunc(f.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return entry{}, false
	}
	return f.entries[i], true
}

func (f *File) info(e entry) Info {
	return Info{
		Name:   e.name,
		DType:  e.dtype,
		Shape:  f.parts[e.part].header.shapeOf(e),
		Offset: e.offset,
		Size:   e.size,
	}
}
