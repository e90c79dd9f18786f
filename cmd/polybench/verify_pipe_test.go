//go:build linux || darwin

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pipe in place of a file is refused: to open one waits for somebody who writes to it.
func TestVerifyPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "reference.safetensors")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- run(t.Context(), verifyArgs("testdata/t5-mhr", "-reference", pipe), t.Output()) }()
	select {
	case err := <-failed:
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("waits")
	}
}
