package tokenizer

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// normalTables are what the normal forms need.
type normalTables struct {
	combining  *table // combining classes
	canonical  map[rune]string
	compatible map[rune]string
	composed   map[[2]rune]rune
	second     map[rune]bool // the second ones of composed
}

var normalForms = sync.OnceValue(func() *normalTables {
	t := &normalTables{expand(combiningRuns), map[rune]string{}, map[rune]string{}, map[[2]rune]rune{}, map[rune]bool{}}
	decompositions(canonicalText, t.canonical)
	decompositions(compatibleText, t.compatible)
	composed := []rune(composedText)
	for i := 0; i < len(composed); i += 3 {
		t.composed[[2]rune{composed[i], composed[i+1]}] = composed[i+2]
		t.second[composed[i+1]] = true
	}
	return t
})

// decompositions reads generated text: a character, what it decomposes to, and a zero.
func decompositions(text string, to map[rune]string) {
	for text != "" {
		entry, rest, _ := strings.Cut(text, "\x00")
		r, n := utf8.DecodeRuneInString(entry)
		to[r] = entry[n:]
		text = rest
	}
}

// Hangul syllables are computed from their parts: a leading consonant, a vowel and perhaps a trailing consonant.
const (
	hangulS, hangulL, hangulV, hangulT     = 0xAC00, 0x1100, 0x1161, 0x11A7
	hangulSs, hangulLs, hangulVs, hangulTs = 11172, 19, 21, 28
)

// decompose appends the full decomposition of a character, or reports that it has none.
func (t *normalTables) decompose(dst []normalChar, r rune, compatible bool) ([]normalChar, bool) {
	if s := r - hangulS; 0 <= s && s < hangulSs {
		dst = append(dst, normalChar{r: hangulL + s/(hangulVs*hangulTs)}, normalChar{r: hangulV + s/hangulTs%hangulVs})
		if s%hangulTs != 0 {
			dst = append(dst, normalChar{r: hangulT + s%hangulTs})
		}
		return dst, true
	}
	s, ok := t.compatible[r]
	if !ok || !compatible {
		s, ok = t.canonical[r]
	}
	for _, r := range s {
		dst = append(dst, normalChar{r, t.combining.at(r)})
	}
	return dst, ok
}

// compose returns the character that two compose to.
func (t *normalTables) compose(a, b rune) (rune, bool) {
	if l, v := a-hangulL, b-hangulV; 0 <= l && l < hangulLs && 0 <= v && v < hangulVs {
		return hangulS + (l*hangulVs+v)*hangulTs, true
	}
	if s, t := a-hangulS, b-hangulT; 0 <= s && s < hangulSs && s%hangulTs == 0 && 0 < t && t < hangulTs {
		return a + t, true
	}
	r, ok := t.composed[[2]rune{a, b}]
	return r, ok
}

// follows reports whether a character can join with one before it.
func (t *normalTables) follows(r rune) bool {
	return t.combining.at(r) != 0 || t.second[r] || hangulV <= r && r < hangulT+hangulTs
}

// composeAll composes decomposed and reordered characters in place.
func (t *normalTables) composeAll(chars []normalChar) []normalChar {
	out := chars[:0]
	starter := -1 // in out
	for _, c := range chars {
		if starter >= 0 {
			last := out[len(out)-1]
			// A character is blocked if another between it and the starter has no lower class.
			if adjacent := len(out)-1 == starter; adjacent || last.class != 0 && last.class < c.class {
				if r, ok := t.compose(out[starter].r, c.r); ok {
					out[starter].r = r
					continue
				}
			}
		}
		if c.class == 0 {
			starter = len(out)
		}
		out = append(out, c)
	}
	return out
}
