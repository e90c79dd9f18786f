package safetensors

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// partOf makes a file of one-byte tensors.
func partOf(t *testing.T, metadata map[string]string, names ...string) *fstest.MapFile {
	t.Helper()
	var tensors []Tensor
	for _, name := range names {
		tensors = append(tensors, Tensor{Info{Name: name, DType: U8, Shape: []int{1}}, []byte(name[:1])})
	}
	var b bytes.Buffer
	if err := Write(&b, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func indexOf(pairs ...string) *fstest.MapFile {
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, fmt.Sprintf("%q:%q", pairs[i], pairs[i+1]))
	}
	return &fstest.MapFile{Data: []byte(`{"metadata":{"total_size":3},"weight_map":{` + strings.Join(members, ",") + `}}`)}
}

func TestShardedFolder(t *testing.T) {
	fsys := fstest.MapFS{
		"model.safetensors.index.json": indexOf("c", "1.safetensors", "a", "1.safetensors", "b", "2.safetensors"),
		"1.safetensors":                partOf(t, map[string]string{"format": "pt", "k": "1"}, "a", "c"),
		"2.safetensors":                partOf(t, map[string]string{"format": "pt", "k": "2", "l": "2"}, "b"),
	}
	f, err := OpenFolder(fsys, "model")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got names %v", got)
	}
	for _, name := range f.Names() {
		if tensor, err := f.Tensor(name); err != nil || string(tensor.Data) != name {
			t.Errorf("tensor %s: got %q, %v", name, tensor.Data, err)
		}
	}
	if got := f.Metadata(); !sameMetadata(got, map[string]string{"format": "pt", "k": "1", "l": "2"}) {
		t.Errorf("got metadata %v", got)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}

	// A whole file goes before an index.
	fsys["model.safetensors"] = partOf(t, nil, "whole")
	if f, err = OpenFolder(fsys, "model"); err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"whole"}) {
		t.Errorf("got names %v", got)
	}
}

func TestFolderErrors(t *testing.T) {
	index := func(text string) fstest.MapFS {
		return fstest.MapFS{"model.safetensors.index.json": {Data: []byte(text)}, "1.safetensors": partOf(t, nil, "a"), "2.safetensors": partOf(t, nil, "a")}
	}
	mapped := func(pairs ...string) fstest.MapFS { return index(string(indexOf(pairs...).Data)) }
	cases := []struct {
		name     string
		fsys     fstest.MapFS
		want     string
		notExist bool
	}{
		{"empty folder", fstest.MapFS{}, "model.safetensors", true},
		{"pickle", fstest.MapFS{"pytorch_model.bin": {}}, "there is pytorch_model.bin, but pickle files are never read: save the model with safetensors", true},
		{"pickle in parts", fstest.MapFS{"pytorch_model.bin.index.json": {}}, "save the model with safetensors", true},
		{"damaged file with a good index", fstest.MapFS{"model.safetensors": {}, "model.safetensors.index.json": indexOf()}, "0 bytes long", false},
		{"index is no JSON", index("x"), "model.safetensors.index.json: byte 0 of the JSON: got 'x', want '{'", false},
		{"index is not UTF-8", index("\xff"), "not valid UTF-8", false},
		{"index goes on", index(`{"weight_map":{"a":"1.safetensors"}}x`), "want the end", false},
		{"no weight_map", index("{}"), `missing field "weight_map"`, false},
		{"duplicate weight_map", index(`{"weight_map":{},"weight_map":{}}`), `duplicate key "weight_map"`, false},
		{"duplicate tensor", mapped("a", "1.safetensors", "a", "1.safetensors"), `duplicate key "a"`, false},
		{"part is no string", index(`{"weight_map":{"a":1}}`), `tensor "a": byte 19 of the JSON: got '1', want a string`, false},
		{"part above the folder", mapped("a", "../1.safetensors"), `tensor "a": part "../1.safetensors" is not the name of a file in the folder`, false},
		{"absolute part", mapped("a", "/1.safetensors"), "is not the name", false},
		{"part in a folder", mapped("a", "x/1.safetensors"), "is not the name", false},
		{"backslash", mapped("a", `x\1.safetensors`), "is not the name", false},
		{"drive", mapped("a", "c:1.safetensors"), "is not the name", false},
		{"empty part name", mapped("a", ""), "is not the name", false},
		{"pickle part", mapped("a", "pytorch_model.bin"), "is not a .safetensors file", false},
		{"missing part", mapped("a", "3.safetensors"), "3.safetensors", true},
		{"tensor not in its part", mapped("a", "1.safetensors", "b", "1.safetensors"), `tensor "b": part 1.safetensors does not have it`, false},
		{"tensor not in its part, sorted first", mapped("0", "1.safetensors", "a", "1.safetensors"), `tensor "0": part 1.safetensors does not have it`, false},
		{"tensor not listed", fstest.MapFS{"model.safetensors.index.json": indexOf("a", "1.safetensors"), "1.safetensors": partOf(t, nil, "a", "b")}, `tensor "b": lies in part 1.safetensors, but the index does not list it`, false},
		{"tensor in another part", fstest.MapFS{
			"model.safetensors.index.json": indexOf("a", "1.safetensors", "b", "2.safetensors"), "1.safetensors": partOf(t, nil, "b"), "2.safetensors": partOf(t, nil, "a"),
		}, `tensor "a": lies in part 2.safetensors, but the index says 1.safetensors`, false},
		{"tensor in two parts", fstest.MapFS{
			"model.safetensors.index.json": indexOf("a", "1.safetensors", "b", "2.safetensors"), "1.safetensors": partOf(t, nil, "a"), "2.safetensors": partOf(t, nil, "a", "b"),
		}, `tensor "a": lies in part 2.safetensors, but the index does not list it there`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenFolder(c.fsys, "model")
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got error %v, want one line with %q", err, c.want)
			}
			if got := errors.Is(err, fs.ErrNotExist); got != c.notExist {
				t.Errorf("error %v: is fs.ErrNotExist: %v, want %v", err, got, c.notExist)
			}
		})
	}
	// One part more than there can be, and as many, of which the first is missing.
	var parts []string
	for i := range 1 << 16 {
		parts = append(parts, fmt.Sprint(i), fmt.Sprintf("%05d.safetensors", i))
	}
	for n, want := range map[int]string{1 << 16: "65536 parts, want at most 65535", 1<<16 - 1: "00000.safetensors"} {
		_, err := OpenFolder(fstest.MapFS{"model.safetensors.index.json": indexOf(parts[:2*n]...)}, "model")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d parts: got error %v, want one with %q", n, err, want)
		}
	}
	_, err := OpenFolder(fstest.MapFS{"adapter_model.bin": {}}, "adapter_model")
	if err == nil || !strings.Contains(err.Error(), "adapter_model.bin") {
		t.Errorf("got error %v", err)
	}
}
