package tokenizer

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// The normal forms of every code point, one a line, have the sums of those of the tokenizers package.
func TestNormalForms(t *testing.T) {
	forms := map[string]form{"NFC": nfc(), "NFD": nfd(), "NFKC": nfkc(), "NFKD": nfkd()}
	for name, want := range map[string]string{
		"NFC":  "9cc65524a9d8082bf10840c616cd199bd2ac12ee49a3381bd6fb7957711f342b",
		"NFD":  "34c986f61cb6f6d682995fecf92e27dccdcd867a8eb8358cb155ab1047757fa1",
		"NFKC": "6a3e30f0f9aef6e699678c0600f1f19eca47f536f8da1f9b8c7725d4341f1cc5",
		"NFKD": "b13d7cf200216bf8a1994ee254dd770e4263e5ec5bbc2cc056a58baa4b647b3e",
	} {
		sum, e := sha256.New(), &encoder{}
		f := forms[name]
		for r := rune(0); r <= maxRune; r++ {
			if 0xD800 <= r && r < 0xE000 {
				continue
			}
			sum.Write(append(f.apply(e, nil, []byte(string(r))), '\n'))
		}
		if got := fmt.Sprintf("%x", sum.Sum(nil)); got != want {
			t.Errorf("%s: got the sum %s, want %s", name, got, want)
		}
	}
}

func TestNormalFormsOfTexts(t *testing.T) {
	nfc, nfd, nfkc := nfc(), nfd(), nfkc()
	for _, test := range []struct {
		form     form
		in, want string
	}{
		{nfc, "", ""},
		{nfc, "plain", "plain"},
		{nfc, "e\u0301x", "éx"},
		{nfc, "e\u0323\u0301", "ẹ\u0301"}, // the dot below composes, and blocks nothing
		{nfc, "e\u0301\u0323", "ẹ\u0301"}, // reordered first
		{nfc, "é\u0323", "ẹ\u0301"},       // a composed character comes apart
		{nfc, "\u0301e", "\u0301e"},       // nothing to compose with
		{nfc, "a\u0315\u0300", "à\u0315"}, // of a higher class in between: reordered
		{nfc, "\u1100\u1161\u11A8", "각"},  // Hangul
		{nfc, "가\u11A8", "각"},             // a syllable takes a trailing consonant
		{nfc, "각\u11A8", "각\u11A8"},       // … only one
		{nfc, "\u0958", "\u0915\u093C"},   // excluded from composition
		{nfd, "각é", "\u1100\u1161\u11A8e\u0301"},
		{nfkc, "ﬁ①Ⅳ", "fi1IV"},
		{nfkc, "ｶﾞ", "ガ"},
	} {
		if got := test.form.apply(&encoder{}, nil, []byte(test.in)); string(got) != test.want {
			t.Errorf("%+q: got %+q, want %+q", test.in, got, test.want)
		}
	}
}

func TestGraphemeLen(t *testing.T) {
	for _, test := range []struct {
		text string
		want int
	}{
		{"ab", 1},
		{"\r\nx", 2},
		{"\n\r", 1},
		{"e\u0301\u0323x", 5},
		{"\u0001\u0301", 1}, // nothing joins a control character
		{"\u0600a", 3},      // a number sign goes before
		{"कि", 6},           // a spacing mark
		{"क्त", 9},          // an Indic conjunct
		{"क\u200Cत", 6},     // no linker
		{"क्\u200Cत", 9},    // ends after a character that may not stand within
		{"한국", 3},
		{"\u1100\u1161\u11A8", 9},
		{"🇩🇪🇫🇷", 8},
		{"👩‍👩‍👧x", 18},
		{"👩\u200D\u200D👩", 10},
		{"a\u200D👩", 4},
		{"👩🏽\u200D👧x", 15},      // with a colour of skin
		{"👩\u200C\u200D👧x", 14}, // with what may stand within here
		{"क\u093C\u094Dत", 12},  // an Indic conjunct with a dot below
		{"क\u094D\u0301त", 11},
		{"\u0600क्त", 11},
		{"क\u093Cत", 6},
		{"क\u0903\u094Dत", 9}, // ends after a mark that is no part of one
		{"क्तत", 9},
		{"👩\u200Da", 7},
		{"a\u0301🇩🇪", 3},
		{"\r\u0301", 1},
		{"\n\u0301", 1},
		{"\u0600\r", 2},
		{"\u0600\n", 2},
		{"\u0600\u0001", 2},
		{"\uAC00\u1161", 6},
		{"\uAC00\u11A8", 6},
		{"\uAC01\u11A8", 6},
		{"\u11A8\u11A8", 6},
		{"\uAC01\u1161", 3},
		{"\u1100\u11A8", 3},
		{"a\u1161", 1},
		{"a\u11A8", 1},
	} {
		if got := graphemeLen(graphemeTable(), []byte(test.text)); got != test.want {
			t.Errorf("%+q: got %d, want %d", test.text, got, test.want)
		}
	}
}
