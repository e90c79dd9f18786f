"""Records what the packages tokenizers and sentencepiece make of texts, with many small vocabularies and settings drawn at random.

    python record.py json SEED COUNT TEXT… | gzip -9n > components.json.gz
    python record.py model SEED COUNT TEXT… | gzip -9n > models.json.gz
    python record.py real SEED COUNT TEXT… -- FILE… | gzip -9n > real.json.gz

A TEXT is a file of prose to train on or to take lines from. A line of output is a tokenizer.json, a .model in base64, or the name of a FILE, which is
one of these, and cases: a text (of .model, in base64), its ids with and without special tokens, the ids that are decoded, and their text with special
tokens left out and with them. What a package itself refuses is left out.
Needs: pip install tokenizers sentencepiece protobuf. Recorded with tokenizers 0.23.3 and sentencepiece 0.2.3.
"""

import base64
import io
import json
import os.path
import random
import sys

import sentencepiece
from compare import characters
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ["<unk>", "<s>", "</s>", "[CLS]"]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
REGEXES = [GPT2, LLAMA3, QWEN2, r"\s+", r"\p{P}", r"[0-9]{1,3}", r"\d+|\p{L}+", r"[一-龥ぁ-ヿ]+", r"\p{^L}", r"[^\s\p{P}]+|\p{P}", r"(?:a|b)+?c?", "ing|ed| "]
BEHAVIORS = ["removed", "isolated", "contiguous", "merged_with_previous", "merged_with_next"]
ODD = list("\u0000\u0001\t\r\n\u00ad\u0301\u0323\u0f39\u1161\u11a8\u200b\u200d\u2028\u3000\ufeff\ufffd\uac00한국áÅﬁ①Ⅳ㌀ᾳΣσςİıßſK，。！ａｂｃ日本語ｶﾞがकत्ष👩‍👩‍👧🇩🇪𝒳\U00020000\u0378\ue000")


def normalizer(r, depth=0):
    kind = r.randrange(14 if depth == 0 else 12)
    return [
        lambda: normalizers.NFC(), lambda: normalizers.NFD(), lambda: normalizers.NFKC(), lambda: normalizers.NFKD(),
        lambda: normalizers.Lowercase(), lambda: normalizers.StripAccents(), lambda: normalizers.Nmt(),
        lambda: normalizers.Strip(r.random() < 0.5, r.random() < 0.5),
        lambda: normalizers.Prepend(r.choice(["▁", " ", "x"])),
        lambda: normalizers.Replace(r.choice([" ", "``", "e", Regex(r"\s+"), Regex("[aeiou]{2,}"), Regex(r" {2,}")]), r.choice(["▁", " ", "", "''"])),
        lambda: normalizers.BertNormalizer(*(r.random() < 0.5 for _ in range(2)), r.choice([None, True, False]), r.random() < 0.5),
        lambda: normalizers.Replace(" ", "▁"),
        lambda: normalizers.Sequence([normalizer(r, 1) for _ in range(r.randint(1, 3))]),
        lambda: None,
    ][kind]()


def metaspace(r, of):
    return of.Metaspace(r.choice(["▁", "▁", "_"]), r.choice(["always", "first", "never"]), r.random() < 0.6)


def pre_tokenizer(r, byte_level, depth=0):
    if byte_level:
        steps = [pre_tokenizer(r, False, 1)] if r.random() < 0.5 else []
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=r.random() < 0.3, use_regex=r.random() < 0.6))
        return pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    kind = r.randrange(12 if depth == 0 else 9)
    return [
        lambda: pre_tokenizers.WhitespaceSplit(), lambda: pre_tokenizers.Whitespace(), lambda: pre_tokenizers.BertPreTokenizer(),
        lambda: pre_tokenizers.Punctuation(r.choice(BEHAVIORS)), lambda: pre_tokenizers.Digits(r.random() < 0.5),
        lambda: pre_tokenizers.CharDelimiterSplit(r.choice(" ,e")),
        lambda: metaspace(r, pre_tokenizers),
        lambda: pre_tokenizers.Split(r.choice([" ", "e", "日", "th"]), r.choice(BEHAVIORS), r.random() < 0.3),
        lambda: pre_tokenizers.Split(Regex(r.choice(REGEXES)), r.choice(BEHAVIORS), r.random() < 0.3),
        lambda: pre_tokenizers.Sequence([pre_tokenizer(r, False, 1) for _ in range(r.randint(1, 3))]),
        lambda: metaspace(r, pre_tokenizers),
        lambda: None,
    ][kind]()


def trained(r, texts):
    """A tokenizer with a small vocabulary."""
    kind = r.choice(["BPE", "BPE", "BPE bytes", "Unigram", "Unigram", "WordPiece"])
    size = r.choice([120, 250, 400])
    sample = r.sample(texts, 150)
    common = dict(vocab_size=size, show_progress=False, special_tokens=SPECIAL[: r.randint(1, 4)])
    if kind == "WordPiece":
        t = Tokenizer(models.WordPiece(unk_token="<unk>", max_input_chars_per_word=r.choice([5, 20, 100])))
        trainer = trainers.WordPieceTrainer(limit_alphabet=r.choice([30, 60]), **common)
    elif kind == "Unigram":
        t = Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(unk_token="<unk>", initial_alphabet=[], **common)
    else:
        affixes = {}
        if kind == "BPE" and r.random() < 0.3:
            affixes["continuing_subword_prefix"] = "##"
        if r.random() < 0.2:
            affixes["end_of_word_suffix"] = "</w>"
        t = Tokenizer(models.BPE(unk_token=r.choice(["<unk>", None]), fuse_unk=r.random() < 0.5, **affixes))
        alphabet = pre_tokenizers.ByteLevel.alphabet() if kind == "BPE bytes" and r.random() < 0.8 else []
        trainer = trainers.BpeTrainer(limit_alphabet=None if alphabet else r.choice([30, 60]), initial_alphabet=alphabet, **affixes, **(common | dict(vocab_size=size + len(alphabet))))
    n, p = normalizer(r), pre_tokenizer(r, kind == "BPE bytes")
    if n:
        t.normalizer = n
    if p:
        t.pre_tokenizer = p
    t.train_from_iterator(sample, trainer)
    return t


def with_bytes(model, r):
    """Tokens for bytes in the vocabulary of a model, of the form that its JSON has."""
    names = ["<0x%02X>" % b for b in range(256) if r.random() < 0.999]
    if model["type"] == "BPE":
        for name in names:
            model["vocab"].setdefault(name, len(model["vocab"]))
    else:
        model["vocab"] += [[name, -20.0] for name in names]
    model["byte_fallback"] = True


def decoder(r, byte_level):
    if byte_level and r.random() < 0.8:
        return decoders.ByteLevel()
    return r.choice([
        lambda: None, lambda: decoders.WordPiece("##", r.random() < 0.5), lambda: metaspace(r, decoders), lambda: decoders.Fuse(),
        lambda: decoders.ByteFallback(), lambda: decoders.Strip(r.choice("▁e"), r.randint(0, 2), 0),
        lambda: decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", r.randint(0, 2), r.randint(0, 1))]),
        lambda: decoders.Sequence([decoders.Replace(Regex("[aeiou]+"), "-"), decoders.Fuse()]),
    ])()


def added(r):
    content = r.choice(["<x>", "<xy>", "[Y z]", "ing", "The", "é", "日", "\n", " ", "'s", "1", "Straße", "<s>", "▁a", "x\u0301", "A"])
    return AddedToken(content, single_word=r.random() < 0.3, lstrip=r.random() < 0.3, rstrip=r.random() < 0.3, normalized=r.random() < 0.5, special=r.random() < 0.5)


def post_processor(r):
    template = lambda: processors.TemplateProcessing(single=r.choice(["<s> $A", "$A </s>", "<s>:0 $A:1 </s> </s>", "$0"]), pair="$A $B", special_tokens=[("<s>", 1), ("</s>", 2)])
    return r.choice([
        lambda: None, template, lambda: processors.BertProcessing(("</s>", 2), ("<s>", 1)), lambda: processors.RobertaProcessing(("</s>", 2), ("<s>", 1)),
        lambda: processors.ByteLevel(), lambda: processors.Sequence([processors.ByteLevel(trim_offsets=False), template()]),
    ])()


def text(r, texts):
    kind = r.random()
    if kind < 0.4:
        return r.choice(texts)[: r.choice([0, 1, 20, 150, 150, 150])]
    parts = [" ", "  ", "a", "The", "<x>", "<xy>", "<s>", "ing", "Straße", "1", "23", "é", "'s", "\n", "▁", "_", "[Y z]", "#", "##a", ".", "!"] + r.sample(ODD, 8)
    if kind < 0.8:
        parts += r.choice(texts).split()[:8]
    return "".join(r.choice(parts) for _ in range(r.randint(0, 25)))


def tokenizer_json(r, texts):
    t = trained(r, texts)
    for set_ in ("post_processor", "decoder"):
        part = post_processor(r) if set_ == "post_processor" else decoder(r, '"ByteLevel"' in json.dumps(json.loads(t.to_str())["pre_tokenizer"]))
        if part:
            setattr(t, set_, part)
    for _ in range(r.randint(0, 4)):
        t.add_tokens([added(r)])
    file = json.loads(t.to_str())
    model = file["model"]
    if model["type"] != "WordPiece" and '"ByteLevel"' not in json.dumps(file["pre_tokenizer"]) and r.random() < 0.4:
        with_bytes(model, r)
    if model["type"] == "BPE":
        model["ignore_merges"] = r.random() < 0.3
        if r.random() < 0.2 and not any(" " in s for m in model["merges"] for s in m):
            model["merges"] = [" ".join(m) for m in model["merges"]]
    if model["type"] == "Unigram" and r.random() < 0.6:  # many equal scores
        digits = r.choice([0, 1, 16])
        model["vocab"] = [[s, round(v, digits) if digits < 2 else v * 1.0000000000000002] for s, v in model["vocab"]]
    if r.random() < 0.1:
        del model["type"]
    return file


def json_case(r, t, s):
    special, plain = (t.encode(s, add_special_tokens=b).ids for b in (True, False))
    ids = plain if r.random() < 0.5 else [r.randrange(t.get_vocab_size() + 2) for _ in range(r.randint(1, 20))]
    return [s, special, plain, ids, t.decode(ids), t.decode(ids, skip_special_tokens=False)]


def model_case(r, t, s):
    if r.random() < 0.2:  # bytes that are not UTF-8
        s = s.encode()[1:-1]
    ids = t.encode(s)
    some = ids if r.random() < 0.5 else [r.randrange(t.get_piece_size()) for _ in range(r.randint(1, 20))]
    decoded = t.decode(some)
    return [base64.b64encode(s if isinstance(s, bytes) else s.encode()).decode(), ids, ids, some, decoded, decoded]


def record_json(r, texts):
    file = tokenizer_json(r, texts)
    t = Tokenizer.from_str(json.dumps(file))
    return {"tokenizer": file, "cases": [json_case(r, t, text(r, texts)) for _ in range(30)]}


def record_model(r, texts):
    out = io.BytesIO()
    yes = lambda p: r.random() < p
    options = dict(
        model_type=r.choice(["bpe", "unigram"]), vocab_size=r.choice([250, 350, 500]), hard_vocab_limit=False, character_coverage=r.choice([0.98, 0.9995]),
        byte_fallback=yes(0.4), add_dummy_prefix=yes(0.8), remove_extra_whitespaces=yes(0.6), treat_whitespace_as_suffix=yes(0.2),
        normalization_rule_name=r.choice(["nmt_nfkc", "identity", "nfkc_cf"]), split_by_whitespace=yes(0.8), split_digits=yes(0.3), allow_whitespace_only_pieces=yes(0.3),
        user_defined_symbols=r.sample(["<x>", "ing", "é", "▁The", "日本", "ee"], r.randint(0, 3)), control_symbols=r.sample(["<c>", "<d>"], r.randint(0, 2)),
        split_by_unicode_script=yes(0.7), minloglevel=2,
    )
    if options["byte_fallback"]:
        options["vocab_size"] += 256
    if yes(0.3):
        options["unk_surface"] = "??"
    ascii_ = [t for t in texts if t.isascii()]
    sample = r.sample(ascii_, 200) + r.sample([t for t in texts if not t.isascii() and len(t) < 40], 5)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(sample), model_writer=out, **options)
    m = sentencepiece_model_pb2.ModelProto.FromString(out.getvalue())
    if options["normalization_rule_name"] != "identity" and yes(0.8):  # the rules are large
        m.normalizer_spec.precompiled_charsmap = b""
    unused = yes(0.4)
    round_ = yes(0.4)
    for p in m.pieces:
        if p.type == p.NORMAL:
            if unused and len(p.piece) > 1 and yes(0.2):
                p.type = p.UNUSED
            if round_:
                p.score = round(p.score)
    data = m.SerializeToString()
    t = sentencepiece.SentencePieceProcessor(model_proto=data)
    return {"model": base64.b64encode(data).decode(), "cases": [model_case(r, t, text(r, texts)) for _ in range(30)]}


def record_real(r, count, texts, file):
    """A third each of prose, of prose mixed with other things, and of characters of one kind."""
    kinds = list(characters().values())
    lines = r.sample(texts, count // 3) + [text(r, texts) for _ in range(count // 3)]
    lines += ["".join(r.choices(kinds[i % len(kinds)], k=r.randint(1, 40))) for i in range(count // 3)]
    if file.endswith(".model"):
        t, case = sentencepiece.SentencePieceProcessor(model_file=file), model_case
    else:
        t, case = Tokenizer.from_file(file), json_case
        t.no_padding()
        t.no_truncation()
    return {"file": os.path.basename(os.path.dirname(file)) + "-" + os.path.basename(file), "cases": [case(r, t, s) for s in lines]}


def main():
    kind, seed, count, *paths = sys.argv[1:]
    paths, files = (paths[: paths.index("--")], paths[paths.index("--") + 1 :]) if "--" in paths else (paths, [])
    texts = [line.strip() for p in paths for line in open(p, encoding="utf-8") if line.strip()]
    if kind == "real":
        for file in files:
            print(json.dumps(record_real(random.Random(int(seed)), int(count), texts, file), ensure_ascii=False))
        return
    record = {"json": record_json, "model": record_model}[kind]
    made, seed = 0, int(seed)
    while made < int(count):
        seed += 1
        try:
            line = json.dumps(record(random.Random(seed), texts), ensure_ascii=False)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            print(seed, repr(e)[:200], file=sys.stderr)
            continue
        print(line)
        made += 1


main()
