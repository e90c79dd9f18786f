package poly

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAppendPython compares with what json.dumps(v, indent=2, sort_keys=True) of CPython printed.
func TestAppendPython(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`""`, `""`},
		{`"a\"b\\c/</>&"`, `"a\"b\\c/</>&"`},
		{
			"\"\\b\\t\\n\\f\\r\\u0000\\u001f\u007f\u0080é€\u2028\ud7ff\ue000\uffff\U00010000😀\U0010ffff\"",
			`"\b\t\n\f\r\u0000\u001f\u007f\u0080\u00e9\u20ac\u2028\ud7ff\ue000\uffff\ud800\udc00\ud83d\ude00\udbff\udfff"`,
		},
		{`{"b": [], "a": {}, "c": [1, [2, {"z": null, "y": true}]], "é": 1.5e-07, "Z": -0.0}`, `{
  "Z": -0.0,
  "a": {},
  "b": [],
  "c": [
    1,
    [
      2,
      {
        "y": true,
        "z": null
      }
    ]
  ],
  "\u00e9": 1.5e-07
}`},
	} {
		v, err := decodeJSON([]byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := appendPython(nil, v, 0); string(got) != c.want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", c.in, got, err, c.want)
		}
	}
	for _, v := range []any{1.5, "\xff", map[string]any{"\xff": nil}, []any{[]int{1}}} {
		if _, err := appendPython(nil, v, 0); err == nil {
			t.Errorf("%v: want an error", v)
		}
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `{"a":1} x`, `{"a":1}{}`, `{a:1}`, `{'a':1}`, `NaN`, `Infinity`, `-Infinity`, `01`, `1.`, `+1`,
		`{"a":1,"a":1}`, `{"a":{"b":1,"b":2}}`, `[{"b":1,"b":2}]`, `{"a":1,"\u0061":2}`,
		`"\ud800"`, `"\udc00"`, `"\ud800\u0041"`, `"\ud800\ud800"`, `"\ud800x"`, `"\x41"`, "\"\n\"", "\"\xff\"", "\ufeff{}", `// c`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200),
	} {
		if v, err := decodeJSON([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, v)
		}
	}
	for text, want := range map[string]string{`"\\ud800"`: `\ud800`, `"\ud83d\ude00\\"`: `😀\`, ` "é" `: "é"} {
		if v, err := decodeJSON([]byte(text)); v != want || err != nil {
			t.Errorf("%s: got %v, %v", text, v, err)
		}
	}
	if v, err := decodeJSON([]byte("1e5")); v != json.Number("1e5") || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}
