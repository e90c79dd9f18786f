package tokenizer

import (
	"errors"
	"fmt"
	"strconv"
)

// FormatError says what is wrong with the content of a file, or which part of it is not supported.
type FormatError struct {
	File   string // as it was opened
	Field  string // such as pre_tokenizer.pretokenizers[1].type; empty if the error concerns no single field
	Reason string // what was found and what was expected
}

// Error returns one line that names the file, the field and the reason.
func (e *FormatError) Error() string {
	s := "tokenizer: "
	if e.File != "" {
		s += e.File + ": "
	}
	if e.Field != "" {
		s += e.Field + ": "
	}
	return s + e.Reason
}

// fail makes an error about a field, whose file is filled in by the caller that knows it.
func fail(field, format string, args ...any) error {
	return &FormatError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// inFile completes an error with the name of the file.
func inFile(err error, file string) error {
	if e, ok := errors.AsType[*FormatError](err); ok {
		e.File = file
	}
	return err
}

// quote makes text from a file fit for one line of a message.
func quote(s string) string {
	const limit = 200
	if len(s) > limit {
		return strconv.Quote(s[:limit]) + "…"
	}
	return strconv.Quote(s)
}
