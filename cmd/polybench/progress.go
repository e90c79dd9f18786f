package main

import (
	"fmt"
	"os"
	"time"
)

// progress tells on stderr what goes on, from two seconds after its start, and only on a terminal.
type progress struct {
	from time.Time // zero where nothing is to be told
	told bool
}

func newProgress() *progress {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{from: time.Now().Add(2 * time.Second)}
}

// step says what begins now.
func (p *progress) step(what string) {
	if p.from.IsZero() || time.Now().Before(p.from) {
		return
	}
	p.told = true
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s …", what)
}

// done clears the line.
func (p *progress) done() {
	if p.told {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		p.told = false
	}
}
