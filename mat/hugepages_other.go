//go:build !linux

package mat

// adviseHuge does nothing: the system chooses the pages itself.
func adviseHuge([]byte) {}
