package tokenizer

import "sync"

// A pipeline encodes as a tokenizer.json says: added tokens are cut out, what is between them is normalized, split and handed to the model.
type pipeline struct {
	ids             map[string]int // of tokens; an added token can have the id of another
	tokens          map[int]string
	count           int
	raw, normalized *finder // added tokens
	normalizers     []normalizer
	split           []splitter
	model           model
	prefix, suffix  []int // of the post-processor

	special map[string]bool // contents of special tokens
	decoder []func() step   // makes the steps of a decoder

	encoders sync.Pool
}

// A model turns a piece of text into tokens.
type model interface {
	encode(e *encoder, ids []int, word []byte) []int
}

func (p *pipeline) encode(ids []int, text string, addSpecial bool) []int {
	e, _ := p.encoders.Get().(*encoder)
	if e == nil {
		e = &encoder{p: p, steps: make([][]byte, len(p.split))}
	}
	e.ids = ids
	if addSpecial {
		e.ids = append(e.ids, p.prefix...)
	}
	e.text = appendValid(e.text[:0], text)
	p.raw.cut(e.text, e.between, e.token)
	if addSpecial {
		e.ids = append(e.ids, p.suffix...)
	}
	ids = e.ids
	e.ids = nil
	p.encoders.Put(e)
	return ids
}

// between encodes text between added tokens that are looked for in text as it is.
func (e *encoder) between(text []byte, at int) {
	text, first := e.normalize(text)
	first = first && at == 0
	e.p.normalized.cut(text, func(part []byte, at int) { e.piece(0, part, first && at == 0) }, e.token)
}

func (e *encoder) token(id int) { e.ids = append(e.ids, id) }

// normalize applies all normalizers to text, and reports whether the first character still stands for the first of text.
func (e *encoder) normalize(text []byte) ([]byte, bool) {
	first := true
	for i := range e.p.normalizers {
		var kept bool
		text, kept = e.normalizeStep(i, text)
		first = first && kept
	}
	return text, first
}

// normalizeStep applies one normalizer to what the one before has made.
func (e *encoder) normalizeStep(i int, text []byte) ([]byte, bool) {
	to, first := e.p.normalizers[i].normalize(e, e.normal[i%2][:0], text)
	e.normal[i%2] = to
	return to, first
}

func (p *pipeline) size() int { return p.count }

func (p *pipeline) token(id int) (string, bool) {
	token, ok := p.tokens[id]
	return token, ok
}

func (p *pipeline) id(token string) (int, bool) {
	id, ok := p.ids[token]
	return id, ok
}
