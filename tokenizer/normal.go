package tokenizer

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A form is a Unicode normal form.
type form struct{ compatible, compose bool }

// normalTables are what the normal forms need.
type normalTables struct {
	combining  *table // combining classes
	canonical  map[rune]string
	compatible map[rune]string
	composed   map[[2]rune]rune
	active     map[form]*table // characters that are not left alone whatever stands around them
}

var normalForms = sync.OnceValue(func() *normalTables {
	t := &normalTables{expand(combiningRuns), map[rune]string{}, map[rune]string{}, map[[2]rune]rune{}, map[form]*table{}}
	decompositions(canonicalText, t.canonical)
	decompositions(compatibleText, t.compatible)
	second := map[rune]bool{}
	composed := []rune(composedText)
	for i := 0; i < len(composed); i += 3 {
		t.composed[[2]rune{composed[i], composed[i+1]}] = composed[i+2]
		second[composed[i+1]] = true
	}
	follows := func(r rune) bool { // a character that joins with one before it
		return t.combining.at(r) != 0 || second[r] || hangulV <= r && r < hangulT+hangulTs
	}
	for _, f := range []form{{false, false}, {false, true}, {true, false}, {true, true}} {
		var active runs
		for r := rune(0); r <= maxRune; r++ {
			value := uint32(0)
			if follows(r) {
				value = 1
			} else if parts, ok := t.decompose(nil, r, f.compatible); ok {
				if first := parts[0].r; !f.compose || follows(first) {
					value = 1
				} else if again := t.composeAll(parts); len(again) != 1 || again[0].r != r {
					value = 1
				}
			}
			if len(active) == 0 || active[len(active)-1]&0xFF != value {
				active = append(active, uint32(r)<<8|value)
			}
		}
		t.active[f] = expand(active)
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

// A normalChar is a character with its combining class.
type normalChar struct {
	r     rune
	class byte
}

// apply appends the normal form of src.
func (f form) apply(e *encoder, dst, src []byte) []byte {
	t := normalForms()
	active := t.active[f]
	// Text goes through unchanged up to the last character before an active one. From there to the next character that is not active, it
	// is a segment: no character outside reorders or composes with one inside.
	kept := 0 // of src, what is in dst
	for pos := 0; pos < len(src); {
		if src[pos] < utf8.RuneSelf {
			pos++
			continue
		}
		r, n := utf8.DecodeRune(src[pos:])
		if active.at(r) == 0 {
			pos += n
			continue
		}
		start := pos
		if pos > kept {
			_, last := utf8.DecodeLastRune(src[kept:pos])
			start = pos - last
		}
		end := pos
		for end < len(src) {
			r, n := utf8.DecodeRune(src[end:])
			if active.at(r) == 0 {
				break
			}
			end += n
		}
		dst = append(dst, src[kept:start]...)
		dst = f.segment(t, e, dst, src[start:end])
		kept, pos = end, end
	}
	return append(dst, src[kept:]...)
}

// segment appends the normal form of a segment.
func (f form) segment(t *normalTables, e *encoder, dst, src []byte) []byte {
	chars := e.chars[:0]
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		src = src[n:]
		var ok bool
		if chars, ok = t.decompose(chars, r, f.compatible); !ok {
			chars = append(chars, normalChar{r, t.combining.at(r)})
		}
	}
	e.chars = chars
	reorder(chars)
	if f.compose {
		chars = t.composeAll(chars)
	}
	for _, c := range chars {
		dst = utf8.AppendRune(dst, c.r)
	}
	return dst
}

// reorder sorts each run of combining characters by class, keeping the order of equals.
func reorder(chars []normalChar) {
	for i := 0; i < len(chars); {
		if chars[i].class == 0 {
			i++
			continue
		}
		end := i + 1
		for end < len(chars) && chars[end].class != 0 {
			end++
		}
		sortByClass(chars[i:end])
		i = end
	}
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

// sortByClass is a stable sort. Runs are short, as a rule; a long one is still sorted fast.
func sortByClass(chars []normalChar) {
	if len(chars) > 32 {
		slices.SortStableFunc(chars, func(a, b normalChar) int { return int(a.class) - int(b.class) })
		return
	}
	for i := 1; i < len(chars); i++ {
		for j := i; j > 0 && chars[j-1].class > chars[j].class; j-- {
			chars[j-1], chars[j] = chars[j], chars[j-1]
		}
	}
}
