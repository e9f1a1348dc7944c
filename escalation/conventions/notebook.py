"""Tables as a notebook shows them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

_PERIOD = re.compile(r"<(th|td)>(?=\d{4}-\d{2})")


def table_html(
    table: pd.DataFrame,
    *,
    index: bool = True,
    max_rows: int | None = None,
    na_rep: str = "NaN",
    float_format: Callable[[float], str] | None = None,
) -> str:
    """Write a table as HTML in which dates and periods stay on one line, which notebooks break at each hyphen.

    Parameters
    ----------
    table : pandas.DataFrame
        Any.
    index, max_rows, na_rep, float_format
        As in :meth:`pandas.DataFrame.to_html`.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    >>> '<th style="white-space: nowrap">2024-01-01/2024-01-07</th>' in table_html(pd.DataFrame({"count": [3]}, weeks))
    True
    """
    text = table.to_html(index=index, max_rows=max_rows, na_rep=na_rep, float_format=float_format)
    return _PERIOD.sub(r'<\1 style="white-space: nowrap">', text)
