package tokenizer

import (
	"slices"
	"sync"
)

// Sets of characters are lists of ranges: the first and the last character of each, one range after another.

// namedRanges has those of the general categories, by their names of one letter and of two, and of white space.
var namedRanges = sync.OnceValue(func() map[string][]rune {
	all := map[string][]rune{}
	add := func(name string, first, last rune) {
		of := all[name]
		if n := len(of); n > 0 && of[n-1] == first-1 {
			of[n-1] = last
		} else {
			all[name] = append(of, first, last)
		}
	}
	for i, run := range categoryRuns {
		last := rune(maxRune)
		if i+1 < len(categoryRuns) {
			last = rune(categoryRuns[i+1]>>8) - 1
		}
		name := categoryNames[run&0xFF]
		add(name, rune(run>>8), last)
		add(name[:1], rune(run>>8), last)
	}
	for r := range rune(0x3001) {
		if isSpace(r) {
			add("space", r, r)
		}
	}
	return all
})

// named returns the ranges of a general category, or those of white space for "space"; nil if there is none of the name.
func named(name string) []rune { return slices.Clone(namedRanges()[name]) }

// complement returns the ranges of all other characters.
func complement(of []rune) []rune {
	type pair struct{ low, high rune }
	var pairs []pair
	for i := 0; i < len(of); i += 2 {
		pairs = append(pairs, pair{of[i], of[i+1]})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return int(a.low) - int(b.low) })
	var out []rune
	from := rune(0)
	for _, p := range pairs {
		if p.low > from {
			out = append(out, from, p.low-1)
		}
		from = max(from, p.high+1)
	}
	if from <= maxRune {
		out = append(out, from, maxRune)
	}
	return out
}
