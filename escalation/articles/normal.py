"""One spelling of spaces, dashes and quotes, with the way back to the places of the text as it was given."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

SAME = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008", " "),
        **dict.fromkeys("\u2009\u200a\u202f\u205f\u3000\t\x0b\x0c", " "),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`", "'"),
        **dict.fromkeys('\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb', '"'),
        **dict.fromkeys("\r\x85\u2028\u2029", "\n"),
    }
)  # fmt: skip
DROPPED = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Normal:
    """A text in one spelling.

    Attributes
    ----------
    text : str
        With plain spaces, hyphens and quotes, and without characters that are not seen.
    """

    text: str
    _cuts: tuple[int, ...] = ()
    _dropped: tuple[int, ...] = ()

    def original(self, place: int) -> int:
        """Where a character stood in the text as it was given."""
        position = bisect_right(self._cuts, place)
        return place + (self._dropped[position - 1] if position else 0)


def normalise(text: str) -> Normal:
    """Write a text with plain spaces, hyphens and quotes.

    Examples
    --------
    >>> normal = normalise("at\u00adtacks: “12”")
    >>> normal.text, normal.original(10)
    ('attacks: "12"', 11)
    """
    text = text.translate(SAME)
    cuts, dropped, pieces, last = [], [], [], 0
    for gone, one in enumerate(DROPPED.finditer(text)):
        pieces.append(text[last : one.start()])
        cuts.append(one.start() - gone)
        dropped.append(gone + 1)
        last = one.end()
    return Normal("".join([*pieces, text[last:]]), tuple(cuts), tuple(dropped)) if cuts else Normal(text)
