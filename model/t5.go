package model

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
)

// t5 is an encoder-decoder of the T5 family (Raffel et al. 2020; modeling_t5.py, modeling_mt5.py and modeling_umt5.py of
// transformers).
type t5 struct {
	t5Config
	shared           *nn.Embedding // a module that holds the table; the stacks look tokens up in modules of their own
	encoder, decoder t5Stack
	head             *nn.Linear
	tied             bool // the head's weight is the embedding's
}

type t5Stack struct {
	tokens *nn.Embedding
	blocks []t5Block
	norm   *nn.RMSNorm
}

type t5Block struct {
	self  t5Attention
	cross *t5Attention // of a decoder's block
	feed  t5Feed
}

type t5Attention struct {
	norm       *nn.RMSNorm
	q, k, v, o *nn.Linear
	bias       *nn.RelativeBias // nil where the block has no table of its own
}

type t5Feed struct {
	norm     *nn.RMSNorm
	gate, up *nn.Linear // gate is nil where the feed-forward layer is not gated
	down     *nn.Linear
}

// load implements config.
func (c t5Config) load(l *loader) network {
	t := &t5{t5Config: c}
	table := l.weights("shared.weight", c.Vocabulary, c.Dim)
	if l.err != nil {
		return t
	}
	t.shared = nn.NewEmbedding(table, c.Vocabulary, c.Dim)
	l.ignore("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight")
	t.encoder = newT5Stack(c, l, table, "encoder", c.EncoderLayers)
	t.decoder = newT5Stack(c, l, table, "decoder", c.DecoderLayers)
	// Whether the head is tied is what the file says: transformers 5 writes tie_word_embeddings true for untied models too.
	if t.tied = !l.has("lm_head.weight"); !t.tied {
		t.head = l.linear("lm_head", c.Vocabulary, c.Dim)
	} else {
		t.head = nn.NewLinear(l.engine, table, c.Vocabulary, c.Dim)
	}
	return t
}

func newT5Stack(c t5Config, l *loader, table nn.Weights, path string, layers int) t5Stack {
	l.same(path+".embed_tokens.weight", "shared.weight")
	s := t5Stack{tokens: nn.NewEmbedding(table, c.Vocabulary, c.Dim), norm: l.norm(path+".final_layer_norm", c.Dim, c.Epsilon)}
	decoder := path == "decoder"
	for i := 0; i < layers && l.err == nil; i++ {
		layer := func(j int) string { return fmt.Sprintf("%s.block.%d.layer.%d", path, i, j) }
		b := t5Block{self: newT5Attention(c, l, layer(0), "SelfAttention")}
		if i == 0 || c.Type == "umt5" {
			if w := l.weights(layer(0)+".SelfAttention.relative_attention_bias.weight", c.Buckets, c.Heads); l.err == nil {
				b.self.bias = nn.NewRelativeBias(w.Float32s(), c.Buckets, c.Heads, c.MaxDistance, !decoder)
			}
		}
		next := 1
		if decoder {
			cross := newT5Attention(c, l, layer(next), "EncDecAttention")
			b.cross = &cross
			next++
		}
		b.feed = newT5Feed(c, l, layer(next))
		s.blocks = append(s.blocks, b)
	}
	return s
}

func newT5Attention(c t5Config, l *loader, path, name string) t5Attention {
	p, width := path+"."+name, c.Heads*c.HeadSize
	return t5Attention{
		norm: l.norm(path+".layer_norm", c.Dim, c.Epsilon),
		q:    l.linear(p+".q", width, c.Dim),
		k:    l.linear(p+".k", width, c.Dim),
		v:    l.linear(p+".v", width, c.Dim),
		o:    l.linear(p+".o", c.Dim, width),
	}
}

func newT5Feed(c t5Config, l *loader, path string) t5Feed {
	p := path + ".DenseReluDense"
	f := t5Feed{norm: l.norm(path+".layer_norm", c.Dim, c.Epsilon), down: l.linear(p+".wo", c.Dim, c.Inner)}
	if c.Gated {
		f.gate, f.up = l.linear(p+".wi_0", c.Inner, c.Dim), l.linear(p+".wi_1", c.Inner, c.Dim)
	} else {
		f.up = l.linear(p+".wi", c.Inner, c.Dim)
	}
	return f
}

// describe implements network.
func (t *t5) describe() Architecture {
	a := Architecture{
		Type: t.Type, Vocabulary: t.Vocabulary, Dim: t.Dim, Inner: t.Inner, Heads: t.Heads, KVHeads: t.Heads, HeadSize: t.HeadSize,
		EncoderLayers: t.EncoderLayers, DecoderLayers: t.DecoderLayers, FeedForward: t.FeedForward,
		Buckets: t.Buckets, MaxDistance: t.MaxDistance, TiedHead: t.tied, ScaledOutputs: t.ScaleOutputs,
	}
	copied := []nn.Layer{t.encoder.tokens, t.decoder.tokens}
	if t.tied {
		copied = append(copied, t.head)
	}
	a.Parameters = countParameters(t.modules(), copied...)
	return a
}

// output implements network.
func (t *t5) output() *nn.Linear { return t.head }

// check implements network.
func (t *t5) check(s *Sequence) error {
	if err := checkIDs("input_ids", s.InputIDs, t.Vocabulary); err != nil {
		return err
	}
	return checkIDs("decoder_input_ids", s.DecoderInputIDs, t.Vocabulary)
}

// hidden implements network.
func (t *t5) hidden(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error) {
	sources, sourceIDs := gather(p, batch, func(s *Sequence) []int { return s.InputIDs })
	encoder, err := t.encode(ctx, p, sources, sourceIDs)
	if err != nil {
		return autodiff.Value{}, nil, err
	}
	rows, ids := gather(p, batch, func(s *Sequence) []int { return s.DecoderInputIDs })
	x, err := t.decode(ctx, p, rows, ids, sources, encoder)
	return x, rows, err
}

// encode returns the encoder's output for ids, whose sequences are rows.
func (t *t5) encode(ctx context.Context, p *nn.Pass, rows nn.Ragged, ids []int) (autodiff.Value, error) {
	x := t.encoder.tokens.Forward(p, rows, ids)
	return t.encoder.forward(ctx, t, p, rows, x, nil, autodiff.Value{})
}

// decode returns the decoder's output for ids, whose sequences are rows, given the encoder's output. It is ready for the head.
func (t *t5) decode(ctx context.Context, p *nn.Pass, rows nn.Ragged, ids []int, encoded nn.Ragged, encoder autodiff.Value) (autodiff.Value, error) {
	x := t.decoder.tokens.Forward(p, rows, ids)
	x, err := t.decoder.forward(ctx, t, p, rows, x, encoded, encoder)
	if err == nil && t.ScaleOutputs {
		x = nn.Scale(p, x, t.outputScale())
	}
	return x, err
}

// forward runs the stack over x. Without a tape it overwrites x, and releases what it takes from p.
func (s *t5Stack) forward(ctx context.Context, t *t5, p *nn.Pass, rows nn.Ragged, x autodiff.Value, encoded nn.Ragged, encoder autodiff.Value) (autodiff.Value, error) {
	defer p.Release(p.Mark())
	run := t5Run{t: t, p: p, rows: rows, encoded: encoded, encoder: encoder}
	for i := range s.blocks {
		if err := ctx.Err(); err != nil {
			return autodiff.Value{}, err
		}
		run.block = &s.blocks[i]
		if table := run.block.self.bias; table != nil {
			run.bias = table.Forward(p, rows)
		}
		if p.Tape != nil && p.Recompute {
			x = autodiff.Recompute(p.Tape, run, x)
		} else {
			x = run.Forward(p.Tape, x)
		}
	}
	return s.norm.ForwardInPlace(p, rows, x), nil
}

// A t5Run is a block at work: an autodiff.Block.
type t5Run struct {
	t       *t5
	block   *t5Block
	p       *nn.Pass
	rows    nn.Ragged
	bias    nn.Bias
	encoded nn.Ragged // nil in the encoder
	encoder autodiff.Value
}

// Forward implements autodiff.Block.
func (r *t5Run) Forward(_ *autodiff.Tape, x autodiff.Value) autodiff.Value {
	b, op := r.block, nn.Attention{Heads: r.t.Heads, HeadSize: r.t.HeadSize}
	self := op
	self.Causal = r.encoded != nil
	x = b.self.addTo(r.p, self, r.rows, x, r.rows, nil, r.bias)
	if b.cross != nil {
		x = b.cross.addTo(r.p, op, r.rows, x, r.encoded, &r.encoder, nn.Bias{})
	}
	return b.feed.addTo(r.p, r.t.Activation, r.rows, x)
}

// addTo returns x plus the attention of its normalised rows: over themselves, or over the rows of an encoder's output.
func (a *t5Attention) addTo(p *nn.Pass, op nn.Attention, rows nn.Ragged, x autodiff.Value, keys nn.Ragged, encoder *autodiff.Value, bias nn.Bias) autodiff.Value {
	defer p.Release(p.Mark())
	n := a.norm.Forward(p, rows, x)
	source := n
	if encoder != nil {
		source = *encoder
	}
	q := a.q.Forward(p, rows, n)
	k := a.k.Forward(p, keys, source)
	v := a.v.Forward(p, keys, source)
	return a.o.ForwardAdd(p, rows, x, op.Forward(p, rows, keys, q, k, v, bias))
}

// addTo returns x plus the feed-forward layer of its normalised rows.
func (f *t5Feed) addTo(p *nn.Pass, act *autodiff.Function, rows nn.Ragged, x autodiff.Value) autodiff.Value {
	defer p.Release(p.Mark())
	n := f.norm.Forward(p, rows, x)
	if f.gate == nil {
		return f.down.ForwardAddGate(p, rows, x, act, f.up.Forward(p, rows, n), autodiff.Value{})
	}
	var y [2]autodiff.Value
	nn.ForwardEach(p, rows, n, y[:], f.up, f.gate)
	return f.down.ForwardAddGate(p, rows, x, act, y[1], y[0])
}
