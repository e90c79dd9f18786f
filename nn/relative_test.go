package nn

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

// bucketCases hold the first distance of each bucket of one direction, by transformers' _relative_position_bucket in float32.
var bucketCases = []struct {
	bidirectional        bool
	buckets, maxDistance int
	starts               []int
}{
	{true, 32, 128, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91}},
	{false, 32, 128, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113}},
	{true, 32, 64, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 18, 23, 30, 39, 50}},
	{false, 32, 20, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 19, 20, 20, 20}},
	{true, 16, 20, []int{0, 1, 2, 3, 4, 6, 9, 14}},
	{false, 16, 32, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 23, 27}},
	{true, 4, 128, []int{0, 1}},
	{false, 4, 8, []int{0, 1, 2, 4}},
	{true, 8, 16, []int{0, 1, 2, 6}},
	{false, 8, 1000, []int{0, 1, 2, 3, 4, 16, 64, 252}},
	{true, 64, 256, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 23, 27, 32, 39, 46, 54, 64, 77, 91, 108, 128, 153, 182, 216}},
	{false, 64, 128, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
		32, 34, 35, 37, 39, 40, 42, 44, 46, 48, 50, 52, 54, 57, 59, 62, 64, 67, 70, 73, 77, 80, 83, 87, 91, 95, 99, 104, 108, 113, 118, 123}},
	{true, 10, 40, []int{0, 1, 2, 6, 15}},
	{false, 6, 12, []int{0, 1, 2, 3, 5, 8}},
	{false, 5, 16, []int{0, 1, 2, 4, 8}}, // 2·8^(j/3)
	{false, 20, 100, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 16, 20, 26, 32, 40, 51, 64, 80}},
	{true, 12, 100, []int{0, 1, 2, 3, 10, 32}},
	{false, 32, 4096, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 23, 32, 46, 64, 91, 128, 182, 256, 363, 512, 725, 1024, 1449, 2048, 2897}},
}

func TestRelativeBiasBucketsAreTransformers(t *testing.T) {
	p := pass(engine(t), 1)
	for _, c := range bucketCases {
		table := make([]float32, c.buckets) // of one head: the bias is the bucket's number
		for i := range table {
			table[i] = float32(i)
		}
		n := c.maxDistance + 50
		got := NewRelativeBias(table, c.buckets, 1, c.maxDistance, c.bidirectional).Forward(p, ragged(n)).Vectors[0].Row(0)
		if len(got) != 2*n-1 {
			t.Fatalf("%d biases, want %d", len(got), 2*n-1)
		}
		for offset := -(n - 1); offset < n; offset++ {
			d, want := max(-offset, 0), 0
			if c.bidirectional && offset > 0 {
				d, want = offset, c.buckets/2
			}
			for b, start := range c.starts {
				if start <= d && (b+1 == len(c.starts) || d < c.starts[b+1]) {
					want += b
				}
			}
			if int(got[n-1+offset]) != want {
				t.Errorf("bidirectional %t, %d buckets up to %d: offset %d has bucket %v, want %d", c.bidirectional, c.buckets, c.maxDistance, offset, got[n-1+offset], want)
			}
		}
	}
}

// TestBucketStartsAreLogarithmic checks the definition with fractions, also at distances that no model has.
func TestBucketStartsAreLogarithmic(t *testing.T) {
	for _, n := range []int{3, 5, 16, 31, 32, 33, 64, 200} {
		for _, m := range []int{n, n + 1, 777, 100_003, math.MaxInt32} {
			e := n / 2
			starts := bucketStarts(n, m)
			if !slices.IsSorted(starts) || starts[0] != 0 {
				t.Fatalf("%d buckets up to %d: %v", n, m, starts)
			}
			for b := e + 1; b < n; b++ {
				// The bucket begins at e·(m/e)^(j/w): the w-th power of its start is at least e^w·(m/e)^j, that of the distance before is not.
				w, j := n-e, b-e
				limit := power(ratio(m, e), j)
				if d := starts[b]; power(ratio(d, e), w).Cmp(limit) < 0 || power(ratio(d-1, e), w).Cmp(limit) >= 0 {
					t.Errorf("%d buckets up to %d: bucket %d begins at %d", n, m, b, d)
				}
			}
		}
	}
}

func ratio(a, b int) *big.Rat { return big.NewRat(int64(a), int64(b)) }

func power(x *big.Rat, n int) *big.Rat {
	y := big.NewRat(1, 1)
	for range n {
		y.Mul(y, x)
	}
	return y
}

func TestRelativeBiasOfEachSequence(t *testing.T) {
	e := engine(t)
	base := NewRelativeBias([]float32{0, 10, 1, 11, 2, 12, 3, 13}, 4, 2, 8, true)
	other := base.With(e, map[string]Weights{"weight": {F32: []float32{100, 110, 101, 111, 102, 112, 103, 113}}})
	replaced := &Delta{Replaced: map[Layer]Layer{base: other}}
	bias := base.Forward(passOf(e, [][]*Delta{nil, {replaced}, {replaced, {}}, nil}), ragged(1, 3, 2, 0)).Vectors
	for i, first := range []float32{0, 100, 100, 0} {
		if got := bias[i]; got.Rows != 2 || got.Cols != 5 || !slices.Equal(got.Row(0), []float32{first + 1, first + 1, first, first + 3, first + 3}) ||
			got.Row(1)[2] != first+10 {
			t.Errorf("sequence %d: %v", i, got)
		}
	}
	if &bias[1].Data[0] != &bias[2].Data[0] {
		t.Error("neighbours with the same table do not share its vectors")
	}
}
