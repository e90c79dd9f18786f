package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/polytropon/polytropon/mat"
)

// sampling has the flags of the commands that measure sample by sample.
type sampling struct {
	*mat.Options
	samples int
	json    bool
	rows    string // a part of the names of the rows to measure
}

// parseSampling parses the flags of such a command, with -rows where it has rows to choose from.
func parseSampling(command string, args []string, hasRows bool) (sampling, error) {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	s := sampling{Options: engineFlags(flags)}
	flags.IntVar(&s.samples, "samples", 15, "")
	flags.BoolVar(&s.json, "json", false, "")
	if hasRows {
		flags.StringVar(&s.rows, "rows", "", "")
	}
	if err := parse(flags, args, 0); err != nil {
		return s, err
	}
	if s.samples < 1 {
		return s, usageError(fmt.Sprintf("-samples: got %d, want at least 1", s.samples))
	}
	return s, nil
}

// encodeLines writes each of lines as a line of JSON.
func encodeLines[T any](w io.Writer, lines []T) error {
	out := json.NewEncoder(w)
	for _, line := range lines {
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
