"""What tallies said at earlier dates: the histories that could be reconstructed then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
from numpy.random import Generator

from escalation.conventions.randomness import Seed, as_generator, draw_root, generator_for
from escalation.counts.periods import DateLike, parse_date
from escalation.errors import InputError
from escalation.tallies.choosing import Choice, is_chosen, read_choice
from escalation.tallies.reconstruct import reconstruct
from escalation.tallies.schema import check_tallies

Undated = Literal["leave_out", "end"]


def known_by(tallies: pd.DataFrame, date: DateLike, *, undated: Undated = "leave_out") -> pd.DataFrame:
    """Return the tallies that had been printed by a date.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Reported counts.
    date : date or str
        The last day on which they may have been printed.
    undated : {"leave_out", "end"}
        Tallies without ``as_of``: left out, because they may have been printed at any time since, or taken as
        printed on the last day of their window.

    Returns
    -------
    pandas.DataFrame
        Their rows.

    Raises
    ------
    InputError
        If the table or an option cannot be used.

    Examples
    --------
    >>> tallies = pd.DataFrame({
    ...     "series": "attacks", "qualifier": "exact", "count": [4, 9], "start": "2024-01-01",
    ...     "end": ["2024-01-07", "2024-01-14"], "as_of": ["2024-01-08", "2024-03-01"],
    ... })
    >>> known_by(tallies, "2024-01-31")["count"].tolist()
    [4]
    """
    if undated not in ("leave_out", "end"):
        raise InputError(f"undated is {undated!r}; use 'leave_out' or 'end'")
    table = check_tallies(tallies)
    printed = table["as_of"] if undated == "leave_out" else table["as_of"].fillna(table["end"])
    return table[(printed <= parse_date(date, "date", side="end")).to_numpy()]


@dataclass(frozen=True, eq=False)
class Vintages:
    """Histories as they could be reconstructed at earlier dates; what a backtest takes as ``as_of``.

    Called with a period it reconstructs the series from the tallies printed by that period's last day, up to the last
    whole period that they speak about: what comes after that is for a model to forecast.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Reported counts.
    series, counter, place, unit, start
        As for :func:`escalation.reconstruct`.
    draws : int
        Histories of each reconstruction; fewer than :func:`escalation.reconstruct` gives, because each date is a
        reconstruction of its own and a fit pools 25 of them.
    undated : {"leave_out", "end"}
        As in :func:`known_by`.
    rng : int, Generator or None
        Seed or generator; each date has a generator of its own, made from it.

    Raises
    ------
    InputError
        If ``rng`` is none of these.

    Examples
    --------
    >>> tallies = pd.DataFrame({
    ...     "series": "attacks", "qualifier": "exact", "count": [40, 9], "start": ["2024-01-01", "2024-01-15"],
    ...     "end": ["2024-01-14", "2024-01-21"], "as_of": ["2024-01-15", "2024-03-01"],
    ... })
    >>> Vintages(tallies, "attacks")(pd.Period("2024-01-21", freq="W-SUN")).shape  # the third week was not known
    (2, 200)
    """

    tallies: pd.DataFrame = field(repr=False)
    series: str
    counter: Choice = None
    place: Choice = None
    unit: str | None = None
    start: DateLike | None = None
    draws: int = 200
    undated: Undated = "leave_out"
    rng: Seed = None
    _root: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        fresh = self.rng is None or isinstance(self.rng, Generator)
        generator = as_generator(self.rng)  # refuses what is no seed
        object.__setattr__(self, "_root", draw_root(generator) if fresh else self.rng)

    def table(self) -> pd.DataFrame:
        """How many tallies of the series are known by each date on which one was printed.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``as_of``: ``printed`` on that day, and ``known`` by its end.
        """
        own = self._own(check_tallies(self.tallies))
        printed = own["as_of"] if self.undated == "leave_out" else own["as_of"].fillna(own["end"])
        number = printed.value_counts().sort_index().rename_axis("as_of")
        return pd.DataFrame({"printed": number, "known": number.cumsum()})

    def sentence(self) -> str:
        """Say in plain words from when to when the tallies were printed."""
        printed, own = self.table(), self._own(check_tallies(self.tallies))
        undated = int(own["as_of"].isna().sum())
        taken = "left out" if self.undated == "leave_out" else "taken as printed on the last day of the window"
        rest = f"; {undated:,} without a date {'is' if undated == 1 else 'are'} {taken}" if undated else ""
        if printed.empty:
            return f"None of {len(own):,} tallies of {self.series} says when it was printed."
        return (
            f"{int(printed['known'].iloc[-1]):,} tallies of {self.series} were printed on {len(printed):,} days, "
            f"{printed.index[0].date()} to {printed.index[-1].date()}{rest}."
        )

    def _own(self, table: pd.DataFrame) -> pd.DataFrame:
        """Usable tallies of the series."""
        own = table[(table["series"] == self.series) & (table["flag"] == "ok")]
        return own[is_chosen(own["counter"], self.counter)]

    def _known_counters(self, own: pd.DataFrame) -> Choice:
        """Those of several counters that had printed something."""
        choice = read_choice(self.counter, own["counter"])
        return choice if choice is None or isinstance(choice, str) else sorted(set(own["counter"]))

    def __call__(self, period: pd.Period) -> pd.DataFrame:
        """Return the histories up to a period, or as far as was known, as they could be reconstructed on its last day.

        Raises
        ------
        InputError
            If no tally of the series had been printed by then.
        """
        known = known_by(self.tallies, period.end_time.normalize(), undated=self.undated)
        own = self._own(known)
        if own.empty:
            undated = int(self.tallies["as_of"].isna().sum()) if "as_of" in self.tallies else len(self.tallies)
            raise InputError(
                f"no usable tally of {self.series} had been printed by {period.end_time.date()}, and {undated} do not "
                "say when they were; begin later, or take those as printed at the end of their windows: undated='end'"
            )
        latest = own["end"].max()
        last = min(period, pd.Period(latest + pd.Timedelta(days=1), freq=period.freqstr) - 1)
        return reconstruct(
            known,
            series=self.series,
            counter=self._known_counters(own),
            place=self.place,
            unit=self.unit,
            freq=period.freqstr,
            start=self.start,
            end=last.end_time.normalize(),
            draws=self.draws,
            progress=False,
            rng=generator_for(self._root, str(period)),
        ).histories
