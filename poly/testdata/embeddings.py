"""Writes the case peft-0.21/embeddings: python embeddings.py; needs torch, transformers, peft and safetensors.

An adapter of a tied T5 whose embedding was changed before PEFT saved both (save_embedding_layers). The reference is what PEFT computes with the saved
folder on the base as it was; logits_disabled is the base alone, since PEFT leaves the adapter's embedding in it.
"""
import json
import os

import peft
import torch
import transformers
from safetensors.torch import save_file

CONFIG = dict(vocab_size=44, d_model=16, d_kv=4, d_ff=24, num_heads=4, num_layers=1, num_decoder_layers=1, dropout_rate=0.0, feed_forward_proj="gated-gelu",
              tie_word_embeddings=True, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1)
POLY = dict(r=2, n_tasks=2, n_skills=2, n_splits=2)
SEED = 33


def main(folder):
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    torch.manual_seed(SEED)
    model = transformers.T5ForConditionalGeneration(transformers.T5Config(**CONFIG))
    model.shared.weight.data.mul_(0.15)  # otherwise it repeats its input
    model.save_pretrained("base")

    def base():
        return transformers.T5ForConditionalGeneration.from_pretrained("base").eval()

    model = peft.get_peft_model(base(), peft.PolyConfig(task_type="SEQ_2_SEQ_LM", **POLY))
    model.peft_config["default"].base_model_name_or_path = "./base"
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "poly_lora_B" in name:
                p.normal_(std=0.5)
            elif "module_logits" in name:
                p.normal_(std=2)
        shared = model.get_input_embeddings().weight
        shared.add_(torch.randn_like(shared) * 0.1)
    model.save_pretrained("adapter", save_embedding_layers=True)
    os.remove("adapter/README.md")

    ids, labels = torch.randint(3, 44, (3, 7)), torch.randint(3, 44, (3, 5))
    inputs = dict(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=base()._shift_right(labels))
    ref = dict(inputs, labels=labels, task_ids=torch.tensor([0, 1, 0]))
    with torch.no_grad():
        ref["logits_disabled"] = base()(**inputs).logits
    model = peft.PeftModel.from_pretrained(base(), "adapter", is_trainable=True).eval()
    logits = model(**inputs, task_ids=ref["task_ids"]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    loss.backward()
    ref |= dict(logits=logits.detach(), loss=loss.detach())
    ref |= {"grad." + n.replace(".default", ""): p.grad for n, p in model.named_parameters() if "poly_" in n}
    save_file({k: v.contiguous() for k, v in ref.items()}, "reference.safetensors")
    versions = {m.__name__: m.__version__ for m in (torch, transformers, peft)}
    json.dump(dict(name="embeddings", seed=SEED, config=CONFIG, poly=POLY, save_embedding_layers=True, versions=versions), open("case.json", "w"), indent=1)


main(os.path.join(os.path.dirname(os.path.abspath(__file__)), "peft-0.21/embeddings"))
