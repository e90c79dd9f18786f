package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// Each row is a JSON object a thread count, with names that others read.
func TestShareJSON(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"gemm", "-rows", "unpacked 64x64x64", "-samples", "1", "-threads", "2", "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want one for 1 thread and one for 2:\n%s", len(lines), out.String())
	}
	for i, line := range lines {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row["shape"] != "64x64x64" || row["kind"] != "unpacked" || row["threads"] != float64(1+i) || row["level"] == "" {
			t.Errorf("got %s", line)
		}
		for _, key := range []string{"gflops", "ceiling", "share", "share_p75"} {
			if x, ok := row[key].(float64); !ok || x <= 0 {
				t.Errorf("%s: got %v, want more than 0", key, row[key])
			}
		}
	}
}

func TestShareErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"gemm -samples 0", "-samples: got 0, want at least 1"},
		{"elem -rows product", `-rows: got "product"`},
		{"gemm -rows 63x64", `-rows: got "63x64"`},
		{"attention -rows product", `-rows: got "product"`},
		{"attention more", `unexpected argument "more"`},
	} {
		err := run(t.Context(), strings.Fields(test.args), &bytes.Buffer{})
		if !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.args, err, test.want)
		}
	}
}
