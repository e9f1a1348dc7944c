"""Numbers in sentences, and in the tables beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

ABBREVIATIONS = ("us", "uk", "un", "eu", "isis", "acled", "ucdp", "sohr", "idf", "gttac", "jinsa", "fdd", "oir")
"""Words of series and counters that are written in capitals."""


def spaced(name: str) -> str:
    """Write a name of the tables as words.

    Examples
    --------
    >>> spaced("us_government_or_press"), spaced("raids on us bases")
    ('US government or press', 'raids on US bases')
    """
    words = name.replace("_", " ").split()
    return " ".join(word.upper() if word in ABBREVIATIONS else word for word in words)


def capital(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


def plain(value: float) -> str:
    """Write a rate or a ratio with at most three figures."""
    if math.isinf(value):
        return "no upper limit"
    if value >= 99.95:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def share(value: float) -> str:
    """Write a share with two figures, of what it lacks of 1 where it is near that; within 1e-4 of 0 or 1 as a bound.

    Examples
    --------
    >>> share(0.0123), share(0.5), share(0.9655), share(4.9e-257)
    ('0.012', '0.5', '0.966', 'below 0.0001')
    """
    if value < 1e-4:
        return "below 0.0001"
    if value > 1 - 1e-4:
        return "above 0.9999"
    return f"{value:.2g}" if value <= 0.9 else f"{1 - float(f'{1 - value:.2g}'):g}"


def number(value: float) -> str:
    """Write a count, a rate or a ratio with at most three figures; whole numbers as they are, nothing for NaN or NA.

    Examples
    --------
    >>> number(12.0), number(0.8191), number(5.44), number(1234.5)
    ('12', '0.82', '5.4', '1,234')
    """
    if pd.isna(value):
        return ""
    if math.isinf(value):
        return "no upper limit"
    if value < 0:
        return f"-{number(-value)}"
    if value == round(value) or value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def percent(share: float) -> str:
    """Write a growth rate as a signed percentage, from 10 on as so many fold.

    Examples
    --------
    >>> percent(0.07), percent(-0.3333), percent(12.0), percent(-0.0002), percent(0.0)
    ('+7.0%', '-33%', '13.0-fold', '0.0%', '0%')
    """
    if share >= 10:
        return f"{plain(1 + share)}-fold"
    if abs(share) < 0.0005:
        return "0.0%" if share else "0%"
    return f"{100 * share:+.0f}%" if abs(share) >= 0.0995 else f"{100 * share:+.1f}%"


def probability_text(probability: float) -> str:
    """Write a probability, never as 0 or 1."""
    if probability < 0.001:
        return "below 0.001"
    if probability > 0.999:
        return "above 0.999"
    return f"{probability:.2f}" if 0.01 <= probability <= 0.99 else f"{probability:.3f}"


def measures(rows: Iterable[tuple[str, tuple[float | None, ...], str]]) -> pd.DataFrame:
    """Lay figures out as a table, one row each.

    Parameters
    ----------
    rows : iterable of (str, tuple of float, str)
        What it is; the value, alone or with the lower and the upper end of its interval, None where there is none; and
        in which unit.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``measure``; columns ``value``, ``lower``, ``upper`` (NaN where there is no interval) and ``unit``.

    Examples
    --------
    >>> measures([("ratio", (1.5, 1.2, 2.0), "times"), ("probability", (0.9,), "probability")])["lower"].tolist()
    [1.2, nan]
    """
    names, figures, units = zip(*rows, strict=True)
    ends = [(*(np.nan if end is None else end for end in row), np.nan, np.nan)[:3] for row in figures]
    table = pd.DataFrame(ends, pd.Index(names, name="measure"), ["value", "lower", "upper"], dtype=float)
    return table.assign(unit=units)
