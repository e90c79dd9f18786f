package main

import (
	"log"
	"os"
	"strconv"
	"strings"
)

// A reference holds what record.py wrote: for each property the value of every code point.
type reference struct {
	values map[string][]string
	lower  []string // "" where the lower case is the character itself
}

func readReference(name string) reference {
	data, err := os.ReadFile(name)
	if err != nil {
		log.Fatal(err)
	}
	ref := reference{map[string][]string{}, make([]string, maxRune+1)}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		name, start, rest := fields[0], codePoint(fields[1]), fields[2:]
		if name == "lower" {
			for _, f := range rest {
				ref.lower[start] += string(codePoint(f))
			}
			continue
		}
		values := ref.values[name]
		if values == nil {
			values = make([]string, maxRune+1)
			ref.values[name] = values
		}
		for r := start; r <= maxRune; r++ {
			values[r] = rest[0]
		}
	}
	return ref
}

func codePoint(hex string) rune {
	n, err := strconv.ParseUint(hex, 16, 21)
	if err != nil {
		log.Fatal(err)
	}
	return rune(n)
}
