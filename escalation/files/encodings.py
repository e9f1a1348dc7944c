"""Bytes to text, and which encoding a text that is not UTF-8 may be in."""

from __future__ import annotations

import codecs
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
UTF8 = ("utf-8", "surrogatepass")
"""Codec and rule by which every text that Python holds can be bytes."""
MARK, UTF_16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
AT_ONCE = 1 << 24
"""Bytes that are looked through in one go."""
SAMPLE = 200_000
"""So many bytes around the first that is not UTF-8 are looked at."""


def as_utf8(raw: bytes, path: Path, encoding: str | None) -> bytes:
    """A text table in UTF-8 without a mark; bytes that are that already are not copied.

    Raises
    ------
    InputError
        As :func:`decode`.
    """
    plain = encoding is None and raw[:3] != MARK and raw[:2] not in UTF_16_MARKS
    return raw if plain and _is_utf8(raw) else decode(raw, path, encoding).encode(*UTF8)


def as_text(raw: bytes) -> str:
    """The text of bytes from :func:`as_utf8`."""
    return raw.decode(*UTF8)


def _is_utf8(raw: bytes) -> bool:
    """Look through bytes part by part, so that a large text is not held twice."""
    if raw.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(raw), AT_ONCE):
            decoder.decode(raw[at : at + AT_ONCE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def decode(raw: bytes, path: Path, encoding: str | None) -> str:
    """Decode a text table.

    Raises
    ------
    InputError
        If the encoding is not known, or the bytes are not in it; an encoding in which they read well is named.
    """
    marked = raw[:2] in UTF_16_MARKS
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
