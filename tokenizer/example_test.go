package tokenizer_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"testing/fstest"

	"github.com/polytropon/polytropon/tokenizer"
)

func ExampleOpen() {
	t, err := tokenizer.Open("testdata/example.json") // or a SentencePiece model
	if err != nil {
		log.Fatal(err)
	}
	ids := t.Encode("good morning", true)
	fmt.Println(ids)
	fmt.Println(t.Decode(ids, true))
	// Output:
	// [3 4 0]
	// good morning
}

func ExampleOpenFS() {
	t, err := tokenizer.OpenFS(os.DirFS("testdata"), "example.json")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Encode("good tea", true))
	// Output: [3 7 0]
}

// What a file holds that is invalid or not supported is an error that says where.
func ExampleFormatError() {
	_, err := tokenizer.OpenFS(fstest.MapFS{"tokenizer.json": {Data: []byte(`{"normalizer": {"type": "Rot13"}, "model": {}}`)}}, "tokenizer.json")
	if e, ok := errors.AsType[*tokenizer.FormatError](err); ok {
		fmt.Println(e.Field)
	}
	fmt.Println(err)
	// Output:
	// normalizer.type
	// tokenizer: tokenizer.json: normalizer.type: got "Rot13", which is not supported
}

func open() *tokenizer.Tokenizer {
	t, err := tokenizer.Open("testdata/example.json")
	if err != nil {
		log.Fatal(err)
	}
	return t
}

func ExampleTokenizer_Encode() {
	t := open()
	fmt.Println(t.Encode("good tea", true))
	fmt.Println(t.Encode("good tea", false))
	fmt.Println(t.Encode("ｇｏｏｄ ☕", false)) // normalized; the cup is no token, but its bytes are
	// Output:
	// [3 7 0]
	// [3 7]
	// [3 2 8 9 10]
}

func ExampleTokenizer_AppendEncode() {
	t := open()
	var ids []int
	for _, line := range []string{"good morning", "good tea"} {
		ids = t.AppendEncode(ids[:0], line, true)
		fmt.Println(ids)
	}
	// Output:
	// [3 4 0]
	// [3 7 0]
}

func ExampleTokenizer_Decode() {
	t := open()
	fmt.Println(t.Decode([]int{3, 7, 0}, true))
	fmt.Println(t.Decode([]int{3, 7, 0}, false))
	// Output:
	// good tea
	// good tea</s>
}

func ExampleTokenizer_NewDecoder() {
	d := open().NewDecoder(true)
	for _, id := range []int{3, 2, 8, 9, 10, 0} {
		fmt.Printf("%q ", d.Next(id))
	}
	fmt.Printf("%q\n", d.End())
	// Output: "good" " " "" "" "" "" "☕"
}

// A service sends each part of an answer as soon as it is whole characters.
func ExampleDecoder_Next() {
	d := open().NewDecoder(true)
	for _, id := range []int{3, 4, 0} {
		if part := d.Next(id); part != "" {
			fmt.Printf("%q\n", part)
		}
	}
	// Output:
	// "good"
	// " morning"
}

// What is held back when an answer is cut off comes at the end.
func ExampleDecoder_End() {
	d := open().NewDecoder(true)
	for _, id := range []int{3, 2, 8, 9} { // the first two bytes of three
		fmt.Printf("%q ", d.Next(id))
	}
	fmt.Printf("%q\n", d.End())
	// Output: "good" " " "" "" "��"
}

func ExampleTokenizer_Size() {
	fmt.Println(open().Size())
	// Output: 11
}

func ExampleTokenizer_Token() {
	t := open()
	fmt.Println(t.Token(4))
	fmt.Println(t.Token(11))
	// Output:
	// ▁morning true
	//  false
}

func ExampleTokenizer_ID() {
	t := open()
	fmt.Println(t.ID("▁tea"))
	fmt.Println(t.ID("coffee"))
	// Output:
	// 7 true
	// 0 false
}
