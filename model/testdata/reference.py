"""Writes modules.txt and logits.json, what torch and transformers say of small models whose weights are formulas, and the folder t5 of one of them.

Made with torch 2.15.0 and transformers 5.24.0: python reference.py
"""

import json

import torch
from transformers import (MT5Config, MT5ForConditionalGeneration, T5Config, T5ForConditionalGeneration, UMT5Config,
                          UMT5ForConditionalGeneration)

SHAPE = dict(vocab_size=13, d_model=16, d_kv=4, d_ff=24, num_heads=3, num_layers=2, num_decoder_layers=1,
             relative_attention_num_buckets=8, relative_attention_max_distance=20)
MODELS = {
    "t5": (T5ForConditionalGeneration, T5Config, dict(feed_forward_proj="relu")),
    "t5-gated": (T5ForConditionalGeneration, T5Config, dict(feed_forward_proj="gated-gelu", scale_decoder_outputs=False)),
    "mt5": (MT5ForConditionalGeneration, MT5Config, dict(feed_forward_proj="gated-gelu")),
    "umt5": (UMT5ForConditionalGeneration, UMT5Config, dict(feed_forward_proj="gated-silu")),
}
SEQUENCES = [([5, 1], [0, 4, 9]), ([7 * i % 13 for i in range(40)], [5 * i % 13 for i in range(31)])]


def fill(name, p):
    """Sets element i of a parameter; tests do the same."""
    seed = sum(name.encode())
    i = torch.arange(p.numel(), dtype=torch.int64)
    x = ((i * i + 7 * i * len(name) + seed) % 23 - 11).double() / 32
    p.data = (1 + x / 4 if "norm" in name else x).float().reshape(p.shape)


modules, logits = [], {}
for name, (model_class, config_class, options) in MODELS.items():
    model = model_class(config_class(**SHAPE, **options)).eval()
    for key, p in model.named_parameters():
        fill(key, p)
    if name == "t5":
        model.save_pretrained(name)
    modules.append(name)
    for path, module in model.named_modules():
        if path:
            kind = "Activation" if path.endswith(".act") else type(module).__name__
            modules.append(" " * (path.count(".") + 1) + path.rsplit(".", 1)[-1] + " " + kind)
    config = {k: v for k, v in model.config.to_dict().items() if k in SHAPE or k in options or k == "model_type"}
    with torch.no_grad():
        rows = [model(input_ids=torch.tensor([s]), decoder_input_ids=torch.tensor([d])).logits[0] for s, d in SEQUENCES]
    logits[name] = dict(config=config, last=[[float("%.7g" % x) for x in r[-1].tolist()] for r in rows])
with open("modules.txt", "w") as f:
    f.write("\n".join(modules) + "\n")
with open("logits.json", "w") as f:
    json.dump(logits, f, separators=(",", ":"))
    f.write("\n")
