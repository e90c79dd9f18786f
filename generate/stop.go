package generate

import (
	"slices"
	"strings"
)

// stops reports whether the last of ids ends the sequence.
func (s *Settings) stops(ids []int) bool {
	if slices.Contains(s.StopIDs, ids[len(ids)-1]) {
		return true
	}
	if len(s.StopStrings) == 0 {
		return false
	}
	text := s.Text(ids)
	return slices.ContainsFunc(s.StopStrings, func(stop string) bool { return strings.Contains(text, stop) })
}
