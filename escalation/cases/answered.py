"""One series of a case, and what is answered about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from escalation.analysis.severity.rare import RareEvents
from escalation.assessment.assess import assess
from escalation.assessment.gate import recent_share
from escalation.assessment.handful import Handful, find_handful
from escalation.assessment.naming import counter_text, title_of
from escalation.assessment.result import Assessment
from escalation.assessment.source import Source, SourceSeries, count_series
from escalation.assessment.usual import announced, taken, usable, usual_choice
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import capital, spaced
from escalation.counts.periods import date_span
from escalation.errors import FitError, InputError
from escalation.tallies.printed import printed_count
from escalation.tallies.schema import DEFAULTS

PARTS = ("rate", "growth", "forecast", "flashpoints")
"""What is answered about a series beside the main one."""

MOST_NAMED = 3
"""Counters and units that are named of those whose counts are not used."""


@dataclass(frozen=True, eq=False)
class SeriesAnswers:
    """What is answered about one series of a case.

    Attributes
    ----------
    name, title, unit : str
        What it is called in the table and in print, and what one of the count is.
    assessment : Assessment or Withheld
        The answers, or why the series cannot be counted.
    handful : Handful or None
        The announced events, where the series is a handful of them.
    at_least : int or None
        The size of an event that is asked about; the largest so far where the case names none.
    left_out : int
        Usable tallies of the series by other counters, or of other units, which are not in the answers.
    printed : str
        What was printed last of a series that cannot be counted, with its days.
    unused : str
        Whose counts, and of what, those that are left out are.
    """

    name: str
    title: str
    unit: str
    assessment: Assessment | Withheld
    handful: Handful | None = None
    at_least: int | None = None
    left_out: int = 0
    printed: str = ""
    unused: str = ""

    @cached_property
    def rare(self) -> RareEvents | None:
        """The probability of an event of the size asked about, where the series is a handful of events."""
        found = self.assessment
        if self.handful is None:
            return None
        largest = int(self.handful.events["size"].max())
        within, seed = (found.within, found.seed) if isinstance(found, Assessment) else (None, 1)
        freq = found.freq if isinstance(found, Assessment) else "W-SUN"
        return self.handful.reaching(self.at_least or largest, within, freq, seed)

    def counter(self) -> str:
        """Name who counted; empty where nobody is named."""
        found = self.assessment
        if isinstance(found, Withheld) or found.series.counter in ("", DEFAULTS["counter"]):
            return ""
        return counter_text(found.series.counter)

    def counted_by(self) -> str:
        """Name who counted, and how many counts of others are not in it."""
        word = "count" if self.left_out == 1 else "counts"
        return "; ".join(
            filter(None, (self.counter(), f"{self.left_out} other {word} not used" if self.left_out else ""))
        )

    def until(self) -> str:
        """The last day that the answers speak of."""
        found = self.assessment
        if self.handful is not None:
            return str(self.handful.last.date())
        return str(found.series.observed_until.date()) if isinstance(found, Assessment) else ""

    def observed(self) -> float:
        """Share of the days of the recent window that some source speaks of; NaN where that is not known."""
        found = self.assessment
        return recent_share(found.series, found.recent) if isinstance(found, Assessment) else float("nan")

    def why_not(self) -> str:
        """Why nothing is answered; empty where something is."""
        return self.assessment.reason if isinstance(self.assessment, Withheld) and self.handful is None else ""


def answer_series(source: Source, series: str, *, seed: int) -> SeriesAnswers:
    """Answer one series of a source of tallies, or say why it cannot be.

    The counter and the unit are those that the case names, or else those of most of the usable tallies.

    Parameters
    ----------
    source : Source
        From :func:`escalation.open_source`.
    series : str
        The series.
    seed : int
        Where the random numbers come from.
    """
    settings = source.settings(series)
    counter, unit, left_out = usual_choice(source, series)
    own = source.defaults.get("series") == series and source.case is not None and source.case.record is not None
    # a record of past forecasts is that of the case's own options, given by nobody else
    options = {} if own else {"series": series, "counter": counter, "unit": unit}
    handful = find_handful(source, series)
    title = settings.title or capital(spaced(series))
    try:
        counted = count_series(source, rng=seed, **options)  # type: ignore[arg-type]
        found: Assessment | Withheld = assess(counted, models=(), rng=seed)
        title, unit = settings.title or title_of(counted), counted.unit
    except (InputError, FitError) as error:
        found = Withheld("answers", _without_name(str(error), source))
    printed = _last_printed(usable(source.table, series), counter, unit) if isinstance(found, Withheld) else ""
    unused = _unused(usable(source.table, series), counter, unit)
    return SeriesAnswers(
        series, title, unit or "incidents", found, handful, settings.at_least, left_out, printed, unused
    )


def answer_counted(counted: Assessment) -> SeriesAnswers:
    """What is answered about a series that was assessed already."""
    series = counted.series
    source, name = counted.source, series.title
    handful, left_out, at_least, title, unused = None, 0, None, title_of(series), ""
    if isinstance(series, SourceSeries) and series.reconstruction is not None and source is not None:
        name = series.reconstruction.series
        rows = usable(source.table, name)
        left_out = len(rows) - len(taken(rows, series.counter, series.unit))
        unused = _unused(rows, series.counter, series.unit)
        settings = source.settings(name)
        at_least, title = settings.at_least, settings.title or title
        handful = announced(source, series.reconstruction)
    return SeriesAnswers(name, title, series.unit, counted, handful, at_least, left_out, unused=unused)


def _unused(rows: pd.DataFrame, counter: str | None, unit: str | None) -> str:
    """Whose tallies, and of which units, are not in counts by a counter in a unit; empty where all are."""
    of_unit = taken(rows, None, unit)
    others = of_unit.drop(taken(of_unit, counter, None).index)["counter"].value_counts()
    units = rows.drop(of_unit.index)["unit"].value_counts()
    said = [f"{number:,} by {counter_text(str(name))}" for name, number in others.items()]
    said += [f"{number:,} of {name}" for name, number in units.items()]
    more = f" and {len(said) - MOST_NAMED} more" if len(said) > MOST_NAMED else ""
    return f"{', '.join(said[:MOST_NAMED])}{more}"


def _last_printed(rows: pd.DataFrame, counter: str | None, unit: str | None) -> str:
    """The tally with the latest end, in words."""
    rows = taken(rows, counter, unit)
    if rows.empty:
        return ""
    last = rows.sort_values(["end", "start"], kind="stable").iloc[-1]
    return f"{printed_count(last)}, {date_span(pd.Period(last['start'], 'D'), pd.Period(last['end'], 'D'))}"


def _without_name(message: str, source: Source) -> str:
    return message.removeprefix(f"{source.name}: ").rstrip(".")
