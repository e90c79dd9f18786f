package poly

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
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

// Limits of what is compiled, so that a config cannot make its reader slow: matching takes time in proportion to the steps.
const (
	maxPattern      = 1 << 14 // bytes
	maxPatternSteps = 1 << 12 // of the compiled program
)

// pythonRegexp matches paths with regular expressions in the syntax of Python's re.
type pythonRegexp struct {
	pattern string
	re      *regexp.Regexp
	ascii   string // what in the pattern means the same to Go for ASCII paths only, or empty
}

// compileFullMatch compiles a pattern for re.fullmatch.
func compileFullMatch(pattern string) (*pythonRegexp, error) { return compilePython(`\z`, pattern) }

// compileMatch compiles patterns for re.match with any of them.
func compileMatch(patterns []string) (*pythonRegexp, error) { return compilePython("", patterns...) }

func compilePython(end string, patterns ...string) (*pythonRegexp, error) {
	p := &pythonRegexp{pattern: strings.Join(patterns, "|")}
	if n := len(p.pattern); n > maxPattern {
		return nil, fmt.Errorf("pattern %s: got %d bytes, want at most %d", quoteShort(p.pattern), n, maxPattern)
	}
	texts := make([]string, len(patterns))
	for i, pattern := range patterns {
		text, ascii, err := translatePattern(pattern)
		if err != nil {
			return nil, err
		}
		texts[i] = text
		p.ascii = cmp.Or(p.ascii, ascii)
	}
	text := `\A(?:` + strings.Join(texts, "|") + `)` + end
	steps, err := countSteps(text)
	if err == nil && steps > maxPatternSteps {
		return nil, fmt.Errorf("pattern %s: got %d steps after compilation, want at most %d", quoteShort(p.pattern), steps, maxPatternSteps)
	}
	if err == nil {
		p.re, err = regexp.Compile(text)
	}
	if err != nil { // a limit on size or depth: the translation is well-formed
		return nil, &PatternError{p.pattern, 0, err.Error(), true}
	}
	return p, nil
}

// countSteps returns the size of the program that an expression is compiled to.
func countSteps(text string) (int, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	return len(program.Inst), nil
}

// match tells whether the pattern matches a path. A line break is an error: Python's $ matches before the last one, which Go's engine
// cannot express.
func (p *pythonRegexp) match(path string) (bool, error) {
	if strings.Contains(path, "\n") || !utf8.ValidString(path) {
		return false, fmt.Errorf("pattern %s: got the module path %q, want UTF-8 without line breaks", quoteShort(p.pattern), path)
	}
	if p.ascii != "" && strings.ContainsFunc(path, isNotASCII) {
		return false, fmt.Errorf("pattern %s: got the module path %q, want ASCII because of %s in the pattern", quoteShort(p.pattern), path, p.ascii)
	}
	return p.re.MatchString(path), nil
}

func isNotASCII(r rune) bool { return r >= utf8.RuneSelf }
