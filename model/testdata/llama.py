"""Writes llama.json, what torch and transformers say of small models of the Llama family whose weights are formulas, a line each, and the folder
llama of one of them.

Made with torch 2.15.0 and transformers 5.24.0: python llama.py
"""

import json

import torch
from transformers import AutoConfig, AutoModelForCausalLM

SHAPE = dict(vocab_size=13, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=64)
MODELS = {
    "llama": dict(rms_norm_eps=1e-5, attention_bias=True, mlp_bias=True,
                  rope_parameters=dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                       original_max_position_embeddings=16)),
    "mistral": dict(head_dim=6, sliding_window=5, tie_word_embeddings=True,
                    rope_parameters=dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=16)),
    "qwen2": dict(num_hidden_layers=3, num_key_value_heads=1, use_sliding_window=True, sliding_window=7, max_window_layers=1, pad_token_id=3,
                  rope_parameters=dict(rope_type="linear", rope_theta=1000.0, factor=2.0)),
    "qwen3": dict(head_dim=8, num_key_value_heads=4, tie_word_embeddings=True, use_sliding_window=True, sliding_window=9,
                  layer_types=["sliding_attention", "full_attention"]),
}
SEQUENCES = [[5, 1], [7 * i % 13 for i in range(40)]]


def fill(name, p):
    """Sets element i of a parameter; tests do the same."""
    seed = sum(name.encode())
    i = torch.arange(p.numel(), dtype=torch.int64)
    x = ((i * i + 7 * i * len(name) + seed) % 23 - 11).double() / 32
    p.data = (1 + x / 4 if "norm" in name else x).float().reshape(p.shape)


lines = []
for name, options in MODELS.items():
    config = dict(SHAPE, **options)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(name, **json.loads(json.dumps(config))), attn_implementation="eager").eval()
    for key, p in model.named_parameters():
        fill(key, p)
    if name == "llama":
        model.save_pretrained(name)
    modules = [(path, "Activation" if path.endswith(".act_fn") else type(module).__name__) for path, module in model.named_modules() if path]
    with torch.no_grad():
        rows = [model(input_ids=torch.tensor([s])).logits[0] for s in SEQUENCES]
    line = dict(config=dict(config, model_type=name), modules=[" ".join(m) for m in modules],
                last=[[float("%.7g" % x) for x in r[-1].tolist()] for r in rows])
    lines.append(json.dumps(line, separators=(",", ":")))
with open("llama.json", "w") as f:
    f.write("[\n" + ",\n".join(lines) + "\n]\n")
