"""Makes a tokenizer.json of a vocabulary as llama.cpp keeps it, for compare.py: byte-level BPE, with the pre-tokenizer of the model.

    python from_gguf.py ggml-vocab-NAME.gguf…

The files are in the source archive of llama-cpp-python (vendor/llama.cpp/models). Each becomes NAME.json in the current folder. Needs: pip install gguf.
"""

import json
import pathlib
import sys

from gguf import GGUFReader


def split(expression):
    return {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}


def byte_level(use_regex):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
BLANK = r"\s*[\r\n]+|\s+(?!\S)|\s+"
DIGITS = {"type": "Digits", "individual_digits": True}
CJK = split("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+")
LETTERS = (  # with case
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ"
    "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc"
    "ℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
)
NFC = {"type": "NFC"}

# Of each model: its normalizer, its pre-tokenizers, and whether it ignores merges for what is a token.
MODELS = {
    "llama-bpe": (None, [split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + BLANK), byte_level(False)], True),
    "qwen35": (NFC, [split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + BLANK), byte_level(False)], False),
    "deepseek-llm": (
        None,
        [split("[\r\n]"), split(r"\s?[" + LETTERS + "]+"), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"), CJK, DIGITS, byte_level(False)],
        False,
    ),
    "deepseek-coder": (None, [split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), CJK, DIGITS, byte_level(False)], False),
    "starcoder": (None, [DIGITS, byte_level(True)], False),
    "gpt-neox": (NFC, [byte_level(True)], False),
    "command-r": (NFC, [DIGITS, byte_level(True)], False),
}


def convert(path):
    name = path.stem.removeprefix("ggml-vocab-")
    normalizer, pre_tokenizers, ignore_merges = MODELS[name]
    fields = GGUFReader(path).fields

    def texts(key):
        return [bytes(fields[key].parts[i]).decode() for i in fields[key].data]

    tokens, kinds = texts("tokenizer.ggml.tokens"), fields["tokenizer.ggml.token_type"]
    kinds = [int(kinds.parts[i][0]) for i in kinds.data]
    normal, control, defined = 1, 3, 4
    added = [
        {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": k == defined, "special": k == control}
        for i, (t, k) in enumerate(zip(tokens, kinds))
        if k in (control, defined)
    ]
    result = {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre_tokenizers},
        "post_processor": None,
        "decoder": byte_level(True),
        "model": {
            "type": "BPE",
            "ignore_merges": ignore_merges,
            "vocab": {t: i for i, (t, k) in enumerate(zip(tokens, kinds)) if k == normal},
            "merges": [m.split(" ") for m in texts("tokenizer.ggml.merges")],
        },
    }
    pathlib.Path(name + ".json").write_text(json.dumps(result, ensure_ascii=False))


for argument in sys.argv[1:]:
    convert(pathlib.Path(argument))
