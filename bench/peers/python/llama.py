"""Generation from the Llama, and from the T5, with PEFT and transformers."""

import peft
import torch
import transformers

import llama_model
import t5
from values import tokens


def greedy(new):
    """The settings of exactly so many new tokens."""
    return {"max_new_tokens": new, "min_new_tokens": new, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}


def job(folder, which, storage, batch, prompt, new):
    llama_model.write(folder)
    dtype = torch.bfloat16 if storage == "bf16" else torch.float32
    model = transformers.LlamaForCausalLM.from_pretrained(f"{folder}/{storage}", dtype=dtype)
    given = {"input_ids": tokens(1, int(batch), int(prompt), llama_model.VOCABULARY)}
    if which == "adapter":
        model = peft.PeftModel.from_pretrained(model, folder + "/adapter")
        given["task_ids"] = torch.arange(int(batch)) % llama_model.TASKS
    model.eval()
    return lambda: model.generate(**given, **greedy(int(new))), lambda: model(**given).logits[:, -1]


def t5_job(folder, which, batch, source, new):
    model, given = t5.opened(folder, which, int(batch))
    given["input_ids"] = tokens(1, int(batch), int(source), t5.VOCABULARY)
    start = torch.zeros(int(batch), 1, dtype=torch.long)
    return lambda: model.generate(**given, **greedy(int(new))), lambda: model(**given, decoder_input_ids=start).logits
