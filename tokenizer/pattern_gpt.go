package tokenizer

import (
	"sync"
	"unicode/utf8"
)

// The split patterns of most byte-level tokenizers are written out here, some ten times as fast as what compile makes of an expression. Each covers all of
// a text: every match starts where the one before ended.
const (
	gpt2Pattern   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	llama3Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen2Pattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// What these patterns tell apart.
const (
	charOther = iota
	charLetter
	charNumber
	charSpace
	charNewline
)

var charClasses = sync.OnceValue(func() *table {
	t := *categories()
	// White space is in blocks that no other is equal to.
	values := make([]byte, len(t.values))
	for i, c := range t.values {
		switch c {
		case catLu, catLl, catLt, catLm, catLo:
			values[i] = charLetter
		case catNd, catNl, catNo:
			values[i] = charNumber
		}
	}
	for r := range rune(0x3001) {
		at := int(t.block[r>>8])<<8 | int(r&255)
		if r == '\r' || r == '\n' {
			values[at] = charNewline
		} else if isSpace(r) {
			values[at] = charSpace
		}
	}
	t.values = values
	return &t
})

// char returns the class and the length of the character at pos, or a class that nothing has at the end.
func char(classes *table, text []byte, pos int) (class byte, n int) {
	if pos >= len(text) {
		return 0xFF, 0
	}
	r, n := rune(text[pos]), 1
	if r >= utf8.RuneSelf {
		r, n = utf8.DecodeRune(text[pos:])
	}
	return classes.at(r), n
}

// run returns the end of the run of one class that pos is in or before.
func run(classes *table, text []byte, pos int, class byte) int {
	for {
		c, n := char(classes, text, pos)
		if c != class {
			return pos
		}
		pos += n
	}
}

// spaces returns the end of the run of white space at pos, the end of its last line break (pos if there is none) and the start of its last
// character.
func spaces(classes *table, text []byte, pos int) (end, lines, last int) {
	end, lines, last = pos, pos, pos
	for {
		c, n := char(classes, text, end)
		if c != charSpace && c != charNewline {
			return end, lines, last
		}
		last = end
		end += n
		if c == charNewline {
			lines = end
		}
	}
}

// blank ends a match of \s+(?!\S)|\s+: all white space at the end of a text, else all but the last character, which goes with what follows.
func blank(text []byte, pos, end, last int) int {
	if end == len(text) || last == pos {
		return end
	}
	return last
}

// gpt2 is gpt2Pattern.
type gpt2 struct{ classes *table }

func (p gpt2) find(text []byte, pos int) (int, int) {
	if pos >= len(text) {
		return -1, -1
	}
	if n := contraction(text[pos:], false); n > 0 {
		return pos, pos + n
	}
	start := pos
	if text[pos] == ' ' {
		start++
	}
	switch c, n := char(p.classes, text, start); c {
	case charLetter, charNumber, charOther:
		return pos, run(p.classes, text, start+n, c)
	}
	end, _, last := spaces(p.classes, text, pos)
	return pos, blank(text, pos, end, last)
}

// llama3 is llama3Pattern with numbers of up to that many digits; qwen2Pattern with one.
type llama3 struct {
	classes *table
	digits  int
}

func (p llama3) find(text []byte, pos int) (int, int) {
	if pos >= len(text) {
		return -1, -1
	}
	if n := contraction(text[pos:], true); n > 0 {
		return pos, pos + n
	}
	class, n := char(p.classes, text, pos)
	switch class {
	case charLetter:
		return pos, run(p.classes, text, pos+n, charLetter)
	case charNumber:
		end := pos + n
		for i := 1; i < p.digits; i++ {
			class, n := char(p.classes, text, end)
			if class != charNumber {
				break
			}
			end += n
		}
		return pos, end
	case charSpace, charOther:
		if next, _ := char(p.classes, text, pos+n); next == charLetter {
			return pos, run(p.classes, text, pos+n, charLetter)
		}
	}
	start := pos
	if text[pos] == ' ' {
		start++
	}
	if class, n := char(p.classes, text, start); class == charOther {
		return pos, run(p.classes, text, run(p.classes, text, start+n, charOther), charNewline)
	}
	end, lines, last := spaces(p.classes, text, pos)
	if lines > pos {
		return pos, lines
	}
	return pos, blank(text, pos, end, last)
}

// contraction returns the length of an English contraction at the start of text, such as 've, or 0. Where case does not matter, neither
// does a long s.
func contraction(text []byte, fold bool) int {
	if len(text) < 2 || text[0] != '\'' {
		return 0
	}
	lower := func(i int) byte {
		if i >= len(text) {
			return 0
		}
		if c := text[i]; fold && 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return text[i]
	}
	switch a, b := lower(1), lower(2); {
	case a == 's' || a == 't' || a == 'm' || a == 'd':
		return 2
	case a == 'r' && b == 'e', a == 'v' && b == 'e', a == 'l' && b == 'l':
		return 3
	case fold && string(text[1:min(3, len(text))]) == "ſ":
		return 3
	}
	return 0
}
