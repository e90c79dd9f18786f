package poly

import (
	"fmt"
	"slices"
	"strings"
)

// Modules is the value of target_modules and exclude_modules: a list of names, one regular expression, or null, which is the zero
// value.
//
// A name stands for the module of that path and for all whose path ends with a dot and the name. A regular expression is Python's
// and must match the whole path; what Go's engine cannot express is a [*PatternError], and more than 16384 bytes or 4096 steps are an
// error too.
type Modules struct {
	names     []string // nil if null; the only element if isPattern
	isPattern bool
}

// ModuleNames returns the list of the given names. PEFT holds it as a set; here it keeps its order.
func ModuleNames(names ...string) Modules { return Modules{names: append([]string{}, names...)} }

// ModulePattern returns a regular expression, or one of the words that PEFT gives a meaning as target_modules: "all-linear" and
// "dummy-target-modules".
func ModulePattern(pattern string) Modules { return Modules{names: []string{pattern}, isPattern: true} }

// IsNull tells whether m is neither a list nor a pattern.
func (m Modules) IsNull() bool { return m.names == nil }

// Names returns a copy of the list, or nil if m is none. An empty list is not nil.
func (m Modules) Names() []string {
	if m.isPattern {
		return nil
	}
	return slices.Clone(m.names)
}

// Pattern returns the regular expression if m is one.
func (m Modules) Pattern() (pattern string, ok bool) {
	if !m.isPattern {
		return "", false
	}
	return m.names[0], true
}

// String renders m for messages.
func (m Modules) String() string {
	switch {
	case m.IsNull():
		return "null"
	case m.isPattern:
		return quoteShort(m.names[0])
	}
	return "[" + shorten(strings.Trim(fmt.Sprintf("%q", m.names), "[]")) + "]"
}

// isEmpty tells whether m has nothing to match with: Python's "not m".
func (m Modules) isEmpty() bool { return len(m.names) == 0 || m.isPattern && m.names[0] == "" }

// matcher returns the test whether m matches a path.
func (m Modules) matcher() (func(path string) (bool, error), error) {
	if m.isPattern {
		re, err := compileFullMatch(m.names[0])
		if err != nil {
			return nil, err
		}
		return re.match, nil
	}
	names := make(map[string]bool, len(m.names))
	for _, name := range m.names {
		names[name] = true
	}
	return func(path string) (bool, error) {
		for rest, more := path, true; more; _, rest, more = strings.Cut(rest, ".") {
			if names[rest] {
				return true, nil
			}
		}
		return false, nil
	}, nil
}
