package tokenizer

import (
	"bytes"
	"unicode/utf8"
)

// An addedToken is a token that is cut out of a text before the model sees it.
type addedToken struct {
	ID         int
	Content    string
	SingleWord bool // only where no word character is next to it
	LStrip     bool // takes the white space before it
	RStrip     bool // … after it
	Normalized bool // looked for, normalized itself, in normalized text; others in the text as it is
	Special    bool // left out when decoding
}

// A finder finds added tokens in a text: of those that start first, the longest.
type finder struct {
	tokens     []addedToken
	contents   *trie // values are indices of tokens
	properties *table
}

// newFinder makes a finder of tokens, which are looked for by texts; nil if there are none.
func newFinder(tokens []addedToken, texts []string) *finder {
	if len(tokens) == 0 {
		return nil
	}
	var keys []trieKey
	for i, text := range texts {
		keys = append(keys, trieKey{text, int32(i)})
	}
	return &finder{tokens, newTrie(keys), properties()}
}

// cut splits text at the tokens in it. It yields the texts between them, with their position, and the tokens.
func (f *finder) cut(text []byte, between func(part []byte, at int), token func(id int)) {
	if f == nil {
		between(text, 0)
		return
	}
	done := 0
	var blank [2]int // white space that was looked through last
	for pos := 0; pos < len(text); {
		if !f.contents.bytes[text[pos]] {
			pos++
			continue
		}
		i, n := f.contents.longest(text[pos:])
		if i < 0 {
			pos++
			continue
		}
		start, end := pos, pos+n
		pos = end
		t := &f.tokens[i]
		if t.SingleWord && (f.word(utf8.DecodeLastRune(text[:start])) || f.word(utf8.DecodeRune(text[end:]))) {
			continue
		}
		if t.LStrip {
			start = done + len(bytes.TrimRightFunc(text[done:max(done, start)], isSpace))
		}
		if t.RStrip {
			if end < blank[0] || end > blank[1] {
				blank = [2]int{end, len(text) - len(bytes.TrimLeftFunc(text[end:], isSpace))}
			}
			end = blank[1]
		}
		if start > done {
			between(text[done:start], done)
		}
		if start < end { // the white space that it consists of may have gone with the token before
			token(t.ID)
		}
		done = end
	}
	if done < len(text) {
		between(text[done:], done)
	}
}

func (f *finder) word(r rune, n int) bool { return n > 0 && f.properties.at(r)&isWord != 0 }
