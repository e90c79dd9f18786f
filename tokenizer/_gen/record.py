"""Asks the tokenizers package for the properties that it gives each code point, and prints them as runs.

    python record.py > reference.txt

Its parts have tables of different Unicode versions (onig, unicode_categories, regex, the standard library of Rust), so the package itself is the
authority. A line has the name of a property, the first code point of a run in hexadecimal and the value that holds from there on; the lines of
"lower" have a code point and its lower case. Recorded with tokenizers 0.23.3.
"""

from tokenizers import Regex, normalizers, pre_tokenizers

SURROGATES = range(0xD800, 0xE000)
POINTS = [c for c in range(0x110000) if c not in SURROGATES]
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()


def runs(name, value):
    last = None
    for c in POINTS:
        v = value(c)
        if v != last:
            print(name, f"{c:04X}", v)
            last = v


def categories():
    """General categories as regular expressions of split patterns have them."""
    text = "".join(map(chr, POINTS))
    found = ["Cn"] * 0x110000
    for category in CATEGORIES:
        split = pre_tokenizers.Split(Regex(r"\p{%s}+" % category), "removed", invert=True)
        for _, (start, end) in split.pre_tokenize_str(text):
            for c in POINTS[start:end]:
                found[c] = category
    return found


def bert(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on})


def pieces(pre_tokenizer, c):
    return [piece for piece, _ in pre_tokenizer.pre_tokenize_str("a" + chr(c))]


found = categories()
runs("category", lambda c: found[c])

whitespace = pre_tokenizers.Whitespace()
runs("word", lambda c: int(pieces(whitespace, c) == ["a" + chr(c)]))
digits = pre_tokenizers.Digits(individual_digits=True)
runs("numeric", lambda c: int(len(pieces(digits, c)) == 2))
punctuation = pre_tokenizers.Punctuation()
runs("punctuation", lambda c: int(len(pieces(punctuation, c)) == 2))

clean = bert(clean_text=True)
runs("other", lambda c: int(clean.normalize_str("a" + chr(c)) == "a"))
nfd, plain = normalizers.NFD(), bert(strip_accents=True)
runs("nonspacing", lambda c: int(nfd.normalize_str(chr(c)) == chr(c) and plain.normalize_str("a" + chr(c)) == "a"))
accents = normalizers.StripAccents()
runs("mark", lambda c: int(accents.normalize_str("a" + chr(c)) == "a"))

lower = normalizers.Lowercase()
for c in POINTS:
    s = lower.normalize_str(chr(c))
    if s != chr(c):
        print("lower", f"{c:04X}", " ".join(f"{ord(d):04X}" for d in s))
