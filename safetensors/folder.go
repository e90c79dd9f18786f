package safetensors

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// OpenFolder opens the model of a Hugging Face folder: the file <stem>.safetensors if there is one, else the parts that
// <stem>.safetensors.index.json lists. The stem is "model" for a base model and "adapter_model" for a PEFT adapter.
//
// The index must agree with the parts: each part a .safetensors file of the same folder, and each tensor in the part that the
// index says, with no tensor left over on either side. What else the index holds is ignored.
//
// The error wraps [fs.ErrNotExist] if the folder has no such file, and then says so if it has pickle files instead, which
// this package never reads; it wraps a [*FormatError] if the content of a file is invalid.
func OpenFolder(fsys fs.FS, stem string) (*File, error) {
	name := stem + ".safetensors"
	f, err := OpenFS(fsys, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	indexName := name + ".index.json"
	index, indexErr := readIndex(fsys, indexName)
	if errors.Is(indexErr, fs.ErrNotExist) {
		return nil, pickleError(fsys, stem, err)
	}
	if indexErr != nil {
		return nil, indexErr
	}
	return openParts(fsys, indexName, index)
}

// pickleError returns err, which says that there is no safetensors file, or a better one.
func pickleError(fsys fs.FS, stem string, err error) error {
	for _, pickle := range []string{stem + ".bin", "pytorch_" + stem + ".bin", "pytorch_" + stem + ".bin.index.json"} {
		if _, statErr := fs.Stat(fsys, pickle); statErr == nil {
			return fmt.Errorf("%w; there is %s, but pickle files are never read: save the model with safetensors", err, pickle)
		}
	}
	return err
}

// location is a line of an index: which part has a tensor.
type location struct{ tensor, part string }

// readIndex returns the weight_map, sorted by tensor.
func readIndex(fsys fs.FS, name string) ([]location, error) {
	f, err := openFS(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHeader+1))
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", name, err)
	}
	index, err := parseIndex(string(text))
	if err != nil {
		return nil, inFile(err, name)
	}
	return index, nil
}

func parseIndex(text string) ([]location, error) {
	if len(text) > maxHeader {
		return nil, &FormatError{Reason: fmt.Sprintf("longer than %d bytes", maxHeader)}
	}
	if !utf8.ValidString(text) {
		return nil, &FormatError{Reason: "not valid UTF-8"}
	}
	p := parser{text: text}
	var index []location
	found := false
	err := p.object(func(key string) error {
		if key != "weight_map" {
			return p.skip()
		}
		found = true
		return p.object(func(tensor string) error {
			part, err := p.string()
			if err != nil {
				return inTensor(err, tensor)
			}
			index = append(index, location{tensor, part})
			return inTensor(checkPartName(part), tensor)
		})
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, p.fail("missing field \"weight_map\"")
	}
	slices.SortFunc(index, func(a, b location) int { return strings.Compare(a.tensor, b.tensor) })
	return index, p.end()
}

// checkPartName refuses whatever could lead out of the folder, on any system.
func checkPartName(name string) error {
	switch {
	case !fs.ValidPath(name) || strings.ContainsAny(name, `/\:`):
		return &FormatError{Reason: fmt.Sprintf("part %s is not the name of a file in the folder", quote(name))}
	case !strings.HasSuffix(name, ".safetensors"):
		return &FormatError{Reason: fmt.Sprintf("part %s is not a .safetensors file", quote(name))}
	}
	return nil
}

// openParts opens the parts of an index and checks that both agree.
func openParts(fsys fs.FS, indexName string, index []location) (_ *File, err error) {
	names := make([]string, len(index))
	for i, l := range index {
		names[i] = l.part
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > math.MaxUint16 {
		return nil, &FormatError{File: indexName, Reason: fmt.Sprintf("%d parts, want at most %d", len(names), math.MaxUint16)}
	}
	f := &File{name: indexName}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	for i, name := range names {
		p, err := openPartFS(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%w (a part that %s lists)", err, indexName)
		}
		f.parts = append(f.parts, p)
		for _, e := range p.header.entries {
			e.part = uint16(i)
			f.entries = append(f.entries, e)
		}
		p.header.entries = nil
	}
	slices.SortFunc(f.entries, func(a, b entry) int { return cmp.Or(byName(a, b), cmp.Compare(a.part, b.part)) })
	if err := f.checkIndex(index); err != nil {
		return nil, err
	}
	return f, nil
}

// checkIndex walks along the tensors that the parts have and those that the index lists.
func (f *File) checkIndex(index []location) error {
	fail := func(tensor, format string, args ...any) error {
		return &FormatError{File: f.name, Tensor: tensor, Reason: fmt.Sprintf(format, args...)}
	}
	for i, e := range f.entries {
		part := f.parts[e.part].name
		switch {
		case i == len(index) || e.name < index[i].tensor:
			return fail(e.name, "lies in part %s, but the index does not list it there", part)
		case e.name > index[i].tensor:
			return fail(index[i].tensor, "part %s does not have it", index[i].part)
		case part != index[i].part:
			return fail(e.name, "lies in part %s, but the index says %s", part, index[i].part)
		}
	}
	if n := len(f.entries); n < len(index) {
		return fail(index[n].tensor, "part %s does not have it", index[n].part)
	}
	return nil
}
