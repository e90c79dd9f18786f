package poly_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/poly"
)

func TestModel(t *testing.T) {
	m := poly.NewModel(openBase(t, example+"/base"))
	first, err := m.Load("first", example+"/adapter")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Load("second", example+"/second"); err != nil {
		t.Fatal(err)
	}
	if got := m.Names(); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("names: got %q", got)
	}
	if a, err := m.Adapter("first"); err != nil || a != first {
		t.Errorf("first: got %v, %v", a, err)
	}
	if a, err := m.Load("first", example+"/adapter"); err != nil || a == first {
		t.Errorf("a swap: got %v, %v", a, err)
	}
	m.Delete("second")
	m.Delete("third")
	if _, err := m.Adapter("second"); err == nil || !strings.Contains(err.Error(), `"second"`) || !strings.Contains(err.Error(), `"first"`) {
		t.Errorf("second: got %v", err)
	}
	if err := m.Add("a", nil); err == nil || err.Error() != `poly: adapter "a": got nil` {
		t.Errorf("got %v of a nil adapter", err)
	}
	for _, name := range []string{"", "a.b"} {
		if _, err := m.Load(name, example+"/adapter"); err == nil {
			t.Errorf("name %q: got no error", name)
		}
		if err := m.Add(name, first); err == nil {
			t.Errorf("name %q added: got no error", name)
		}
	}
	if err := m.Add("second", first); err != nil {
		t.Error(err)
	}
	if a, err := m.Adapter("second"); err != nil || a != first {
		t.Errorf("added: got %v, %v", a, err)
	}
	m.Delete("second")
	if _, err := m.Load("x", "testdata/none"); !errors.Is(err, fs.ErrNotExist) || !slices.Equal(m.Names(), []string{"first"}) {
		t.Errorf("a folder that is not there: got %v, names %q", err, m.Names())
	}
}
