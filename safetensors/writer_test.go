package safetensors

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestSameBytes reads files that PEFT wrote and writes them again.
func TestSameBytes(t *testing.T) {
	names, err := filepath.Glob("testdata/*.safetensors")
	if err != nil || len(names) < 2 {
		t.Fatalf("got test files %v, %v", names, err)
	}
	for _, name := range names {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		tensors, err := readAll(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		slices.Reverse(tensors)
		var got bytes.Buffer
		if err := Write(&got, tensors, f.Metadata()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: written differently", name)
		}
	}
}

func TestHeaderText(t *testing.T) {
	tensors := []Tensor{
		{Info{Name: "b", DType: U8, Shape: []int{2}}, []byte{1, 2}},
		{Info{Name: "<&>\"\\/é\u2028", DType: Bool, Shape: []int{0}}, nil},
		{Info{Name: "s", DType: F32}, make([]byte, 4)},
		{Info{Name: "a", DType: U8, Shape: []int{1, 1}}, []byte{3}},
		{Info{Name: "i", DType: I64, Shape: []int{1}}, make([]byte, 8)},
		{Info{Name: "d", DType: F64, Shape: []int{1}}, make([]byte, 8)},
		{Info{Name: "c", DType: C64, Shape: []int{1}}, make([]byte, 8)},
	}
	metadata := map[string]string{"z": "\b\f\n\r\t\x01\x1f \x7f", "a": ""}
	var b bytes.Buffer
	if err := Write(&b, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	const want = `{"__metadata__":{"a":"","z":"\b\f\n\r\t\u0001\u001f ` + "\x7f" + `"},` +
		`"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},` +
		`"d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},` +
		`"c":{"dtype":"C64","shape":[1],"data_offsets":[16,24]},` +
		`"s":{"dtype":"F32","shape":[],"data_offsets":[24,28]},` +
		`"a":{"dtype":"U8","shape":[1,1],"data_offsets":[28,29]},` +
		`"b":{"dtype":"U8","shape":[2],"data_offsets":[29,31]},` +
		`"<&>\"\\/é` + "\u2028" + `":{"dtype":"BOOL","shape":[0],"data_offsets":[31,31]}}`
	header := b.Bytes()[8 : b.Len()-31]
	if got := strings.TrimRight(string(header), " "); got != want || len(header)%8 != 0 {
		t.Errorf("got header\n%q, want\n%q", header, want)
	}
	f, err := openBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Metadata(); !sameMetadata(got, metadata) {
		t.Errorf("got metadata %q", got)
	}
	if err := checkRoundTrip(f); err != nil {
		t.Error(err)
	}
}

func TestEmptyFiles(t *testing.T) {
	for want, metadata := range map[string]map[string]string{"{}      ": nil, `{"__metadata__":{}}     `: {}} {
		var b bytes.Buffer
		if err := Write(&b, nil, metadata); err != nil || string(b.Bytes()[8:]) != want {
			t.Errorf("got %q, %v, want %q", b.Bytes()[8:], err, want)
		}
		if f, err := openBytes(b.Bytes()); err != nil || !sameMetadata(f.Metadata(), metadata) {
			t.Errorf("metadata %v does not come back: %v", metadata, err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	named := func(names ...string) []Tensor {
		var tensors []Tensor
		for _, name := range names {
			tensors = append(tensors, Tensor{Info{Name: name, DType: U8}, []byte{0}})
		}
		return tensors
	}
	cases := []struct {
		want     string
		tensors  []Tensor
		metadata map[string]string
	}{
		{"the name is reserved", named("__metadata__"), nil},
		{"duplicate name", named("a", "b", "a"), nil},
		{"duplicate name", []Tensor{{Info{Name: "a", DType: F32}, make([]byte, 4)}, {Info{Name: "b", DType: F32}, make([]byte, 4)}, {Info{Name: "a", DType: U8}, []byte{0}}}, nil},
		{"the name is not valid UTF-8", named("\xff"), nil},
		{"control character in the name", named("a\x00"), nil},
		{"header of", named(strings.Repeat("x", maxHeader)), nil},
		{"metadata \"k\"", nil, map[string]string{"k": "\xff"}},
		{"metadata \"\\xff\"", nil, map[string]string{"\xff": ""}},
		{"unknown dtype", []Tensor{{Info{Name: "a"}, []byte{0}}}, nil},
		{"2 bytes of data, but dtype F32 and shape [] need 4", []Tensor{{Info{Name: "a", DType: F32}, []byte{0, 0}}}, nil},
		{"overflows", []Tensor{{Info{Name: "a", DType: F32, Shape: []int{1 << 30, 1 << 30, 1 << 30}}, nil}}, nil},
	}
	for _, c := range cases {
		var b bytes.Buffer
		err := Write(&b, c.tensors, c.metadata)
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes were written", c.want, b.Len())
		}
	}
}

// A brokenWriter writes less than it is given where there is no room, with an error or without.
type brokenWriter struct {
	room int
	err  error
}

func (w *brokenWriter) Write(b []byte) (int, error) {
	n := min(len(b), w.room)
	w.room -= n
	if n < len(b) {
		return n, w.err
	}
	return n, nil
}

func TestShortWrites(t *testing.T) {
	x := Tensor{Info{Name: "x", DType: U8, Shape: []int{3}}, []byte{1, 2, 3}}
	full := errors.New("full")
	for _, tensors := range [][]Tensor{{x}, {}} {
		var whole bytes.Buffer
		if err := Write(&whole, tensors, nil); err != nil {
			t.Fatal(err)
		}
		for room := range whole.Len() {
			if err := Write(&brokenWriter{room, nil}, tensors, nil); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%d tensors, room for %d bytes: got error %v", len(tensors), room, err)
			}
			if err := Write(&brokenWriter{room, full}, tensors, nil); !errors.Is(err, full) {
				t.Errorf("%d tensors, room for %d bytes: got error %v, want the writer's", len(tensors), room, err)
			}
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.safetensors")
	x := Tensor{Info{Name: "x", DType: U8, Shape: []int{3}}, []byte{1, 2, 3}}
	if err := WriteFile(path, []Tensor{x}, nil); err != nil {
		t.Fatal(err)
	}
	reference, err := os.Create(filepath.Join(dir, "reference"))
	if err != nil {
		t.Fatal(err)
	}
	reference.Close()
	if got, want := modeOf(t, path), modeOf(t, reference.Name()); got != want {
		t.Errorf("got mode %v, want %v", got, want)
	}
	os.Remove(reference.Name())

	// Over itself while open, keeping its mode.
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	want := modeOf(t, path)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := readAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		f.Close()
	}
	if err := WriteFile(path, append(tensors, Tensor{Info{Name: "y", DType: U8}, []byte{4}}), nil); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got := modeOf(t, path); got != want {
		t.Errorf("got mode %v, want %v", got, want)
	}
	if f, err = Open(path); err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("got names %v", got)
	}
	f.Close()

	// A failure leaves the old file and nothing else.
	err = WriteFile(path, []Tensor{x, x}, nil)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names %s", err, path)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(folder, []Tensor{x}, nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if err := WriteFile(filepath.Join(dir, "none", "a"), []Tensor{x}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("got %v, %v: want only the file and the folder", entries, err)
	}
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}
