package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/polytropon/polytropon/mat/asm"
)

type attentionCase struct {
	heads, size   int
	causal, bias  bool
	queries, keys []int // lengths; keys nil: the same
	kvHeads       int
	window        int
	scale         float32
	offsets       []int
}

var attentionCases = []attentionCase{
	{1, 1, false, false, []int{1}, nil, 0, 0, 0, nil},
	{3, 1, true, true, []int{4, 0, 9}, nil, 0, 0, 0, nil},
	{2, 16, false, true, []int{1, 2, 13, 14, 15, 0, 28, 29}, nil, 0, 0, 0, nil},
	{2, 16, true, true, []int{41, 42, 43, 85}, nil, 0, 0, 0, nil},
	{2, 17, true, false, []int{31, 32, 33, 1}, nil, 0, 0, 0, nil},
	{2, 17, false, true, []int{5, 40, 0, 3}, []int{33, 7, 6, 0}, 0, 0, 0, nil},
	{1, 64, true, true, []int{9, 30, 88}, []int{30, 3, 87}, 0, 0, 0, nil},
	{2, 64, true, true, []int{100, 3}, nil, 0, 0, 0, nil},
	{1, 128, false, false, []int{15, 30}, nil, 0, 0, 0, nil},
	{1, 256, true, true, []int{18}, nil, 0, 0, 0, nil},
	{1, 8, false, true, []int{3}, []int{1030}, 0, 0, 0, nil},
	{1, 3, true, false, []int{520}, nil, 0, 0, 0, nil},
	{1, 513, false, true, []int{6}, nil, 0, 0, 0, nil},
	{1, 512, true, false, []int{7}, nil, 0, 0, 0, nil},
	{2, 8, false, false, []int{0, 0}, nil, 0, 0, 0, nil},
	{2, 8, true, true, []int{}, nil, 0, 0, 0, nil},
	{6, 16, true, false, []int{45, 1, 13}, nil, 2, 0, 0.25, nil},
	{4, 5, false, true, []int{4, 50}, []int{7, 33}, 1, 0, 0.3, nil},
	{5, 16, true, true, []int{43, 90}, nil, 0, 7, 0, nil},
	{4, 8, true, false, []int{1, 20, 60}, []int{30, 20, 70}, 2, 16, 0.7, []int{29, 0, 10}},
	{2, 8, true, true, []int{1, 3, 2, 0}, []int{12, 3, 40, 5}, 0, 0, 0, []int{11, 0, 30, 2}},
	{2, 8, true, false, []int{600}, []int{1100}, 1, 33, 0.7, []int{500}},
	{2, 8, true, true, []int{30}, []int{1070}, 0, 520, 0, []int{1040}},
}

func (c attentionCase) String() string {
	return fmt.Sprintf("%d×%d, causal %t, bias %t, %v %v, %d, window %d, scale %v, at %v", c.heads, c.size, c.causal, c.bias, c.queries, c.keys,
		c.kvHeads, c.window, c.scale, c.offsets)
}

// attentionOperands are what one case computes with and what comes out.
type attentionOperands struct {
	Attention
	q, k, v, dOut Matrix
	out           Matrix
	d             AttentionGradients
}

func offsets(lengths []int) []int {
	o := []int{0}
	for _, n := range lengths {
		o = append(o, o[len(o)-1]+n)
	}
	return o
}

func (c attentionCase) operands(seed uint64) *attentionOperands {
	if c.keys == nil {
		c.keys = c.queries
	}
	rnd := rand.New(rand.NewPCG(seed, 9))
	o := &attentionOperands{Attention: Attention{Heads: c.heads, HeadSize: c.size, Queries: offsets(c.queries), Keys: offsets(c.keys), Causal: c.causal,
		KVHeads: c.kvHeads, Window: c.window, Scale: c.scale, Offsets: c.offsets}}
	n := len(c.queries)
	rows, keys, width, narrow := o.Queries[n], o.Keys[n], c.heads*c.size, c.heads*c.size
	if c.kvHeads > 0 {
		narrow = c.kvHeads * c.size
	}
	o.q, o.k, o.v = random(rnd, rows, width, 3), random(rnd, keys, narrow, 0), random(rnd, keys, narrow, 1)
	for i := range o.q.Data {
		o.q.Data[i] /= float32(math.Sqrt(float64(c.size)))
	}
	o.dOut = random(rnd, rows, width, 2)
	o.out = random(rnd, rows, width, 1)
	o.d = AttentionGradients{Q: random(rnd, rows, width, 2), K: random(rnd, keys, narrow, 1), V: random(rnd, keys, narrow, 3)}
	if c.bias {
		for s := range n {
			longest := max(1, o.position(s, c.queries[s]), c.keys[s]) + s
			o.Bias = append(o.Bias, random(rnd, c.heads, 2*longest-1, 1))
			o.d.Bias = append(o.d.Bias, New(c.heads, 2*longest-1))
		}
	}
	return o
}

func (o *attentionOperands) position(s, i int) int {
	if o.Offsets != nil {
		i += o.Offsets[s]
	}
	return i
}

// sees returns which of n keys query i of a sequence sees.
func (o *attentionOperands) sees(s, i, n int) (from, to int) {
	if !o.Causal {
		return 0, n
	}
	to = min(o.position(s, i)+1, n)
	if o.Window > 0 {
		from = max(0, o.position(s, i)-o.Window+1)
	}
	return from, to
}

// group is how many heads use one head of the keys.
func (o *attentionOperands) group() int {
	if o.KVHeads == 0 {
		return 1
	}
	return o.Heads / o.KVHeads
}

func (o *attentionOperands) run(e *Engine) {
	e.Attention(o.out, o.q, o.k, o.v, o.Attention)
	e.AttentionBackward(o.d, o.dOut, o.out, o.q, o.k, o.v, o.Attention)
}

// results returns what run wrote.
func (o *attentionOperands) results() []Matrix {
	return append([]Matrix{o.out, o.d.Q, o.d.K, o.d.V}, o.d.Bias...)
}

// heads calls f for each head of each sequence.
func (o *attentionOperands) heads(f func(s, h int, queries, keys func(Matrix) Matrix)) {
	for s := range len(o.Queries) - 1 {
		for h := range o.Heads {
			view := func(rows []int, h int) func(Matrix) Matrix {
				return func(m Matrix) Matrix { return m.Range(rows[s], rows[s+1], h*o.HeadSize, (h+1)*o.HeadSize) }
			}
			f(s, h, view(o.Queries, h), view(o.Keys, h/o.group()))
		}
	}
}

func transposed(m Matrix) Matrix {
	t := New(m.Cols, m.Rows)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			t.Row(j)[i] = v
		}
	}
	return t
}

// define computes the case from the definitions in the comments of Attention and AttentionBackward.
func (o *attentionOperands) define() {
	elem := &asm.Find("generic").Elem
	o.heads(func(s, h int, queries, keys func(Matrix) Matrix) {
		q, k, v, out, dOut := queries(o.q), keys(o.k), keys(o.v), queries(o.out), queries(o.dOut)
		dq, dk, dv := queries(o.d.Q), keys(o.d.K), keys(o.d.V)
		clearRows(out)
		clearRows(dq)
		if h%o.group() == 0 {
			clearRows(dk)
			clearRows(dv)
		}
		if q.Rows == 0 || k.Rows == 0 {
			return
		}
		w, g, ds := New(q.Rows, k.Rows), New(q.Rows, q.Cols), New(q.Rows, k.Rows)
		scaled := New(q.Rows, q.Cols)
		scale := o.Scale
		if scale == 0 {
			scale = 1
		}
		for i := range q.Rows {
			elem.Scale(scaled.Row(i), q.Row(i), scale)
		}
		oracle(w, scaled, transposed(k), false)
		for i := range q.Rows {
			row := w.Row(i)
			from, to := o.sees(s, i, k.Rows)
			clear(row[:from])
			clear(row[to:])
			row = row[from:to]
			if o.Bias != nil {
				b := o.Bias[s].Row(h)
				for j := range row {
					row[j] += b[len(b)/2-o.position(s, i)+from+j]
				}
			}
			inverse := 0x1p64 / elem.ExpSum(row, row, elem.Max(row)) // of terms that are multiplied by 2⁶⁴
			elem.Scale(row, row, 0x1p-64)
			oracle(out.RowRange(i, i+1), w.Range(i, i+1, 0, to), v.RowRange(0, to), true)
			elem.Scale(out.Row(i), out.Row(i), inverse)
			elem.Scale(g.Row(i), dOut.Row(i), inverse)
			minus := -elem.Dot(g.Row(i), out.Row(i))
			for j := range row {
				var sum, chain float32
				for l, x := range g.Row(i) {
					if l == kBlock {
						sum, chain = chain, 0
					}
					chain = asm.FMA(x, v.Row(from + j)[l], chain)
				}
				if q.Cols == kBlock {
					sum, chain = chain, 0
				}
				sum += asm.FMA(minus, 1, chain)
				if ds.Row(i)[from+j] = row[j] * sum; len(row) == 1 {
					ds.Row(i)[from+j] = 0
				}
			}
			if o.d.Bias != nil {
				b := o.d.Bias[s].Row(h)
				for j := range row {
					b[len(b)/2-o.position(s, i)+from+j] += ds.Row(i)[from+j]
				}
			}
		}
		oracle(dq, ds, k, true)
		for i := range dq.Rows {
			elem.Scale(dq.Row(i), dq.Row(i), scale)
		}
		for b := 0; b < q.Rows; b += 42 {
			to := min(b+42, q.Rows)
			oracle(dk, transposed(ds.RowRange(b, to)), scaled.RowRange(b, to), true)
			oracle(dv, transposed(w.RowRange(b, to)), g.RowRange(b, to), true)
		}
	})
}

func TestAttentionIsAsDefined(t *testing.T) {
	var want []*attentionOperands
	for i, c := range attentionCases {
		o := c.operands(uint64(i))
		o.define()
		want = append(want, o)
	}
	engines(t, func(t *testing.T, e *Engine) {
		for i, c := range attentionCases {
			o := c.operands(uint64(i))
			o.run(e)
			for r, got := range o.results() {
				if d := diff(got, want[i].results()[r]); d != "" {
					t.Errorf("%s, result %d: %s", c, r, d)
				}
			}
		}
	})
}

// TestAttentionOfPieces has sequences that are cut into pieces on several threads.
func TestAttentionOfPieces(t *testing.T) {
	c := attentionCase{heads: 1, size: 16, causal: true, bias: true, queries: []int{300, 20}}
	want := c.operands(1)
	want.define()
	e, err := NewEngine(Options{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	o := c.operands(1)
	o.run(e)
	for r, got := range o.results() {
		if d := diff(got, want.results()[r]); d != "" {
			t.Errorf("result %d: %s", r, d)
		}
	}
}

// reference holds the results of one head of a sequence in float64.
type reference struct{ out, dq, dk, dv, dBias [][]float64 }

func widened(m Matrix) [][]float64 {
	w := make([][]float64, m.Rows)
	for i := range w {
		w[i] = make([]float64, m.Cols)
		for j, v := range m.Row(i) {
			w[i][j] = float64(v)
		}
	}
	return w
}

// refer computes attention and its gradients in float64 with the textbook's softmax; bias is nil or one row. Query i stands at the position
// offset+i and sees the keys that sees says.
func refer(q, k, v, dOut [][]float64, bias []float64, offset int, scale float64, sees func(i, n int) (from, to int)) reference {
	zeros := func(like [][]float64) [][]float64 {
		z := make([][]float64, len(like))
		for i := range z {
			z[i] = make([]float64, len(like[i]))
		}
		return z
	}
	r := reference{zeros(q), zeros(q), zeros(k), zeros(v), [][]float64{make([]float64, len(bias))}}
	for i := range q {
		from, to := sees(i, len(k))
		k, v, dk, dv := k[from:to], v[from:to], r.dk[from:to], r.dv[from:to]
		p, dp := make([]float64, to-from), make([]float64, to-from)
		var sum, mean float64
		for j := range p {
			for l := range q[i] {
				p[j] += scale * q[i][l] * k[j][l]
			}
			if bias != nil {
				p[j] += bias[len(bias)/2-offset-i+from+j]
			}
			p[j] = math.Exp(p[j])
			sum += p[j]
		}
		for j := range p {
			p[j] /= sum
			for l := range q[i] {
				r.out[i][l] += p[j] * v[j][l]
				dv[j][l] += p[j] * dOut[i][l]
				dp[j] += dOut[i][l] * v[j][l]
			}
			mean += p[j] * dp[j]
		}
		for j := range p {
			ds := p[j] * (dp[j] - mean)
			for l := range q[i] {
				r.dq[i][l] += scale * ds * k[j][l]
				dk[j][l] += scale * ds * q[i][l]
			}
			if bias != nil {
				r.dBias[0][len(bias)/2-offset-i+from+j] += ds
			}
		}
	}
	return r
}

func TestAttentionIsNearFloat64(t *testing.T) {
	e, err := NewEngine(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	near := func(t *testing.T, name string, got Matrix, want [][]float64) {
		t.Helper()
		scale := 1.0
		for _, row := range want {
			for _, v := range row {
				scale = max(scale, math.Abs(v))
			}
		}
		for i := range want {
			for j, v := range want[i] {
				if !(math.Abs(float64(got.Row(i)[j])-v) <= 4e-6*scale) {
					t.Fatalf("%s [%d, %d]: got %v, want %v ± %.1e", name, i, j, got.Row(i)[j], v, 4e-6*scale)
				}
			}
		}
	}
	for i, c := range attentionCases {
		t.Run(c.String(), func(t *testing.T) {
			o := c.operands(uint64(i))
			o.run(e)
			var dk, dv [][]float64 // of the heads so far that use the same keys
			o.heads(func(s, h int, queries, keys func(Matrix) Matrix) {
				var bias []float64
				if c.bias {
					bias = widened(o.Bias[s].RowRange(h, h+1))[0]
				}
				scale := 1.0
				if c.scale != 0 {
					scale = float64(c.scale)
				}
				r := refer(widened(queries(o.q)), widened(keys(o.k)), widened(keys(o.v)), widened(queries(o.dOut)), bias, o.position(s, 0), scale,
					func(i, n int) (from, to int) { return o.sees(s, i, n) })
				near(t, "out", queries(o.out), r.out)
				near(t, "dQ", queries(o.d.Q), r.dq)
				if h%o.group() == 0 {
					dk, dv = widened(New(len(r.dk), c.size)), widened(New(len(r.dk), c.size))
				}
				for j := range dk {
					for l := range dk[j] {
						dk[j][l] += r.dk[j][l]
						dv[j][l] += r.dv[j][l]
					}
				}
				if (h+1)%o.group() == 0 {
					near(t, "dK", keys(o.d.K), dk)
					near(t, "dV", keys(o.d.V), dv)
				}
				if c.bias {
					near(t, "dBias", o.d.Bias[s].RowRange(h, h+1), r.dBias)
				}
			})
		})
	}
}

// TestAttentionReference compares the reference's gradients with central differences.
func TestAttentionReference(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const n, d, step = 5, 3, 1e-5
	q, k, v, dOut := widened(random(rnd, n, d, 0)), widened(random(rnd, n, d, 0)), widened(random(rnd, n, d, 0)), widened(random(rnd, n, d, 0))
	bias := widened(random(rnd, 1, 2*n-1, 0))
	for _, causal := range []bool{false, true} {
		sees := func(i, n int) (from, to int) {
			if causal {
				return max(0, i-2), i + 1
			}
			return 0, n
		}
		loss := func() (sum float64) {
			out := refer(q, k, v, dOut, bias[0], 0, 0.7, sees).out
			for i := range out {
				for j := range out[i] {
					sum += out[i][j] * dOut[i][j]
				}
			}
			return sum
		}
		r := refer(q, k, v, dOut, bias[0], 0, 0.7, sees)
		for _, g := range []struct {
			name        string
			x, gradient [][]float64
		}{{"dQ", q, r.dq}, {"dK", k, r.dk}, {"dV", v, r.dv}, {"dBias", bias, r.dBias}} {
			for i := range g.x {
				for j, x := range g.x[i] {
					g.x[i][j] = x + step
					up := loss()
					g.x[i][j] = x - step
					want := (up - loss()) / (2 * step)
					g.x[i][j] = x
					if math.Abs(g.gradient[i][j]-want) > 1e-8 {
						t.Errorf("causal %t, %s [%d, %d]: got %v, want %v", causal, g.name, i, j, g.gradient[i][j], want)
					}
				}
			}
		}
	}
}

// TestAttentionGradientsAloneAsInABatch also checks that the gradient of a bias is added to what is there.
func TestAttentionGradientsAloneAsInABatch(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for i, c := range attentionCases[:8] {
			o := c.operands(uint64(i))
			o.run(e)
			for s := range len(o.Queries) - 1 {
				q := func(m Matrix) Matrix { return m.RowRange(o.Queries[s], o.Queries[s+1]) }
				k := func(m Matrix) Matrix { return m.RowRange(o.Keys[s], o.Keys[s+1]) }
				alone := c
				alone.queries, alone.keys = []int{o.Queries[s+1] - o.Queries[s]}, []int{o.Keys[s+1] - o.Keys[s]}
				one := alone.operands(0)
				one.q, one.k, one.v, one.dOut = q(o.q), k(o.k), k(o.v), q(o.dOut)
				if c.bias {
					one.Bias = o.Bias[s : s+1]
					one.d.Bias[0] = New(c.heads, o.Bias[s].Cols)
				}
				one.run(e)
				want := []Matrix{q(o.out), q(o.d.Q), k(o.d.K), k(o.d.V)}
				if c.bias {
					want = append(want, o.d.Bias[s])
				}
				for r, got := range one.results() {
					for i := range got.Rows {
						for j, v := range got.Row(i) {
							if !same(v, want[r].Row(i)[j]) {
								t.Fatalf("%s, sequence %d, result %d [%d, %d]: %x alone, %x in the batch", c, s, r, i, j, v, want[r].Row(i)[j])
							}
						}
					}
				}
				if c.bias {
					before := clone(one.d.Bias[0])
					e.AttentionBackward(one.d, one.dOut, one.out, one.q, one.k, one.v, one.Attention)
					for i := range before.Rows {
						for j, v := range before.Row(i) {
							if got := one.d.Bias[0].Row(i)[j]; math.Abs(float64(got-2*v)) > 1e-4 {
								t.Fatalf("%s: bias gradient %v added twice is %v", c, v, got)
							}
						}
					}
				}
			}
		}
	})
}

// TestAttentionDoesNotSeeTheFuture has NaN, infinities and, where products before have rounded to -0, positive values in keys and values
// that queries do not see.
func TestAttentionDoesNotSeeTheFuture(t *testing.T) {
	const first = 30 // key that the queries before do not see
	c := attentionCase{heads: 1, size: 20, causal: true, queries: []int{50}}
	var cases []*attentionOperands
	for _, poison := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		o := c.operands(4)
		o.k.Row(first)[3], o.v.Row(first)[5] = poison, poison
		cases = append(cases, o)
	}
	o := c.operands(5)
	for i := range o.q.Data {
		o.q.Data[i] = 1
	}
	for i := range 50 {
		for j := range 20 {
			o.k.Row(i)[j], o.v.Row(i)[j] = 0, -1e-45
			if i == 0 {
				o.k.Row(i)[j], o.v.Row(i)[j] = 0.1, 0 // by far the largest weight
			} else if i >= first {
				o.v.Row(i)[j] = 1
			}
		}
	}
	cases = append(cases, o)
	engines(t, func(t *testing.T, e *Engine) {
		for i, o := range cases {
			e.Attention(o.out, o.q, o.k, o.v, o.Attention)
			for n := 1; n <= first; n++ {
				short := o.Attention
				short.Queries, short.Keys = []int{0, n}, []int{0, n}
				out := New(n, 20)
				e.Attention(out, o.q.RowRange(0, n), o.k.RowRange(0, n), o.v.RowRange(0, n), short)
				for r := range n {
					for j, v := range out.Row(r) {
						if got := o.out.Row(r)[j]; math.Float32bits(got) != math.Float32bits(v) {
							t.Fatalf("case %d, query %d, column %d: %x, but %x in a sequence of %d", i, r, j, got, v, n)
						}
					}
				}
			}
		}
	})
}

// TestAttentionGradientsOfWhatIsNotFinite checks that NaN reaches the same gradients on every engine.
func TestAttentionGradientsOfWhatIsNotFinite(t *testing.T) {
	var want []Matrix
	engines(t, func(t *testing.T, e *Engine) {
		o := attentionCase{heads: 2, size: 5, causal: true, bias: true, queries: []int{60, 7}}.operands(6)
		o.k.Row(30)[3], o.dOut.Row(35)[1] = float32(math.NaN()), float32(math.Inf(1))
		o.run(e)
		if want == nil {
			want = o.results()
		}
		for r, got := range o.results() {
			if d := diff(got, want[r]); d != "" {
				t.Errorf("result %d: %s", r, d)
			}
			for _, v := range got.RowRange(max(0, got.Rows-7), got.Rows).ColRange(5, got.Cols).Data {
				if r < 4 && v != v {
					t.Fatalf("result %d: NaN has reached another sequence", r)
				}
			}
		}
	})
}

func TestAttentionOfScoresThatAreNotFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	engines(t, func(t *testing.T, e *Engine) {
		for _, c := range []struct {
			bias []float32 // of the only query's three keys, of values 1, 2 and 3
			want float32
		}{
			{[]float32{-inf, 0, -inf}, 2},
			{[]float32{0, -inf, 0}, 2},
			{[]float32{-inf, -inf, -inf}, nan},
			{[]float32{inf, 0, 0}, nan},
			{[]float32{0, nan, 0}, nan},
		} {
			q, k, v, out := New(1, 1), New(3, 1), New(3, 1), New(1, 1)
			copy(v.Data, []float32{1, 2, 3})
			e.Attention(out, q, k, v, Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 1}, Keys: []int{0, 3},
				Bias: []Matrix{View(append([]float32{0, 0}, c.bias...), 1, 5)}})
			if !same(out.Data[0], c.want) {
				t.Errorf("bias %v: got %v, want %v", c.bias, out.Data[0], c.want)
			}
		}
	})
}

// TestAttentionOfExtremes has values and gradients that must not be multiplied by much on the way.
func TestAttentionOfExtremes(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		q, k, v, out, dOut := New(1, 1), New(2, 1), New(2, 1), New(1, 1), New(1, 1)
		v.Data[0], v.Data[1], dOut.Data[0] = 1e38, 1e38, 1e-35
		a := Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 1}, Keys: []int{0, 2}}
		e.Attention(out, q, k, v, a)
		d := AttentionGradients{Q: New(1, 1), K: New(2, 1), V: New(2, 1)}
		e.AttentionBackward(d, dOut, out, q, k, v, a)
		if out.Data[0] != 1e38 || d.V.Data[0] != 1e-35/2 || d.V.Data[1] != 1e-35/2 {
			t.Errorf("got %v, and %v back", out.Data, d.V.Data)
		}
	})
}

func TestAttentionAllocatesNothing(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		o := attentionCase{heads: 4, size: 8, causal: true, bias: true, queries: []int{130, 5}}.operands(1) // enough to be shared
		o.run(e)
		if n := testing.AllocsPerRun(5, func() { o.run(e); runtime.Gosched() }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

func TestAttentionRefuses(t *testing.T) {
	e, err := NewEngine(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, c := range []struct {
		name  string
		spoil func(o *attentionOperands)
	}{
		{"a result of another shape", func(o *attentionOperands) { o.out = New(4, 8) }},
		{"values of another shape", func(o *attentionOperands) { o.v = New(3, 8) }},
		{"keys of another number of sequences", func(o *attentionOperands) { o.Keys = []int{0, 1, 5} }},
		{"offsets of another number of sequences", func(o *attentionOperands) { o.Offsets = []int{0, 0} }},
		{"a negative offset", func(o *attentionOperands) { o.Offsets = []int{-1} }},
		{"heads that do not divide", func(o *attentionOperands) { o.Heads, o.HeadSize, o.KVHeads = 4, 2, 3 }},
		{"keys of all heads", func(o *attentionOperands) { o.KVHeads = 1 }},
		{"a window of what is not causal", func(o *attentionOperands) { o.Window = 3 }},
		{"a window beyond the keys", func(o *attentionOperands) { o.Window, o.Causal, o.Offsets = 3, true, []int{1} }},
		{"a bias that is too short for the offset", func(o *attentionOperands) { o.Offsets = []int{1} }},
		{"too short a bias", func(o *attentionOperands) { o.Bias[0] = New(2, 7) }},
		{"an even bias", func(o *attentionOperands) { o.Bias[0] = New(2, 10) }},
		{"a result over an operand", func(o *attentionOperands) { o.out = o.q }},
		{"a gradient of another shape", func(o *attentionOperands) { o.d.K = New(4, 8) }},
		{"a gradient over another", func(o *attentionOperands) { o.d.K = o.d.V }},
		{"a gradient over an operand", func(o *attentionOperands) { o.d.Q = o.dOut }},
		{"a bias's gradient of another shape", func(o *attentionOperands) { o.d.Bias[0] = New(2, 7) }},
		{"a bias's gradient too many", func(o *attentionOperands) { o.d.Bias = append(o.d.Bias, New(2, 9)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := attentionCase{heads: 2, size: 4, bias: true, queries: []int{5}}.operands(1)
			c.spoil(o)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			o.run(e)
		})
	}
}

// TestAttentionForwardRefuses has one thing wrong at a time, which nothing that is checked on the way back would find.
func TestAttentionForwardRefuses(t *testing.T) {
	e := newEngine(t, 1)
	for _, c := range []struct {
		name  string
		spoil func(o *attentionOperands)
	}{
		{"a result of more rows", func(o *attentionOperands) { o.out = New(6, 8) }},
		{"a result of more columns", func(o *attentionOperands) { o.out = New(5, 9) }},
		{"more queries", func(o *attentionOperands) { o.q, o.out = New(6, 8), New(6, 8) }},
		{"wider queries", func(o *attentionOperands) { o.q, o.out = New(5, 9), New(5, 9) }},
		{"more keys", func(o *attentionOperands) { o.k = New(6, 8) }},
		{"more values", func(o *attentionOperands) { o.v = New(6, 8) }},
		{"wider keys", func(o *attentionOperands) { o.k = New(5, 9) }},
		{"wider values", func(o *attentionOperands) { o.v = New(5, 9) }},
		{"heads that do not divide", func(o *attentionOperands) {
			o.Heads, o.HeadSize, o.KVHeads, o.k, o.v = 4, 2, 3, New(5, 6), New(5, 6)
		}},
		{"a negative window", func(o *attentionOperands) { o.Window = -1 }},
		{"a window beyond the keys", func(o *attentionOperands) { o.Window, o.Offsets = 3, []int{1} }},
		{"a negative offset", func(o *attentionOperands) { o.Offsets = []int{-1} }},
		{"a bias of more heads", func(o *attentionOperands) { o.Bias = []Matrix{New(3, 9)} }},
		{"an even bias", func(o *attentionOperands) { o.Bias = []Matrix{New(2, 10)} }},
	} {
		o := attentionCase{heads: 2, size: 4, causal: true, queries: []int{5}}.operands(1)
		e.Attention(o.out, o.q, o.k, o.v, o.Attention)
		c.spoil(o)
		mustPanic(t, c.name, func() { e.Attention(o.out, o.q, o.k, o.v, o.Attention) })
	}
}
