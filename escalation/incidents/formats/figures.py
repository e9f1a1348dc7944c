"""Numbers as tables hold them: text to fatalities and coordinates, and why where that fails."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import EARLIEST
from escalation.incidents.formats.dates import BLANKS
from escalation.incidents.schema import LATEST, MAX_FATALITIES

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?"
_SEPARATORS = re.compile(r"[ ,'’\u00a0\u2009\u202f]")
_THOUSANDS = r"[+-]?[0-9]{1,3}(?:[ ,'’\u00a0\u2009\u202f][0-9]{3})+"
_COUNT = r"([0-9]{1,3}(?:[ ,'’][0-9]{3})+|[0-9]+)"
_HEDGES = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("range", rf"(?:between |from )?{_COUNT} ?(?:-|to|and|bis|a|y|до|~) ?{_COUNT}"),
        ("least", rf"(?:at least|min\.?|minimum|mindestens|al menos|au moins|не менее|щонайменше|>=|≥) ?{_COUNT}"),
        ("least", rf"{_COUNT} ?(?:\+|or more|and more|at least)"),
        ("above", rf"(?:more than|over|above|>) ?{_COUNT}"),
        ("most", rf"(?:up to|at most|max\.?|maximum|<=|≤) ?{_COUNT}"),
        ("below", rf"(?:fewer than|less than|under|below|<) ?{_COUNT}"),
        (
            "about",
            rf"(?:~|≈|about|around|approx\.?|approximately|circa|ca\.?|c\.|roughly|some|nearly|almost) ?{_COUNT}",
        ),
        ("about", rf"{_COUNT} ?(?:\?|\(?approx\.?\)?)"),
    )
)
UNKNOWN = ("unknown", "unkn", "unk", "unclear", "undetermined", "not known", "unspecified", "?", "-", "–", "—", "n.a.")
"""Words that say that a number is not known, in lower case."""
_OTHER_SIGNS = re.compile(r"[^0-9.+\-]")
_TIMES = (
    (r"[0-9]{9,10}", "s"),
    (r"[0-9]{12,13}", "ms"),
    (r"[0-9]{8}", "%Y%m%d"),
    (r"[0-9]{14}", "%Y%m%d%H%M%S"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?", "ISO8601"),
)
_DECIMAL_COMMA = r"[+-]?[0-9]+,[0-9]+"


def read_fatalities(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read whole numbers >= 0, such as ``12``, ``12.0``, ``1,200``, ``1 200`` or ``1e+05``.

    Returns
    -------
    values : pandas.Series
        ``Int64``, ``<NA>`` where the cell is blank or cannot be used.
    problem : pandas.Series
        Why a cell cannot be used, else ``""``.
    """
    values, problem = read_whole_numbers(texts)
    negative = values.lt(0).to_numpy(dtype=bool, na_value=False)
    if not negative.any():
        return values, problem
    return values.mask(negative), problem.mask(negative, "is negative")


def read_whole_numbers(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read whole numbers with a sign or none, as :func:`read_fatalities` does.

    Examples
    --------
    >>> read_whole_numbers(pd.Series(["1 200", "-3", "2.5", "unknown"]))[0].tolist()
    [1200, -3, <NA>, <NA>]
    """
    codes, distinct = pd.factorize(texts)
    cells = pd.Series(distinct, dtype=object).str.lower()
    if _SEPARATORS.search("".join(cells)):
        grouped = cells.str.fullmatch(_THOUSANDS).astype(bool)
        cells = cells.mask(grouped, cells.str.replace(_SEPARATORS, "", regex=True))
    values, unread = _numbers(cells.mask(cells.isin(UNKNOWN), ""))
    problem = np.select(
        [unread, values.notna() & (values != values.round()), values.abs() > MAX_FATALITIES],
        ["is no number", "is no whole number", f"is more than {MAX_FATALITIES:,}"],
        default="",
    )
    whole = values.where(problem == "").astype("Int64")
    return _spread(whole, codes, texts.index), _spread(pd.Series(problem), codes, texts.index)


def read_figures(texts: pd.Series) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Read numbers >= 0 that a table gives as ranges or with a hedge.

    Understood are ``3 - 7``, ``between 3 and 7``, ``at least 3``, ``3+``, ``more than 3``, ``up to 7``, ``< 8`` and
    ``~20``, beside single numbers and words for unknown.

    Returns
    -------
    figures : pandas.DataFrame
        ``low``, ``best`` and ``high``, ``Int64``: of a single number only ``best``; of a range also its middle,
        rounded down, as ``best``; of a lower bound ``low`` and ``best``; of an upper bound ``low`` 0 and ``high``.
    problem, hedge : pandas.Series
        Why a cell cannot be used, and what was read from one that is no single number; else ``""``.

    Examples
    --------
    >>> read_figures(pd.Series(["3 - 7", "100+", "~20"]))[0].to_numpy().tolist()
    [[3, 5, 7], [100, 100, <NA>], [<NA>, 20, <NA>]]
    """
    best, problem = read_fatalities(texts)
    figures = pd.DataFrame({"low": _unknown(texts.index), "best": best, "high": _unknown(texts.index)}, copy=False)
    hedge = pd.Series("", index=texts.index, dtype=str)
    unread = texts[problem == "is no number"].astype(object)
    if unread.empty:
        return figures, problem, hedge
    hedged = {cell: found for cell in unread.unique() if (found := _hedged(cell)) is not None}
    known = unread[unread.isin(hedged)]
    if known.empty:
        return figures, problem, hedge
    for place, column in enumerate(figures):
        values = known.map({cell: found[place] for cell, found in hedged.items()})
        figures.loc[known.index, column] = values.astype("Int64")
    hedge[known.index] = known.map({cell: _said(found) for cell, found in hedged.items()})
    return figures, problem.mask(problem.index.isin(known.index), ""), hedge


def _unknown(index: pd.Index) -> pd.Series:
    """Whole numbers of which none is known."""
    none = pd.arrays.IntegerArray(np.zeros(len(index), dtype=np.int64), np.ones(len(index), dtype=bool))
    return pd.Series(none, index=index, copy=False)


Figure: TypeAlias = tuple[int | None, int | None, int | None]


def _hedged(cell: str) -> Figure | None:
    """Low, best and high of a cell that is no single number, None where it cannot be read."""
    text = unicodedata.normalize("NFKC", cell).casefold().replace("–", "-").replace("—", "-").strip()
    for kind, pattern in _HEDGES:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        numbers = [int(_SEPARATORS.sub("", number)) for number in match.groups() if number is not None]
        if max(numbers) > MAX_FATALITIES or numbers != sorted(numbers):
            return None
        first, last = numbers[0], numbers[-1]
        figures: dict[str, Figure] = {
            "range": (first, (first + last) // 2, last),
            "least": (first, first, None),
            "above": (first + 1, first + 1, None),
            "most": (0, None, first),
            "below": (0, None, max(first - 1, 0)),
            "about": (None, first, None),
        }
        return figures[kind]
    return None


def _said(found: Figure) -> str:
    names = ("low", "best", "high")
    return "read as " + ", ".join(
        f"{name} {value}" for name, value in zip(names, found, strict=True) if value is not None
    )


def read_coordinate(texts: pd.Series, limit: float) -> tuple[pd.Series, pd.Series]:
    """Read degrees from ``-limit`` to ``limit``, with a decimal point or comma.

    Returns
    -------
    values : pandas.Series
        Float, NaN where the cell is blank or cannot be used.
    problem : pandas.Series
        Why a cell cannot be used, else ``""``.
    """
    codes, distinct = pd.factorize(texts)
    cells = pd.Series(distinct, dtype=object).str.lower()
    if "," in "".join(cells):
        cells = cells.mask(cells.str.fullmatch(_DECIMAL_COMMA).astype(bool), cells.str.replace(",", ".", regex=False))
    values, unread = _numbers(cells)
    problem = np.select(
        [unread, values.abs() > limit], ["is no number", f"lies outside {-limit:g} to {limit:g}"], default=""
    )
    degrees = values.where(problem == "")
    return _spread(degrees, codes, texts.index), _spread(pd.Series(problem), codes, texts.index)


def _spread(distinct: pd.Series, codes: NDArray[np.intp], index: pd.Index) -> pd.Series:
    """Give each row what its distinct cell was found to be."""
    if pd.api.types.is_string_dtype(distinct.dtype) and len(distinct.unique()) == 1:
        return pd.Series(distinct.iloc[0], index=index, dtype=distinct.dtype)
    return distinct.take(codes).set_axis(index)


def _numbers(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Floats (NaN where there is none), and whether a cell that is not blank could not be read."""
    blank = texts.isin(BLANKS)
    known = texts[~blank]
    if not _OTHER_SIGNS.search("".join(known)):  # one look at all instead of one at each
        values = pd.to_numeric(known, errors="coerce").astype(float)
        if bool(np.isfinite(values).all()):
            return values.reindex(texts.index), pd.Series(False, index=texts.index)
    readable = texts.str.fullmatch(_NUMBER).astype(bool)
    values = pd.to_numeric(texts.where(readable), errors="coerce").astype(float)
    return values, ~readable & ~blank


def read_times(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read when rows became known: seconds since 1970, ``YYYYMMDD``, ``YYYYMMDDHHMMSS``, or ISO dates and times.

    Returns
    -------
    values : pandas.Series
        ``datetime64[ns]``, UTC without saying so; ``NaT`` where the cell is blank or cannot be used.
    problem : pandas.Series
        Why a cell cannot be used, else ``""``.
    """
    codes, distinct = pd.factorize(texts)
    cells = pd.Series(distinct, dtype=object).str.upper().str.removesuffix(".0")
    times = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ns]")
    for pattern, form in _TIMES:
        hit = cells.str.fullmatch(pattern).astype(bool)
        if hit.any():
            found = cells[hit]
            read = (
                pd.Timestamp(0) + pd.to_timedelta(found.astype("int64"), unit="s" if form == "s" else "ms")
                if len(form) < 3
                else pd.to_datetime(found, format=form, errors="coerce", utc=True).dt.tz_localize(None)
            )
            held = read.between(EARLIEST, LATEST)  # nanoseconds reach to 2262 only
            times[hit] = read.where(held).astype("datetime64[ns]")
    unread = times.isna() & ~cells.str.lower().isin(BLANKS)
    problem = pd.Series(np.where(unread, "is no time that can be read", ""), dtype=object)
    return _spread(times, codes, texts.index), _spread(problem, codes, texts.index)
