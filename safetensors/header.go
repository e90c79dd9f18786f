package safetensors

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxHeader   = 100_000_000 // bytes, the reference implementation's limit
	maxRank     = 64
	metadataKey = "__metadata__"
)

// entry is what a File remembers of a tensor. The shape stays in the header's text: as a slice it could take eight bytes
// for every two of the header.
type entry struct {
	name   string
	offset int64  // in the part's data
	size   int64  // bytes
	shape  uint32 // where the shape's '[' stands in the header
	rank   uint8
	dtype  DType
	part   uint16 // index into File.parts
}

// header is the checked header of one file.
type header struct {
	text     string
	entries  []entry // sorted by name
	metadata int     // where the metadata object stands in text, 0 if there is none
}

// parseHeader checks the header of a file that has dataSize bytes after it.
func parseHeader(text string, dataSize int64) (*header, error) {
	if !utf8.ValidString(text) {
		return nil, &FormatError{Reason: "the header is not valid UTF-8"}
	}
	count := headerParser{parser: parser{text: text, counting: true}}
	if err := count.read(); err != nil {
		return nil, err
	}
	p := headerParser{
		parser:  parser{text: text, keys: make([]string, 0, count.mostOpen)},
		entries: make([]entry, 0, count.tensors),
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	if err := checkCover(p.entries, dataSize); err != nil {
		return nil, err
	}
	slices.SortFunc(p.entries, byName)
	return &header{text: text, entries: p.entries, metadata: p.metadata}, nil
}

func byName(a, b entry) int { return strings.Compare(a.name, b.name) }

// checkCover reports an error unless the tensors cover the data exactly. It sorts them by offset.
func checkCover(entries []entry, dataSize int64) error {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.size, b.size))
	})
	var end int64
	for _, e := range entries {
		if e.offset != end {
			return &FormatError{Tensor: e.name, Reason: fmt.Sprintf(
				"data_offsets begin at %d, want %d: tensors must follow each other without holes or overlaps", e.offset, end)}
		}
		if end += e.size; end > dataSize {
			return &FormatError{Tensor: e.name, Reason: fmt.Sprintf("data_offsets end at %d, but the file has only %d bytes of data", end, dataSize)}
		}
	}
	if end != dataSize {
		return &FormatError{Reason: fmt.Sprintf("the tensors take %d bytes, but the file has %d bytes of data", end, dataSize)}
	}
	return nil
}

type headerParser struct {
	parser
	tensors  int     // how many there are, while counting
	entries  []entry // while not counting
	metadata int
}

func (p *headerParser) read() error {
	err := p.object(func(key string) error {
		if key == metadataKey {
			return p.readMetadata()
		}
		e, err := p.readTensor(key)
		if err != nil {
			return inTensor(err, key)
		}
		if p.counting {
			p.tensors++
		} else {
			p.entries = append(p.entries, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.end()
}

func (p *headerParser) readMetadata() error {
	if p.word("null") {
		return nil
	}
	p.metadata = p.pos
	return p.object(func(key string) error {
		if _, _, err := p.rawString(); err != nil {
			return fmt.Errorf("%w for key %s of %s", err, quote(key), metadataKey)
		}
		return nil
	})
}

func (p *headerParser) readTensor(name string) (entry, error) {
	e := entry{name: name}
	if err := checkName(name); err != nil {
		return e, err
	}
	var elements, end int64
	var hasShape, hasOffsets bool
	err := p.object(func(key string) (err error) {
		switch key {
		case "dtype":
			var s string
			if s, err = p.string(); err != nil {
				return err
			}
			if e.dtype = parseDType(s); e.dtype == 0 {
				return p.fail("unknown dtype %s", quote(s))
			}
		case "shape":
			hasShape = true
			elements, err = p.readShape(&e)
		case "data_offsets":
			hasOffsets = true
			e.offset, end, err = p.readOffsets()
		default:
			err = p.skip()
		}
		return err
	})
	switch {
	case err != nil:
		return e, err
	case e.dtype == 0:
		return e, p.fail("missing field \"dtype\"")
	case !hasShape:
		return e, p.fail("missing field \"shape\"")
	case !hasOffsets:
		return e, p.fail("missing field \"data_offsets\"")
	}
	size, err := byteSize(e.dtype, elements)
	if err != nil {
		return e, err
	}
	if e.size = end - e.offset; e.size != size {
		return e, p.fail("data_offsets [%d,%d] span %d bytes, but dtype %v and the shape need %d", e.offset, end, e.size, e.dtype, size)
	}
	return e, nil
}

// readShape notes the shape's place and rank, and returns the number of elements.
func (p *headerParser) readShape(e *entry) (elements int64, err error) {
	p.peek()
	e.shape = uint32(p.pos)
	n := newProduct()
	err = p.array(func() error {
		if e.rank++; e.rank > maxRank {
			return p.fail("shape of more than %d dimensions", maxRank)
		}
		d, err := p.integer()
		if err != nil {
			return err
		}
		if !n.multiply(d) {
			return p.fail("the shape's number of elements overflows an int")
		}
		return nil
	})
	return n.elements(), err
}

func (p *headerParser) readOffsets() (begin, end int64, err error) {
	var offsets [2]int64
	n := 0
	err = p.array(func() (err error) {
		if n == len(offsets) {
			return p.fail("data_offsets of more than two integers")
		}
		offsets[n], err = p.integer()
		n++
		return err
	})
	switch {
	case err != nil:
		return 0, 0, err
	case n != len(offsets):
		return 0, 0, p.fail("data_offsets of %d integers, want two", n)
	case offsets[0] > offsets[1]:
		return 0, 0, p.fail("data_offsets [%d,%d] are reversed", offsets[0], offsets[1])
	}
	return offsets[0], offsets[1], nil
}

// shapeOf decodes the shape of an entry of this header.
func (h *header) shapeOf(e entry) []int {
	p := parser{text: h.text, pos: int(e.shape)}
	shape := make([]int, 0, e.rank)
	// The header was checked when it was opened: nothing here can fail.
	_ = p.array(func() error {
		d, err := p.integer()
		shape = append(shape, int(d))
		return err
	})
	return shape
}

// addMetadata decodes the metadata into m, but leaves the keys that m already has. It makes the map if needed.
func (h *header) addMetadata(m map[string]string) map[string]string {
	if h.metadata == 0 {
		return m
	}
	if m == nil {
		m = map[string]string{}
	}
	p := parser{text: h.text, pos: h.metadata}
	// The header was checked when it was opened: nothing here can fail.
	_ = p.object(func(key string) error {
		value, err := p.string()
		if _, ok := m[key]; !ok {
			m[key] = value
		}
		return err
	})
	return m
}

// product multiplies dimensions. Zeros are kept apart so that the order of the dimensions does not decide what overflows.
type product struct {
	nonzero int64
	zero    bool
}

func newProduct() product { return product{nonzero: 1} }

// multiply reports whether the product of the nonzero dimensions still fits an int. d is not negative.
func (n *product) multiply(d int64) bool {
	if d == 0 {
		n.zero = true
		return true
	}
	hi, lo := bits.Mul64(uint64(n.nonzero), uint64(d))
	if hi != 0 || lo > math.MaxInt {
		return false
	}
	n.nonzero = int64(lo)
	return true
}

func (n *product) elements() int64 {
	if n.zero {
		return 0
	}
	return n.nonzero
}

// byteSize returns how many bytes so many elements take.
func byteSize(d DType, elements int64) (int64, error) {
	hi, lo := bits.Mul64(uint64(elements), uint64(d.Bits()))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, &FormatError{Reason: fmt.Sprintf("the size of %d elements of %v overflows", elements, d)}
	}
	if lo%8 != 0 {
		return 0, &FormatError{Reason: fmt.Sprintf("%d elements of %v do not fill whole bytes", elements, d)}
	}
	return int64(lo / 8), nil
}

// checkName is the rule for tensor names, of the reader and the writer.
func checkName(name string) error {
	if i := strings.IndexFunc(name, unicode.IsControl); i >= 0 {
		return &FormatError{Tensor: name, Reason: "control character in the name"}
	}
	return nil
}
