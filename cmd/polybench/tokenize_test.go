package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

const exampleTokenizer = "../../tokenizer/testdata/example.json"

func TestTokenize(t *testing.T) {
	for _, test := range []struct{ flags, in, want string }{
		{"", "good morning\n\ngood tea", "[3,4,0]\n[0]\n[3,7,0]\n"},
		{"", "good\r\n", "[3,1,0]\n"}, // a carriage return belongs to the line
		{"-special=false", "good morning\n", "[3,4]\n"},
		{"-json", `"good morning"` + "\n" + `"good\u0020\u2615"`, "[3,4,0]\n[3,2,8,9,10,0]\n"},
		{"-decode", "[3,4,0]\n[]\n[2, 8, 9, 10]", "good morning\n\n☕\n"},
		{"-decode -special=false", "[3,4,0]\n", "good morning\n"},
		{"-decode -special", "[3,4,0]\n", "good morning</s>\n"},
		{"-decode -json", "[3,4,0]\n[2,8]", "\"good morning\"\n\"\uFFFD\"\n"},
		{"", "", ""},
	} {
		var out bytes.Buffer
		args := append([]string{"-tokenizer", exampleTokenizer}, strings.Fields(test.flags)...)
		if err := tokenize(args, strings.NewReader(test.in), &out); err != nil || out.String() != test.want {
			t.Errorf("%s %q: got %q, %v, want %q", test.flags, test.in, out.String(), err, test.want)
		}
	}
}

func TestTokenizeErrors(t *testing.T) {
	for _, test := range []struct {
		args          []string
		in, out, want string
		usage         bool
	}{
		{nil, "", "", "tokenize needs -tokenizer", true},
		{[]string{"-tokenizer", exampleTokenizer, "more"}, "", "", `unexpected argument "more"`, true},
		{[]string{"-tokenizer", "testdata/none.json"}, "", "", "none.json", false},
		{[]string{"-tokenizer", exampleTokenizer, "-json"}, "\"null\"\n\"good\"\nb\n\"good\"", "[2,1,0]\n[3,0]\n", "line 3: want a JSON string", false},
		{[]string{"-tokenizer", exampleTokenizer, "-json"}, "null\n", "", "line 1: want a JSON string: got null", false},
		{[]string{"-tokenizer", exampleTokenizer, "-decode"}, "[1.5]\n", "", "line 1: want a JSON array of ids", false},
		{[]string{"-tokenizer", exampleTokenizer, "-decode"}, "[3]\n[3, null]\n", "good\n", "line 2: want a JSON array of ids: got null", false},
	} {
		var out bytes.Buffer // the lines before the one that is wrong
		err := tokenize(test.args, strings.NewReader(test.in), &out)
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, new(usageError)) != test.usage {
			t.Errorf("%q: got %v, want %q", test.args, err, test.want)
		}
		if out.String() != test.out {
			t.Errorf("%q: got the output %q, want %q", test.args, out.String(), test.out)
		}
	}
}
