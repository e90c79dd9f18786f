package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"regexp"
	"strconv"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// TestFiles checks that the code in package asm is what this command writes.
func TestFiles(t *testing.T) {
	for _, f := range files() {
		got, err := os.ReadFile("../../" + f.name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, f.text) {
			t.Errorf("%s differs from what go run ./elem writes", f.name)
		}
	}
}

// TestWords decodes every WORD and compares it with its comment.
func TestWords(t *testing.T) {
	n := 0
	for _, m := range regexp.MustCompile(`WORD \$0x([0-9a-f]+) // (.*)`).FindAllSubmatch(neon.file(), -1) {
		word, err := strconv.ParseUint(string(m[1]), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		inst, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, uint32(word)))
		if got := inst.String(); err != nil || got != string(m[2]) {
			t.Fatalf("%#08x is %s (%v), want %s", word, got, err, m[2])
		}
		n++
	}
	if n == 0 {
		t.Fatal("no words")
	}
}
