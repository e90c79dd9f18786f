package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// build makes a file of a header and so many bytes of data, which count up from 1.
func build(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for i := range data {
		b = append(b, byte(i+1))
	}
	return b
}

func openBytes(b []byte) (*File, error) {
	return NewReader(bytes.NewReader(b), int64(len(b)), "test.safetensors")
}

// tensorJSON describes a tensor called a.
func tensorJSON(dtype, shape, offsets string) string {
	return fmt.Sprintf(`{"a":{"dtype":"%s","shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
}

type corpusCase struct {
	name string
	file []byte
	want string // what the error must contain; empty if the file is valid
}

// corpus holds malformed and unusual files, numbered for reference.
func corpus() []corpusCase {
	const info = `{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`
	length := func(n uint64, rest int) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, n), bytes.Repeat([]byte{' '}, rest)...)
	}
	two := func(a, b string) string {
		return fmt.Sprintf(`{"a":{"dtype":"U8","shape":[2],"data_offsets":%s},"b":{"dtype":"U8","shape":[2],"data_offsets":%s}}`, a, b)
	}
	withZero := func(zero string) string {
		return fmt.Sprintf(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"z":{"dtype":"U8","shape":[0],"data_offsets":%s}}`, zero)
	}
	deep := func(l, r string) string { return strings.Repeat(l, 20000) + "1" + strings.Repeat(r, 20000) }
	return []corpusCase{
		{"01 valid", build(tensorJSON("F32", "[2,2]", "[0,16]"), 16), ""},
		{"02 empty file", nil, "0 bytes long"},
		{"03 shorter than the length", make([]byte, 7), "7 bytes long"},
		{"04 only the length", length(2, 0), "only 0 bytes follow"},
		{"05 length beyond the file", length(100, 50), "header length 100, but only 50 bytes follow"},
		{"06 length 2^64-1", length(1<<64-1, 16), "want at most 100000000"},
		{"07 length above the limit", length(100_000_001, 16), "want at most 100000000"},
		{"08 not UTF-8", build("\xff", 0), "UTF-8"},
		{"09 unfinished object", build("{", 0), "got the end, want a string"},
		{"10 empty header", build("", 0), "want '{'"},
		{"11 null header", build("null", 0), "want '{'"},
		{"12 array header", build("[]", 0), "want '{'"},
		{"13 string header", build(`"a"`, 0), "want '{'"},
		{"14 no tensors", build("{}", 0), ""},
		{"15 no tensors but data", build("{}", 4), "the file has 4 bytes of data"},
		{"16 leading white space", build(" \t\r\n"+tensorJSON("U8", "[1]", "[0,1]"), 1), ""},
		{"17 trailing white space", build(tensorJSON("U8", "[1]", "[0,1]")+" \t\r\n", 1), ""},
		{"18 trailing NUL", build("{}\x00", 0), "want the end"},
		{"19 trailing garbage", build("{}x", 0), "want the end"},
		{"20 byte order mark", build("\ufeff{}", 0), "want '{'"},
		{"21 duplicate tensor", build(`{"a":`+info+`,"a":`+info+`}`, 1), `duplicate key "a"`},
		{"22 duplicate tensor, other offset", build(`{"a":`+info+`,"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `duplicate key "a"`},
		{"23 duplicate tensor, other dtype", build(`{"a":`+info+`,"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 1), `duplicate key "a"`},
		{"24 duplicate metadata", build(`{"__metadata__":{},"__metadata__":{}}`, 0), `duplicate key "__metadata__"`},
		{"25 duplicate key in metadata", build(`{"__metadata__":{"k":"1","k":"2"}}`, 0), `duplicate key "k"`},
		{"26 duplicate field", build(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), `tensor "a": byte 65 of the JSON: duplicate key "dtype"`},
		{"27 duplicate tensor through an escape", build(`{"a":`+info+`,"\u0061":`+info+`}`, 1), `duplicate key "a"`},
		{"28 invalid UTF-8 in a name", build(`{"`+"\xff"+`":`+info+`}`, 1), "UTF-8"},
		{"29 two names that differ in invalid UTF-8", build(`{"`+"\xff"+`":`+info+`,"`+"\xfe"+`":`+info+`}`, 1), "UTF-8"},
		{"30 lone surrogate", build(`{"\ud800":`+info+`}`, 1), "lone surrogate"},
		{"31 overlong UTF-8", build(`{"`+"\xc1\xa1"+`":`+info+`}`, 1), "UTF-8"},
		{"32 null metadata", build(`{"__metadata__":null}`, 0), ""},
		{"33 integer in metadata", build(`{"__metadata__":{"k":1}}`, 0), `want a string for key "k" of __metadata__`},
		{"34 object in metadata", build(`{"__metadata__":{"k":{}}}`, 0), "want a string"},
		{"35 array as metadata", build(`{"__metadata__":[]}`, 0), "want '{'"},
		{"36 only metadata", build(`{"__metadata__":{"format":"pt"}}`, 0), ""},
		{"37 tensor named __metadata__", build(`{"__metadata__":`+info+`}`, 1), "want a string"},
		{"38 null tensor", build(`{"a":null}`, 0), "want '{'"},
		{"39 negative offset", build(tensorJSON("U8", "[1]", "[-1,0]"), 1), "got '-', want an integer of 0 or more"},
		{"40 negative dimension", build(tensorJSON("U8", "[-1]", "[0,1]"), 1), "got '-', want an integer of 0 or more"},
		{"41 dimension 1.0", build(tensorJSON("U8", "[1.0]", "[0,1]"), 1), "got a fraction or an exponent"},
		{"42 dimension 1e0", build(tensorJSON("U8", "[1e0]", "[0,1]"), 1), "got a fraction or an exponent"},
		{"43 dimension \"1\"", build(tensorJSON("U8", `["1"]`, "[0,1]"), 1), "want an integer"},
		{"44 dimension 01", build(tensorJSON("U8", "[01]", "[0,1]"), 1), "leading zero"},
		{"45 dimension -0", build(tensorJSON("U8", "[-0]", "[0,0]"), 0), "got '-'"},
		{"46 one offset", build(tensorJSON("U8", "[1]", "[0]"), 1), "data_offsets of 1 integers, want two"},
		{"47 three offsets", build(tensorJSON("U8", "[1]", "[0,1,1]"), 1), "data_offsets of more than two integers"},
		{"48 reversed offsets", build(tensorJSON("U8", "[1]", "[1,0]"), 1), "data_offsets [1,0] are reversed"},
		{"49 past the end", build(tensorJSON("U8", "[9]", "[0,9]"), 8), "data_offsets end at 9, but the file has only 8 bytes"},
		{"50 hole at the start", build(tensorJSON("U8", "[1]", "[1,2]"), 2), "begin at 1, want 0"},
		{"51 hole in the middle", build(two("[0,2]", "[3,5]"), 5), `tensor "b": data_offsets begin at 3, want 2`},
		{"52 overlap", build(two("[0,2]", "[1,3]"), 3), `tensor "b": data_offsets begin at 1, want 2`},
		{"53 alias", build(two("[0,2]", "[0,2]"), 2), "begin at 0, want 2"},
		{"54 trailing bytes", build(tensorJSON("U8", "[1]", "[0,1]"), 2), "the tensors take 1 bytes, but the file has 2"},
		{"55 short by one", build(tensorJSON("U8", "[2]", "[0,2]"), 1), "the file has only 1 bytes"},
		{"56 offsets too small for the shape", build(tensorJSON("F32", "[2]", "[0,4]"), 4), "span 4 bytes, but dtype F32 and the shape need 8"},
		{"57 offsets too big for the shape", build(tensorJSON("F32", "[1]", "[0,8]"), 8), "span 8 bytes, but dtype F32 and the shape need 4"},
		{"58 elements overflow", build(tensorJSON("U8", "[9223372036854775807,3]", "[0,1]"), 1), "overflows"},
		{"59 bytes overflow", build(tensorJSON("F64", "[2305843009213693952]", "[0,8]"), 8), "overflows"},
		{"60 elements wrap to zero", build(tensorJSON("U8", "[4294967296,4294967296]", "[0,0]"), 0), "overflows"},
		{"61 elements wrap to zero, other order", build(tensorJSON("F32", "[4611686018427387904,4]", "[0,0]"), 0), "overflows"},
		{"62 dimension 2^64", build(tensorJSON("U8", "[18446744073709551616]", "[0,0]"), 0), "integer too large"},
		{"63 zero, then overflow", build(tensorJSON("U8", "[0,4294967296,4294967296]", "[0,0]"), 0), "overflows"},
		{"64 overflow, then zero", build(tensorJSON("U8", "[4294967296,4294967296,0]", "[0,0]"), 0), "overflows"},
		{"65 empty tensor at a shared offset", build(withZero("[0,0]"), 4), ""},
		{"66 empty tensor at the end", build(withZero("[4,4]"), 4), ""},
		{"67 empty tensor within another", build(withZero("[2,2]"), 4), "begin at 2, want 4"},
		{"68 rank 0", build(tensorJSON("F32", "[]", "[0,4]"), 4), ""},
		{"69 extra key", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[{"y":-1.5e+3},true,false,null,"s"]}}`, 1), ""},
		{"69b extra key, too deep", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[[[]]]}}`, 1), "nested more than 4 deep"},
		{"70 no dtype", build(`{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1), `missing field "dtype"`},
		{"71 no shape", build(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1), `missing field "shape"`},
		{"72 no offsets", build(`{"a":{"dtype":"U8","shape":[1]}}`, 1), `missing field "data_offsets"`},
		{"73 unknown dtype", build(tensorJSON("U9", "[1]", "[0,1]"), 1), `unknown dtype "U9"`},
		{"74 lower-case dtype", build(tensorJSON("u8", "[1]", "[0,1]"), 1), `unknown dtype "u8"`},
		{"75 F8", build(tensorJSON("F8_E4M3", "[3]", "[0,3]"), 3), ""},
		{"76 F4", build(tensorJSON("F4", "[2,3]", "[0,3]"), 3), ""},
		{"77 odd F4", build(tensorJSON("F4", "[3]", "[0,2]"), 2), "do not fill whole bytes"},
		{"78 misaligned F32", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`, 5), ""},
		{"79 BOOL of 2", append(build(tensorJSON("BOOL", "[2]", "[0,2]"), 0), 2, 0), ""},
		{"80 deeply nested arrays", build(`{"a":`+deep("[", "]")+`}`, 0), "want '{'"},
		{"80b deeply nested arrays in an extra key", build(`{"a":{"x":`+deep("[", "]")+`}}`, 0), "nested more than 4 deep"},
		{"81 deeply nested objects", build(deep(`{"a":`, "}"), 0), "nested more than 4 deep"},
		{"82 empty name", build(`{"":`+info+`}`, 1), ""},
		{"83 NUL in a name", build(`{"a\u0000":`+info+`}`, 1), "control character in the name"},
		{"83b DEL in a name", build(`{"a`+"\x7f"+`":`+info+`}`, 1), "control character in the name"},
		{"84 raw control character", build("{\"a\n\":"+info+"}", 1), "raw control character"},
		{"85 comment", build(`{/**/"a":`+info+`}`, 1), "got '/', want a string"},
		{"86 trailing comma", build(`{"a":`+info+`,}`, 1), "got '}', want a string"},
		{"87 NaN with a payload", append(build(tensorJSON("F32", "[1]", "[0,4]"), 0), 0x45, 0x23, 0xa1, 0xff), ""},
		{"88 single quotes", build(`{'a':`+info+`}`, 1), "want a string"},
		{"89 description as an array", build(`{"a":["U8",[1],[0,1]]}`, 1), "want '{'"},
		{"90 offsets as an object", build(tensorJSON("U8", "[1]", `{"0":0,"1":1}`), 1), "want '['"},
		{"91 key in another case", build(`{"a":{"Dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), `missing field "dtype"`},
		{"92 a million dimensions", build(tensorJSON("U8", "["+strings.Repeat("1,", 999_999)+"1]", "[0,1]"), 1), "more than 64 dimensions"},
		{"93 integer of 100 kB", build(tensorJSON("U8", "["+strings.Repeat("9", 100_000)+"]", "[0,1]"), 1), "integer too large"},
		{"94 number cut off", build(`{"a":{"x":1e`, 0), "malformed number"},
		{"95 bad escape", build(`{"\x":`, 0), "invalid escape"},
		{"96 surrogate pair", build(`{"\ud83d\ude00":`+info+`}`, 1), ""},
		{"97 low surrogate first", build(`{"\ude00\ud83d":`+info+`}`, 1), "lone surrogate"},
		{"98 rank 64", build(tensorJSON("U8", "["+strings.Repeat("1,", 63)+"1]", "[0,1]"), 1), ""},
		{"99 rank 65", build(tensorJSON("U8", "["+strings.Repeat("1,", 64)+"1]", "[0,1]"), 1), "more than 64 dimensions"},
		{"100 duplicate extra key", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1,"x":1}}`, 1), `duplicate key "x"`},
		{"101 backslash at the end", build(`{"\`, 0), "invalid escape"},
		{"102 escape cut off", build(`{"\u006`, 0), "invalid escape"},
		{"103 surrogate pair cut off", build(`{"\ud83d\ude0`, 0), "lone surrogate"},
		{"104 name that begins with a control character", build(`{"\u0001a":`+info+`}`, 1), "control character"},
		{"105 semicolon in an object", build(`{"__metadata__":{"k":"1";"l":"2"}}`, 0), `got ';', want ',' or '}'`},
		{"106 semicolon in an array", build(tensorJSON("U8", "[1;1]", "[0,1]"), 1), `got ';', want ',' or ']'`},
		{"107 no colon", build(`{"a" `+info+`}`, 1), `got '{', want ':'`},
		{"108 duplicate field, not the one before", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"dtype":"U8"}}`, 1), `duplicate key "dtype"`},
		{"109 duplicate key in metadata, not the one before", build(`{"__metadata__":{"k":"1","l":"2","k":"3"}}`, 0), `duplicate key "k"`},
		{"110 unknown escape of six bytes", build(`{"\x0061":`+info+`}`, 1), "invalid escape"},
		{"111 low surrogate without a backslash", build(`{"\ud83d/ude00":`+info+`}`, 1), "lone surrogate"},
		{"112 null metadata after a space", build(`{"__metadata__": null}`, 0), ""},
		{"113 cut off after a digit", build(`{"a":{"shape":[1`, 0), "got the end, want ',' or ']'"},
		{"114 fraction without an integer", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":-.5}}`, 1), "malformed number"},
		{"115 exponent without an integer", build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":-e5}}`, 1), "malformed number"},
	}
}

// Escapes stand for what they stand for, in short names, which share memory, and in long ones.
func TestEscapes(t *testing.T) {
	const info = `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	var header, want []string
	for i, n := range []int{0, 500, 5000, 20_000, 100, 600} {
		name, escaped := fmt.Sprint(i, "/é😀", strings.Repeat("x", n)), fmt.Sprint(i, `\/\u00e9\uD83D\ude00`, strings.Repeat("x", n))
		header, want = append(header, `"`+escaped+`":`+info), append(want, name)
	}
	f, err := openBytes(build("{"+strings.Join(header, ",")+"}", 0))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, want) {
		t.Errorf("got %.100q…, want %.100q…", got, want)
	}
}

func TestCorpus(t *testing.T) {
	for _, c := range corpus() {
		t.Run(c.name, func(t *testing.T) {
			f, err := openBytes(c.file)
			if c.want == "" {
				if err != nil {
					t.Fatalf("got error %v, want a valid file", err)
				}
				if err := checkRoundTrip(f); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatalf("opened, want an error with %q", c.want)
			}
			var format *FormatError
			if !errors.As(err, &format) || format.File != "test.safetensors" {
				t.Errorf("error %v is no FormatError that names the file", err)
			}
			if s := err.Error(); !strings.Contains(s, c.want) || strings.Contains(s, "\n") || len(s) > 1000 {
				t.Errorf("got error %.1000q, want one line with %q", s, c.want)
			}
		})
	}
}

// checkRoundTrip reads every tensor of f, writes them all and compares what is read again.
func checkRoundTrip(f *File) error {
	tensors, err := readAll(f)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := Write(&b, tensors, f.Metadata()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	again, err := openBytes(b.Bytes())
	if err != nil {
		return fmt.Errorf("open what was written: %w", err)
	}
	got, err := readAll(again)
	if err != nil {
		return err
	}
	if len(got) != len(tensors) {
		return fmt.Errorf("got %d tensors, want %d", len(got), len(tensors))
	}
	for i, want := range tensors {
		if !sameTensor(got[i], want) {
			return fmt.Errorf("got %v, want %v", got[i].Info, want.Info)
		}
	}
	if got, want := again.Metadata(), f.Metadata(); !sameMetadata(got, want) {
		return fmt.Errorf("got metadata %v, want %v", got, want)
	}
	return nil
}
