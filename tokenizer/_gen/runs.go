package main

import (
	"fmt"
	"strings"
)

const maxRune = 0x10FFFF

// runs writes a slice of runs: a run's first code point times 256 plus the value that holds from there on.
func runs(name, comment string, value func(r rune) byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "// %s\nvar %s = runs{", comment, name)
	n := 0
	for r, last := rune(0), -1; r <= maxRune; r++ {
		v := int(value(r))
		if v == last {
			continue
		}
		if n%12 == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%#x, ", uint32(r)<<8|uint32(v))
		last = v
		n++
	}
	b.WriteString("\n}\n")
	return b.String()
}

// text writes a constant of many characters, some to a line.
func text(name, comment, s string) string {
	const width = 40
	var b strings.Builder
	fmt.Fprintf(&b, "// %s\nconst %s = \"\"", comment, name)
	for chars := []rune(s); len(chars) > 0; {
		n := min(width, len(chars))
		fmt.Fprintf(&b, " +\n%+q", string(chars[:n]))
		chars = chars[n:]
	}
	b.WriteString("\n")
	return b.String()
}
