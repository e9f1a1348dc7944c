"""What is taken of a series where nobody asks otherwise: its counter and unit, its announced events, its threshold."""

from __future__ import annotations

import pandas as pd

from escalation.assessment.handful import Handful, find_handful
from escalation.assessment.source import Source, SourceSeries
from escalation.counts.series import CountSeries
from escalation.errors import InputError
from escalation.tallies.choosing import choose_rows, is_chosen
from escalation.tallies.reconstruct import Reconstruction

USABLE = "ok"
"""Flag of the tallies that a series is chosen by."""


def usual_choice(source: Source, series: str) -> tuple[str | None, str | None, int]:
    """The counter and unit of a series that the case names, or else of most tallies, and how many those leave out."""
    rows, settings = usable(source.table, series), source.settings(series)
    chosen: dict[str, str | None] = {"counter": settings.counter, "unit": settings.unit}
    if source.defaults.get("series") == series:
        chosen["counter"] = chosen["counter"] or source.defaults.get("counter")
    for column in chosen:
        kept = taken(rows, chosen["counter"], chosen["unit"] if column == "unit" else None)
        if chosen[column] is None and not kept.empty:
            chosen[column] = _most(kept, column)
    kept = taken(rows, chosen["counter"], chosen["unit"])
    return chosen["counter"], chosen["unit"], len(rows) - len(kept)


def announced(source: Source, counted: Reconstruction) -> Handful | None:
    """The announced events of a series that was counted.

    They are those that the case's settings name, unless it was counted otherwise than where nobody asks: by another
    counter, in another unit, at another place, on other days or with another meaning of silence.
    """
    name, asked = counted.series, (counted.counter, counted.unit, counted.place)
    counter, unit, _ = usual_choice(source, name)
    try:
        place = choose_rows(source.table, name, counter, source.settings(name).place, unit)[1]
    except InputError:  # places side by side, one of which was asked for
        place = ""
    chosen = {} if asked == (counter, unit, place) else dict(zip(("counter", "unit", "place"), asked, strict=True))
    first, last = (pd.PeriodIndex(counted.spoken.index)[at].to_timestamp() for at in (0, -1))
    return find_handful(
        source,
        name,
        **chosen,
        start=None if first == counted.tallies["start"].min() else first,
        end=None if last == counted.tallies["end"].max() else last,
        silence=counted.silence if counted.silence_from == "stated" else None,
    )


def usual_threshold(series: CountSeries) -> int | None:
    """The threshold that the case asks about; None where it names none, or that of one event in a handful of them."""
    if not isinstance(series, SourceSeries) or series.source is None or series.reconstruction is None:
        return None
    wanted = series.source.settings(series.reconstruction.series).at_least
    return None if wanted is None or announced(series.source, series.reconstruction) is not None else wanted


def taken(rows: pd.DataFrame, counter: str | None, unit: str | None) -> pd.DataFrame:
    """The tallies of a counter and unit; of all where none is chosen."""
    for column, chosen in (("counter", counter), ("unit", unit)):
        rows = rows[is_chosen(rows[column], chosen)]
    return rows


def usable(table: pd.DataFrame, series: str) -> pd.DataFrame:
    """The tallies of a series that may be used."""
    return table[(table["series"] == series) & (table["flag"] == USABLE) & (table["kind"] != "baseline")]


def _most(rows: pd.DataFrame, column: str) -> str:
    """The most frequent word of a column; of several the one that was printed last, then the first by the alphabet."""
    words = rows.groupby(column).agg(number=("end", "size"), last=("end", "max")).sort_index()
    return str(words.sort_values(["number", "last"], ascending=False, kind="stable").index[0])
