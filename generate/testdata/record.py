#!/usr/bin/env python3
"""Record what transformers' generate() does with a model whose logits come from a hash.

    python record.py > truth.json          needs torch and transformers 5

The logit of token t after tokens a, b is h·2⁻²¹ - 4 with 24 bits h of a hash, exact in float32; stop ids get 2 more. A case whose tokens
change when the logits are disturbed by 1e-5 is left out, as is one that transformers refuses.
"""
import json
import random
import sys

import numpy as np
import torch
from transformers import GenerationConfig, GenerationMixin, LogitsProcessorList, PreTrainedConfig, PreTrainedModel
from transformers.generation.logits_process import (
    MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)
from transformers.modeling_outputs import CausalLMOutput


def logits(seed, a, b, vocabulary, stop):
    with np.errstate(over="ignore"):
        x = np.arange(vocabulary, dtype=np.uint64) + np.uint64(((seed * 1000003 + a) * 1000003 + b) * 1000003 % 2**64)
        x ^= x >> np.uint64(33)
        x *= np.uint64(0xFF51AFD7ED558CCD)
        x ^= x >> np.uint64(33)
        x *= np.uint64(0xC4CEB9FE1A85EC53)
        x ^= x >> np.uint64(33)
    y = (x >> np.uint64(40)).astype(np.float32) * np.float32(2**-21) - np.float32(4)
    y[stop] += np.float32(2)
    return y


class Hash(PreTrainedModel, GenerationMixin):
    config_class = PreTrainedConfig

    def __init__(self, seed, vocabulary, stop, noise=0.0):
        super().__init__(PreTrainedConfig(vocab_size=vocabulary, num_hidden_layers=1, hidden_size=1, num_attention_heads=1))
        self.anything = torch.nn.Linear(1, 1)
        self.of = lambda a, b: logits(seed, a, b, vocabulary, stop)
        self.noise = noise

    def forward(self, input_ids=None, **_):
        rows = [self.of(int(r[-2]) if len(r) > 1 else -1, int(r[-1])) for r in input_ids]
        y = torch.from_numpy(np.stack(rows))[:, None, :]
        return CausalLMOutput(logits=y + self.noise * torch.randn_like(y))


def decode(case, noise=0.0):
    s, stop = dict(case["settings"]), case["stop"]
    torch.manual_seed(1)
    model = Hash(case["seed"], case["vocabulary"], stop, noise).eval()
    ids = torch.tensor([case["prompt"]])
    config = GenerationConfig(do_sample=False, use_cache=False, pad_token_id=case["vocabulary"], eos_token_id=stop or None, **s)
    out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, ids.shape[1]:].tolist()
    for i, t in enumerate(out):
        if t in stop:
            return out[: i + 1]
    return [t for t in out if t != case["vocabulary"]]


def sequences(rng, count):
    cases = []
    while len(cases) < count:
        vocabulary = rng.choice([12, 37, 300])
        stop = rng.sample(range(vocabulary), rng.choice([0, 1, 1, 2, 3]))
        s = {"max_new_tokens": rng.choice([1, 2, 5, 16, 40])}
        if rng.random() < 0.8:
            s["num_beams"] = rng.choice([2, 3, 4, 6])
            if (1 + len(stop)) * s["num_beams"] > vocabulary:
                continue
            if rng.random() < 0.8:
                s["length_penalty"] = rng.choice([-2.0, -1.0, 0.0, 0.3, 0.6, 1.0, 1.5, 2.5])
            if rng.random() < 0.7:
                s["early_stopping"] = rng.choice([True, "never", False])
        if rng.random() < 0.4:
            s["repetition_penalty"] = rng.choice([0.7, 1.3, 2.0])
        prompt = [rng.randrange(vocabulary) for _ in range(rng.choice([1, 2, 5, 9]))]
        case = dict(seed=rng.randrange(10**6), vocabulary=vocabulary, stop=stop, settings=s, prompt=prompt)
        case["want"] = decode(case)
        if all(decode(case, 1e-5) == case["want"] for _ in range(3)):
            cases.append(case)
    return cases


def choices(rng, count):
    cases = []
    while len(cases) < count:
        s = {"temperature": rng.choice([0.3, 0.7, 1.0, 1.6])}
        if rng.random() < 0.5:
            s["top_k"] = rng.choice([1, 3, 20, 100])
        if rng.random() < 0.5:
            s["top_p"] = rng.choice([0.1, 0.5, 0.9, 0.999])
        if rng.random() < 0.4:
            s["min_p"] = rng.choice([0.01, 0.1, 0.5, 1.0])
        prompt = [rng.randrange(60) for _ in range(5)]
        p = LogitsProcessorList()
        if rng.random() < 0.4:
            s["repetition_penalty"] = rng.choice([0.7, 1.3])
            p.append(RepetitionPenaltyLogitsProcessor(s["repetition_penalty"]))
        p.append(TemperatureLogitsWarper(s["temperature"]))
        if "top_k" in s:
            p.append(TopKLogitsWarper(s["top_k"]))
        if "top_p" in s:
            p.append(TopPLogitsWarper(s["top_p"]))
        if "min_p" in s:
            p.append(MinPLogitsWarper(s["min_p"]))
        seed = rng.randrange(10**6)
        x = torch.from_numpy(logits(seed, prompt[-2], prompt[-1], 60, []))[None]
        kept = lambda y: p(torch.tensor([prompt]), y)[0].softmax(-1)
        y = kept(x.clone())
        if any(not torch.equal(kept(x + 1e-5 * torch.randn_like(x)) > 0, y > 0) for _ in range(3)):
            continue
        cases.append(dict(seed=seed, settings=s, prompt=prompt, ids=y.nonzero()[:, 0].tolist(), p=[round(v, 7) for v in y[y > 0].tolist()]))
    return cases


if __name__ == "__main__":
    rng = random.Random(7)
    line = lambda c: json.dumps(c, separators=(",", ":"))
    print('{"sequences":[\n' + ",\n".join(map(line, sequences(rng, 400))) + '\n],"choices":[\n' + ",\n".join(map(line, choices(rng, 120))) + "\n]}")
    print("done", file=sys.stderr)
