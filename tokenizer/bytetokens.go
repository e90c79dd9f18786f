package tokenizer

import "fmt"

// byteTokens are the tokens <0x00> to <0xFF>, or noValue where there is none.
type byteTokens [256]int32

func newByteTokens(ids map[string]int) *byteTokens {
	var t byteTokens
	for b := range t {
		t[b] = noValue
		if id, ok := ids[byteTokenName(byte(b))]; ok {
			t[b] = int32(id)
		}
	}
	return &t
}

func byteTokenName(b byte) string { return fmt.Sprintf("<0x%02X>", b) }

// appendTo appends the tokens of the bytes of s, or reports that one has none.
func (t *byteTokens) appendTo(symbols []int32, s string) ([]int32, bool) {
	from := len(symbols)
	for _, b := range []byte(s) {
		if t[b] == noValue {
			return symbols[:from], false
		}
		symbols = append(symbols, t[b])
	}
	return symbols, true
}
