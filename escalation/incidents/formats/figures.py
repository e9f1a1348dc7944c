"""Numbers as tables hold them: text to fatalities and coordinates, and why where that fails."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import EARLIEST
from escalation.incidents.formats.dates import BLANKS
from escalation.incidents.schema import LATEST, MAX_FATALITIES

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?"
_THOUSANDS = r"[0-9]{1,3}(?:,[0-9]{3})+"
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
    """Read whole numbers >= 0, such as ``12``, ``12.0``, ``1,200`` or ``1e+05``.

    Returns
    -------
    values : pandas.Series
        ``Int64``, ``<NA>`` where the cell is blank or cannot be used.
    problem : pandas.Series
        Why a cell cannot be used, else ``""``.
    """
    codes, distinct = pd.factorize(texts)
    cells = pd.Series(distinct, dtype=object).str.lower()
    if "," in "".join(cells):
        cells = cells.mask(cells.str.fullmatch(_THOUSANDS).astype(bool), cells.str.replace(",", "", regex=False))
    values, unread = _numbers(cells)
    problem = np.select(
        [unread, values < 0, values.notna() & (values != values.round()), values > MAX_FATALITIES],
        ["is no number", "is negative", "is no whole number", f"is more than {MAX_FATALITIES:,}"],
        default="",
    )
    whole = values.where(problem == "").astype("Int64")
    return _spread(whole, codes, texts.index), _spread(pd.Series(problem), codes, texts.index)


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
