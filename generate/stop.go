package generate

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	tailTokens = 32 // whose text is looked at first
	tailMargin = 64 // bytes at the start of a part's text that may differ from those in the whole: a token's
)

// stops reports whether the last of ids ends the sequence.
func (s *Settings) stops(ids []int) bool {
	if slices.Contains(s.StopIDs, ids[len(ids)-1]) {
		return true
	}
	return len(s.StopStrings) > 0 && s.mayStop(ids) && s.stopsIn(s.Text(ids))
}

// mayStop reports false where the text of the last of ids is enough to tell that they do not stop: the whole text is not made for every token.
func (s *Settings) mayStop(ids []int) bool {
	longest := 0
	for _, stop := range s.StopStrings {
		longest = max(longest, len(stop))
	}
	const broken = string(utf8.RuneError) // as a run of bytes is that begins within a character, or has not come to the end of one
	for n := tailTokens; n < len(ids); n *= 2 {
		tail := ids[len(ids)-n:]
		before := strings.TrimRight(s.Text(tail[:n-1]), broken)
		if len(before)-max(0, strings.LastIndex(before, broken)) >= longest+tailMargin {
			return s.stopsIn(s.Text(tail))
		}
	}
	return true
}

func (s *Settings) stopsIn(text string) bool {
	return slices.ContainsFunc(s.StopStrings, func(stop string) bool { return strings.Contains(text, stop) })
}
