package tokenizer

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// A sentencePiece encodes and decodes as the sentencepiece package does with a .model file.
type sentencePiece struct {
	pieces  []spPiece
	ids     map[string]int
	users   *trie // user-defined symbols; nil if there are none
	unknown int   // the id of <unk>, or noValue
	bytes   *byteTokens
	surface string // what <unk> is decoded to
	spec    spSpec
	model   spModel

	encoders sync.Pool
}

// spModel splits normalized text into pieces.
type spModel interface {
	encode(e *spEncoder, text []byte)
}

// spKind is the type of a piece, as the file has it.
type spKind uint64

const (
	spNormal spKind = 1 + iota
	spUnknown
	spControl
	spUser
	spUnused
	spByte
)

type spPiece struct {
	text  string
	score float32
	kind  spKind
}

// spSpec has the settings of a model file.
type spSpec struct {
	model         uint64 // of spUnigramType, spBPEType
	byteFallback  bool
	suffix        bool // a dummy space goes to the end
	dummy         bool // there is one
	squeeze       bool // white space at the ends goes, as do repeated spaces
	escape        bool // spaces become marks
	rules         []byte
	denormalizing bool
}

const (
	spUnigramType = 1
	spBPEType     = 2
)

// spMark stands for a space.
const spMark = "▁"

// parseSentencePiece reads a model file.
func parseSentencePiece(data []byte) (*sentencePiece, error) {
	m := &sentencePiece{
		surface: " \u2047 ",
		unknown: noValue,
		ids:     map[string]int{},
		spec:    spSpec{model: spUnigramType, dummy: true, squeeze: true, escape: true},
	}
	err := message(data).fields(func(f protoField) error {
		body, err := f.message()
		switch {
		case err != nil:
			return err
		case f.number == 1:
			return m.addPiece(body)
		case f.number == 2:
			return m.readTrainer(body)
		case f.number == 3:
			return m.readNormalizer(body)
		case f.number == 5:
			return body.fields(func(f protoField) error {
				m.spec.denormalizing = m.spec.denormalizing || f.number == 2 && len(f.bytes) > 0
				return nil
			})
		}
		return nil
	})
	if err == errProtobuf {
		return nil, fail("", "%v", err)
	}
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// addPiece reads a piece.
func (m *sentencePiece) addPiece(body message) error {
	p := spPiece{kind: spNormal}
	err := body.fields(func(f protoField) (err error) {
		switch f.number {
		case 1:
			p.text, err = f.text()
		case 2:
			p.score, err = f.float()
		case 3:
			p.kind = spKind(f.n)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.pieces = append(m.pieces, p)
	return nil
}

// readTrainer reads what encoding depends on of how the model was trained.
func (m *sentencePiece) readTrainer(body message) error {
	return body.fields(func(f protoField) (err error) {
		switch f.number {
		case 3:
			m.spec.model = f.n
		case 24:
			m.spec.suffix, err = f.flag()
		case 35:
			m.spec.byteFallback, err = f.flag()
		case 44:
			m.surface, err = f.text()
		}
		return err
	})
}

func (m *sentencePiece) readNormalizer(body message) error {
	return body.fields(func(f protoField) (err error) {
		switch f.number {
		case 2:
			m.spec.rules, err = f.message()
		case 3:
			m.spec.dummy, err = f.flag()
		case 4:
			m.spec.squeeze, err = f.flag()
		case 5:
			m.spec.escape, err = f.flag()
		}
		return err
	})
}

// check looks at all that has been read and makes the model.
func (m *sentencePiece) check() error {
	var users []trieKey
	for i, p := range m.pieces {
		field := fmt.Sprintf("pieces[%d]", i)
		const limit = 8000 // of sentencepiece
		if p.text == "\x00" && p.kind == spUnused {
			continue // fills a gap
		}
		switch {
		case p.text == "" || len(p.text) >= limit || strings.Contains(p.text, "\x00") || !utf8.ValidString(p.text):
			return fail(field, "got %s, want UTF-8 of 1 to %d bytes without zeros", quote(p.text), limit-1)
		case p.score != p.score || p.score-p.score != 0:
			return fail(field, "got the score %v, want a finite number", p.score)
		}
		if other, ok := m.ids[p.text]; ok {
			return fail(field, "got %s, which is piece %d too", quote(p.text), other)
		}
		m.ids[p.text] = i
		switch p.kind {
		case spNormal, spControl, spUnused:
		case spUser:
			users = append(users, trieKey{p.text, int32(i)})
		case spUnknown:
			if m.unknown != noValue {
				return fail(field, "got a second unknown piece, the first is %d", m.unknown)
			}
			m.unknown = i
		case spByte:
			if _, ok := byteToken([]byte(p.text)); !ok || !m.spec.byteFallback {
				return fail(field, "got the byte piece %s, want <0x00> to <0xFF> and byte_fallback", quote(p.text))
			}
		default:
			return fail(field, "got the type %d, want 1 to 6", p.kind)
		}
	}
	if m.unknown == noValue {
		return fail("pieces", "got none of type unknown")
	}
	if m.spec.byteFallback {
		m.bytes = newByteTokens(m.ids)
		for b, id := range m.bytes {
			if id == noValue || m.pieces[id].kind != spByte {
				return fail("pieces", "got no byte piece %s, which byte_fallback needs", byteTokenName(byte(b)))
			}
		}
	}
	if m.spec.denormalizing {
		return fail("denormalizer_spec", "not supported")
	}
	if len(users) > 0 {
		m.users = newTrie(users)
	}
	return m.makeModel()
}

func (m *sentencePiece) makeModel() error {
	n := spNormalizer{spec: m.spec, users: m.users}
	if len(m.spec.rules) > 0 {
		var err error
		if n.rules, err = newCharsmap(m.spec.rules); err != nil {
			return fail("normalizer_spec.precompiled_charsmap", "%s", err.(*FormatError).Reason)
		}
	}
	m.encoders.New = func() any { return &spEncoder{normalizer: n} }
	switch m.spec.model {
	case spUnigramType:
		m.model = newSPUnigram(m)
	case spBPEType:
		m.model = newSPBPE(m)
	default:
		return fail("trainer_spec.model_type", "got %d, want 1 (unigram) or 2 (BPE)", m.spec.model)
	}
	return nil
}

// An spEncoder holds what one call needs, for use by the next.
type spEncoder struct {
	normalizer spNormalizer
	input      []byte
	text       []byte // normalized
	spans      []piece
	paths      []spPath
	symbols    []spSymbol
	heap       []spPair
	parts      map[string]int // of pieces that are not used: the length of the first of the two that they were merged from
}

// encode ignores addSpecial: a model file says nothing of tokens around a text.
func (m *sentencePiece) encode(ids []int, text string, _ bool) []int {
	if text == "" {
		return ids
	}
	e := m.encoders.Get().(*spEncoder)
	e.input = append(e.input[:0], text...)
	e.text = e.normalizer.normalize(e.text, e.input)
	e.spans = e.spans[:0]
	m.model.encode(e, e.text)
	unknown := false // the last piece was, and others are one with it
	for _, s := range e.spans {
		switch {
		case int(s.id) != m.unknown:
			ids = append(ids, int(s.id))
		case m.bytes != nil:
			for _, b := range e.text[s.start:s.end] {
				ids = append(ids, int(m.bytes[b]))
			}
		case !unknown:
			ids = append(ids, m.unknown)
		}
		unknown = int(s.id) == m.unknown
	}
	m.encoders.Put(e)
	return ids
}

func (m *sentencePiece) size() int { return len(m.pieces) }

func (m *sentencePiece) token(id int) (string, bool) {
	if id < 0 || id >= len(m.pieces) {
		return "", false
	}
	return m.pieces[id].text, true
}

func (m *sentencePiece) id(token string) (int, bool) {
	id, ok := m.ids[token]
	return id, ok
}
