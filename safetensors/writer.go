package safetensors

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polytropon/polytropon/internal/atomicfile"
)

// Write writes tensors and metadata as a safetensors file, byte for byte as the reference implementation does: tensors by
// falling [DType], then by name. Metadata, which the reference writes in no particular order, is sorted by key; a nil map is
// left out and an empty one is not. Offset and Size of the tensors are ignored: Data counts.
//
// Whatever the reader would refuse is a [*FormatError], found before the first byte is written: an invalid or repeated name,
// an unknown dtype, Data whose length is not what dtype and shape need, metadata that is not UTF-8.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType, a.DType), strings.Compare(a.Name, b.Name))
	})
	header, err := encodeHeader(sorted, metadata)
	if err != nil {
		return err
	}
	if err := writeAll(w, header); err != nil {
		return fmt.Errorf("safetensors: write the header: %w", err)
	}
	for _, t := range sorted {
		if err := writeAll(w, t.Data); err != nil {
			return fmt.Errorf("safetensors: write tensor %s: %w", quote(t.Name), err)
		}
	}
	return nil
}

func writeAll(w io.Writer, data []byte) error {
	n, err := w.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	return err
}

// encodeHeader returns the header with its length before it. The tensors are in file order.
func encodeHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	if err := checkNames(tensors); err != nil {
		return nil, err
	}
	b := append(make([]byte, 8), '{')
	if metadata != nil {
		var err error
		if b, err = appendMetadata(b, metadata); err != nil {
			return nil, err
		}
	}
	var offset int64
	for i, t := range tensors {
		if _, err := t.elements(); err != nil {
			return nil, err
		}
		if offset > math.MaxInt64-int64(len(t.Data)) {
			return nil, &FormatError{Tensor: t.Name, Reason: "the size of all data overflows"}
		}
		if i > 0 || metadata != nil {
			b = append(b, ',')
		}
		b = appendTensor(b, t, offset)
		offset += int64(len(t.Data))
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	n := len(b) - 8
	if n > maxHeader {
		return nil, &FormatError{Reason: fmt.Sprintf("header of %d bytes, want at most %d", n, maxHeader)}
	}
	binary.LittleEndian.PutUint64(b, uint64(n))
	return b, nil
}

// checkNames applies the rules of the format and of this reader.
func checkNames(tensors []Tensor) error {
	names := make([]string, len(tensors))
	for i, t := range tensors {
		names[i] = t.Name
		if t.Name == metadataKey {
			return &FormatError{Tensor: t.Name, Reason: "the name is reserved"}
		}
		if !utf8.ValidString(t.Name) {
			return &FormatError{Tensor: t.Name, Reason: "the name is not valid UTF-8"}
		}
		if err := checkName(t.Name); err != nil {
			return err
		}
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return &FormatError{Tensor: names[i], Reason: "duplicate name"}
		}
	}
	return nil
}

func appendMetadata(b []byte, metadata map[string]string) ([]byte, error) {
	keys := make([]string, 0, len(metadata))
	for k, v := range metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, &FormatError{Reason: fmt.Sprintf("metadata %s: %s is not valid UTF-8", quote(k), quote(v))}
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(appendString(b, metadataKey), ":{"...)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = appendString(b, metadata[k])
	}
	return append(b, '}'), nil
}

func appendTensor(b []byte, t Tensor, offset int64) []byte {
	b = append(appendString(b, t.Name), `:{"dtype":`...)
	b = append(appendString(b, t.DType.String()), `,"shape":[`...)
	for i, d := range t.Shape {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(d), 10)
	}
	b = append(b, `],"data_offsets":[`...)
	b = append(strconv.AppendInt(b, offset, 10), ',')
	b = strconv.AppendInt(b, offset+int64(len(t.Data)), 10)
	return append(b, "]}"...)
}

// appendString escapes what JSON requires and nothing more.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		case strings.IndexByte("\b\f\n\r\t", c) >= 0:
			b = append(b, '\\', "bfnrt"[strings.IndexByte("\b\f\n\r\t", c)])
		default:
			b = fmt.Appendf(b, `\u%04x`, c)
		}
	}
	return append(b, '"')
}

// WriteFile writes a file as [Write] does, so that path holds either what it held before or the whole new file: it writes a
// temporary file in the same folder, syncs it to disk and renames it. The file gets the permissions that [os.Create] would
// give it. A symbolic link at path is replaced, not followed. If anything fails, the temporary file is removed.
//
// Tensors may come from a file at the same path that is still open (on Windows it must not be).
func WriteFile(path string, tensors []Tensor, metadata map[string]string) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	defer f.Discard()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := Write(w, tensors, metadata); err != nil {
		return inFile(err, path)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}
