package model

import (
	"fmt"

	"github.com/polytropon/polytropon/nn"
)

// moduleList collects a model's modules in torch's order.
type moduleList []nn.Module

func (m *moduleList) add(path, class string, layer nn.Layer) {
	*m = append(*m, nn.Module{Path: path, Type: class, Layer: layer})
}

// modules lists what torch's named_modules lists, but for the root, of transformers 5's class. Transformers 4 lists the three
// embeddings once, as shared.
func (t *t5) modules() []nn.Module {
	var m moduleList
	m.add("shared", "Embedding", t.shared)
	t.encoder.addModules(&m, t, "encoder")
	t.decoder.addModules(&m, t, "decoder")
	head := nn.Module{Path: "lm_head", Type: "Linear", Layer: t.head, Output: true}
	if t.tied {
		head.Tied = "shared"
	}
	return append(m, head)
}

// class returns the name of one of transformers' classes for this model type: T5Stack, MT5Stack, UMT5Stack.
func (t *t5) class(name string) string {
	return map[string]string{"t5": "T5", "mt5": "MT5", "umt5": "UMT5"}[t.Type] + name
}

func (s *t5Stack) addModules(m *moduleList, t *t5, path string) {
	m.add(path, t.class("Stack"), nil)
	*m = append(*m, nn.Module{Path: path + ".embed_tokens", Type: "Embedding", Layer: s.tokens, Tied: "shared"})
	m.add(path+".block", "ModuleList", nil)
	for i := range s.blocks {
		b, p := &s.blocks[i], fmt.Sprintf("%s.block.%d", path, i)
		m.add(p, t.class("Block"), nil)
		m.add(p+".layer", "ModuleList", nil)
		m.add(p+".layer.0", t.class("LayerSelfAttention"), nil)
		b.self.addModules(m, t, p+".layer.0", "SelfAttention")
		feed := p + ".layer.1"
		if b.cross != nil {
			m.add(p+".layer.1", t.class("LayerCrossAttention"), nil)
			b.cross.addModules(m, t, p+".layer.1", "EncDecAttention")
			feed = p + ".layer.2"
		}
		m.add(feed, t.class("LayerFF"), nil)
		b.feed.addModules(m, t, feed)
	}
	m.add(path+".final_layer_norm", t.class("LayerNorm"), s.norm)
	m.add(path+".dropout", "Dropout", nil)
}

func (a *t5Attention) addModules(m *moduleList, t *t5, path, name string) {
	p := path + "." + name
	m.add(p, t.class("Attention"), nil)
	m.add(p+".q", "Linear", a.q)
	m.add(p+".k", "Linear", a.k)
	m.add(p+".v", "Linear", a.v)
	m.add(p+".o", "Linear", a.o)
	if a.bias != nil {
		m.add(p+".relative_attention_bias", "Embedding", a.bias)
	}
	m.add(path+".layer_norm", t.class("LayerNorm"), a.norm)
	m.add(path+".dropout", "Dropout", nil)
}

func (f *t5Feed) addModules(m *moduleList, t *t5, path string) {
	p := path + ".DenseReluDense"
	if f.gate != nil {
		m.add(p, t.class("DenseGatedActDense"), nil)
		m.add(p+".wi_0", "Linear", f.gate)
		m.add(p+".wi_1", "Linear", f.up)
	} else {
		m.add(p, t.class("DenseActDense"), nil)
		m.add(p+".wi", "Linear", f.up)
	}
	m.add(p+".wo", "Linear", f.down)
	m.add(p+".dropout", "Dropout", nil)
	m.add(p+".act", "Activation", nil)
	m.add(path+".layer_norm", t.class("LayerNorm"), f.norm)
	m.add(path+".dropout", "Dropout", nil)
}
