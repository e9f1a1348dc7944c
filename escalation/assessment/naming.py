"""What a series is called wherever it is named: its title, who counted it, where."""

from __future__ import annotations

from escalation.conventions.wording import capital, spaced
from escalation.counts.series import CountSeries
from escalation.tallies.choosing import ALL
from escalation.tallies.schema import DEFAULTS, EVERYWHERE


def title_of(series: CountSeries) -> str:
    """Title of a series.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.Series([2, 0], index=pd.period_range("2024-01", periods=2, freq="M"))
    >>> title_of(CountSeries(counts, title="raids_on_us_bases"))
    'Raids on US bases'
    """
    return capital(spaced(series.title or series.unit))


def counter_text(counter: str) -> str:
    """Name who counted."""
    if counter == ALL:
        return "all counters, read together"
    return "someone who is not named" if counter == DEFAULTS["counter"] else spaced(counter)


def full_title(series: CountSeries) -> str:
    """Title of a series with where, what and by whom it was counted."""
    where = "" if series.place in ("", EVERYWHERE) else f", {series.place}"
    known = series.counter not in ("", DEFAULTS["counter"])
    who = f", as counted by {counter_text(series.counter)}" if known else ""
    title = title_of(series)
    what = "" if title.lower() == spaced(series.unit).lower() else f": {spaced(series.unit)}"
    return f"{title}{where}{what}{who}"
