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
			again, err := f.Tensor(got[0].Name)
			if err != nil {
				t.Fatal(err)
			}
			if shared := &again.Data[0] == &got[0].Data[0]; shared != (name == "Mmap") {
				t.Errorf("two reads share memory: %v", shared)
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

// A countedFS counts the files that are open, and has the errors of what is done with those of a name.
type countedFS struct {
	fs.FS
	open              *int
	bad               string
	stat, read, close error
}

func (c countedFS) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	*c.open++
	if name != c.bad {
		c.stat, c.read, c.close = nil, nil, nil
	}
	return &countedFile{f, c}, nil
}

// Stat keeps fs.Stat from opening files.
func (c countedFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

type countedFile struct {
	fs.File
	fs countedFS
}

func (f *countedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return info, errors.Join(err, f.fs.stat)
}

func (f *countedFile) Read(b []byte) (int, error) {
	if f.fs.read != nil {
		return 0, f.fs.read
	}
	return f.File.Read(b)
}

func (f *countedFile) Close() error {
	*f.fs.open--
	return errors.Join(f.File.Close(), f.fs.close)
}

// A countedReaderAt is a file that is not read at once.
type countedReaderAt struct {
	*countedFile
	io.ReaderAt
}

type readerAtFS struct{ countedFS }

func (r readerAtFS) Open(name string) (fs.File, error) {
	f, err := r.countedFS.Open(name)
	if err != nil {
		return nil, err
	}
	c := f.(*countedFile)
	return countedReaderAt{c, c.File.(io.ReaderAt)}, nil
}

// TestFilesAreClosed opens files and folders, good ones and bad ones, and wants no file open in the end.
func TestFilesAreClosed(t *testing.T) {
	good := build(tensorJSON("U8", "[1]", "[0,1]"), 1)
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		ok   bool
	}{
		"file":     {fstest.MapFS{"model.safetensors": {Data: good}}, true},
		"bad file": {fstest.MapFS{"model.safetensors": {Data: good[:20]}}, false},
		"folder":   {fstest.MapFS{"model.safetensors.index.json": indexOf("a", "1.safetensors"), "1.safetensors": {Data: good}}, true},
		"folder without a part": {fstest.MapFS{
			"model.safetensors.index.json": indexOf("a", "1.safetensors", "b", "2.safetensors"), "1.safetensors": {Data: good},
		}, false},
		"folder with a bad index": {fstest.MapFS{"model.safetensors.index.json": {Data: []byte("x")}}, false},
		"folder that its index does not list": {fstest.MapFS{
			"model.safetensors.index.json": indexOf("b", "1.safetensors"), "1.safetensors": {Data: good},
		}, false},
	} {
		open := 0
		counted := countedFS{FS: c.fsys, open: &open}
		for kind, fsys := range map[string]fs.FS{"stream": counted, "reader": readerAtFS{counted}} {
			f, err := OpenFolder(fsys, "model")
			if (err == nil) != c.ok {
				t.Errorf("%s, %s: got error %v", name, kind, err)
			}
			if err == nil {
				if err := f.Close(); err != nil {
					t.Errorf("%s, %s: close: %v", name, kind, err)
				}
			}
			if open != 0 {
				t.Errorf("%s, %s: %d files are open, want none", name, kind, open)
			}
			open = 0
		}
	}
}

// TestFileSystemErrors wants the errors of what lies below, and no file open after them.
func TestFileSystemErrors(t *testing.T) {
	good := build(tensorJSON("U8", "[1]", "[0,1]"), 1)
	files := fstest.MapFS{
		"file.safetensors": {Data: good}, "1.safetensors": {Data: good},
		"folder.safetensors.index.json": indexOf("a", "1.safetensors"),
	}
	broken := errors.New("broken")
	open := 0
	for name, fsys := range map[string]fs.FS{
		"stat file":  countedFS{FS: files, open: &open, bad: "file.safetensors", stat: broken},
		"read file":  countedFS{FS: files, open: &open, bad: "file.safetensors", read: broken},
		"close file": readerAtFS{countedFS{FS: files, open: &open, bad: "file.safetensors", close: broken}},

		"read folder's index": countedFS{FS: files, open: &open, bad: "folder.safetensors.index.json", read: broken},
		"stat folder's part":  countedFS{FS: files, open: &open, bad: "1.safetensors", stat: broken},
		"close folder's part": readerAtFS{countedFS{FS: files, open: &open, bad: "1.safetensors", close: broken}},
	} {
		stem := "file"
		if strings.Contains(name, "folder") {
			stem = "folder"
		}
		f, err := OpenFolder(fsys, stem)
		if err == nil {
			if _, err := f.Tensor("a"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			err = f.Close()
		}
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), ".safetensors") {
			t.Errorf("%s: got error %v, want one that names the file", name, err)
		}
		if open != 0 {
			t.Errorf("%s: %d files are open, want none", name, open)
		}
		open = 0
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

// Tensors that are used one after another can lie in the same memory.
func TestTensorTo(t *testing.T) {
	f, err := Open(testFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := readAll(f)
	if err != nil {
		t.Fatal(err)
	}
	longest := 0
	for _, w := range want {
		longest = max(longest, len(w.Data))
	}
	for _, n := range []int{0, longest - 1, longest, longest + 1} {
		buf := make([]byte, n)
		for _, w := range want {
			got, err := f.TensorTo(buf, w.Name)
			if err != nil {
				t.Fatal(err)
			}
			if !sameTensor(got, w) || cap(got.Data) != len(w.Data) {
				t.Errorf("%s to %d bytes: got %v with %d of %d bytes", w.Name, n, got.Info, len(got.Data), cap(got.Data))
			}
			if in := n > 0 && &got.Data[0] == &buf[0]; in != (len(w.Data) <= n) {
				t.Errorf("%s of %d bytes to %d: in that memory is %t", w.Name, len(w.Data), n, in)
			}
		}
	}
	mapped, err := Open(testFile, Mmap())
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer mapped.Close()
	buf := make([]byte, longest)
	if got, err := mapped.TensorTo(buf, want[0].Name); err != nil || !sameTensor(got, want[0]) || &got.Data[0] == &buf[0] {
		t.Errorf("mapped: got %v, %v, want a view", got.Info, err)
	}
}
