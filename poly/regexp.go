package poly

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// PatternError says why a Python regular expression cannot be used.
type PatternError struct {
	Pattern     string
	Position    int    // in characters, as Python counts them
	Problem     string // "look-ahead", "unterminated character set", …
	Unsupported bool   // Python knows it, Go's regexp package cannot express it
}

// Error returns one line.
func (e *PatternError) Error() string {
	s := fmt.Sprintf("pattern %s: %s at position %d", quoteShort(e.Pattern), e.Problem, e.Position)
	if e.Unsupported {
		s += ", which Go's regexp engine cannot express"
	}
	return s
}

// Is makes errors.Is(e, errors.ErrUnsupported) tell a limit of Go's engine from a pattern that Python refuses as well.
func (e *PatternError) Is(target error) bool {
	return target == errors.ErrUnsupported && e.Unsupported
}

// pythonRegexp matches paths with a regular expression in the syntax of Python's re.
type pythonRegexp struct {
	pattern string
	re      *regexp.Regexp
	ascii   string // what in the pattern means the same to Go for ASCII paths only, or empty
}

// compileFullMatch compiles a pattern for re.fullmatch.
func compileFullMatch(pattern string) (*pythonRegexp, error) { return compilePython(pattern, `\z`) }

// compileMatch compiles a pattern for re.match.
func compileMatch(pattern string) (*pythonRegexp, error) { return compilePython(pattern, "") }

func compilePython(pattern, end string) (*pythonRegexp, error) {
	text, ascii, err := translatePattern(pattern)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(`\A(?:` + text + `)` + end)
	if err != nil { // a limit on size or depth: the translation is well-formed
		return nil, &PatternError{pattern, 0, err.Error(), true}
	}
	return &pythonRegexp{pattern, re, ascii}, nil
}

// match tells whether the pattern matches a path. A line break is an error: Python's $ matches before the last one, which Go's engine
// cannot express.
func (p *pythonRegexp) match(path string) (bool, error) {
	if strings.Contains(path, "\n") || !utf8.ValidString(path) {
		return false, fmt.Errorf("pattern %s: got the module path %q, expected UTF-8 without line breaks", quoteShort(p.pattern), path)
	}
	if p.ascii != "" && strings.ContainsFunc(path, isNotASCII) {
		return false, fmt.Errorf("pattern %s: got the module path %q, expected ASCII because of %s in the pattern", quoteShort(p.pattern), path, p.ascii)
	}
	return p.re.MatchString(path), nil
}

func isNotASCII(r rune) bool { return r >= utf8.RuneSelf }
