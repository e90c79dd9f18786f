package tokenizer_test

import (
	"fmt"
	"log"
	"os"

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
	fmt.Println(t.Size())
	// Output: 11
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
