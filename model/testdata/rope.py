"""Records the rotary embeddings of transformers 5 for configs of every type: python rope.py > rope.json

A case has the fields of a config.json as transformers 4 or 5 writes them, the inverse frequencies, and cosines and sines, a row per position, of the
first half of a head: the second half is the same.
"""
import json

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

POSITIONS = [0, 1, 2, 9, 77, 1023, 8191, 131071]
SHAPE = dict(hidden_size=64, num_attention_heads=2, max_position_embeddings=2048)


def rope(kind, **fields):
    return dict(rope_parameters=dict(rope_type=kind, **fields))


def short(x):
    """The fewest digits of which float32 makes the same number."""
    return [short(y) for y in x] if isinstance(x, list) else float("%.9g" % x)


CASES = [
    {},
    dict(head_dim=128, **rope("default", rope_theta=500000.0)),
    dict(head_dim=10, rope_theta=1000000, rope_scaling=None),
    rope("linear", factor=4.0),
    dict(rope_theta=30000.5, rope_scaling=dict(type="linear", factor=3)),
    rope("llama3", rope_theta=500000.0, factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192),
    dict(rope_theta=500.0, rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.5, high_freq_factor=3.5, original_max_position_embeddings=100)),
    rope("llama3", factor=2.0, low_freq_factor=1.0, high_freq_factor=4.0),
    rope("yarn", factor=4.0, original_max_position_embeddings=512),
    rope("yarn", factor=0.5),
    dict(rope_theta=1000.0, rope_scaling=dict(type="yarn", factor=8, beta_fast=16, beta_slow=2, truncate=False, original_max_position_embeddings=333)),
    dict(head_dim=64, **rope("yarn", factor=40.0, mscale=0.707, mscale_all_dim=1.0, original_max_position_embeddings=4096)),
    rope("yarn", factor=40.0, mscale=0.707, original_max_position_embeddings=4096),
    rope("yarn", factor=40.0, attention_factor=1.5, mscale=0.7, mscale_all_dim=1.1, beta_fast=0, original_max_position_embeddings=1024),
    rope("yarn", rope_theta=2.0, factor=3.0, beta_fast=40, beta_slow=30, original_max_position_embeddings=200),
    dict(original_max_position_embeddings=300, **rope("yarn", factor=4.0, original_max_position_embeddings=512)),
]
out = []
for fields in CASES:
    fields = {**SHAPE, **fields}
    embedding = LlamaRotaryEmbedding(LlamaConfig(**json.loads(json.dumps(fields))))
    cos, sin = embedding(torch.zeros(1), torch.tensor([POSITIONS]))
    half = cos.shape[-1] // 2
    assert torch.equal(cos[..., :half], cos[..., half:])
    case = dict(config=fields, inverse=short(embedding.inv_freq.tolist()), cos=short(cos[0, :, :half].tolist()), sin=short(sin[0, :, :half].tolist()))
    out.append(json.dumps(case, separators=(",", ":")))
print('{"positions":%s,"cases":[\n%s\n]}' % (json.dumps(POSITIONS), ",\n".join(out)))
