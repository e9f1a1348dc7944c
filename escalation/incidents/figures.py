"""Numbers as tables hold them: text to fatalities and coordinates, and why where that fails."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.incidents.dates import BLANKS
from escalation.incidents.schema import MAX_FATALITIES

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?"
_THOUSANDS = r"[0-9]{1,3}(?:,[0-9]{3})+"
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
    readable = texts.str.fullmatch(_NUMBER).astype(bool)
    values = pd.to_numeric(texts.where(readable), errors="coerce").astype(float)
    return values, ~readable & ~texts.isin(BLANKS)
