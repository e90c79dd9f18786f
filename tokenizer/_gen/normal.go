package main

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// The normal forms are those of Unicode 9, as in the reference. A character keeps what it decomposes to and its combining class for good,
// so the tables of a later version serve, without the characters that it added.
var assigned = rangetable.Assigned("9.0.0")

func normal() string {
	var canonical, compatible, composed strings.Builder
	for r := rune(0); r <= maxRune; r++ {
		if !unicode.Is(assigned, r) || 0xAC00 <= r && r < 0xD7A4 { // Hangul syllables are computed
			continue
		}
		c := string(r)
		nfd, nfkd := norm.NFD.String(c), norm.NFKD.String(c)
		if nfd != c {
			canonical.WriteString(c + nfd + "\x00")
		}
		if nfkd != nfd {
			compatible.WriteString(c + nfkd + "\x00")
		}
		// The decomposition of one step, of the characters that are composed again.
		if d := norm.NFD.PropertiesString(c).Decomposition(); d != nil && norm.NFC.String(nfd) == c {
			first := norm.NFC.String(strings.TrimSuffix(nfd, last(nfd)))
			composed.WriteString(first + last(nfd) + c)
		}
	}
	combining := func(r rune) byte {
		if !unicode.Is(assigned, r) {
			return 0
		}
		return norm.NFD.PropertiesString(string(r)).CCC()
	}
	return strings.Join([]string{
		text("canonicalText", "canonicalText has each character that decomposes but Hangul syllables, and its decomposition, ended by a zero.", canonical.String()),
		text("compatibleText", "compatibleText has those whose compatibility decomposition is another.", compatible.String()),
		text("composedText", "composedText has two characters and the one that they compose to.", composed.String()),
		runs("combiningRuns", "combiningRuns has the combining class of each code point.", combining),
	}, "\n")
}

// last returns the last character of s.
func last(s string) string {
	chars := []rune(s)
	return string(chars[len(chars)-1])
}
