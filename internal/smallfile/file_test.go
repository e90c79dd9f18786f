package smallfile_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/internal/smallfile"
)

func TestRead(t *testing.T) {
	files := fstest.MapFS{"five": {Data: []byte("12345")}, "pipe": {Mode: fs.ModeNamedPipe}, "folder/file": {}}
	if data, err := smallfile.Read(files, "five", 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
	for name, want := range map[string]string{
		"five":   "five: got more than 4 bytes, want at most that",
		"pipe":   "pipe: not a regular file, its mode is p---------",
		"folder": "folder: not a regular file, its mode is d",
	} {
		if _, err := smallfile.Read(files, name, 4); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if _, err := smallfile.Read(files, "none", 4); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}
