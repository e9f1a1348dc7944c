"""Words in front of a number as people write them, and the qualifier of each."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SAME_AS = {
    "exact": ("exactly", "precisely", "a total of", "total of"),
    "about": ("around", "roughly", "circa", "ca", "ca.", "c.", "~", "approximately", "approx", "approx.", "some"),
    "nearly": ("almost", "close to", "just under", "just below", "not quite"),
    "more_than": ("more than", "over", "above", ">", "upwards of", "in excess of", "exceeding"),
    "at_least": ("at least", "no fewer than", "not less than", "no less than", "minimum", ">=", "a minimum of"),
    "at_most": ("at most", "no more than", "not more than", "fewer than", "less than", "under", "below", "<", "<=",
                "maximum", "a maximum of"),
    "up_to": ("up to", "as many as"),
    "range": ("between", "from"),
    "several": ("a few", "few"),
    "handful": ("a handful", "a handful of"),
    "dozens": ("dozens of", "tens"),
    "scores": ("scores of",),
    "hundreds": ("hundreds of",),
    "daily": ("a day", "per day", "every day", "each day"),
    "every_other_day": ("every other day", "every second day", "every two days"),
    "weekly": ("a week", "per week", "every week", "each week"),
    "monthly": ("a month", "per month", "every month", "each month"),
    "almost_daily": ("almost daily", "near-daily", "near daily", "nearly daily"),
    "almost_weekly": ("almost weekly", "near-weekly", "near weekly", "nearly weekly", "almost-weekly"),
    "almost_monthly": ("almost monthly", "near-monthly", "near monthly", "nearly monthly", "almost-monthly"),
}  # fmt: skip
"""Qualifiers, and what stands for them in tables and newspapers."""
_QUALIFIER = {word: qualifier for qualifier, words in SAME_AS.items() for word in words}


def as_qualifier(written: str, known: Iterable[str]) -> str:
    """Return the qualifier that a word stands for, or the word as it was written where it stands for none.

    Parameters
    ----------
    written : str
        What stands in front of a number.
    known : iterable of str
        The qualifiers there are.

    Examples
    --------
    >>> as_qualifier("No more than", ["exact", "at_most"]), as_qualifier("umpteen", ["exact"])
    ('at_most', 'umpteen')
    """
    plain, there = " ".join(written.lower().split()), set(known)
    for name in (plain, plain.replace(" ", "_").replace("-", "_"), _QUALIFIER.get(plain, "")):
        if name in there:
            return name
    return written


def nearest(written: str, known: Iterable[str]) -> str:
    """Suggest the word that was probably meant, as the end of a sentence; nothing where none is near.

    Examples
    --------
    >>> nearest("exakt", ["exact", "about"]), nearest("umpteen", ["exact", "about"])
    ("; did you mean 'exact'?", '')
    """
    near = get_close_matches(written.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
