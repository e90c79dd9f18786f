//go:build !linux

package mat

// yield does nothing where x/sys has no call for it.
func yield() {}
