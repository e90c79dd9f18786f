package tokenizer

import "sync"

// runs are the generated form of a table over all code points: where a run of equal values starts, times 256, plus the value.
type runs []uint32

// A table gives each code point a small number, in two steps.
type table struct {
	block  [(maxRune + 1) / 256]uint16
	values []byte
}

const maxRune = 0x10FFFF

func (t *table) at(r rune) byte { return t.values[int(t.block[r>>8])<<8|int(r&255)] }

// expand makes a table of runs. Equal blocks are kept once.
func expand(from runs) *table {
	t := &table{}
	known := map[[256]byte]uint16{}
	for b := range t.block {
		var values [256]byte
		first := uint32(b) << 8
		for len(from) > 1 && from[1]>>8 <= first {
			from = from[1:]
		}
		for i := range values {
			if len(from) > 1 && from[1]>>8 == first+uint32(i) {
				from = from[1:]
			}
			values[i] = byte(from[0])
		}
		n, ok := known[values]
		if !ok {
			n = uint16(len(known))
			known[values] = n
			t.values = append(t.values, values[:]...)
		}
		t.block[b] = n
	}
	return t
}

var (
	categories = sync.OnceValue(func() *table { return expand(categoryRuns) })
	properties = sync.OnceValue(func() *table { return expand(propertyRuns) })
)

// isSpace reports the property White_Space, on which every version of Unicode in use agrees.
func isSpace(r rune) bool {
	switch {
	case r < 0x80:
		return r == ' ' || '\t' <= r && r <= '\r'
	case r < 0x1680:
		return r == 0x85 || r == 0xA0
	}
	return r == 0x1680 || 0x2000 <= r && r <= 0x200A || r == 0x2028 || r == 0x2029 || r == 0x202F || r == 0x205F || r == 0x3000
}
