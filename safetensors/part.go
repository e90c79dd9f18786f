package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"unsafe"
)

// part is one file on disk.
type part struct {
	name   string
	header *header
	data   int64 // where the data starts in the file
	r      io.ReaderAt
	mapped []byte // the whole file if it is mapped, else nil
	close  func() error
}

// newPart reads the header of p, whose other fields are set. It closes p if it fails.
func newPart(p *part, size int64) (*part, error) {
	if err := p.readHeader(size); err != nil {
		p.close()
		return nil, inFile(err, p.name)
	}
	return p, nil
}

func (p *part) readHeader(size int64) error {
	if err := checkFileSize(size); err != nil {
		return err
	}
	var prefix [8]byte
	if err := readFull(p.r, prefix[:], 0); err != nil {
		return fmt.Errorf("safetensors: %s: read the header's length: %w", p.name, err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case n > maxHeader:
		return &FormatError{Reason: fmt.Sprintf("header length %d, want at most %d", n, maxHeader)}
	case n > uint64(size-8):
		return &FormatError{Reason: fmt.Sprintf("header length %d, but only %d bytes follow", n, size-8)}
	}
	header := make([]byte, n)
	if err := readFull(p.r, header, 8); err != nil {
		return fmt.Errorf("safetensors: %s: read the header: %w", p.name, err)
	}
	p.data = 8 + int64(n)
	var err error
	p.header, err = parseHeader(text(header), size-p.data)
	return err
}

func checkFileSize(size int64) error {
	if size < 8 {
		return &FormatError{Reason: fmt.Sprintf("%d bytes long, want at least the 8 of the header's length", size)}
	}
	return nil
}

// read returns size bytes from an offset in the file: a view if it is mapped, else at the start of buf if they have room there, else in fresh memory.
func (p *part) read(buf []byte, offset, size int64) ([]byte, error) {
	if p.mapped != nil {
		return p.mapped[offset : offset+size : offset+size], nil
	}
	if size > math.MaxInt-alignment {
		return nil, fmt.Errorf("%d bytes do not fit this machine's memory", size)
	}
	n := int(size)
	if n == 0 || n > len(buf) {
		buf = alignedBytes(n)
	}
	data := buf[:n:n]
	return data, readFull(p.r, data, offset)
}

func readFull(r io.ReaderAt, buf []byte, offset int64) error {
	n, err := r.ReadAt(buf, offset)
	switch {
	case n == len(buf):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

const alignment = 64 // a cache line, and the widest vector register

// alignedBytes allocates n bytes whose address is a multiple of alignment.
func alignedBytes(n int) []byte {
	buf := make([]byte, n+alignment-1)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(buf))) % alignment)
	return buf[skip : skip+n : skip+n]
}
