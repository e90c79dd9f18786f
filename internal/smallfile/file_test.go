package smallfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

func TestReadPath(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "five")
	if err := os.WriteFile(path, []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	if data, err := smallfile.ReadPath(filepath.Join(dir, "..", filepath.Base(dir), "five"), 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := smallfile.ReadPath(path, 4); err == nil || err.Error() != path+": got more than 4 bytes, want at most that" {
		t.Errorf("got %v", err)
	}
	for _, folder := range []string{dir, dir + string(filepath.Separator), ".", ".."} {
		if _, err := smallfile.ReadPath(folder, 4); err == nil || !strings.HasPrefix(err.Error(), folder+": not a regular file, its mode is d") {
			t.Errorf("%s: got %v", folder, err)
		}
	}
	for _, none := range []string{"", filepath.Join(dir, "none")} {
		if _, err := smallfile.ReadPath(none, 4); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), none) {
			t.Errorf("%q: got %v, want fs.ErrNotExist", none, err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("five", link); err != nil {
		t.Skip(err) // some systems have none, or ask for rights
	}
	if data, err := smallfile.ReadPath(link, 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
}
