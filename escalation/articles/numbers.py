"""Numbers in a sentence: figures, words, ordinals, ranges, vague words and zeros, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from escalation.articles.sentences import Token
from escalation.articles.word_lists import word_list, word_set

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"  # noqa: E501
SMALL = {word: value for value, word in enumerate(ONES.split())}
TENS = {
    word: 10 * value
    for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 10**9, "trillion": 10**12}
SINGLE = {**SMALL, **TENS}
ORDINALS = {
    word: value
    for value, word in enumerate(
        word_list(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        1,
    )
} | {"thirtieth": 30, "fortieth": 40, "fiftieth": 50, "hundredth": 100}
VAGUE = {
    "dozens": "dozens", "scores": "scores", "hundreds": "hundreds", "several": "several", "thousands": "thousands",
    "tens": "thousands", "multiple": "several", "numerous": "several", "handful": "handful", "few": "several",
}  # fmt: skip
LARGE_VAGUE = {"dozen": "dozens", "score": "scores", "hundred": "hundreds", "thousand": "thousands"}
"""What ``several``, ``a few`` or ``many`` of these stand for."""
TIMES = {"once": 1, "twice": 2, "thrice": 3}
MOST = 10**13

Kind = Literal["cardinal", "ordinal", "word", "zero", "times"]


@dataclass(frozen=True)
class Number:
    """One number of a sentence.

    Attributes
    ----------
    first, last : int
        Its tokens, the last excluded.
    kind : str
        ``cardinal``, ``ordinal`` (the 13th), ``word`` (dozens), ``zero`` (no attack) or ``times`` (twice).
    count : int or None
        Its value; None for a range or a word.
    low, high : int or None
        Ends of a range.
    word : str
        Qualifier that a vague word stands for.
    whole : bool
        Whether it is a whole number.
    """

    first: int
    last: int
    kind: Kind
    count: int | None = None
    low: int | None = None
    high: int | None = None
    word: str = ""
    whole: bool = True


def find_numbers(tokens: tuple[Token, ...]) -> list[Number]:
    """All numbers of a sentence in their order, ranges as one.

    Examples
    --------
    >>> from escalation.articles.sentences import tokenise
    >>> [one.count for one in find_numbers(tokenise("Twenty-three men, half a dozen boats and 2,289 names"))]
    [23, 6, 2289]
    >>> [(one.low, one.high) for one in find_numbers(tokenise("between 12 and 15 grenades, three or four drones"))]
    [(12, 15), (3, 4)]
    """
    found: list[Number] = []
    position = 0
    while position < len(tokens):
        one = _number(tokens, position)
        if one is not None:
            found.append(one)
        position = one.last if one else position + 1
    return _ranges(tokens, found)


def _number(tokens: tuple[Token, ...], at: int) -> Number | None:
    """The number that begins at a token, if one does."""
    return (
        _ordinal(tokens, at) or _dozen(tokens, at) or _vague(tokens, at) or _zero(tokens, at) or _cardinal(tokens, at)
    )


def _word(tokens: tuple[Token, ...], at: int) -> str:
    return tokens[at].lower if 0 <= at < len(tokens) else ""


def _ordinal(tokens: tuple[Token, ...], at: int) -> Number | None:
    word, after = _word(tokens, at), _word(tokens, at + 1)
    joined = at + 1 < len(tokens) and tokens[at].end == tokens[at + 1].begin
    if len(word) < 7 and word.replace(",", "").isdigit() and joined and after in ("st", "nd", "rd", "th"):
        return Number(at, at + 2, "ordinal", int(word.replace(",", "")))
    if word in ("third", "fifth", "quarter", "tenth", "sixth", "eighth") and _word(tokens, at - 1) in (
        "a",
        "one",
        "two",
    ):
        return None  # a share
    if word in ORDINALS:
        return Number(at, at + 1, "ordinal", ORDINALS[word])
    tens, mark, ones = word.partition("-")
    if mark and tens in TENS and ones in ORDINALS:
        return Number(at, at + 1, "ordinal", TENS[tens] + ORDINALS[ones])
    return None


def _dozen(tokens: tuple[Token, ...], at: int) -> Number | None:
    word = _word(tokens, at)
    if word in ("half", "half-a-dozen", "half-dozen"):
        if word != "half":
            return Number(at, at + 1, "cardinal", 6, word="about")
        rest = [_word(tokens, at + 1), _word(tokens, at + 2)]
        if rest[0] == "dozen":
            return Number(at, at + 2, "cardinal", 6, word="about")
        return Number(at, at + 3, "cardinal", 6, word="about") if rest == ["a", "dozen"] else None
    if word == "a" and _word(tokens, at + 1) == "dozen":
        return Number(at, at + 2, "cardinal", 12, word="about")
    if word == "dozen" and _word(tokens, at - 1) != "a":
        return Number(at, at + 1, "cardinal", 12, word="about")
    if word in SINGLE and _word(tokens, at + 1) == "dozen":
        return Number(at, at + 2, "cardinal", 12 * SINGLE[word], word="about")
    return None


def _vague(tokens: tuple[Token, ...], at: int) -> Number | None:
    word, before = _word(tokens, at), _word(tokens, at - 1)
    after = _word(tokens, at + 1)
    if word in ("several", "few", "many") and after in LARGE_VAGUE:
        return Number(at, at + 2, "word", word=LARGE_VAGUE[after])
    if word in TIMES:
        return Number(at, at + 1, "times", TIMES[word])
    if word in ("handful", "few", "couple") and before != "a":
        return None
    if word == "couple":
        return Number(at, at + 1, "cardinal", 2, word="about")
    if word not in VAGUE or before in ("the", "test", "these"):
        return None
    if word == "tens" and after != "of":
        return None
    last = at + 3 if word in ("tens", "hundreds") and after == "of" and _word(tokens, at + 2) == "thousands" else at + 1
    return Number(at, last, "word", word=VAGUE[word] if last == at + 1 else "thousands")


def _zero(tokens: tuple[Token, ...], at: int) -> Number | None:
    """``no attack``, ``not a single attack``, ``not one``, ``none``; but not ``no fewer than`` nor ``no one``."""
    word, after = _word(tokens, at), _word(tokens, at + 1)
    if (
        word == "a"
        and after == "single"
        and "not" in (_word(tokens, at - 1), _word(tokens, at - 2), _word(tokens, at - 3))
    ):
        return Number(at, at + 2, "zero", 0)
    if word == "none" and after == "of":
        return None
    if word == "not" and after in ("a", "one"):
        single = _word(tokens, at + 2) == "single"
        if after == "one" and _word(tokens, at + 2) == "of":
            return None
        return Number(at, at + 3, "zero", 0) if single else Number(at, at + 2, "zero", 0) if after == "one" else None
    if word == "no" and after not in word_list("one fewer less more longer later doubt other matter , ."):
        return Number(at, at + 1, "zero", 0)
    return Number(at, at + 1, "zero", 0) if word in ("none", "zero") else None


def _cardinal(tokens: tuple[Token, ...], at: int) -> Number | None:
    word = _word(tokens, at)
    if word[:1].isdigit():
        return _figures(tokens, at)
    last, value, part = at, 0, 0
    while last < len(tokens):
        one = _word(tokens, last)
        tens, mark, ones = one.partition("-")
        if one in SINGLE:
            if last > at and part % 10 and part % 100 != 0:
                break
            part += SINGLE[one]
        elif mark and tens in TENS and ones in SMALL:
            part += TENS[tens] + SMALL[ones]
        elif one == "hundred" and (part or _word(tokens, last - 1) in ("a", "")):
            part = max(part, 1) * 100
        elif one in LARGE and one != "hundred" and (part or _word(tokens, last - 1) == "a"):
            value, part = value + max(part, 1) * LARGE[one], 0
        elif one == "and" and last > at and _word(tokens, last - 1) in LARGE and _word(tokens, last + 1) in SINGLE:
            pass
        else:
            break
        last += 1
    return Number(at, last, "cardinal", value + part) if last > at and value + part < MOST else None


def _figures(tokens: tuple[Token, ...], at: int) -> Number:
    text = "".join(mark for mark in _word(tokens, at) if mark.isdigit() or mark == ".")
    value, last = float(text[:24]), at + 1
    if _word(tokens, last) in LARGE:
        value, last = value * LARGE[_word(tokens, last)], last + 1
    whole = abs(value - round(value)) < 1e-9 and value < MOST
    return Number(at, last, "cardinal", round(value) if whole else None, whole=whole)


CHANGES = word_set(
    "rose risen rises rising fell fallen falls up down increased decreased dropped grew grown jumped "
    "climbed shrink shrank went gone moved shrunk cut raised reduced slipped declined"
)


def _ranges(tokens: tuple[Token, ...], numbers: list[Number]) -> list[Number]:
    """Put two numbers that are the ends of one range together."""
    joined: list[Number] = []
    for one in numbers:
        before = joined[-1] if joined else None
        if before is not None and _is_range(tokens, before, one):
            joined[-1] = replace(before, last=one.last, count=None, low=before.count, high=one.count)
        else:
            joined.append(one)
    return joined


def _is_range(tokens: tuple[Token, ...], low: Number, high: Number) -> bool:
    if low.kind != "cardinal" or high.kind != "cardinal" or high.first != low.last + 1:
        return False
    if low.count is None or high.count is None or not low.count < high.count:
        return False
    link, lead = _word(tokens, low.last), _word(tokens, low.first - 1)
    if link == "and":
        return lead == "between"
    if link == "or":
        return high.count <= 2 * low.count + 1
    if link not in ("to", "-") or high.count > 10 * low.count + 10:
        return False
    return not (lead == "from" and any(token.lower in CHANGES for token in tokens[max(0, low.first - 8) : low.first]))
