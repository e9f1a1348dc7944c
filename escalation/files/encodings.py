"""Bytes to text, and which encoding a text that is not UTF-8 may be in."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from pathlib import Path

from escalation.errors import InputError

CANDIDATES = (
    *("cp1252", "cp1251", "cp1250", "cp1256", "cp1254", "cp1253", "cp1255", "cp1257", "koi8-r", "gb2312", "big5"),
    *("shift_jis", "euc_kr", "gb18030", "cp866", "mac_roman", "latin-1"),
)
"""Encodings that are tried, the most usual first."""
SAMPLE = 200_000
"""So many bytes around the first that is not UTF-8 are looked at."""


def decode(raw: bytes, path: Path, encoding: str | None) -> str:
    """Decode a text table.

    Raises
    ------
    InputError
        If the encoding is not known, or the bytes are not in it; an encoding in which they read well is named.
    """
    marked = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    name = encoding or ("utf-16" if marked else "utf-8-sig")
    try:
        return raw.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        name = "utf-8" if name == "utf-8-sig" else name
        raise InputError(
            f"{path}: byte {error.start:,} (line {line:,}) is not {name}; save it as UTF-8 or name its encoding"
            f"{_advice(raw, error.start)}"
        ) from None
    except (LookupError, ValueError):  # names of codecs that are none for text raise either
        raise InputError(f"encoding {encoding!r} is not known; try utf-8, utf-16, cp1252 or latin-1") from None


def _advice(raw: bytes, at: int) -> str:
    """The encoding in which the bytes read best, with a word as it reads."""
    begin = max(at - SAMPLE // 2, 0)
    sample = raw[begin : begin + SAMPLE]
    read = [(name, text) for name in CANDIDATES if (text := _text(sample, name)) is not None]
    if not read:
        return ""
    name, text = max(read, key=lambda pair: _well(pair[1]))
    if _well(text) <= 0:
        return ""
    name = {"gb2312": "gb18030"}.get(name, name)  # which is the same and more
    word = next(word for word in _words(text) if not word.isascii())
    return f": --encoding {name} (encoding={name!r}) reads {word[:30]!r} there"


def _words(text: str) -> list[str]:
    return re.split(r"[\s,;|\"'.()]+", text)


def _text(sample: bytes, name: str) -> str | None:
    for cut in range(3):  # a sample may begin and end within a character of two bytes
        try:
            return sample[: len(sample) - cut].decode(name)
        except UnicodeDecodeError:
            continue
    return None


def _well(text: str) -> float:
    """How well a text reads: letters beyond ASCII in words of one script, and no signs or capitals within words."""
    return sum(map(_well_spelled, {word for word in _words(text) if not word.isascii()}))


def _well_spelled(word: str) -> float:
    names = [unicodedata.name(sign, "?") for sign in word if ord(sign) > 127]
    letters = sum(sign.isalpha() for sign in word if ord(sign) > 127)
    scripts = {unicodedata.name(sign, "?").split()[0] for sign in word if sign.isalpha()}
    capitals = sum(after.isupper() and before.islower() for before, after in pairwise(word))
    rare = sum(name.endswith(RARE) or (" WITH " in name and not name.endswith(USUAL)) for name in names)
    own = sum(name.startswith(("HANGUL", "HIRAGANA", "KATAKANA")) for name in names)
    accents = len(word) if scripts == {"LATIN"} and len(word) > 2 and 2 * len(names) > len(word) else 0
    return letters + own - 3.0 * (len(names) - letters + capitals + len(scripts) - 1) - 0.6 * rare - 2 * accents


USUAL = ("ACUTE", "GRAVE", "DIAERESIS", "TILDE", "CEDILLA", "CIRCUMFLEX", "CARON", "STROKE", "ABOVE", "OGONEK", "BREVE")
RARE = ("ETH", "THORN", "Y WITH ACUTE")
"""Ends of the names of letters that are common and seldom."""
