package mat

import (
	"slices"
	"testing"
)

func TestUnpackT(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for _, s := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {7, 5}, {33, 40}, {65, 513}, {200, 1030}} {
			testUnpackT[float32](t, e, s[0], s[1])
			testUnpackT[BFloat16](t, e, s[0], s[1])
			testUnpackT[Float16](t, e, s[0], s[1])
		}
		p := PackT(e, []BFloat16{1, 2}, 2, 1, 1)
		if _, ok := UnpackT[float32](p); ok {
			t.Error("bfloat16 unpacked as float32")
		}
		if _, ok := UnpackT[Float16](p); ok {
			t.Error("bfloat16 unpacked as float16")
		}
	})
}

func testUnpackT[T Element](t *testing.T, e *Engine, n, k int) {
	w := make([]T, n*k)
	for i := range w {
		w[i] = T(i)
	}
	if got, ok := UnpackT[T](PackT(e, w, n, k, k)); !ok || !slices.Equal(got, w) {
		t.Errorf("%T of %d×%d: UnpackT gives something else than was packed", *new(T), n, k)
	}
}
