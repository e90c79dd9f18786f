package safetensors

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"unsafe"
)

func readAll(f *File) ([]Tensor, error) {
	var tensors []Tensor
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		tensors = append(tensors, t)
	}
	return tensors, nil
}

func sameTensor(a, b Tensor) bool {
	return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && bytes.Equal(a.Data, b.Data)
}

func sameMetadata(a, b map[string]string) bool {
	return (a == nil) == (b == nil) && maps.Equal(a, b)
}

const testFile = "testdata/adapter_bf16.safetensors"

// streamFS hides everything of its files but what fs.File has.
type streamFS struct{ fs.FS }

func (s streamFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	return struct{ fs.File }{f}, err
}

func TestWaysToOpen(t *testing.T) {
	content, err := os.ReadFile(testFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := openBytes(content)
	if err != nil {
		t.Fatal(err)
	}
	wantTensors, err := readAll(want)
	if err != nil {
		t.Fatal(err)
	}
	if len(wantTensors) != 24 {
		t.Fatalf("got %d tensors, want 24", len(wantTensors))
	}
	ways := map[string]func() (*File, error){
		"Open":          func() (*File, error) { return Open(testFile) },
		"OpenFS":        func() (*File, error) { return OpenFS(os.DirFS("."), testFile) },
		"OpenFS stream": func() (*File, error) { return OpenFS(streamFS{os.DirFS(".")}, testFile) },
		"Mmap":          func() (*File, error) { return Open(testFile, Mmap()) },
	}
	for name, open := range ways {
		t.Run(name, func(t *testing.T) {
			f, err := open()
			if name == "Mmap" && errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(f)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got, wantTensors, sameTensor) {
				t.Error("tensors differ")
			}
			for _, tensor := range got {
				if name != "Mmap" && uintptr(unsafe.Pointer(unsafe.SliceData(tensor.Data)))%alignment != 0 {
					t.Errorf("tensor %s is not aligned", tensor.Name)
				}
				if len(tensor.Data) != cap(tensor.Data) {
					t.Errorf("tensor %s can be appended to in place", tensor.Name)
				}
			}
			if got := f.Metadata(); !sameMetadata(got, map[string]string{"format": "pt"}) {
				t.Errorf("got metadata %v", got)
			}
			for range 2 {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
			if _, err := f.Tensor(got[0].Name); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("read after close: got error %v", err)
			}
			if info, ok := f.Info(got[0].Name); !ok || !slices.Equal(info.Shape, got[0].Shape) {
				t.Errorf("info after close: got %v, %v", info, ok)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.safetensors")
	for _, opts := range [][]Option{nil, {Mmap()}} {
		if _, err := Open(missing, opts...); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got error %v", err)
		}
	}
	if _, err := OpenFS(fstest.MapFS{}, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v", err)
	}
	f, err := Open(testFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Tensor("none")
	if want := `safetensors: ` + testFile + `: tensor "none": no such tensor`; !errors.Is(err, ErrNotFound) || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	if _, ok := f.Info("none"); ok {
		t.Error("info of a missing tensor")
	}
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	for _, opts := range [][]Option{nil, {Mmap()}} {
		if _, err := Open(dir, opts...); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("got error %v", err)
		}
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(empty, Mmap()); err == nil || !strings.Contains(err.Error(), "0 bytes long") {
		t.Errorf("got error %v", err)
	}
}

func TestShrunkenFile(t *testing.T) {
	content := build(tensorJSON("U8", "[100]", "[0,100]"), 100)
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, int64(len(content)-1)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("a"); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v", err)
	}
}

func TestReaderShorterThanClaimed(t *testing.T) {
	content := build(tensorJSON("U8", "[100]", "[0,100]"), 100)
	for n := range len(content) {
		f, err := NewReader(bytes.NewReader(content[:n]), int64(len(content)), "short")
		if err == nil {
			_, err = f.Tensor("a")
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: got error %v", n, err)
		}
	}
	if _, err := NewReader(bytes.NewReader(content), -1, "negative"); err == nil {
		t.Error("a negative size was accepted")
	}
}

func TestResultsBelongToCaller(t *testing.T) {
	f, err := openBytes(build(`{"__metadata__":{"k":"v"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2))
	if err != nil {
		t.Fatal(err)
	}
	tensor, err := f.Tensor("a")
	if err != nil {
		t.Fatal(err)
	}
	tensor.Data[0], tensor.Shape[0] = 9, 9
	f.Names()[0], f.Metadata()["k"] = "b", "w"
	if again, err := f.Tensor("a"); err != nil || again.Data[0] != 1 || again.Shape[0] != 2 || f.Metadata()["k"] != "v" {
		t.Errorf("got %v, %v: a change of one result is seen in another", again, err)
	}
}

func TestConcurrentReadAndClose(t *testing.T) {
	for _, opts := range [][]Option{nil, {Mmap()}} {
		f, err := Open(testFile, opts...)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				for _, name := range f.Names() {
					if _, err := f.Tensor(name); err != nil && !errors.Is(err, fs.ErrClosed) {
						t.Error(err)
					}
				}
			})
		}
		runtime.Gosched()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		readers.Wait()
	}
}
