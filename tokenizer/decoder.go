package tokenizer

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A step of a decoder gets tokens, or, after a step that joins them, parts of one text, and hands on what it makes of them.
type step interface {
	take(text []byte, emit func([]byte))
	end(emit func([]byte)) // hands on what is left
}

// A pipelineDecoding decodes a sequence.
type pipelineDecoding struct {
	p     *pipeline
	skip  bool
	steps []step
	sinks []func([]byte) // what each step and, last, the caller takes
	text  []byte         // of the caller
	token []byte
}

func (p *pipeline) decode(skipSpecial bool) decoding {
	d := &pipelineDecoding{p: p, skip: skipSpecial}
	for _, make := range p.decoder {
		d.steps = append(d.steps, make())
	}
	d.sinks = make([]func([]byte), len(d.steps)+1)
	d.sinks[len(d.steps)] = func(text []byte) { d.text = append(d.text, text...) }
	for i, s := range slices.Backward(d.steps) {
		next := d.sinks[i+1]
		d.sinks[i] = func(text []byte) { s.take(text, next) }
	}
	return d
}

func (d *pipelineDecoding) append(text []byte, id int) []byte {
	token, ok := d.p.tokens[id]
	if !ok || d.skip && d.p.special[token] {
		return text
	}
	d.text = text
	d.token = append(d.token[:0], token...)
	d.sinks[0](d.token)
	return d.text
}

func (d *pipelineDecoding) end(text []byte) []byte {
	d.text = text
	for i, s := range d.steps {
		s.end(d.sinks[i+1])
	}
	return d.text
}

// noEnd is for steps that hold nothing back.
type noEnd struct{}

func (noEnd) end(func([]byte)) {}

// spaced puts a space between tokens: what becomes of them without a decoder.
type spaced struct {
	noEnd
	later bool
}

func (s *spaced) take(text []byte, emit func([]byte)) {
	if s.later {
		emit([]byte{' '})
	}
	s.later = true
	emit(text)
}

// metaspaceDecoder makes marks spaces, except for those of the first token if the pre-tokenizer may have put one there.
type metaspaceDecoder struct {
	noEnd
	mark    string
	prepend int
	later   bool
}

func (s *metaspaceDecoder) take(text []byte, emit func([]byte)) {
	by := " "
	if !s.later && s.prepend != prependNever {
		by = ""
	}
	s.later = true
	emit(bytes.ReplaceAll(text, []byte(s.mark), []byte(by)))
}

// wordPieceDecoder puts spaces before tokens that do not continue a word.
type wordPieceDecoder struct {
	noEnd
	prefix  string
	cleanup bool
	later   bool
}

func (s *wordPieceDecoder) take(text []byte, emit func([]byte)) {
	token := string(text)
	if s.later {
		if rest, ok := strings.CutPrefix(token, s.prefix); ok {
			token = rest
		} else {
			token = " " + token
		}
	}
	s.later = true
	if s.cleanup {
		for i := 0; i < len(cleanups); i += 2 {
			token = strings.ReplaceAll(token, cleanups[i], cleanups[i+1])
		}
	}
	emit([]byte(token))
}

// cleanups are done one after another, within each token.
var cleanups = []string{
	" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m", " do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re",
}

// replaceDecoder replaces within each token.
type replaceDecoder struct {
	noEnd
	replace
}

func (s *replaceDecoder) take(text []byte, emit func([]byte)) {
	out, _ := s.replace.normalize(nil, nil, text)
	emit(out)
}

// byteFallbackDecoder makes runs of tokens such as <0xE2> text. A run that is not UTF-8 becomes as many U+FFFD as it has bytes, which is
// not known before its end.
type byteFallbackDecoder struct{ run []byte }

func (s *byteFallbackDecoder) take(text []byte, emit func([]byte)) {
	if b, ok := byteToken(text); ok {
		s.run = append(s.run, b)
		return
	}
	s.end(emit)
	emit(text)
}

func (s *byteFallbackDecoder) end(emit func([]byte)) {
	if len(s.run) == 0 {
		return
	}
	if utf8.Valid(s.run) {
		emit(s.run)
	} else {
		for range s.run {
			emit([]byte(replacement))
		}
	}
	s.run = s.run[:0]
}

// byteToken returns the byte that a token such as <0xE2> stands for.
func byteToken(token []byte) (byte, bool) {
	if len(token) != 6 || string(token[:3]) != "<0x" || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(strings.TrimPrefix(string(token[3:5]), "+"), 16, 8)
	return byte(b), err == nil
}

// byteLevelDecoder makes characters the bytes they stand for, and these text. A token with other characters stands for itself.
type byteLevelDecoder struct {
	bytes map[rune]byte
	rest  []byte // the beginning of a character
}

func (s *byteLevelDecoder) take(text []byte, emit func([]byte)) {
	s.rest = appendTokenBytes(s.rest, s.bytes, text)
	done := 0 // all but a beginning that more bytes could complete
	for done < len(s.rest) {
		n, _, short := firstChar(s.rest[done:])
		if short {
			break
		}
		done += n
	}
	emit(appendReplaced(nil, s.rest[:done]))
	s.rest = append(s.rest[:0], s.rest[done:]...)
}

func (s *byteLevelDecoder) end(emit func([]byte)) {
	emit(appendReplaced(nil, s.rest))
}

// stripDecoder removes up to some characters at the start and at the end of each token.
type stripDecoder struct {
	noEnd
	char        string
	start, stop uint32
}

func (s *stripDecoder) take(text []byte, emit func([]byte)) {
	for i := uint32(0); i < s.start && bytes.HasPrefix(text, []byte(s.char)); i++ {
		text = text[len(s.char):]
	}
	for i := uint32(0); i < s.stop && bytes.HasSuffix(text, []byte(s.char)); i++ {
		text = text[:len(text)-len(s.char)]
	}
	emit(text)
}

// stripText does so with the parts of one text: it holds back what may be removed at the end.
type stripText struct {
	char        string
	start, stop uint32 // start: what may still be removed
	held        uint32 // characters, up to stop
}

func (s *stripText) take(text []byte, emit func([]byte)) {
	for len(text) > 0 {
		char := []byte(s.char)
		switch is := bytes.HasPrefix(text, char); {
		case is && s.start > 0:
			s.start--
			text = text[len(char):]
			continue
		case is:
			if s.held < s.stop {
				s.held++
			} else {
				emit(char)
			}
			text = text[len(char):]
			continue
		}
		s.start = 0
		for ; s.held > 0; s.held-- {
			emit(char)
		}
		n := bytes.Index(text, char)
		if n < 0 {
			n = len(text)
		}
		emit(text[:n])
		text = text[n:]
	}
}

func (s *stripText) end(func([]byte)) {}
