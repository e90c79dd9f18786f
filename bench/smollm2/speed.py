"""Time greedy generation from real weights beside transformers: answers to questions and tasks, 128 new tokens, float32 arithmetic on both sides.

    python export.py FOLDER
    go build -o polybench ../../cmd/polybench
    python speed.py FOLDER ./polybench [THREADS]

Ours with and without drafts, and transformers, take turns. The first token, which comes from the prompt, is not counted.
"""

import re
import statistics
import subprocess
import sys
import time

import torch
import transformers

NEW = 128
ARTICLE = """The Sahara is the largest hot desert in the world. It covers most of North Africa, from the Red Sea in the east and the Mediterranean in \
the north to the Atlantic Ocean in the west, where the landscape gradually changes from desert to coastal plains. To the south it is bounded by the Sahel, a \
belt of semi-arid savanna around the Niger River valley. The desert covers nine million square kilometres, nearly a third of Africa, and parts of ten \
countries: Algeria, Chad, Egypt, Libya, Mali, Mauritania, Morocco, Niger, Sudan and Tunisia. Its dunes reach 180 metres."""
CODE = """def area(width, height):
    return width * height

def volume(width, height, depth):
    return area(width, height) * depth
"""
TASKS = [
    "What is gravity?",
    "How does a bicycle stay upright?",
    "Write a short story about a lighthouse.",
    "Give me a recipe for pancakes.",
    "Name the planets and say one thing about each.",
    "Write a Python class for a queue.",
    "Write a polite letter that declines an invitation.",
    "What should I see in Rome?",
    "Summarize this text.\n\n" + ARTICLE,
    "Which countries does the desert cover? Answer from the text.\n\n" + ARTICLE,
    "Rewrite this text in simple words.\n\n" + ARTICLE,
    "Correct the spelling: Teh dessert covers nin milion square kilometers, nearly a thrid of Afrika, and parts of ten cuontries.",
    "Add a docstring to each function.\n\n" + CODE,
    "Write tests for these functions.\n\n" + CODE,
]


def ours(polybench, folder, threads, prompt, *flags):
    """Seconds for every token after the first."""
    command = [polybench, "generate", "-threads", threads, "-model", folder, "-max-new-tokens", str(NEW), "-prompt", prompt, *flags]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return 1 / float(re.search(r"; decode \d+ tokens, ([0-9.]+) tokens/s\n$", out)[1])


class Clock(transformers.generation.streamers.BaseStreamer):
    """Remembers when tokens came, the prompt first."""

    def __init__(self):
        self.times = []

    def put(self, value):
        self.times.append(time.perf_counter())

    def end(self):
        pass


def theirs(model, tokenizer, prompt):
    given, clock = tokenizer(prompt, return_tensors="pt"), Clock()
    model.generate(**given, max_new_tokens=NEW, do_sample=False, streamer=clock)
    times = clock.times[1:]
    return (times[-1] - times[0]) / (len(times) - 1)


def main(folder, polybench, threads="1"):
    torch.set_num_threads(int(threads))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    seconds = []
    with torch.inference_mode():
        for task in TASKS:
            prompt = f"<|im_start|>user\n{task}<|im_end|>\n<|im_start|>assistant\n"
            s = (ours(polybench, folder, threads, prompt), ours(polybench, folder, threads, prompt, "-drafts=false"), theirs(model, tokenizer, prompt))
            print(f"{1 / s[0]:6.1f} tokens/s, {s[1] / s[0]:.2f} x without drafts, {s[2] / s[0]:.2f} x transformers: {task[:40]!r}", flush=True)
            seconds.append(s)
    mean = [len(seconds) / sum(column) for column in zip(*seconds)]
    of_drafts, of_transformers = (statistics.median(s[i] / s[0] for s in seconds) for i in (1, 2))
    print(f"all tokens: {mean[0]:.1f} tokens/s with drafts, {mean[1]:.1f} without, {mean[2]:.1f} transformers; {mean[0] / mean[1]:.2f} and {mean[0] / mean[2]:.2f} x")
    print(f"median of the tasks: {of_drafts:.2f} and {of_transformers:.2f} x")


if __name__ == "__main__":
    main(*sys.argv[1:])
