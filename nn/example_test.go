package nn_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"math"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// newPass returns a pass of n sequences without adapters, and its engine.
func newPass(n int) (*nn.Pass, *mat.Engine) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	p := nn.NewPass(e)
	if err := p.Reset(make([][]*nn.Delta, n)); err != nil {
		log.Fatal(err)
	}
	return p, e
}

// Two sequences of one batch, the second with a low-rank product on top of the layer that both use.
func Example() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 0, 0, 1}}, 2, 2)
	added := &nn.Delta{LowRank: map[*nn.Linear]nn.LowRank{linear: {
		A: mat.Pack(e, []float32{1, 1}, 2, 1, 1),   // 2 × 1
		B: mat.Pack(e, []float32{10, 20}, 1, 2, 2), // 1 × 2
	}}}

	p := nn.NewPass(e)
	if err := p.Reset([][]*nn.Delta{nil, {added}}); err != nil {
		log.Fatal(err)
	}
	lengths := []int{1, 2}
	rows := nn.RaggedOf(len(lengths), func(i int) int { return lengths[i] })
	x := autodiff.Constant(mat.View([]float32{1, 2, 1, 2, 3, 4}, rows.Rows(), 2))
	y := linear.Forward(p, rows, x)
	for i := range rows.Sequences() {
		for r := rows[i]; r < rows[i+1]; r++ {
			fmt.Println(i, y.Row(r))
		}
	}
	// Output:
	// 0 [1 2]
	// 1 [31 62]
	// 1 [73 144]
}

func ExampleForwardEach() {
	p, e := newPass(1)
	defer e.Close()
	sum := nn.NewLinear(e, nn.Weights{F32: []float32{1, 1}}, 1, 2)
	swap := nn.NewLinear(e, nn.Weights{F32: []float32{0, 1, 1, 0}}, 2, 2)
	var y [2]autodiff.Value
	nn.ForwardEach(p, nn.Ragged{0, 1}, autodiff.Constant(mat.View([]float32{3, 4}, 1, 2)), y[:], sum, swap)
	fmt.Println(y[0].Row(0), y[1].Row(0))
	// Output: [7] [4 3]
}

func ExampleLinear_ForwardAdd() {
	p, e := newPass(1)
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 2, 3, 4}}, 2, 2)
	residual := autodiff.Constant(mat.View([]float32{100, 200}, 1, 2))
	linear.ForwardAdd(p, nn.Ragged{0, 1}, residual, autodiff.Constant(mat.View([]float32{1, 1}, 1, 2)))
	fmt.Println(residual.Row(0))
	// Output: [103 207]
}

func ExampleLinear_With() {
	_, e := newPass(0)
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 2, 3, 4}}, 2, 2)
	copied := linear.With(e, map[string]nn.Weights{"weight": {F32: []float32{5, 6, 7, 8}}})

	// A sequence that asks for this delta uses the copy in the layer's place.
	p := nn.NewPass(e)
	if err := p.Reset([][]*nn.Delta{nil, {{Replaced: map[nn.Layer]nn.Layer{linear: copied}}}}); err != nil {
		log.Fatal(err)
	}
	y := linear.Forward(p, nn.Ragged{0, 1, 2}, autodiff.Constant(mat.View([]float32{1, 0, 1, 0}, 2, 2)))
	fmt.Println(y.Row(0), y.Row(1))
	// Output: [1 3] [5 7]
}

// Weights of a file in bfloat16 take half of the memory, or less where they can be held in fewer bits.
func ExampleLinear_Bytes() {
	_, e := newPass(0)
	defer e.Close()
	const out, in = 256, 256
	wide := nn.NewLinear(e, nn.Weights{F32: make([]float32, out*in)}, out, in)
	half := nn.NewLinear(e, nn.Weights{BF16: make([]mat.BFloat16, out*in)}, out, in)
	fmt.Println(wide.Bytes() <= 4*out*in, half.Bytes() <= 2*out*in)
	// Output: true true
}

func ExampleEmbedding_Forward() {
	p, e := newPass(1)
	defer e.Close()
	table := nn.NewEmbedding(nn.Weights{F32: []float32{0, 1, 10, 11, 20, 21}}, 3, 2)
	x := table.Forward(p, nn.Ragged{0, 2}, []int{2, 0})
	fmt.Println(x.Row(0), x.Row(1))
	// Output: [20 21] [0 1]
}

func ExampleRMSNorm_Forward() {
	p, e := newPass(1)
	defer e.Close()
	norm := nn.NewRMSNorm([]float32{1, 10}, 1e-6)
	y := norm.Forward(p, nn.Ragged{0, 1}, autodiff.Constant(mat.View([]float32{3, 3}, 1, 2)))
	fmt.Printf("%.3f\n", y.Row(0))
	// Output: [1.000 10.000]
}

// A head of T5's decoder: the nearer of two equal keys has the larger bias.
func ExampleAttention_Forward() {
	p, e := newPass(1)
	defer e.Close()
	rows := nn.Ragged{0, 2}
	bias := nn.NewRelativeBias([]float32{float32(math.Log(3)), 0}, 2, 1, 128, false).Forward(p, rows)
	q, k := autodiff.Constant(mat.New(2, 1)), autodiff.Constant(mat.New(2, 1))
	v := autodiff.Constant(mat.View([]float32{0, 1}, 2, 1))
	y := nn.Attention{Heads: 1, HeadSize: 1, Causal: true}.Forward(p, rows, rows, q, k, v, bias)
	fmt.Printf("%.2f %.2f\n", y.Row(0), y.Row(1))
	// Output: [0.00] [0.75]
}

// A query at position 1 over two cached positions, whose keys are equal.
func ExampleAttention_ForwardCached() {
	p, e := newPass(1)
	defer e.Close()
	cache := e.NewCache(1, 1)
	cache.Append(mat.New(2, 1), mat.View([]float32{0, 1}, 2, 1))
	a := nn.Attention{Heads: 1, HeadSize: 1, Causal: true}
	y := a.ForwardCached(p, nn.Ragged{0, 1}, []int{1}, mat.New(1, 1), []*mat.Cache{cache}, nn.Bias{})
	fmt.Println(y.Row(0))
	// Output: [0.5]
}

// The token at position 2 sees itself and two cached ones.
func ExampleAttention_ForwardAppend() {
	p, e := newPass(1)
	defer e.Close()
	cache := e.NewCache(1, 1)
	cache.Append(mat.New(2, 1), mat.View([]float32{0, 1}, 2, 1))
	a := nn.Attention{Heads: 1, HeadSize: 1, Causal: true}
	k, v := mat.New(1, 1), mat.View([]float32{8}, 1, 1)
	y := a.ForwardAppend(p, nn.Ragged{0, 1}, []int{2}, mat.New(1, 1), k, v, []*mat.Cache{cache}, nn.Bias{})
	fmt.Println(y.Row(0))
	// Output: [3]
}

func ExampleRelativeBias_Forward() {
	p, e := newPass(1)
	defer e.Close()
	// Four buckets: the query itself, a key or more before it, (the query again,) a key or more after it.
	bias := nn.NewRelativeBias([]float32{0, 1, 2, 3}, 4, 1, 128, true)
	fmt.Println(bias.Forward(p, nn.Ragged{0, 3}).Vectors[0].Row(0))
	// Output: [1 1 0 3 3]
}

func ExampleCrossEntropy() {
	_, e := newPass(0)
	defer e.Close()
	logits := mat.View([]float32{0, 0, 5, -5}, 2, 2)
	loss, err := nn.CrossEntropy(e, logits, []int{1, nn.IgnoreIndex})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", loss)
	_, err = nn.CrossEntropy(e, logits, []int{1, 2})
	fmt.Println(err)
	// Output:
	// 0.6931
	// nn: label 1: got 2, want 0 ≤ label < 2 or -100
}

// Two adapters that bring a copy of the same layer cannot be used by the same sequence.
func ExampleCheckDeltas() {
	norm := nn.NewRMSNorm([]float32{1}, 1e-6)
	delta := func() *nn.Delta {
		return &nn.Delta{Replaced: map[nn.Layer]nn.Layer{norm: nn.NewRMSNorm([]float32{2}, 1e-6)}}
	}
	one, other := delta(), delta()
	fmt.Println(nn.CheckDeltas([]*nn.Delta{one}))
	fmt.Println(nn.CheckDeltas([]*nn.Delta{one, other}))
	// Output:
	// <nil>
	// nn: two of its adapters have a copy of the same module (modules_to_save); only one of them can be used
}

func ExamplePass_Release() {
	p, e := newPass(0)
	defer e.Close()
	mark := p.Mark()
	first := &p.Matrix(8, 8).Data[0]
	p.Release(mark)
	fmt.Println(&p.Matrix(4, 4).Data[0] == first)
	// Output: true
}

func ExampleRaggedOf() {
	sequences := [][]int{{7, 8, 9}, {}, {5, 6}}
	rows := nn.RaggedOf(len(sequences), func(i int) int { return len(sequences[i]) })
	fmt.Println(rows, rows.Sequences(), rows.Rows(), rows.Len(2), rows.Longest())
	// Output: [0 3 3 5] 3 5 2 3
}

func ExampleWeightsOf() {
	t := safetensors.Tensor{
		Info: safetensors.Info{Name: "q.weight", DType: safetensors.BF16, Shape: []int{2}, Size: 4},
		Data: binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, 0x3f80), 0xc000),
	}
	w, err := nn.WeightsOf(t)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Len(), w.BF16 != nil, w.Float32s())
	// Output: 2 true [1 -2]
}

func ExampleWeights_Tensor() {
	t := nn.Weights{F32: []float32{1, 2}}.Tensor("norm.weight", []int{2})
	fmt.Println(t.Name, t.DType, t.Shape, t.Size)
	// Output: norm.weight F32 [2] 8
}

func ExampleLinear_Values() {
	_, e := newPass(0)
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 2, 3, 4}}, 2, 2).WithBias([]float32{5, 6})
	for _, p := range linear.Params() {
		fmt.Println(p.Name, p.Shape, linear.Values()[p.Name].F32)
	}
	// Output:
	// weight [2 2] [1 2 3 4]
	// bias [2] [5 6]
}
