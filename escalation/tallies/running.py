"""Running totals in the press: tallies by one counter since one day, and what is the matter with them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from escalation.counts.periods import DateLike, parse_date
from escalation.counts.totals.difference import difference_totals
from escalation.counts.totals.result import TotalsDifferenced
from escalation.errors import InputError
from escalation.tallies.schema import check_tallies

POINTS = ("exact", "about", "nearly", "more_than", "at_least")
"""Qualifiers of counts that a running total can be printed with."""
FEWEST = 4
"""Tallies of so many days at least are looked at as a running total."""
SAME = ["series", "counter", "place", "unit", "start"]
WEIGHTY = ("restarted", "rebased", "corrected", "withdrawn", "batch", "stood still")
"""Faults that the reader of an assessment hears of; the reconstruction weighs those rounded or revised."""
GOES_ON = 2
"""Bulletins that a total which begins anew must have since, or the last of them may be a slip."""
PRINTED = "printed_start"
"""Column with the first day that was printed of tallies that count from another day on."""
MOST_NOTES = 3


@dataclass(frozen=True, eq=False)
class PressTotal:
    """One running total of the press, as counts.

    Attributes
    ----------
    series, counter, place, unit : str
        Whose it is.
    start : pandas.Timestamp
        The day from which on it counts.
    differenced : TotalsDifferenced
        Its counts as printed and as adjusted, and each fault; labels are those of the tallies.
    """

    series: str
    counter: str
    place: str
    unit: str
    start: pd.Timestamp
    differenced: TotalsDifferenced = field(repr=False)

    def sentence(self) -> str:
        """Whose total it is, and both answers in one line."""
        where = "" if self.place == "ALL" else f" in {self.place}"
        return f"{self.series}{where} by {self.counter} since {self.start:%Y-%m-%d}: {self.differenced.sentence()}"


def running_totals(
    tallies: pd.DataFrame, *, series: str | None = None, counter: str | None = None, as_of: DateLike | None = None
) -> list[PressTotal]:
    """Find the running totals among tallies, and explain where they are none that only rise.

    A running total is what one counter printed of one series, place and unit since one day, on four days at least. Of
    several prints of one day, the latest by ``as_of`` counts; the others are reported as revised.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Reported counts; those with a flag other than ``ok``, and words or ranges, are left aside.
    series, counter : str, optional
        Only those of this series, by this counter.
    as_of : date or str, optional
        Leave out what was printed after this day, and what does not say when it was.

    Returns
    -------
    list of PressTotal
        In the order of the series, counters, places, units and first days.

    Raises
    ------
    InputError
        If the table is none of tallies, or no tally had been printed by ``as_of``.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "series": "strikes", "counter": "ministry", "qualifier": "exact", "start": "2024-01-01",
    ...     "end": ["2024-01-07", "2024-01-14", "2024-01-21", "2024-01-28"], "count": [40, 75, 12, 50],
    ... })
    >>> total = running_totals(table)[0].differenced
    >>> total.printed["count"].tolist(), total.adjusted["count"].tolist()
    ([40, 35, -63, 38], [40, 35, 12, 38])
    """
    table = check_tallies(tallies)
    if as_of is not None:
        table = table[(table["as_of"] <= parse_date(as_of, "as_of", side="end")).to_numpy()]
        if table.empty:
            raise InputError(f"no tally that says when it was printed had been by {as_of}; choose a later as_of")
    chosen = (table["flag"] == "ok") & table["qualifier"].isin(POINTS) & table["count"].notna()
    for column, name in (("series", series), ("counter", counter)):
        chosen &= (table[column] == name) | (name is None)
    found = []
    for _, group in table[chosen].groupby(SAME, sort=True):
        if group["end"].nunique() < FEWEST:
            continue
        bulletins = pd.DataFrame({
            "date": group["end"], "total": group["count"], "as_of": group["as_of"],
            "hedged": group["qualifier"] != "exact",
        })  # fmt: skip
        # of what one day printed twice the larger number was printed later, or by who knew more
        bulletins = bulletins.sort_values("total", kind="stable").drop_duplicates(["date", "as_of"], keep="last")
        same = group.iloc[0]
        start = pd.Timestamp(same["start"])
        found.append(
            PressTotal(
                str(same["series"]),
                str(same["counter"]),
                str(same["place"]),
                str(same["unit"]),
                start,
                difference_totals(bulletins, start=start),
            )
        )
    return found


def totals_notes(tallies: pd.DataFrame) -> list[str]:
    """What the reader of counts should know of the running totals behind them, in sentences without a full stop.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Checked tallies that a reconstruction uses.
    """
    said = []
    if PRINTED in tallies:
        tallies = tallies.assign(start=tallies[PRINTED])
    for total in running_totals(tallies):
        findings = total.differenced.findings
        grave = findings[findings["kind"].isin(WEIGHTY)]
        said += [f"running total by {total.counter} since {total.start:%Y-%m-%d}: {one}" for one in grave["said"]]
    more = len(said) - MOST_NOTES
    if more > 0:
        said = [*said[:MOST_NOTES], f"{more} more faults of running totals; see escalation.tallies.running_totals"]
    return said


def counted_anew(tallies: pd.DataFrame) -> pd.DataFrame:
    """Let tallies of a running total that began anew count from then on, and not from the first day that was printed.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Checked tallies.

    Returns
    -------
    pandas.DataFrame
        The same rows; where a total began anew ``start`` is the day after the bulletin before, and the column
        ``printed_start`` holds the first days as they were printed.  A total of which no second bulletin goes on from
        the new beginning is left as it is, for a single number that is too low may be a slip.

    Examples
    --------
    >>> from escalation.tallies.schema import check_tallies
    >>> table = check_tallies(pd.DataFrame({
    ...     "series": "strikes", "counter": "ministry", "qualifier": "exact", "start": "2024-01-01",
    ...     "end": ["2024-01-07", "2024-01-14", "2024-01-21", "2024-01-28"], "count": [40, 75, 12, 50],
    ... }))
    >>> counted_anew(table)["start"].dt.day.tolist()
    [1, 1, 15, 15]
    """
    starts = tallies["start"].copy()
    for total in running_totals(tallies):
        own = (tallies["start"] == total.start) & (tallies["flag"] == "ok")
        for column in ("series", "counter", "place", "unit"):
            own &= tallies[column].astype(str) == getattr(total, column)
        findings = total.differenced.findings
        anew = findings[findings["kind"] == "restarted"].sort_values("date")
        for at, (_, found) in enumerate(anew.iterrows()):
            until = anew["date"].iloc[at + 1] if at + 1 < len(anew) else pd.Timestamp.max
            since = own & (tallies["end"] >= found["date"]) & (tallies["end"] < until)
            if tallies.loc[since, "end"].nunique() >= GOES_ON:
                starts[since] = found["since"]
    if (starts == tallies["start"]).all():
        return tallies
    return tallies.assign(**{PRINTED: tallies["start"], "start": starts})
