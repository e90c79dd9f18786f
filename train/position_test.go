package train

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var positions = []struct{ text, err string }{
	{`{"step": 7, "epoch": 1, "example": 3, "tokens": 900, "evaluated": 6, "best_step": 2, "best_loss": 0.1}`, ""},
	{`{}`, "field step is missing"},
	{`{"step": 7, "epoch": 1, "example": null, "tokens": 900, "evaluated": 6, "best_step": 2, "best_loss": 0.1}`, "field example is missing"},
	{`{"step": 7, "epoch": 1, "example": 3, "tokens": 900, "evaluated": 6, "best_step": 2, "Best_Loss": 0.1}`, "field best_loss is missing"},
	{``, "EOF"},
	{`{"step": 7`, "unexpected EOF"},
	{`{"step": 7} {}`, "got more after the object"},
	{`{"step": 7, "global_step": 7}`, `unknown field "global_step"`},
	{`{"step": "7"}`, "cannot unmarshal string"},
	{`{"step": 1.5}`, "cannot unmarshal number 1.5"},
	{`{"step": -1}`, "field step: got -1, want 0 ≤ step ≤ 2147483647"},
	{`{"step": 3000000000}`, "3000000000"}, // whether an int holds it or not
	{`{"epoch": -1}`, "field epoch: got -1"},
	{`{"example": -1}`, "field example: got -1"},
	{`{"tokens": -1}`, "field tokens: got -1, want ≥ 0"},
	{`{"step": 7, "evaluated": 8}`, "field evaluated: got 8, want 0 ≤ evaluated ≤ 7"},
	{`{"step": 7, "evaluated": 6, "best_step": 7}`, "field best_step: got 7, want 0 ≤ best_step ≤ 6"},
	{`{"best_loss": 1e999}`, "cannot unmarshal number 1e999"},
}

// A position that cannot be put in its place leaves nothing beside it.
func TestPositionNotSaved(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, positionName), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := (&Position{Step: 7}).save(dir); err == nil {
		t.Error("got no error, want one, as a folder has the name")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v, want only the folder", entries, err)
	}
}

// What is no position at all is not read: a pipe would have no end.
func TestPositionNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, positionName), bytes.Repeat([]byte(" "), maxPosition+1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readPosition(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "got more than 65536 bytes") {
		t.Errorf("got %v, want that it is too long, and the folder", err)
	}
}

func TestPosition(t *testing.T) {
	for _, c := range positions {
		switch _, err := parsePosition([]byte(c.text)); {
		case c.err == "" && err != nil:
			t.Errorf("%.80s: %v", c.text, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%.80s: got %v, want %s", c.text, err, c.err)
		}
	}
}

// FuzzPosition checks that whatever is taken for a position is the same when it is written and read again.
func FuzzPosition(f *testing.F) {
	for _, c := range positions {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePosition(data)
		if err != nil {
			return
		}
		text, err := p.text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parsePosition(text)
		if err != nil || again != p {
			t.Fatalf("got %+v, %v, want %+v", again, err, p)
		}
	})
}
