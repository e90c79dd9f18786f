package tokenizer

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
)

const maxID = math.MaxInt32

// parseModel reads the model and its vocabulary. Old files have no type.
func (p *pipeline) parseModel(data json.RawMessage, byteLevel bool) error {
	o, err := parseObject("model", data)
	if err != nil {
		return err
	}
	var kind string
	if o.read("type", &kind); kind == "" {
		_, merges := o.values["merges"]
		_, chars := o.values["max_input_chars_per_word"]
		switch {
		case merges:
			kind = "BPE"
		case chars:
			kind = "WordPiece"
		case bytes.HasPrefix(o.values["vocab"], []byte("[")):
			kind = "Unigram"
		}
	}
	if byteLevel && kind != "BPE" {
		o.fail("type", "got %s with the pre-tokenizer ByteLevel, want BPE", quote(kind))
	}
	switch kind {
	case "BPE":
		p.parseBPE(o, byteLevel)
	case "Unigram":
		p.parseUnigram(o)
	case "WordPiece":
		p.parseWordPiece(o)
	default:
		o.fail("type", "got %s, which is not supported", quote(kind))
	}
	return o.done()
}

// parseVocabulary reads a vocabulary that is an object.
func (p *pipeline) parseVocabulary(o *object) {
	o.readNeeded("vocab", &p.ids)
	p.tokens = make(map[int]string, len(p.ids))
	for token, id := range p.ids {
		if id < 0 || id > maxID {
			o.fail("vocab", "got the id %d of %s, want 0 to %d", id, quote(token), maxID)
		}
		if other, ok := p.tokens[id]; ok {
			o.fail("vocab", "got the id %d for %s and for %s", id, quote(min(token, other)), quote(max(token, other)))
		}
		p.tokens[id] = token
	}
	p.count = len(p.ids)
}

// readToken takes a field that names a token of the vocabulary and returns its id, or noValue if there is none.
func (p *pipeline) readToken(o *object, key string) int32 {
	var token *string
	o.read(key, &token)
	if token == nil {
		return noValue
	}
	id, ok := p.ids[*token]
	if !ok {
		o.fail(key, "got %s, want a token of the vocabulary", quote(*token))
	}
	return int32(id)
}

func (p *pipeline) parseWordPiece(o *object) {
	p.parseVocabulary(o)
	m := &wordPiece{}
	var prefix string
	o.readNeeded("continuing_subword_prefix", &prefix)
	o.readNeeded("max_input_chars_per_word", &m.maxChars)
	if m.unknown = p.readToken(o, "unk_token"); m.unknown == noValue {
		o.fail("unk_token", "missing")
	}
	var first, later []trieKey
	for token, id := range p.ids {
		first = append(first, trieKey{token, int32(id)})
		if rest, ok := strings.CutPrefix(token, prefix); ok {
			later = append(later, trieKey{rest, int32(id)})
		}
	}
	m.first, m.later = newTrie(first), newTrie(later)
	p.model = m
}

func (p *pipeline) parseUnigram(o *object) {
	var vocab [][]json.RawMessage
	o.readNeeded("vocab", &vocab)
	unknown := -1
	o.readNeeded("unk_id", &unknown)
	if o.err == nil && (unknown < 0 || unknown >= len(vocab)) {
		o.fail("unk_id", "got %d, want the id of one of %d pieces", unknown, len(vocab))
	}
	var fallback bool
	o.read("byte_fallback", &fallback)
	if o.err != nil {
		return
	}
	m := &unigram{unknown: int32(unknown)}
	p.ids, p.tokens, p.count = map[string]int{}, map[int]string{}, len(vocab)
	least := math.Inf(1)
	var keys []trieKey
	for i, entry := range vocab {
		var token string
		if len(entry) != 2 || entry[0][0] != '"' || json.Unmarshal(entry[0], &token) != nil || entry[1][0] != '-' && (entry[1][0] < '0' || entry[1][0] > '9') {
			o.fail("vocab", "got something else as piece %d, want a text and a score", i)
			return
		}
		score, err := looseFloat(string(entry[1]))
		if err != nil {
			o.fail("vocab", "piece %d: %v", i, err)
			return
		}
		p.ids[token], p.tokens[i] = i, token
		keys = append(keys, trieKey{token, int32(i)})
		m.scores = append(m.scores, score)
		least = min(least, score)
	}
	m.pieces = newTrie(keys)
	m.penalty = least - 10
	if fallback {
		m.byteTokens = newByteTokens(p.ids)
	}
	p.model = m
}

func (p *pipeline) parseBPE(o *object, byteLevel bool) {
	p.parseVocabulary(o)
	m := &bpe{byteLevel: byteLevel, unknown: p.readToken(o, "unk_token")}
	var dropout float64
	if o.read("dropout", &dropout); dropout != 0 {
		o.fail("dropout", "got %v, want null: merges are not dropped", dropout)
	}
	var fallback bool
	o.read("continuing_subword_prefix", &m.prefix)
	o.read("end_of_word_suffix", &m.suffix)
	o.read("fuse_unk", &m.fuse)
	o.read("byte_fallback", &fallback)
	o.read("ignore_merges", &m.ignoreMerges)
	merges := p.parseMerges(o, m)
	if o.err != nil {
		return
	}
	m.tokens = make(map[string]int32, len(p.ids))
	of := charBytes()
	for token, id := range p.ids {
		if byteLevel {
			token = string(appendTokenBytes(nil, of, []byte(token)))
		}
		m.tokens[token] = int32(id)
	}
	if byteLevel {
		m.prefix = string(appendTokenBytes(nil, of, []byte(m.prefix)))
		m.suffix = string(appendTokenBytes(nil, of, []byte(m.suffix)))
	}
	if fallback {
		m.byteTokens = newByteTokens(p.ids)
	}
	m.prepare(merges)
	p.model = m
}

// parseMerges enters the merges, which are pairs of tokens, or, in older files, texts of two tokens with a space between. It returns what
// they make.
func (p *pipeline) parseMerges(o *object, m *bpe) (made []string) {
	var pairs [][]string
	data := o.need("merges")
	if o.err != nil {
		return nil
	}
	if json.Unmarshal(data, &pairs) != nil {
		var lines []string
		if err := json.Unmarshal(data, &lines); err != nil {
			o.fail("merges", "want pairs of tokens: %v", err)
			return nil
		}
		pairs = pairs[:0]
		for _, line := range lines {
			if !strings.HasPrefix(line, "#version") {
				pairs = append(pairs, strings.Split(line, " "))
			}
		}
	}
	m.merges = newMergeTable(len(pairs))
	for i, pair := range pairs {
		if len(pair) != 2 {
			o.fail("merges", "got %d tokens in merge %d, want 2", len(pair), i)
			return nil
		}
		rest := pair[1]
		if m.prefix != "" {
			if len(rest) < len(m.prefix) {
				o.fail("merges", "got %s in merge %d, want a token that begins with %s", quote(rest), i, quote(m.prefix))
				return nil
			}
			rest = rest[len(m.prefix):]
		}
		var ids [3]int
		for j, token := range []string{pair[0], pair[1], pair[0] + rest} {
			id, ok := p.ids[token]
			if !ok {
				o.fail("merges", "got %s in merge %d, want a token of the vocabulary", quote(token), i)
				return nil
			}
			ids[j] = id
		}
		m.merges.set(int32(ids[0]), int32(ids[1]), int32(i), int32(ids[2]))
		made = append(made, pair[0]+rest)
	}
	return made
}
