package main

import (
	"fmt"
	"strings"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// graphemeClasses are the generated constants, in this order.
var graphemeClasses = []struct{ name, comment string }{
	{"graphemeAny", ""},
	{"graphemeCR", ""},
	{"graphemeLF", ""},
	{"graphemeControl", ""},
	{"graphemeExtend", "extends, and may stand within an Indic conjunct"},
	{"graphemeExtendOnly", "extends, and may not"},
	{"graphemeLinker", "extends, and links an Indic conjunct"},
	{"graphemeJoiner", ""},
	{"graphemePrepend", ""},
	{"graphemeSpacing", ""},
	{"graphemeRegional", ""},
	{"graphemeL", ""},
	{"graphemeV", ""},
	{"graphemeT", ""},
	{"graphemeLV", ""},
	{"graphemeLVT", ""},
	{"graphemePictograph", ""},
	{"graphemeConsonant", "of an Indic conjunct"},
}

// graphemeClass finds the class of a character by what it joins with under the rules of Unicode Standard Annex 29, version 17.
func graphemeClass(r rune) string {
	const l, v, smile, ka, virama, ta, joiner = "\u1100", "\u1160", "\U0001F600", "\u0915", "\u094D", "\u0924", "\u200D"
	c := string(r)
	joined := func(s string) bool {
		g := graphemes.FromString(s)
		return g.Next() && g.Value() == s
	}
	switch {
	case 0xD800 <= r && r < 0xE000:
		return "graphemeControl"
	case r == '\r':
		return "graphemeCR"
	case r == '\n':
		return "graphemeLF"
	case c == joiner:
		return "graphemeJoiner"
	case !joined(c + "\u0300"):
		return "graphemeControl"
	case joined("a" + c):
		switch {
		case !joined(smile + c + joiner + smile):
			return "graphemeSpacing"
		case joined(ka + c + ta):
			return "graphemeLinker"
		case joined(ka + virama + c + ta):
			return "graphemeExtend"
		}
		return "graphemeExtendOnly"
	case joined(c + "a"):
		return "graphemePrepend"
	case joined(c + "\U0001F1E6"):
		return "graphemeRegional"
	case joined(c + l):
		return "graphemeL"
	case joined(l+c) && joined(c+v) && joined(v+c):
		return "graphemeV"
	case joined(l+c) && joined(c+v):
		return "graphemeLV"
	case joined(l + c):
		return "graphemeLVT"
	case joined(v + c):
		return "graphemeT"
	case joined(smile + joiner + c):
		return "graphemePictograph"
	case joined(ka + virama + c):
		return "graphemeConsonant"
	}
	return "graphemeAny"
}

func grapheme() string {
	var b strings.Builder
	b.WriteString("// The classes of graphemeRuns.\nconst (\n")
	index := map[string]byte{}
	for i, c := range graphemeClasses {
		index[c.name] = byte(i)
		if b.WriteString(c.name); i == 0 {
			b.WriteString(" = iota")
		}
		if c.comment != "" {
			b.WriteString(" // " + c.comment)
		}
		b.WriteString("\n")
	}
	b.WriteString(")\n\n")
	b.WriteString(runs("graphemeRuns", "graphemeRuns has what decides where grapheme clusters end, of Unicode 17.", func(r rune) byte {
		i, ok := index[graphemeClass(r)]
		if !ok {
			panic(fmt.Sprintf("%04X: no class", r))
		}
		return i
	}))
	return b.String()
}
