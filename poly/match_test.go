package poly

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/nn"
)

// t5Modules lists a T5 model's modules in torch's order.
func t5Modules(encoder, decoder int, gated bool) []nn.Module {
	b := &moduleList{}
	b.add("", "T5ForConditionalGeneration").add("shared", "Embedding")
	for _, stack := range []struct {
		name   string
		blocks int
	}{{"encoder", encoder}, {"decoder", decoder}} {
		b.add(stack.name, "T5Stack").add(stack.name+".embed_tokens", "Embedding").add(stack.name+".block", "ModuleList")
		for i := range stack.blocks {
			block := fmt.Sprintf("%s.block.%d", stack.name, i)
			b.add(block, "T5Block").add(block+".layer", "ModuleList")
			layer := 0
			sublayer := func(typ, name, inner string, linears ...string) {
				p := fmt.Sprintf("%s.layer.%d", block, layer)
				layer++
				b.add(p, typ).add(p+"."+name, inner)
				for _, l := range linears {
					b.add(p+"."+name+"."+l, "Linear")
				}
				if name == "SelfAttention" && i == 0 {
					b.add(p+"."+name+".relative_attention_bias", "Embedding")
				}
				b.add(p+".layer_norm", "T5LayerNorm").add(p+".dropout", "Dropout")
			}
			sublayer("T5LayerSelfAttention", "SelfAttention", "T5Attention", "q", "k", "v", "o")
			if stack.name == "decoder" {
				sublayer("T5LayerCrossAttention", "EncDecAttention", "T5Attention", "q", "k", "v", "o")
			}
			if gated {
				sublayer("T5LayerFF", "DenseReluDense", "T5DenseGatedActDense", "wi_0", "wi_1", "wo")
			} else {
				sublayer("T5LayerFF", "DenseReluDense", "T5DenseActDense", "wi", "wo")
			}
		}
		b.add(stack.name+".final_layer_norm", "T5LayerNorm").add(stack.name+".dropout", "Dropout")
	}
	return b.add("lm_head", "Linear").modules
}

// llamaModules lists a Llama model's modules in torch's order.
func llamaModules(layers int) []nn.Module {
	b := &moduleList{}
	b.add("", "LlamaForCausalLM").add("model", "LlamaModel").add("model.embed_tokens", "Embedding").add("model.layers", "ModuleList")
	for i := range layers {
		p := fmt.Sprintf("model.layers.%d", i)
		b.add(p, "LlamaDecoderLayer").add(p+".self_attn", "LlamaAttention")
		for _, l := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
			b.add(p+".self_attn."+l, "Linear")
		}
		b.add(p+".mlp", "LlamaMLP")
		for _, l := range []string{"gate_proj", "up_proj", "down_proj"} {
			b.add(p+".mlp."+l, "Linear")
		}
		b.add(p+".mlp.act_fn", "SiLUActivation")
		b.add(p+".input_layernorm", "LlamaRMSNorm").add(p+".post_attention_layernorm", "LlamaRMSNorm")
	}
	return b.add("model.norm", "LlamaRMSNorm").add("model.rotary_emb", "LlamaRotaryEmbedding").add("lm_head", "Linear").modules
}

type moduleList struct{ modules []nn.Module }

func (b *moduleList) add(path, typ string) *moduleList {
	m := nn.Module{Path: path, Type: typ, Output: path == "lm_head"}
	if typ == "Linear" {
		m.Layer = new(nn.Linear)
	}
	b.modules = append(b.modules, m)
	return b
}

// TestRealTargets compares with the layers whose tensors PEFT saved.
func TestRealTargets(t *testing.T) {
	for name, data := range realConfigs(t) {
		c, err := ParseConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		modules, saved := llamaModules(2), []string(nil)
		if strings.Contains(name, "t5") {
			encoder := 2
			if strings.Contains(name, "t5-edges") {
				encoder = 3
			}
			modules = t5Modules(encoder, 2, !strings.Contains(name, "t5v1"))
		}
		if strings.Contains(name, "llama-all") {
			saved = []string{"lm_head"}
		}
		layers, err := os.ReadFile("testdata/config/" + name + ".layers")
		if err != nil {
			t.Fatal(err)
		}
		match, err := c.Targets(modules, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		slices.Sort(match.Adapted)
		if want := strings.Fields(string(layers)); !slices.Equal(match.Adapted, want) {
			t.Errorf("%s: got %v, want %v", name, match.Adapted, want)
		}
		if got, err := c.SavedModules(modules); !slices.Equal(got, saved) || err != nil {
			t.Errorf("%s: saved modules %v, %v, want %v", name, got, err, saved)
		}
	}
}

func TestTargets(t *testing.T) {
	modules := (&moduleList{}).add("", "Net").add("a", "Block").add("a.q", "Linear").add("a.seq", "Linear").add("b", "Block").
		add("b.q", "Linear").add("b.drop", "Dropout").add("lm_head", "Linear").modules
	all := ModulePattern(".*(q|lm_head)")
	for _, c := range []struct {
		name              string
		targets, exclude  Modules
		save              []string
		format            Format
		adapted, excluded string // joined by blanks
	}{
		{name: "suffix", targets: ModuleNames("q"), adapted: "a.q b.q"},
		{name: "parts", targets: ModuleNames("b.q", "none"), adapted: "b.q"},
		{name: "path", targets: ModuleNames("lm_head"), adapted: "lm_head"},
		{name: "pattern", targets: ModulePattern(`.*\.q`), adapted: "a.q b.q"},
		{name: "pattern of part", targets: ModulePattern(`b\.q|q`), adapted: "b.q"},
		{name: "all linear", targets: ModulePattern("All-Linear"), adapted: "a.q a.seq b.q"},
		{name: "default", targets: Modules{}, adapted: "a.q b.q"},
		{name: "dummy", targets: ModulePattern("dummy-target-modules")},
		{name: "exclude list", targets: all, exclude: ModuleNames("q", "b"), adapted: "a.seq lm_head", excluded: "a.q b b.q"},
		{name: "exclude pattern", targets: all, exclude: ModulePattern(`b\..*`), adapted: "a.q a.seq lm_head", excluded: "b.q b.drop"},
		{name: "exclude nothing", targets: ModuleNames("q"), exclude: ModuleNames("zzz"), adapted: "a.q b.q"},
		{name: "exclude empty", targets: ModuleNames("q"), exclude: ModulePattern(""), adapted: "a.q b.q"},
		{name: "save", targets: all, save: []string{"b", "lm_head"}, adapted: "a.q a.seq", excluded: "b b.q b.drop lm_head"},
		{name: "save and exclude", targets: all, save: []string{"b"}, exclude: ModuleNames("q"), adapted: "a.seq lm_head", excluded: "a.q b b.q b.drop"},
		{name: "save by pattern", targets: ModuleNames("q"), save: []string{"[b]"}, adapted: "a.q", excluded: "b b.q b.drop"},
		{name: "save within a segment", targets: all, save: []string{"head"}, format: Format082, adapted: "a.q a.seq b.q", excluded: "lm_head"},
	} {
		config := NewConfig()
		config.TargetModules, config.ExcludeModules, config.ModulesToSave, config.Format = c.targets, c.exclude, c.save, c.format
		match, err := config.Targets(modules, "t5x")
		if c.targets.IsNull() {
			match, err = config.Targets(modules[:7], "mt5") // without lm_head
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if adapted, excluded := strings.Join(match.Adapted, " "), strings.Join(match.Excluded, " "); adapted != c.adapted || excluded != c.excluded {
			t.Errorf("%s: got %q without %q, want %q without %q", c.name, adapted, excluded, c.adapted, c.excluded)
		}
		want := c.targets
		switch c.name {
		case "default":
			want = ModuleNames("q", "v")
		case "all linear":
			want = ModuleNames(match.Adapted...)
		}
		if match.TargetModules.String() != want.String() {
			t.Errorf("%s: resolved to %v, want %v", c.name, match.TargetModules, want)
		}
	}
}

func TestTargetsErrors(t *testing.T) {
	modules := llamaModules(2)
	for _, c := range []struct {
		targets, exclude Modules
		save             []string
		want             string
	}{
		{targets: Modules{}, want: `target_modules: got null, want names or a pattern: model type "custom" has no default`},
		{targets: ModuleNames("w"), want: `target_modules: got ["w"], not found among the base model's 32 modules`},
		{targets: ModuleNames(), want: "target_modules: got [], which is empty"},
		{targets: ModulePattern(""), want: `target_modules: got "", which is empty`},
		{targets: ModuleNames("q_proj"), exclude: ModulePattern(".*"), want: "every module was excluded"},
		{targets: ModuleNames("q_proj"), exclude: ModuleNames("q_proj"), want: "30 did not match, 2 were excluded"},
		{targets: ModuleNames("mlp"), want: `matches "model.layers.0.mlp" of type LlamaMLP, want matches on modules of type Linear only`},
		{targets: ModulePattern("model.*"), want: `matches "model" of type LlamaModel`},
		{targets: ModuleNames("lm_head"), save: []string{"head"}, want: `matches "lm_head" of modules_to_save ["head"], want a module to be either`},
		{targets: ModuleNames("q_proj"), save: []string{"layers"}, want: `modules_to_save: got ["layers"], which match "model.layers" of type ModuleList`},
		{targets: ModulePattern("(?=q).*"), want: "target_modules: pattern"},
		{targets: ModuleNames("q_proj"), exclude: ModulePattern("("), want: "exclude_modules: pattern"},
		{targets: ModuleNames("q_proj"), save: []string{"a("}, want: `modules_to_save: pattern "(^|.*\\.)a(($|\\..*)": missing )`},
	} {
		config := NewConfig()
		config.TargetModules, config.ExcludeModules, config.ModulesToSave = c.targets, c.exclude, c.save
		_, err := config.Targets(modules, "custom")
		if err == nil || !strings.HasPrefix(err.Error(), "poly: config: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got error %v, want %s", c.targets, err, c.want)
		}
	}
	config := NewConfig()
	config.TargetModules = ModulePattern(`(.*)\.\1`)
	if _, err := config.Targets(modules, "llama"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got error %v, want ErrUnsupported", err)
	}
}

func TestSavedModules(t *testing.T) {
	modules := (&moduleList{}).add("", "Net").add("head.dense", "Linear").add("head", "Head").add("subhead", "Linear").add("ahead.x", "Linear").modules
	config := NewConfig()
	config.ModulesToSave = []string{"dense", "head", "none"}
	if got, err := config.SavedModules(modules); !slices.Equal(got, []string{"head", "subhead"}) || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDefaultTargets(t *testing.T) {
	if len(defaultTargets) != 40 {
		t.Errorf("got %d model types, want 40", len(defaultTargets))
	}
	for modelType, m := range defaultTargets {
		if _, err := m.matcher(); err != nil || m.isEmpty() {
			t.Errorf("%s: %v, %v", modelType, m, err)
		}
	}
}

// Whoever changes the list that Names returned changes nothing else.
func TestModulesNamesIsACopy(t *testing.T) {
	m := ModuleNames("q", "v")
	m.Names()[0] = "k"
	if got := m.Names()[0]; got != "q" {
		t.Errorf("got %s, want q", got)
	}
}
