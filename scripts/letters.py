#!/usr/bin/env python3
"""Writes src/text/letters_table.inc: which code points form words, and their lower-case forms.

    python3 scripts/letters.py > src/text/letters_table.inc

The properties are those of the Unicode version that this Python knows (3.11: Unicode 14).
"""
import sys
import unicodedata

# Written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
UNSPACED = [(0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF),
            (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F),
            (0x1B000, 0x1B16F), (0x20000, 0x3FFFF)]


def kind(code):
    category = unicodedata.category(chr(code))
    if category[0] not in "LMN":
        return None
    if any(first <= code <= last for first, last in UNSPACED):
        return "unspaced"
    return "mark" if category[0] == "M" else "letter"


def runs(items):
    """Merges (code, value) pairs, ascending, into [first, last, value]."""
    merged = []
    for code, value in items:
        if merged and merged[-1][1] == code - 1 and merged[-1][2] == value:
            merged[-1][1] = code
        else:
            merged.append([code, code, value])
    return merged


codes = range(0x80, sys.maxunicode + 1)
print(f"// By scripts/letters.py from Unicode {unicodedata.unidata_version}.")
print("constexpr WordRange kWordRanges[] = {")
for first, last, value in runs((c, kind(c)) for c in codes if kind(c)):
    print(f"    {{{first:#x}, {last:#x}, CharKind::{value}}},")
print("};")

lower = [(c, ord(chr(c).lower()) - c) for c in codes
         if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
# Capitals and small letters that alternate make runs of every second code point.
folds = []
for code, delta in lower:
    last = folds[-1] if folds else None
    if last and last[2] == delta and code - last[1] in (1, 2) and last[3] in (0, code - last[1]):
        last[1], last[3] = code, code - last[1]
    else:
        folds.append([code, code, delta, 0])
print("constexpr LowerRange kLowerRanges[] = {")
for first, last, delta, step in folds:
    print(f"    {{{first:#x}, {last:#x}, {delta}, {max(step, 1)}}},")
print("};")
