"""A Llama of the shape of SmolLM2-135M and an MHR adapter, with seeded weights, in folders that all sides open."""

import os

import peft
import torch
import transformers

VOCABULARY = 49152
TASKS = 8


def write(folder):
    """Write folder/f32, folder/bf16, folder/widened and folder/adapter, unless they are there. The widened weights are float32 that was bfloat16, as that of most
    published models is where somebody computes in float32."""
    if os.path.exists(folder + "/adapter"):
        return
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
        rope_theta=100000.0, rms_norm_eps=1e-5, tie_word_embeddings=True, max_position_embeddings=2048, initializer_range=0.04,
    )
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder + "/f32")
    adapted = peft.get_peft_model(
        model, peft.PolyConfig(task_type="CAUSAL_LM", r=8, n_tasks=TASKS, n_skills=8, n_splits=4, target_modules=["q_proj", "v_proj"], init_weights=False)
    )
    for name, parameter in adapted.named_parameters():
        if "module_logits" in name:
            torch.nn.init.normal_(parameter)
    adapted.save_pretrained(folder + "/adapter")
    narrow = transformers.LlamaForCausalLM.from_pretrained(folder + "/f32").to(torch.bfloat16)
    narrow.save_pretrained(folder + "/bf16")
    narrow.to(torch.float32).save_pretrained(folder + "/widened")
