package main

import (
	"bytes"
	"os"
	"testing"
)

// TestFiles checks that the tables are what this command writes.
func TestFiles(t *testing.T) {
	for _, f := range files() {
		got, err := os.ReadFile("../" + f.name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, f.text) {
			t.Errorf("%s differs from what go run . writes", f.name)
		}
	}
}
