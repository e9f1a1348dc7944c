"""Where a table of incidents ends that nobody says how long was watched: never on an incident."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.errors import InputError, warn
from escalation.incidents.counted_rows import lasting

BUSY = 0.8
"""Where so many of the last days hold an incident, the last one says nothing of when watching ended."""
DAYS = 60
"""The last days that are looked at."""
FEWEST = 8
"""Whole periods that must be left, or the last one stays, with a note."""
YEAR = 365
"""The days beside the first and the last incident that say how long a silence is usual."""
PLAUSIBLE, LIKELY, IMPOSSIBLE = 0.05, 0.5, 0.001
"""Probabilities of a silence up to an end, from which on it may be the end: as a rule, where a single year may be part
of one, and where the kind of file says that it is."""
BY_CHANCE = 0.01
"""Probability below which a list does not begin and end so near to the turns of years by chance."""
NEAREST = 31
REGULAR = 0.75
"""Share of the days from first to last that rows of counts speak of, from which on they are those of periods."""
CANDIDATE = re.compile(r"v\d\d[_.]0?0[_.]\d|v\d\d[_.]\d\d[_.]\d\d[_.]\d\d", re.IGNORECASE)
"""Names of UCDP's files of candidate events, which end with a month, such as GEDEvent_v24_0_5.csv."""
NAMED_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)")
DAY = pd.Timedelta(days=1)


class StatedEnd(NamedTuple):
    """The last day that was watched, as far as the file shows it, and how it does."""

    day: pd.Timestamp
    why: str


def last_watched(table: pd.DataFrame, freq: str) -> pd.Timestamp:
    """Last day that the counts of a table are taken to reach to, where none was given.

    A list ends with an incident, always, so that a period that is cut off at it looks busier than it was.  Counts end
    where :func:`stated_end` finds that the file does, and else with the last whole period up to the last incident,
    those by day with the day before it; with the last incident where nearly every day holds one, and where too few
    periods would be left.  Rows of counts are ended alike.

    Parameters
    ----------
    table : DataFrame
        Incidents with ``date`` and ``date_end``, not empty.
    freq : str
        Of the counts.

    Returns
    -------
    pandas.Timestamp
    """
    if (stated := stated_end(table)) is not None:
        return stated.day
    last = pd.Timestamp(table["date_end"].max())
    since = max(last - pd.Timedelta(days=DAYS), table["date"].min())
    days = table.loc[table["date_end"].between(since, last - DAY), "date_end"].nunique()
    if days >= BUSY * max((last - since).days, 1):
        return last
    period = pd.Period(last, freq=freq)
    cut = freq == "D" or period.end_time.normalize() > last
    over = pd.Timestamp((period - int(cut)).end_time.normalize())
    whole = (pd.Period(over, freq=freq) - pd.Period(table["date"].min(), freq=freq)).n + 1
    return over if whole >= FEWEST else last


def stated_end(table: pd.DataFrame) -> StatedEnd | None:
    """The last day that a file was watched to, where its kind, its name or its columns show it.

    Files of UCDP end with the last year of their incidents, those of candidate events with the month; exports of ACLED
    with the last day that its releases reached to when they were made; other lists with their year where they begin and
    end as near to the turns of years as their silences are usual.

    Parameters
    ----------
    table : DataFrame
        From :func:`escalation.read_incidents`, whose ``attrs["layouts"]`` say what its files are.

    Returns
    -------
    StatedEnd or None
        Never before the last incident, nor in the future.
    """
    if lasting(table):
        return None
    files: dict[str, str] = table.attrs.get("layouts", {})
    kinds = set(files.values())
    if kinds == {"UCDP GED"}:
        found = _end_of_ucdp(table, list(files))
    elif kinds == {"ACLED"}:
        found = _end_of_acled(table, list(files))
    else:
        found = _end_of_year(table)
    if found is None or found.day > pd.Timestamp.now().normalize() or found.day < table["date_end"].max():
        return None
    return found


def _end_of_ucdp(table: pd.DataFrame, files: list[str]) -> StatedEnd | None:
    """The end of the last year, or of the last month where the files hold candidate events."""
    last = pd.Timestamp(table["date_end"].max())
    year, month = (pd.Period(last, freq=freq).end_time.normalize() for freq in ("Y", "M"))
    named = any(CANDIDATE.search(Path(name).name) for name in files)
    least = LIKELY if table["date"].min().year == last.year else IMPOSSIBLE
    if not named and _silence(table, last, year) >= least:
        return StatedEnd(year, "UCDP's yearly files end with a year")
    if named or _silence(table, last, month) >= PLAUSIBLE:
        return StatedEnd(month, "UCDP's files of candidate events end with a month")
    return None


def _end_of_acled(table: pd.DataFrame, files: list[str]) -> StatedEnd | None:
    """The last Friday before the week in which rows were last changed, no later than the days in the files' names."""
    last = pd.Timestamp(table["date_end"].max())
    named = _named_days(files)
    if "as_of" in table and table["as_of"].notna().any():
        exported = pd.Timestamp(table["as_of"].max()).normalize()
        how = f"rows of this export were changed up to {exported.date()}"
    elif len(named) == len(files):
        exported, how = max(named), f"the name of the export says {max(named).date()}"
    else:
        return None
    friday = exported - pd.Timedelta(days=exported.weekday() + 3)
    why = f"{how}, and the weekly releases of ACLED reach to the Friday before, {friday.date()}"
    end = StatedEnd(friday, why) if friday >= last else StatedEnd(exported, how)
    if len(named) == len(files) and last <= max(named) < end.day:
        end = StatedEnd(max(named), f"the name of the export says {max(named).date()}")
    return end if _silence(table, last, end.day) >= PLAUSIBLE else None


def _end_of_year(table: pd.DataFrame) -> StatedEnd | None:
    """31 December, where a list begins and ends so near to the turns of years as lists hardly ever do by chance."""
    first, last = pd.Timestamp(table["date"].min()), pd.Timestamp(table["date_end"].max())
    end = pd.Timestamp(last.year, 12, 31)
    before, after = first.day_of_year - 1, (end - last).days
    whole_weeks = (last - first).days % 7 == 6 and first.day_of_week in (0, 5, 6)
    if whole_weeks and last < end:  # weeks from a Monday, Saturday or Sunday on are what lists are cut to as well
        return None
    near = max(before, after) <= NEAREST and (before + 1) * (after + 1) <= BY_CHANCE * YEAR**2
    if not near or _silence(table, last, end) < PLAUSIBLE:
        return None
    return StatedEnd(end, f"the list begins on {first.date()} and ends on {last.date()}, as a yearly one does")


def _silence(table: pd.DataFrame, last: pd.Timestamp, end: pd.Timestamp) -> float:
    """Probability of no day with an incident from the last to an end, by the days with one in the year before.

    The share of days without one has a uniform prior, so that it has a beta distribution.
    """
    recent = table.loc[table["date_end"] > last - pd.Timedelta(days=YEAR), "date_end"]
    days = min(YEAR, (last - table["date"].min()).days + 1)
    quiet, k = max(0, days - recent.nunique()), np.arange(max(0, (end - last).days))
    return float(np.exp(np.sum(np.log1p((quiet - days - 1) / (days + 2 + k)))))


def check_days(table: pd.DataFrame, start: pd.Timestamp | None, end: pd.Timestamp | None) -> None:
    """Look at the first and the last day that were given for the counts of a table.

    Raises
    ------
    InputError
        If one leaves nothing of the table, or rows that are the counts of periods end before, or begin after it: what
        was counted there is not known.

    Warns
    -----
    DataWarning
        If the list of incidents ends so long before the end that it was hardly watched until then.
    """
    first, last = table["date"].min(), table["date_end"].max()
    for name, day, other, gone in (("start", start, end, "after the last"), ("end", end, start, "before the first")):
        if day is not None and other is None and not first <= day <= last and (day > last) == (name == "start"):
            raise InputError(
                f"{name} {day.date()} is {gone} day of the table, which has {first.date()} to {last.date()}; give one "
                "of these"
            )
    if "events" in table and _days_named(table) >= REGULAR * ((last - first).days + 1):
        for name, day in (("start", start), ("end", end)):
            if day is not None and not first <= day <= last:
                raise InputError(
                    f"{name} {day.date()} lies outside the counts of the table, which has {first.date()} to "
                    f"{last.date()}: what was counted beyond is not known, and is not 0; leave {name} out, or add rows"
                )
    elif end is not None and end > last and _silence(table, last, end) < IMPOSSIBLE:
        warn(
            f"the last incident is of {last.date()}, and {(end - last).days:,} days to the end that was given count as "
            "watched and quiet, which would be very unusual here; give the last day that was watched"
        )


def _days_named(table: pd.DataFrame) -> int:
    """How many days the windows of rows are of, each window once."""
    windows = table[["date", "date_end"]].drop_duplicates()
    return int(((windows["date_end"] - windows["date"]).dt.days + 1).sum())


def _named_days(files: list[str]) -> list[pd.Timestamp]:
    """The last day that the name of each file says, of those that say one."""
    found = []
    for name in files:
        texts = ("-".join(parts) for parts in NAMED_DAY.findall(Path(name).stem))
        days = [day for day in (pd.to_datetime(text, errors="coerce") for text in texts) if not pd.isna(day)]
        found += [max(days)] if days else []
    return found


def ending_note(table: pd.DataFrame, last: pd.Timestamp, word: str, share: float) -> str:
    """What to think of counts that end where :func:`last_watched` says; nothing where a whole period ends them."""
    ends = table["date_end"].max()
    if lasting(table):
        end = f"the rows of counts end on {ends.date()}, and counts with the last whole {word} before, {last.date()}"
        return end if last < ends else ""
    if (stated := stated_end(table)) is not None:
        return (
            f"the last incident is of {ends.date()}, and counts end on {stated.day.date()}, for {stated.why}; give the "
            "last day that was watched as the end, if it is another"
        )
    if last < ends:
        late = int((table["date_end"] > last).sum())
        rows = "incident after it is" if late == 1 else f"{late:,} incidents after it are"
        return (
            f"the list ends with an incident on {ends.date()}, as every list does, and counts end with the {word} "
            f"before, {last.date()}: the {rows} left out, because what ends on an incident looks busier than it was; "
            "give the last day that was watched as the end, if it is known"
        )
    if not 0 < share < 1:
        return ""
    return (
        f"the counts end with the last incident, because no last day was given: a list always ends with one, so its "
        f"last {word} looks busier than it was; set end to the last day that was watched"
    )
