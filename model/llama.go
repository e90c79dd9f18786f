package model

import (
	"context"
	"fmt"
	"math"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
)

// llama is a decoder of the Llama family (Touvron et al. 2023; modeling_llama.py, modeling_mistral.py, modeling_qwen2.py and
// modeling_qwen3.py of transformers).
type llama struct {
	llamaConfig
	tokens *nn.Embedding
	layers []llamaLayer
	norm   *nn.RMSNorm
	head   *nn.Linear
	rope   rope
}

type llamaLayer struct {
	attention llamaAttention
	feed      llamaFeed
}

type llamaAttention struct {
	norm         *nn.RMSNorm
	q, k, v, o   *nn.Linear
	qNorm, kNorm *nn.RMSNorm // of the heads; nil where there are none
	op           nn.Attention
}

type llamaFeed struct {
	norm           *nn.RMSNorm
	gate, up, down *nn.Linear
}

// load implements config.
func (c llamaConfig) load(l *loader) network {
	m := &llama{llamaConfig: c}
	const table, head = "model.embed_tokens.weight", "lm_head.weight"
	w := l.weights(table, c.Vocabulary, c.Dim)
	if l.err != nil {
		return m
	}
	m.tokens = nn.NewEmbedding(w, c.Vocabulary, c.Dim)
	m.tokens.Padding = c.Padding
	l.ignore("model.rotary_emb.inv_freq")
	for i := 0; i < c.Layers && l.err == nil; i++ {
		path := fmt.Sprintf("model.layers.%d", i)
		m.layers = append(m.layers, llamaLayer{newLlamaAttention(c, l, path, c.Windows[i]), newLlamaFeed(c, l, path)})
	}
	m.norm = l.norm("model.norm", c.Dim, c.Epsilon)
	if !c.Tied {
		m.head = l.linear("lm_head", c.Vocabulary, c.Dim)
	} else if l.same(head, table); l.err == nil {
		m.head = nn.NewLinear(l.engine, w, c.Vocabulary, c.Dim)
	}
	if l.err == nil { // the head size is that of tensors
		m.rope = newRope(c.Rope, c.HeadSize)
	}
	return m
}

func newLlamaAttention(c llamaConfig, l *loader, path string, window int) llamaAttention {
	p, queries, keys := path+".self_attn", c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	l.ignore(p + ".rotary_emb.inv_freq")
	a := llamaAttention{
		norm: l.norm(path+".input_layernorm", c.Dim, c.Epsilon),
		q:    l.linearWith(p+".q_proj", queries, c.Dim, c.InputBias),
		k:    l.linearWith(p+".k_proj", keys, c.Dim, c.InputBias),
		v:    l.linearWith(p+".v_proj", keys, c.Dim, c.InputBias),
		o:    l.linearWith(p+".o_proj", c.Dim, queries, c.OutputBias),
		op: nn.Attention{Heads: c.Heads, KVHeads: c.KVHeads, HeadSize: c.HeadSize, Causal: true, Window: window,
			Scale: float32(1 / math.Sqrt(float64(c.HeadSize)))},
	}
	if c.HeadNorms {
		a.qNorm = l.norm(p+".q_norm", c.HeadSize, c.Epsilon)
		a.kNorm = l.norm(p+".k_norm", c.HeadSize, c.Epsilon)
	}
	return a
}

func newLlamaFeed(c llamaConfig, l *loader, path string) llamaFeed {
	p := path + ".mlp"
	return llamaFeed{
		norm: l.norm(path+".post_attention_layernorm", c.Dim, c.Epsilon),
		gate: l.linearWith(p+".gate_proj", c.Inner, c.Dim, c.FeedBias),
		up:   l.linearWith(p+".up_proj", c.Inner, c.Dim, c.FeedBias),
		down: l.linearWith(p+".down_proj", c.Dim, c.Inner, c.FeedBias),
	}
}

// describe implements network.
func (m *llama) describe() Architecture {
	a := Architecture{
		Type: m.Type, Vocabulary: m.Vocabulary, Dim: m.Dim, Inner: m.Inner, Heads: m.Heads, KVHeads: m.KVHeads, HeadSize: m.HeadSize,
		DecoderLayers: m.Layers, FeedForward: "gated-silu", Rope: m.Rope.Type, MaxPositions: m.MaxPositions, TiedHead: m.Tied,
	}
	for _, w := range m.Windows {
		if w > 0 {
			a.Window = w
			a.WindowLayers++
		}
	}
	if m.Tied {
		a.Parameters = countParameters(m.modules(), m.head)
	} else {
		a.Parameters = countParameters(m.modules())
	}
	return a
}

// output implements network.
func (m *llama) output() *nn.Linear { return m.head }

// check implements network.
func (m *llama) check(s *Sequence) error {
	if n := len(s.DecoderInputIDs); n > 0 {
		return fmt.Errorf("decoder_input_ids: got %d tokens, want none, as the model has no encoder", n)
	}
	return checkIDs("input_ids", s.InputIDs, m.Vocabulary)
}

// hidden implements network.
func (m *llama) hidden(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error) {
	rows, ids := gather(p, batch, func(s *Sequence) []int { return s.InputIDs })
	x := m.tokens.Forward(p, rows, ids)
	defer p.Release(p.Mark())
	positions := p.Ints(len(ids))
	for s := range batch {
		for i := range rows.Len(s) {
			positions[rows[s]+i] = i
		}
	}
	angles := m.rope.angles(p, positions)
	for i := range m.layers {
		if err := ctx.Err(); err != nil {
			return autodiff.Value{}, nil, err
		}
		run := llamaRun{&m.layers[i], p, rows, angles}
		if p.Tape != nil && p.Recompute {
			x = autodiff.Recompute(p.Tape, run, x)
		} else {
			x = run.Forward(p.Tape, x)
		}
	}
	return m.norm.ForwardInPlace(p, rows, x), rows, nil
}

// A llamaRun is a layer at work: an autodiff.Block.
type llamaRun struct {
	layer  *llamaLayer
	p      *nn.Pass
	rows   nn.Ragged
	angles nn.Angles
}

// Forward implements autodiff.Block.
func (r *llamaRun) Forward(_ *autodiff.Tape, x autodiff.Value) autodiff.Value {
	x = r.layer.attention.addTo(r.p, r.rows, x, r.angles)
	return r.layer.feed.addTo(r.p, r.rows, x)
}

// addTo returns x plus the attention of its normalised rows over themselves.
func (a *llamaAttention) addTo(p *nn.Pass, rows nn.Ragged, x autodiff.Value, angles nn.Angles) autodiff.Value {
	defer p.Release(p.Mark())
	q, k, v := a.project(p, rows, x, angles)
	return a.o.ForwardAdd(p, rows, x, a.op.Forward(p, rows, rows, q, k, v, nn.Bias{}))
}

// project returns the queries, keys and values of x's rows, whose positions have the given angles.
func (a *llamaAttention) project(p *nn.Pass, rows nn.Ragged, x autodiff.Value, angles nn.Angles) (q, k, v autodiff.Value) {
	n := a.norm.Forward(p, rows, x)
	var y [3]autodiff.Value
	nn.ForwardEach(p, rows, n, y[:], a.k, a.q, a.v) // two threads begin with one each of k and v, and have as much of q left
	k, q, v = y[0], y[1], y[2]
	if a.qNorm != nil {
		q, k = a.qNorm.ForwardHeads(p, rows, q), a.kNorm.ForwardHeads(p, rows, k)
	}
	return nn.Rotate(p, q, angles), nn.Rotate(p, k, angles), v
}

// addTo returns x plus the feed-forward layer of its normalised rows.
func (f *llamaFeed) addTo(p *nn.Pass, rows nn.Ragged, x autodiff.Value) autodiff.Value {
	defer p.Release(p.Mark())
	n := f.norm.Forward(p, rows, x)
	var y [2]autodiff.Value
	nn.ForwardEach(p, rows, n, y[:], f.gate, f.up)
	return f.down.ForwardAddGate(p, rows, x, autodiff.SiLU, y[0], y[1])
}
