"""A T5 of the shape of T5-small and an MHR adapter, with seeded weights, in folders that both sides open; and their forward pass."""

import os

import peft
import torch
import transformers

from values import tokens

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

VOCABULARY = 32128
TASKS = 8


def describe():
    return f"transformers {transformers.__version__}, PEFT {peft.__version__}"


def write(folder):
    """Write folder/base and folder/adapter."""
    torch.manual_seed(1)
    config = transformers.T5Config(
        vocab_size=VOCABULARY, d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8, feed_forward_proj="relu",
        decoder_start_token_id=0,
    )
    model = transformers.T5ForConditionalGeneration(config)
    model.save_pretrained(folder + "/base")
    adapter = peft.PolyConfig(task_type="SEQ_2_SEQ_LM", r=8, n_tasks=TASKS, n_skills=8, n_splits=4, init_weights=False)
    model = peft.get_peft_model(model, adapter)
    for name, parameter in model.named_parameters():
        if "module_logits" in name:
            torch.nn.init.normal_(parameter)
    model.save_pretrained(folder + "/adapter")


def opened(folder, which, batch):
    """The model, and what it is given besides tokens."""
    if not os.path.exists(folder + "/adapter"):
        write(folder)
    model, given = transformers.T5ForConditionalGeneration.from_pretrained(folder + "/base"), {}
    if which == "adapter":
        model = peft.PeftModel.from_pretrained(model, folder + "/adapter")
        given["task_ids"] = torch.arange(batch) % TASKS
    model.eval()
    return model, given


def job(folder, which, batch, source, target):
    model, given = opened(folder, which, int(batch))
    given["input_ids"] = tokens(1, int(batch), int(source), VOCABULARY)
    given["decoder_input_ids"] = tokens(2, int(batch), int(target), VOCABULARY)
    given["use_cache"] = False
    logits = None

    def run():
        nonlocal logits
        logits = model(**given).logits

    return run, lambda: logits
