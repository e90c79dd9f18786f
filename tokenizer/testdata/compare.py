"""Compares polybench tokenize with the packages tokenizers and sentencepiece, line by line.

    python compare.py POLYBENCH FILE.json|FILE.model… -- TEXT…

A TEXT is a file or a folder: prose, source code, message catalogues (.mo). Lines are drawn from these; others are made of random characters of many
kinds, control characters, added tokens and broken bytes. Prints the number of lines and of differences for each vocabulary; the exit status is 1
if there are any. Needs: pip install tokenizers sentencepiece. Differences were zero with tokenizers 0.23.3 and sentencepiece 0.2.3.
"""

import gettext
import json
import pathlib
import random
import subprocess
import sys

from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

PER_TEXT = 60000  # lines of one TEXT
MADE = 6000  # lines of each kind that is made


def lines_of(path):
    """The lines of a file or a folder."""
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for p in paths:
        if p.suffix == ".mo":
            try:
                messages = gettext.GNUTranslations(p.open("rb"))._catalog
            except Exception:
                continue
            yield from (m for m in messages.values() if m)
        else:
            yield from p.read_bytes().decode(errors="replace").split("\n")


def characters():
    """Kinds of characters to draw from."""

    def span(low, high):
        return [chr(c) for c in range(low, high) if not 0xD800 <= c < 0xE000]

    ascii_, spaces = span(32, 127), list(" \t\n\r\f\v\x85\xa0\u1680\u2000\u2009\u2028\u2029\u202f\u3000\u200b\ufeff\u2581")
    return {
        "ascii": ascii_,
        "control": span(0, 32) + span(127, 160) + ascii_,
        "spaces": spaces + list("ab1'.,") + [" "] * 10,
        "latin": span(0xA0, 0x250) + ascii_,
        "marks": span(0x300, 0x370) + list("aeiouAEIOU") + span(0x1AB0, 0x1B00) + span(0xE00, 0xE80),
        "greek and cyrillic": span(0x370, 0x530),
        "hebrew and arabic": span(0x590, 0x780),
        "indic": span(0x900, 0xE00),
        "south-east": span(0xE00, 0x1100) + span(0x1780, 0x1800),
        "hangul": span(0x1100, 0x1200) + span(0xAC00, 0xAE00) + span(0xD7B0, 0xD800),
        "extended": span(0x1E00, 0x2000) + span(0x2C00, 0x2E00),
        "symbols": span(0x2000, 0x2C00),
        "han and kana": span(0x2E80, 0x3400) + span(0x4E00, 0x5000) + span(0xF900, 0xFB00),
        "compatibility": span(0xFB00, 0x10000) + span(0x3200, 0x3400) + span(0x2100, 0x2200),
        "emoji": span(0x1F1E6, 0x1F200) + span(0x1F300, 0x1F700) + list("\u200d\ufe0f\ufe0e") * 20 + span(0x1F3FB, 0x1F400) * 5,
        "planes": span(0x10000, 0x1F000) + span(0x20000, 0x20400) + span(0x2F800, 0x2FA20) + span(0xE0000, 0xE0200),
        "any": span(0, 0x110000),
        "contractions": list("'''''sStTmMdDrReEvVlL\u017f \u2019") + ["'ll", "'re", "'VE"],
        "digits": list("0123456789.,:- ") + span(0x660, 0x66A) + span(0x966, 0x970) + list("²½Ⅳ①৪"),
        "source": list("(){}[]<>=+-*/%&|!;:.,\"'\\_ \t\n") + ["func", "return", "    ", "\t\t", "0x1F", "//", "!=", "\r\n"],
    }


def made(rng, tokens):
    """Lines that nobody wrote."""
    kinds = characters()
    everything = [c for k in kinds.values() for c in rng.sample(k, min(len(k), 200))]
    for kind in list(kinds.values()) + [everything]:
        for _ in range(MADE // 6):
            yield "".join(rng.choices(kind, k=rng.randint(1, 60)))
        for _ in range(MADE // 6):  # words with such characters between
            yield "".join(rng.choice(["word", "The ", " a", "ing", rng.choice(kind), rng.choice(kind)]) for _ in range(rng.randint(1, 30)))
    for _ in range(MADE):
        yield "".join(rng.choice([rng.choice(tokens), " ", "x", "Hello", "\n", "é", rng.choice(everything)]) for _ in range(rng.randint(1, 12)))
    for n in (1000, 20000):
        for c in ("a", " ", "\n", "é", "日", "\u2581", "😀", "ab", "'s", "1", "<", "e\u0301", "xyz "):
            yield c * (n // len(c))
        yield "".join(rng.choices(everything, k=n))
        yield "".join(rng.choices([c for c in everything if not c.isspace()], k=n))


def broken(rng, lines):
    """Bytes that are not UTF-8."""
    for _ in range(MADE):
        b = bytearray(rng.choice(lines).encode()[:200])
        for _ in range(rng.randint(1, 5)):
            at = rng.randint(0, len(b))
            b[at : at + rng.randint(0, 2)] = rng.choice([b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"])
        yield bytes(b).replace(b"\n", b"")
    for _ in range(MADE):
        yield bytes(rng.choices(range(128, 256), k=rng.randint(1, 20))).replace(b"\n", b"")


class Reference:
    def __init__(self, path):
        self.sp = path.endswith(".model")
        if self.sp:
            self.t = SentencePieceProcessor(model_file=path)
            self.tokens = [self.t.id_to_piece(i) for i in range(min(300, self.t.get_piece_size()))]
        else:
            self.t = Tokenizer.from_file(path)
            self.t.no_padding()
            self.t.no_truncation()
            self.tokens = [t.content for t in self.t.get_added_tokens_decoder().values()]
        self.size = self.t.get_piece_size() if self.sp else self.t.get_vocab_size()

    def encode(self, lines, special):
        if self.sp:
            return [self.t.encode(l) for l in lines]
        lines = [l.decode(errors="replace") if isinstance(l, bytes) else l for l in lines]
        return [e.ids for e in self.t.encode_batch_fast(lines, add_special_tokens=special)]

    def decode(self, ids):
        if self.sp:
            return [self.t.decode(i) for i in ids]
        return self.t.decode_batch(ids, skip_special_tokens=True)


def polybench(program, path, lines, *flags):
    run = subprocess.run([program, "tokenize", "-tokenizer", path, *flags], input=b"".join(l + b"\n" for l in lines), stdout=subprocess.PIPE, check=True)
    return [json.loads(l) for l in run.stdout.split(b"\n")[:-1]]


def differences(what, inputs, got, want):
    assert len(got) == len(want), (what, len(got), len(want))
    found = [i for i in range(len(want)) if got[i] != want[i]]
    for i in found[:3]:
        at = next((j for j, (g, w) in enumerate(zip(got[i], want[i])) if g != w), min(len(got[i]), len(want[i])))
        print(f"  {what}: {inputs[i][:200]!r}: from {at} got {got[i][at:at+12]}, want {want[i][at:at+12]}")
    return len(found)


def main():
    program, *rest = sys.argv[1:]
    cut = rest.index("--")
    total = 0
    for path in rest[:cut]:
        rng = random.Random(1)
        reference = Reference(path)
        lines = []
        for text in rest[cut + 1 :]:
            of = list(dict.fromkeys(lines_of(pathlib.Path(text))))
            lines += of if len(of) <= PER_TEXT else rng.sample(of, PER_TEXT)
        lines += made(rng, reference.tokens)
        encoded = [json.dumps(l).encode() for l in lines]
        count = found = 0
        for special in (True, False):
            want = reference.encode(lines, special)
            found += differences("encode", lines, polybench(program, path, encoded, "-json", f"-special={special}".lower()), want)
            count += len(lines)
        # What decoding gives back, and what it makes of ids that no text has.
        ids = want + [[rng.randrange(reference.size) for _ in range(rng.randint(1, 30))] for _ in range(MADE)]
        found += differences("decode", ids, polybench(program, path, [json.dumps(i).encode() for i in ids], "-json", "-decode"), reference.decode(ids))
        raw = list(broken(rng, lines))
        found += differences("broken", raw, polybench(program, path, raw), reference.encode(raw, True))
        print(f"{path}: {count + len(raw)} lines and {len(ids)} arrays of ids, {found} differences", flush=True)
        total += found
    sys.exit(total > 0)


if __name__ == "__main__":
    main()
