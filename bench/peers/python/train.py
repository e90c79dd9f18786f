"""Training steps of the adapters, with PEFT: the weights of the skills are found as in eval mode, and there is no dropout."""

import os

import peft
import torch
import transformers

import llama_model
import t5
from values import tokens


def t5_job(folder, batch, source, target):
    if not os.path.exists(folder + "/adapter"):
        t5.write(folder)
    given = {"input_ids": tokens(1, int(batch), int(source), t5.VOCABULARY), "labels": tokens(2, int(batch), int(target), t5.VOCABULARY)}
    return job(transformers.T5ForConditionalGeneration, folder + "/base", folder + "/adapter", given)


def llama_job(folder, batch, length):
    llama_model.write(folder)
    ids = tokens(1, int(batch), int(length), llama_model.VOCABULARY)
    return job(transformers.LlamaForCausalLM, folder + "/f32", folder + "/adapter", {"input_ids": ids, "labels": ids})


def job(kind, base, adapter, given):
    with torch.inference_mode(False), torch.enable_grad():
        model = peft.PeftModel.from_pretrained(kind.from_pretrained(base), adapter, is_trainable=True)
        model.eval()
        given = {name: ids.clone() for name, ids in given.items()}
        given["task_ids"] = torch.arange(len(given["input_ids"])) % model.peft_config["default"].n_tasks
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        first = next(p for name, p in trained.items() if "poly_lora_A" in name)
        adam = torch.optim.Adam(trained.values(), lr=1e-3)

    def run():
        with torch.inference_mode(False), torch.enable_grad():
            adam.zero_grad()
            model(**given, use_cache=False).loss.backward()
            adam.step()

    return run, lambda: first.grad
