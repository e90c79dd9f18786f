//go:build linux || darwin

package safetensors

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pipe in place of a file is refused. To open one waits for somebody who writes to it.
func TestPipes(t *testing.T) {
	for _, name := range []string{"model.safetensors", "model.safetensors.index.json"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, open := range []func() (*File, error){
			func() (*File, error) { return Open(path) },
			func() (*File, error) { return Open(path, Mmap()) },
			func() (*File, error) { return OpenFolder(os.DirFS(dir), "model") },
		} {
			failed := make(chan error, 1)
			go func() {
				_, err := open()
				failed <- err
			}()
			select {
			case err := <-failed:
				if err == nil || !strings.Contains(err.Error(), name+": not a regular file, its mode is prw") {
					t.Errorf("%s: got error %v", name, err)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: waits", name)
			}
		}
	}
}
