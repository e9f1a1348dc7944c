"""Lists of words, written as one text each."""

from __future__ import annotations

from functools import cache


@cache
def word_list(words: str) -> tuple[str, ...]:
    """The words of a text, in their order.

    Examples
    --------
    >>> word_list("on at off")
    ('on', 'at', 'off')
    """
    return tuple(words.split())


@cache
def word_set(words: str) -> frozenset[str]:
    """The words of a text, to ask whether one is among them.

    Examples
    --------
    >>> "at" in word_set("on at off")
    True
    """
    return frozenset(words.split())
