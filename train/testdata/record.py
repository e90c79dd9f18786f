"""Records a run of transformers' Trainer in trainer.json: ragged micro-batches, gradient accumulation that ends with each epoch, clipping, AdamW and a
linear schedule with warm-up.

Run in this folder with torch 2.15, transformers 5.24 and accelerate 1.15. The model scores labels by weight · table[id]. trainer.json has its
parameters before and after, the examples, the options, and of each step its loss, the norm of its gradients and its learning rate.
"""

import json
import tempfile

import torch
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainingArguments

TOKENS, DIM, LABELS = 7, 4, 5


class Lookup(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn(TOKENS, DIM))
        self.weight = torch.nn.Parameter(torch.randn(LABELS, DIM))

    def forward(self, input_ids, labels, num_items_in_batch=None, **kwargs):
        logits = self.table[input_ids] @ self.weight.T
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")
        return {"loss": loss / num_items_in_batch, "logits": logits}


class InOrder(Trainer):
    def _get_train_sampler(self, *args, **kwargs):
        return SequentialSampler(self.train_dataset)


def collate(examples):
    n = max(len(x["input_ids"]) for x in examples)
    pad = lambda key, value: torch.tensor([x[key] + [value] * (n - len(x[key])) for x in examples])
    return {"input_ids": pad("input_ids", 0), "labels": pad("labels", -100)}


def tensors(model):
    return {name: p.detach().flatten().tolist() for name, p in model.named_parameters()}


torch.manual_seed(1)
examples = []
for n in (3, 1, 5, 2, 4, 1, 2):
    labels = torch.randint(0, LABELS, (n,)).tolist()
    examples.append({"input_ids": torch.randint(0, TOKENS, (n,)).tolist(), "labels": labels})
examples[2]["labels"][1] = -100
examples[4]["labels"][0] = -100

options = dict(
    per_device_train_batch_size=2,
    gradient_accumulation_steps=3,
    num_train_epochs=3,
    max_grad_norm=0.3,
    learning_rate=0.05,
    weight_decay=0.1,
    warmup_steps=2,
)
model = Lookup()
before = tensors(model)
trainer = InOrder(
    model=model,
    args=TrainingArguments(output_dir=tempfile.mkdtemp(), optim="adamw_torch", lr_scheduler_type="linear", logging_steps=1, save_strategy="no",
                           report_to="none", remove_unused_columns=False, use_cpu=True, dataloader_num_workers=0, **options),
    train_dataset=examples,
    data_collator=collate,
)
trainer.train()  # weight decay is for all parameters but biases and norms
steps = [{k: s[k] for k in ("loss", "grad_norm", "learning_rate")} for s in trainer.state.log_history if "loss" in s]
with open("trainer.json", "w") as f:
    json.dump({"tokens": TOKENS, "dim": DIM, "labels": LABELS, "options": options, "examples": examples, "before": before, "after": tensors(model),
               "steps": steps}, f, indent=1)
