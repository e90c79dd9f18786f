"""The peer llama.cpp: jobs of the Llama's base, through the GGUF file that it makes of the same folder. Its cache holds float32."""

import ctypes
import os

import gguf
import llama_cpp as lib
import numpy
import torch
from safetensors.torch import load_file

import llama_model
import peer
from values import tokens

HEADS, KEY_HEADS, LAYERS, DIM = 9, 3, 30, 576

NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def interleaved(w, heads):
    """llama.cpp rotates neighbours where the folder pairs elements half a head apart."""
    out, size = w.shape
    return w.reshape(heads, 2, out // heads // 2, size).swapaxes(1, 2).reshape(out, size)


def convert(folder, storage):
    """The GGUF file of a folder."""
    path = f"{folder}/{storage}.gguf"
    if os.path.exists(path):
        return path
    tensors = load_file(f"{folder}/{storage}/model.safetensors")
    w = gguf.GGUFWriter(path, "llama")
    w.add_block_count(LAYERS)
    w.add_context_length(2048)
    w.add_embedding_length(DIM)
    w.add_feed_forward_length(1536)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KEY_HEADS)
    w.add_rope_dimension_count(DIM // HEADS)
    w.add_rope_freq_base(100000.0)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(llama_model.VOCABULARY)
    w.add_tokenizer_model("none")

    def add(name, t):
        if t.dtype == torch.bfloat16 and t.dim() == 2:
            w.add_tensor(name, t.view(torch.uint8).numpy(), raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            w.add_tensor(name, t.float().numpy())

    add("token_embd.weight", tensors["model.embed_tokens.weight"])
    add("output_norm.weight", tensors["model.norm.weight"])
    for i in range(LAYERS):
        for theirs, name in NAMES.items():
            t = tensors[f"model.layers.{i}.{theirs}.weight"]
            if name in ("attn_q", "attn_k"):
                t = interleaved(t, HEADS if name == "attn_q" else KEY_HEADS).contiguous()
            add(f"blk.{i}.{name}.weight", t)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path


class Jobs:
    """What can be measured, with a number of threads."""

    def __init__(self):
        self.threads = 1
        self.log = lib.llama_log_callback(lambda *_: None)
        lib.llama_log_set(self.log, ctypes.c_void_p(0))
        lib.llama_backend_init()

    def describe(self):
        return f"llama-cpp-python {lib.__version__}"

    def set_threads(self, n):
        self.threads = n

    def make(self, kind, *args):
        if kind != "llama" or args[1] != "base" or args[3] != "1":
            raise ValueError("only the base of the Llama, one sequence at a time")
        folder, _, storage, _, prompt, new = args
        prompt, new = int(prompt), int(new)
        llama_model.write(folder)
        model = lib.llama_model_load_from_file(convert(folder, storage).encode(), lib.llama_model_default_params())
        if not model:
            raise ValueError("the model cannot be loaded")
        p = lib.llama_context_default_params()
        p.n_ctx = 1024
        p.n_batch = p.n_ubatch = 512
        p.type_k = p.type_v = lib.GGML_TYPE_F32
        context = lib.llama_init_from_model(model, p)
        if not context:
            raise ValueError("no context")
        ids = tokens(1, 1, prompt, llama_model.VOCABULARY)[0].tolist()

        def decode(ids):
            array = (lib.llama_token * len(ids))(*ids)  # a batch does not keep it
            if lib.llama_decode(context, lib.llama_batch_get_one(array, len(ids))):
                raise ValueError("llama_decode failed")
            return numpy.ctypeslib.as_array(lib.llama_get_logits_ith(context, -1), (llama_model.VOCABULARY,))

        def begin():
            lib.llama_set_n_threads(context, self.threads, self.threads)
            lib.llama_memory_clear(lib.llama_get_memory(context), True)
            return decode(ids)

        def run():
            logits = begin()
            for _ in range(new - 1):
                logits = decode([int(logits.argmax())])

        return run, lambda: torch.from_numpy(begin().copy())


if __name__ == "__main__":
    peer.main(Jobs())
