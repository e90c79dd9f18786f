package tokenizer

import (
	"bytes"
	"unicode/utf8"
)

// A splitter is a step of a pre-tokenizer: it hands the pieces of a text to e.piece, for the step after it. first says that the text begins
// where the whole input does.
type splitter interface {
	split(e *encoder, next int, text []byte, first bool)
}

// behavior says what becomes of the matches of a pattern.
type behavior int

const (
	removed    behavior = iota // they are left out
	isolated                   // each is a piece
	contiguous                 // neighbours are one piece
	mergedWithPrevious
	mergedWithNext
)

// splitAt splits at the matches of a pattern, or, inverted, at what is between them.
type splitAt struct {
	pattern  pattern
	behavior behavior
	invert   bool
}

// A span is a part of a text that matches, or one between matches.
type span struct {
	start, end int
	match      bool
}

func (s splitAt) split(e *encoder, next int, text []byte, first bool) {
	var pending span // what the spans to come may be joined with
	for pos := 0; pos < len(text); {
		start, end := s.pattern.find(text, pos)
		if start < 0 {
			start, end = len(text), len(text)
		}
		for _, p := range [2]span{{pos, start, s.invert}, {start, end, !s.invert}} {
			switch {
			case p.start == p.end:
			case pending.end > 0 && s.behavior.join(pending.match, p.match):
				pending.end, pending.match = p.end, p.match
			default:
				s.piece(e, next, text, first, pending)
				pending = p
			}
		}
		pos = end
	}
	s.piece(e, next, text, first, pending)
}

// join reports whether a span is one piece with the one before, of which each is a match or not.
func (b behavior) join(before, match bool) bool {
	switch b {
	case contiguous:
		return match == before
	case mergedWithPrevious:
		return match && !before
	case mergedWithNext:
		return before && !match
	}
	return false
}

func (s splitAt) piece(e *encoder, next int, text []byte, first bool, p span) {
	if s.behavior != removed || !p.match {
		e.piece(next, text[p.start:p.end], first && p.start == 0)
	}
}

// whitespaceSplit leaves white space out.
type whitespaceSplit struct{}

func (whitespaceSplit) split(e *encoder, next int, text []byte, first bool) {
	start := 0
	for pos := 0; pos < len(text); {
		r, n := rune(text[pos]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(text[pos:])
		}
		if isSpace(r) {
			e.piece(next, text[start:pos], first && start == 0)
			start = pos + n
		}
		pos += n
	}
	e.piece(next, text[start:], first && start == 0)
}

// When a metaspace puts its mark before a text that does not begin with it.
const (
	prependNever = iota
	prependFirst // at the beginning of the input only
	prependAlways
)

// metaspace makes every space a mark and splits before each.
type metaspace struct {
	mark    string
	prepend int
	each    bool // split
}

func (m metaspace) split(e *encoder, next int, text []byte, first bool) {
	buf := e.steps[next-1][:0]
	begins := bytes.HasPrefix(text, []byte(m.mark)) || text[0] == ' '
	if !begins && (m.prepend == prependAlways || m.prepend == prependFirst && first) {
		buf = append(buf, m.mark...)
	}
	if m.mark == " " {
		buf = append(buf, text...)
	} else {
		for {
			i := bytes.IndexByte(text, ' ')
			if i < 0 {
				break
			}
			buf = append(append(buf, text[:i]...), m.mark...)
			text = text[i+1:]
		}
		buf = append(buf, text...)
	}
	e.steps[next-1] = buf
	if !m.each {
		e.piece(next, buf, first)
		return
	}
	for start := 0; start < len(buf); {
		// The end is before the next mark, or between two at the start of the rest.
		end := len(buf)
		if i := bytes.Index(buf[start+1:], []byte(m.mark)); i >= 0 {
			end = start + 1 + i
		}
		e.piece(next, buf[start:end], first && start == 0)
		start = end
	}
}

// byteLevel is the pre-tokenizer ByteLevel without the mapping of bytes to characters, which the model has undone in its vocabulary.
type byteLevel struct {
	pattern pattern // nil: no split
	space   bool    // a text that does not begin with a space gets one
}

func (b byteLevel) split(e *encoder, next int, text []byte, first bool) {
	if b.space && text[0] != ' ' {
		buf := append(append(e.steps[next-1][:0], ' '), text...)
		e.steps[next-1] = buf
		text = buf
	}
	if b.pattern == nil {
		e.piece(next, text, first)
		return
	}
	for pos := 0; pos < len(text); {
		_, end := b.pattern.find(text, pos)
		e.piece(next, text[pos:end], first && pos == 0)
		pos = end
	}
}
