package tokenizer

import (
	"sync"
	"unicode/utf8"
)

var graphemeTable = sync.OnceValue(func() *table { return expand(graphemeRuns) })

// graphemeLen returns the length of the grapheme cluster that text, which is UTF-8 and not empty, starts with: an extended one of Unicode
// Standard Annex 29.
func graphemeLen(classes *table, text []byte) int {
	r, n := utf8.DecodeRune(text)
	last := classes.at(r)
	pictograph := last == graphemePictograph // the cluster so far ends with a pictograph and characters that extend it
	consonant := last == graphemeConsonant   // … with a consonant and characters that extend or link it
	linked := false                          // … with a linker among these
	regional := last == graphemeRegional     // … with an odd number of regional indicators
	for n < len(text) {
		r, size := utf8.DecodeRune(text[n:])
		class := classes.at(r)
		if !joins(last, class) &&
			!(last == graphemeJoiner && pictograph && class == graphemePictograph) &&
			!(linked && class == graphemeConsonant) &&
			!(regional && class == graphemeRegional) {
			break
		}
		extends := class == graphemeExtend || class == graphemeExtendOnly || class == graphemeLinker || class == graphemeJoiner
		pictograph = class == graphemePictograph || pictograph && extends && last != graphemeJoiner
		consonant = class == graphemeConsonant || consonant && extends && class != graphemeExtendOnly
		linked = consonant && class != graphemeConsonant && (linked || class == graphemeLinker)
		regional = class == graphemeRegional && !regional
		last = class
		n += size
	}
	return n
}

// joins reports whether there is no boundary between two neighbours, whatever comes before them.
func joins(a, b byte) bool {
	switch {
	case a == graphemeCR && b == graphemeLF:
		return true
	case a == graphemeCR || a == graphemeLF || a == graphemeControl:
		return false
	case b == graphemeCR || b == graphemeLF || b == graphemeControl:
		return false
	case a == graphemePrepend:
		return true
	}
	switch b {
	case graphemeExtend, graphemeExtendOnly, graphemeLinker, graphemeJoiner, graphemeSpacing:
		return true
	case graphemeL, graphemeLV, graphemeLVT:
		return a == graphemeL
	case graphemeV:
		return a == graphemeL || a == graphemeLV || a == graphemeV
	case graphemeT:
		return a == graphemeLV || a == graphemeV || a == graphemeLVT || a == graphemeT
	}
	return false
}
