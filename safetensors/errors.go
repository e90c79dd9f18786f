package safetensors

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound is wrapped by the error of [File.Tensor] for a name that the file does not have.
var ErrNotFound = errors.New("no such tensor")

// FormatError says what is wrong with the content of a file, or with a tensor that is to be written.
type FormatError struct {
	File   string // as it was opened, or empty when writing
	Tensor string // empty if the error concerns no single tensor
	Reason string // what was found and what was expected
}

// Error returns one line that names the file, the tensor and the reason. Very long names are cut short.
func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString("safetensors: ")
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	if e.Tensor != "" {
		b.WriteString("tensor " + quote(e.Tensor) + ": ")
	}
	b.WriteString(e.Reason)
	return b.String()
}

// inFile completes an error that the header's parser, which does not know the file, has made.
func inFile(err error, file string) error {
	if e, ok := errors.AsType[*FormatError](err); ok && e.File == "" {
		e.File = file
	}
	return err
}

// inTensor completes an error that arose while a tensor's description was read.
func inTensor(err error, tensor string) error {
	if e, ok := errors.AsType[*FormatError](err); ok && e.Tensor == "" {
		e.Tensor = tensor
	}
	return err
}

// quote makes text from a file fit for one line of a message.
func quote(s string) string {
	const limit = 200
	if len(s) > limit {
		return fmt.Sprintf("%q…", s[:limit])
	}
	return fmt.Sprintf("%q", s)
}
