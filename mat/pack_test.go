package mat

import "testing"

// TestPackT compares what is packed transposed with the transpose packed as it is, in every type.
func TestPackT(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for _, s := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {7, 5}, {33, 40}, {65, 513}, {200, 1030}} {
			testPackT[float32](t, e, s[0], s[1])
			testPackT[BFloat16](t, e, s[0], s[1])
			testPackT[Float16](t, e, s[0], s[1])
		}
	})
}

func testPackT[T Element](t *testing.T, e *Engine, n, k int) {
	stride := k + 2
	w, wT := make([]T, n*stride), make([]T, k*n)
	for i := range n {
		for j := range k {
			w[i*stride+j] = T(i*31 + j)
			wT[j*n+i] = w[i*stride+j]
		}
	}
	if !PackT(e, w, n, k, stride).Equal(Pack(e, wT, k, n, n)) {
		t.Errorf("%T of %d×%d: PackT gives something else than Pack of the transpose", *new(T), n, k)
	}
}
