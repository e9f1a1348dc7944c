"""What a day means of which no tally speaks, and how many such days there are."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arrays import runs
from escalation.counts.periods import period_word
from escalation.counts.series import Silence
from escalation.errors import InputError
from escalation.tallies.kernels import EVENT_DAYS

SilenceFrom: TypeAlias = Literal["stated", "case", "inferred"]

ZEROS_TOO = 0.1
"""Share of zeros among such windows from which on a counter speaks of days whatever happened."""
TESTED_DAYS = 28
"""Days of zero windows and totals that must bear a quiet silence out."""
BORNE_OUT = 0.9
"""Share of a total that the counts of single days within it must reach to bear a quiet silence out."""
READING = {
    "quiet": "a day without a word is taken as a day without an incident",
    "unknown": "what happened on the others is not known",
    "lower_bound": "the counts are the least there was",
}


def days_between(first: pd.Timestamp, last: pd.Timestamp) -> pd.PeriodIndex:
    """All days from the first to the last."""
    return pd.period_range(first, last, freq="D", name="period")


def spoken_days(used: pd.DataFrame, days: pd.PeriodIndex) -> pd.Series:
    """Say of each day whether the window of some tally holds it."""
    opens = np.clip(pd.PeriodIndex(used["start"], freq="D").asi8 - days.asi8[0], 0, len(days))
    closes = np.clip(pd.PeriodIndex(used["end"], freq="D").asi8 - days.asi8[0] + 1, 0, len(days))
    change = np.zeros(len(days) + 1, np.int64)
    np.add.at(change, opens, 1)
    np.add.at(change, np.maximum(closes, opens), -1)
    return pd.Series(change.cumsum()[:-1] > 0, index=days, name="spoken")


def silent_runs(spoken: pd.Series) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """First and last day of each run of days that no tally speaks of."""
    days = pd.PeriodIndex(spoken.index).to_timestamp()
    return [(days[begin], days[end - 1]) for begin, end in runs(~spoken.to_numpy())]


def event_windows(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the tallies of a day or two that were printed because something happened."""
    days = (rows["end"] - rows["start"]).dt.days + 1
    short = (days <= EVENT_DAYS) & rows["role"].isin(["count", "floor"])
    zero = short & rows["count"].eq(0).fillna(False)
    whatever = short.any() and zero.sum() >= ZEROS_TOO * short.sum()
    return np.asarray(short & ~zero & (not whatever), dtype=bool)


def alone(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the tallies of days of which no other usable one speaks, so that none can contradict them.

    Several that print the same number of the same window are one.
    """
    usable = rows[rows["used"]] if "used" in rows else rows
    usable = usable.drop_duplicates(["start", "end", "count", "qualifier", "place"])
    start, end = usable["start"].to_numpy(), usable["end"].to_numpy()
    overlaps = [
        int(((start <= b) & (end >= a)).sum())
        for a, b in zip(rows["start"].to_numpy(), rows["end"].to_numpy(), strict=True)
    ]
    return np.asarray(rows["role"].eq("count") & (np.array(overlaps) <= 1), dtype=bool)


def says_a_rate(rows: pd.DataFrame) -> bool:
    """Say whether some tally speaks of more than the days on which something happened."""
    return bool((~event_windows(rows)).any())


def choose_silence(rows: pd.DataFrame, used: pd.DataFrame, given: str | None) -> tuple[Silence, SilenceFrom]:
    """What silence means in a series: as given, as its rows say, or inferred.

    Parameters
    ----------
    rows : pandas.DataFrame
        All tallies of the series.
    used : pandas.DataFrame
        Those that the histories rest on.
    given : str, optional
        In place of what the rows say.

    Raises
    ------
    InputError
        If it is no kind of silence, or the rows disagree.
    """
    kinds = get_args(Silence)
    if given is not None:
        if given not in kinds:
            raise InputError(f"silence means {given!r}, which nobody has said how to read; use {', '.join(kinds)}")
        return given, "stated"  # type: ignore[return-value]
    said = sorted(set(rows["silence"]) - {""})
    if len(said) > 1:
        raise InputError(
            f"the tallies of {rows['series'].iloc[0]} give {len(said)} meanings of silence, {' and '.join(said)}; "
            "a series has one: correct the column, or choose with silence"
        )
    if said:
        return said[0], "stated"
    return ("quiet" if _is_borne_out(used) else "unknown"), "inferred"


def _is_borne_out(used: pd.DataFrame) -> bool:
    """Say whether zero windows and totals agree that days without a count of their own had no incident."""
    days = (used["end"] - used["start"]).dt.days + 1
    counted = (used["role"] == "count") & (used["qualifier"] == "exact")
    single = used[counted & (days <= EVENT_DAYS) & used["count"].gt(0).fillna(False)]
    tested = used[counted & (days > EVENT_DAYS)]
    named = single.groupby(["place", "start", "end"])["count"].max().reset_index()
    agree = [_agrees(*total, named) for total in zip(tested["start"], tested["end"], tested["count"], strict=True)]
    longest = days[tested.index[agree]].max() if any(agree) else 0
    return bool(len(single) > 0 and len(agree) > 0 and all(agree) and longest >= TESTED_DAYS)


def _agrees(start: pd.Timestamp, end: pd.Timestamp, count: float, named: pd.DataFrame) -> bool:
    inside = named["start"].ge(start) & named["end"].le(end)
    summed = float(named["count"][inside].sum())
    return summed == 0 if count == 0 else summed >= BORNE_OUT * float(count)


def spoken_sentence(spoken: pd.Series, silence: Silence, source: SilenceFrom) -> str:
    """Say how many days are spoken of, and what the others are taken to mean."""
    number, days = int(spoken.sum()), len(spoken)
    if number == days:
        return f"All {days:,} {period_word('D', days)} are spoken of." if days > 1 else "The one day is spoken of."
    verb = "is" if number == 1 else "are"
    how = {"stated": "as stated", "case": "as the case says", "inferred": "inferred from the tallies"}[source]
    return f"{number:,} of {days:,} days {verb} spoken of; {READING[silence]} (silence: {silence}, {how})."
