"""Compare greedy generation with transformers: 20 prompts, 32 new tokens, bfloat16 weights and float32 arithmetic on both sides.

    python export.py FOLDER
    go build -o polybench ../../cmd/polybench
    python compare.py FOLDER ./polybench

A prompt may differ from a token on before which the two largest logits came closer than 1e-3: that is reported. Exit status 1 for any other
difference.
"""

import json
import subprocess
import sys

import torch
import transformers

NEW = 32
CLOSE = 1e-3
PROMPTS = [
    "The capital of France is",
    "Once upon a time there was a small robot who",
    "def fibonacci(n):",
    "Water boils at",
    "The three primary colours are",
    "Translate to French: good morning.",
    "List five animals that live in the sea:",
    "In 1969, the first humans",
    "2 + 2 =",
    "The quick brown fox",
    "Dear Sir or Madam,",
    "Q: What is the largest planet?\nA:",
    "SELECT name FROM users WHERE",
    "Photosynthesis is the process by which",
    "My favourite recipe for bread needs",
    "The opposite of hot is",
    "To be, or not to be,",
    "The mitochondria is",
    "naïve café — 日本語:",
    "<|im_start|>user\nWhat is gravity?<|im_end|>\n<|im_start|>assistant\n",
]


def reference(folder):
    """For each prompt the new tokens, and before each the distance of the two largest logits."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for prompt in PROMPTS:
        given = tokenizer(prompt, return_tensors="pt")
        out = model.generate(**given, max_new_tokens=NEW, do_sample=False, output_logits=True, return_dict_in_generate=True)
        new = out.sequences[0, given.input_ids.shape[1] :].tolist()
        gaps = []
        for logits in out.logits:
            top = logits[0].topk(2).values
            gaps.append((top[0] - top[1]).item())
        yield prompt, new, gaps


def ours(polybench, folder, prompt):
    command = [polybench, "generate", "-model", folder, "-max-new-tokens", str(NEW), "-ids", "-prompt", prompt]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(folder, polybench):
    equal = close = 0
    with torch.inference_mode():
        for prompt, want, gaps in reference(folder):
            got = ours(polybench, folder, prompt)
            if got == want:
                equal += 1
                continue
            at = next((i for i, (g, w) in enumerate(zip(got, want)) if g != w), min(len(got), len(want)))
            gap = min(gaps[: at + 1], default=float("inf"))
            print(f"{prompt!r}: differs at token {at}, where the smallest distance so far was {gap:.2g}")
            close += gap < CLOSE
    print(f"{equal} of {len(PROMPTS)} prompts equal, {close} differ where two logits were close")
    return equal + close < len(PROMPTS)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
