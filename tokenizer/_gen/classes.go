package main

import (
	"fmt"
	"log"
	"slices"
	"strings"
)

// categories are the general categories; the generated constants count from zero in this order.
var categories = strings.Fields("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co")

func category(ref reference) string {
	var b strings.Builder
	b.WriteString("// The general categories.\nconst (\n")
	for i, c := range categories {
		if i == 0 {
			fmt.Fprintf(&b, "cat%s = iota\n", c)
		} else {
			fmt.Fprintf(&b, "cat%s\n", c)
		}
	}
	fmt.Fprintf(&b, ")\n\n// categoryNames are the names of the categories.\nvar categoryNames = %#v\n\n", categories)
	values := ref.values["category"]
	const comment = "categoryRuns has the general category of each code point as regular expressions of split patterns see it."
	b.WriteString(runs("categoryRuns", comment, func(r rune) byte {
		i := slices.Index(categories, values[r])
		if i < 0 {
			log.Fatalf("%04X: category %q", r, values[r])
		}
		return byte(i)
	}))
	return b.String()
}

// properties are the names of record.py and of the generated bits.
var properties = []struct{ name, bit, comment string }{
	{"word", "isWord", "\\w of the regular expressions of the pre-tokenizer Whitespace and of single words"},
	{"numeric", "isNumeric", "what the pre-tokenizer Digits splits at"},
	{"punctuation", "isPunctuation", "what the pre-tokenizers Punctuation and BertPreTokenizer split at"},
	{"other", "isOther", "what clean_text of BertNormalizer removes"},
	{"nonspacing", "isNonspacing", "what strip_accents of BertNormalizer removes from decomposed text"},
	{"mark", "isMark", "what StripAccents removes"},
}

func property(ref reference) string {
	var b strings.Builder
	b.WriteString("// The bits of propertyRuns.\nconst (\n")
	for i, p := range properties {
		if i == 0 {
			fmt.Fprintf(&b, "%s = 1 << iota // %s\n", p.bit, p.comment)
		} else {
			fmt.Fprintf(&b, "%s // %s\n", p.bit, p.comment)
		}
	}
	b.WriteString(")\n\n")
	b.WriteString(runs("propertyRuns", "propertyRuns has the properties of each code point.", func(r rune) byte {
		var bits byte
		for i, p := range properties {
			if ref.values[p.name][r] == "1" {
				bits |= 1 << i
			}
		}
		return bits
	}))
	return b.String()
}

// lower writes pairs of a character and its lower case. The one character whose lower case is two is left to the package.
func lower(ref reference) string {
	var pairs strings.Builder
	for r, s := range ref.lower {
		switch n := len([]rune(s)); {
		case n == 1:
			pairs.WriteString(string(rune(r)) + s)
		case n > 1 && r != 0x130:
			log.Fatalf("%04X: lower case of %d characters", r, n)
		}
	}
	return text("lowerPairs", "lowerPairs has each character that has a lower case of one other character, and that.", pairs.String())
}
