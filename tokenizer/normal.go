package tokenizer

import (
	"slices"
	"sync"
	"unicode/utf8"
)

// The normal forms. Each goes through all code points when it is first needed, and never again, however often a file names it.
var (
	nfc  = sync.OnceValue(func() form { return newForm(false, true) })
	nfd  = sync.OnceValue(func() form { return newForm(false, false) })
	nfkc = sync.OnceValue(func() form { return newForm(true, true) })
	nfkd = sync.OnceValue(func() form { return newForm(true, false) })
)

// A form is a Unicode normal form.
type form struct {
	compatible, compose bool
	t                   *normalTables
	active              *table // characters that are not left alone whatever stands around them
}

func newForm(compatible, compose bool) form {
	f := form{compatible, compose, normalForms(), nil}
	active := make([]bool, maxRune+1)
	for r := range active {
		active[r] = f.t.combining.at(rune(r)) != 0
	}
	for r := range f.t.second {
		active[r] = true
	}
	for r := rune(hangulV); r < hangulT+hangulTs; r++ {
		active[r] = true
	}
	for r := range f.t.canonical {
		active[r] = active[r] || f.changes(r)
	}
	if compatible {
		for r := range f.t.compatible {
			active[r] = active[r] || f.changes(r)
		}
	}
	for r := rune(hangulS); r < hangulS+hangulSs; r++ {
		active[r] = f.changes(r)
	}
	var of runs
	for r, is := range active {
		value := uint32(0)
		if is {
			value = 1
		}
		if len(of) == 0 || of[len(of)-1]&0xFF != value {
			of = append(of, uint32(r)<<8|value)
		}
	}
	f.active = expand(of)
	return f
}

// changes reports whether a character that decomposes is another thing in this form, or begins with what can join with a character before it.
func (f form) changes(r rune) bool {
	parts, _ := f.t.decompose(nil, r, f.compatible)
	if !f.compose || f.t.follows(parts[0].r) {
		return true
	}
	again := f.t.composeAll(parts)
	return len(again) != 1 || again[0].r != r
}

// A normalChar is a character with its combining class.
type normalChar struct {
	r     rune
	class byte
}

// apply appends the normal form of src.
func (f form) apply(e *encoder, dst, src []byte) []byte {
	// Text goes through unchanged up to the last character before an active one. From there to the next character that is not active, it
	// is a segment: no character outside reorders or composes with one inside.
	kept := 0 // of src, what is in dst
	for pos := 0; pos < len(src); {
		if src[pos] < utf8.RuneSelf {
			pos++
			continue
		}
		r, n := utf8.DecodeRune(src[pos:])
		if f.active.at(r) == 0 {
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
			if f.active.at(r) == 0 {
				break
			}
			end += n
		}
		dst = append(dst, src[kept:start]...)
		dst = f.segment(e, dst, src[start:end])
		kept, pos = end, end
	}
	return append(dst, src[kept:]...)
}

// segment appends the normal form of a segment.
func (f form) segment(e *encoder, dst, src []byte) []byte {
	chars := e.chars[:0]
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		src = src[n:]
		var ok bool
		if chars, ok = f.t.decompose(chars, r, f.compatible); !ok {
			chars = append(chars, normalChar{r, f.t.combining.at(r)})
		}
	}
	e.chars = chars
	reorder(chars)
	if f.compose {
		chars = f.t.composeAll(chars)
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
