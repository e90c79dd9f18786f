package model

import (
	"fmt"

	"github.com/polytropon/polytropon/nn"
)

// modules implements network: the modules are those of transformers 5. Transformers 4 had a rotary_emb in every self_attn.
func (m *llama) modules() []nn.Module {
	var l moduleList
	l.add("model", m.class("Model"), nil)
	l.add("model.embed_tokens", "Embedding", m.tokens)
	l.add("model.layers", "ModuleList", nil)
	for i := range m.layers {
		p := fmt.Sprintf("model.layers.%d", i)
		l.add(p, m.class("DecoderLayer"), nil)
		attention, feed := &m.layers[i].attention, &m.layers[i].feed
		attention.addModules(&l, m, p+".self_attn")
		feed.addModules(&l, m, p+".mlp")
		l.add(p+".input_layernorm", m.class("RMSNorm"), attention.norm)
		l.add(p+".post_attention_layernorm", m.class("RMSNorm"), feed.norm)
	}
	l.add("model.norm", m.class("RMSNorm"), m.norm)
	l.add("model.rotary_emb", m.class("RotaryEmbedding"), nil)
	head := nn.Module{Path: "lm_head", Type: "Linear", Layer: m.head, Output: true}
	if m.Tied {
		head.Tied = "model.embed_tokens"
	}
	return append(l, head)
}

// class returns the name of one of transformers' classes for this model type: LlamaModel, MistralModel, …
func (m *llama) class(name string) string {
	return map[string]string{"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}[m.Type] + name
}

func (a *llamaAttention) addModules(l *moduleList, m *llama, path string) {
	l.add(path, m.class("Attention"), nil)
	l.add(path+".q_proj", "Linear", a.q)
	l.add(path+".k_proj", "Linear", a.k)
	l.add(path+".v_proj", "Linear", a.v)
	l.add(path+".o_proj", "Linear", a.o)
	if a.qNorm != nil {
		l.add(path+".q_norm", m.class("RMSNorm"), a.qNorm)
		l.add(path+".k_norm", m.class("RMSNorm"), a.kNorm)
	}
}

func (f *llamaFeed) addModules(l *moduleList, m *llama, path string) {
	l.add(path, m.class("MLP"), nil)
	l.add(path+".gate_proj", "Linear", f.gate)
	l.add(path+".up_proj", "Linear", f.up)
	l.add(path+".down_proj", "Linear", f.down)
	l.add(path+".act_fn", "Activation", nil)
}
