package generate

import "fmt"

// A RequestError says which request of several cannot be continued, and why: nothing is wrong with the others.
type RequestError struct {
	Request int // its index, of a Batch its number
	Err     error
}

// Error returns one line.
func (e *RequestError) Error() string { return fmt.Sprintf("request %d: %v", e.Request, e.Err) }

// Unwrap returns Err.
func (e *RequestError) Unwrap() error { return e.Err }
