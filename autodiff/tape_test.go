package autodiff

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// A network uses every operation: an embedding, two blocks with attention and a gated feed-forward layer, and logits.
type network struct {
	table, position, norm, up, bias, gate, relative *Param
	out, down                                       mat.Matrix // frozen
	again                                           bool       // the blocks are computed again

	vector []mat.Matrix
}

const (
	networkWidth = 24
	networkInner = 530 // more than a chain of a product-sum
)

var (
	networkRows   = []int{0, 44, 45, 70}
	networkTokens = make([]int, 70)
	networkLabels = make([]int, 70)
)

func init() {
	for i := range networkTokens {
		networkTokens[i], networkLabels[i] = i*i%19, i*7%19
	}
	networkLabels[5], networkLabels[69] = -100, -100
}

func newNetwork() *network {
	rnd := rand.New(rand.NewPCG(8, 9))
	return &network{
		table: param(rnd, 19, networkWidth), position: param(rnd, 70, networkWidth), norm: param(rnd, 1, networkWidth),
		up: param(rnd, networkInner, networkWidth), bias: param(rnd, 1, networkInner), gate: param(rnd, networkWidth, networkInner),
		relative: param(rnd, 3, 2*44-1), out: random(rnd, networkWidth, networkWidth), down: random(rnd, networkInner, networkWidth),
	}
}

func (n *network) params() []*Param {
	return []*Param{n.table, n.position, n.norm, n.up, n.bias, n.gate, n.relative}
}

// step returns the loss of a step on t, whose gradients it adds.
func (n *network) step(t *Tape, out, down *mat.Packed) float32 {
	t.Reset()
	table := t.Param(n.table)
	x := t.Plus(t.Gather(table, networkTokens, 4), t.Param(n.position))
	bias := t.Param(n.relative)
	n.vector = append(n.vector[:0], bias.Matrix, bias.Matrix, bias.Matrix)
	for range 2 {
		b := networkBlock{n, t.Param(n.norm), bias, out, down}
		if n.again {
			x = Recompute(t, b, x)
		} else {
			x = b.Forward(t, x)
		}
	}
	// The head is the embedding.
	loss, err := t.CrossEntropy(t.MulT(t.Scale(x, 0.1), table), networkLabels, -100, 0)
	if err != nil {
		panic(err)
	}
	small := t.Scale(t.Total(t.Softmax(t.Times(x, x))), 0.01)
	loss = t.Plus(loss, small)
	t.Backward(loss, 0.5)
	return loss.Data[0]
}

// A networkBlock is a block of the network.
type networkBlock struct {
	network    *network
	norm, bias Value // made outside the block
	out, down  *mat.Packed
}

func (b *networkBlock) Forward(t *Tape, x Value) Value {
	n := b.network
	q := t.RMSNorm(x, b.norm, 1e-6)
	a := t.Attention(q, q, x, b.bias, mat.Attention{Heads: 3, HeadSize: 8, Queries: networkRows, Keys: networkRows, Causal: true, Bias: n.vector})
	x = t.PlusMulPacked(x, a, b.out)
	h := t.RMSNorm(x, b.norm, 1e-6)
	up := t.Apply(SiLU, t.PlusRow(t.MulT(h, t.Param(n.up)), t.Param(n.bias)))
	gate := t.Apply(GELUTanh, t.Mul(h, t.Param(n.gate)))
	return t.Scale(t.PlusMulPacked(x, t.Times(up, gate), b.down), 0.01)
}

func (n *network) pack(e *mat.Engine) (out, down *mat.Packed) {
	return mat.Pack(e, n.out.Data, n.out.Rows, n.out.Cols, n.out.Stride), mat.Pack(e, n.down.Data, n.down.Rows, n.down.Cols, n.down.Stride)
}

// TestSameBits trains the network for two steps on every level, with one and two threads, with all values kept and with blocks computed
// again.
func TestSameBits(t *testing.T) {
	var want []float32
	engines(t, func(t *testing.T, e *mat.Engine) {
		for _, again := range []bool{false, true} {
			n := newNetwork()
			n.again = again
			out, down := n.pack(e)
			tape := NewTape(e)
			soil(tape)
			got := []float32{n.step(tape, out, down), n.step(tape, out, down)}
			for _, p := range n.params() {
				if !slices.ContainsFunc(p.Grad.Data, func(g float32) bool { return g != 0 }) {
					t.Errorf("%s: no gradient", p.Name)
				}
				got = append(got, p.Grad.Data...)
			}
			if slices.ContainsFunc(got, func(g float32) bool { return g-g != 0 }) {
				t.Error("not finite")
			}
			if want == nil {
				want = got
			}
			if !equalBits(got, want) {
				t.Errorf("computed again %t: the bits differ from those of the first engine", again)
			}
		}
	})
}

// TestGradientsAccumulate checks that steps add to the gradients, with the gradient's scale, and that ZeroGrad ends it.
func TestGradientsAccumulate(t *testing.T) {
	e := engine(t)
	w := NewParam("w", []int{2}, []float32{3, 5})
	tape := NewTape(e)
	step := func(scale float32) {
		tape.Reset()
		x := tape.Param(w)
		tape.Backward(tape.Total(tape.Times(x, x)), scale)
	}
	step(1)
	step(0.5)
	if got, want := w.Grad.Data, []float32{9, 15}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	w.ZeroGrad()
	step(-1)
	if got, want := w.Grad.Data, []float32{-6, -10}; !slices.Equal(got, want) {
		t.Errorf("after ZeroGrad: got %v, want %v", got, want)
	}
}

// TestReshapeOfARow checks that a row of a wider matrix, which has its elements next to each other, can be reshaped.
func TestReshapeOfARow(t *testing.T) {
	m := mat.View([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 4)
	x := NewTape(engine(t)).Reshape(Constant(m.Range(1, 2, 1, 4)), 3, 1)
	if x.Rows != 3 || x.Cols != 1 || !slices.Equal(x.Data, []float32{6, 7, 8}) {
		t.Errorf("got %v of %s, want 6, 7 and 8 of 3×1", x.Data, x.Shape())
	}
}

// TestHandOfAParameter checks that a parameter keeps the memory of its gradient.
func TestHandOfAParameter(t *testing.T) {
	w := NewParam("w", []int{2}, []float32{3, 5})
	copy(w.Grad.Data, []float32{1, 2})
	tape := NewTape(engine(t))
	x := tape.New(2, 1, true)
	tape.Hand(tape.Param(w), x)
	g, ok := tape.Grad(x)
	if !ok || !slices.Equal(g.Data, []float32{1, 2}) || &g.Data[0] == &w.Grad.Data[0] {
		t.Errorf("got %v, want a copy of the gradient", g)
	}
}

// TestBackwardOfAParameter checks a loss that is a parameter itself.
func TestBackwardOfAParameter(t *testing.T) {
	w := NewParam("w", nil, []float32{3})
	w.Grad.Data[0] = 1
	tape := NewTape(engine(t))
	tape.Backward(tape.Param(w), 0.25)
	if got := w.Grad.Data[0]; got != 1.25 {
		t.Errorf("got %v, want 1.25", got)
	}
}

// TestGatherPadding checks that the row of padding gets no gradient.
func TestGatherPadding(t *testing.T) {
	table := NewParam("table", []int{3, 1}, []float32{1, 2, 3})
	tape := NewTape(engine(t))
	tape.Backward(tape.Total(tape.Gather(tape.Param(table), []int{1, 2, 1, 0, 2, 1}, 2)), 1)
	if got, want := table.Grad.Data, []float32{1, 3, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestNothingToTrain checks that a batch without labels that count, and one without rows, train nothing.
func TestNothingToTrain(t *testing.T) {
	w := NewParam("w", []int{2, 2}, []float32{1, 2, 3, 4})
	for _, labels := range [][]int{{-100, -100}, {}} {
		tape := NewTape(engine(t))
		x := Constant(mat.New(len(labels), 2))
		loss, err := tape.CrossEntropy(tape.Mul(x, tape.Param(w)), labels, -100, 0)
		if err != nil {
			t.Fatal(err)
		}
		if v := loss.Data[0]; v == v {
			t.Errorf("%d rows: got a loss of %v, want NaN", len(labels), v)
		}
		tape.Backward(loss, 1)
		if !slices.Equal(w.Grad.Data, make([]float32, 4)) {
			t.Errorf("%d rows: got gradients %v, want zeros", len(labels), w.Grad.Data)
		}
	}
}
