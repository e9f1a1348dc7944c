"""What changed between two reports: each answer's move, divided among its causes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.assessment.assess import assess
from escalation.assessment.options import Season
from escalation.assessment.result import Assessment
from escalation.assessment.source import Source, SourceSeries, count_series, open_source
from escalation.assessment.usual import taken, usable
from escalation.cases.choices import main_options
from escalation.cases.differences.result import Changed
from escalation.cases.differences.rows import compare_rows
from escalation.cases.differences.shapley import coalitions, shapley
from escalation.cases.differences.states import NEEDS, States
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, seed_of
from escalation.counts.series import CountSeries
from escalation.errors import InputError
from escalation.models.registry import DEFAULT

PARTS = ("rate", "growth", "forecast", "flashpoints")
"""What is asked of both reports."""


def what_changed(
    old: Source | str | Path,
    new: Source | str | Path,
    *,
    series: str | None = None,
    counter: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    by: str | None = None,
    freq: str | None = None,
    at_least: int | None = None,
    over: int = 1,
    within: int | None = None,
    horizon: int | None = None,
    season: Season = "auto",
    old_model: str = DEFAULT,
    model: str = DEFAULT,
    old_rng: Seed = None,
    rng: Seed = None,
    step: Callable[[str], None] | None = None,
) -> Changed:
    """Divide what moved between two reports on one series among new events, late and revised rows, and time.

    Parameters
    ----------
    old, new : Source, str or Path
        Two tables, folders of a case or sources (one case as of two days, with ``as_of`` of
        :func:`escalation.open_source`); of two analysts' tables either may be the old one.
    series, counter, place, unit, by, freq : str, optional
        Which counts, as for :func:`escalation.count_series`; the main series when left out.
    at_least : int, optional
        The flashpoint that both are asked about; that of the old report when left out.
    over, within, horizon, season : int, int, int, str
        As for :func:`escalation.assess`.
    old_model, model : str
        Whose forecasts the old and the new report use.
    old_rng, rng : int, Generator or None
        Seed of each report; that of the new one when left out.
    step : callable, optional
        Called with what is done next.

    Returns
    -------
    Changed

    Raises
    ------
    FileError
        If a file cannot be read.
    InputError
        If the two hold different things, the new one ends before the old one, or a series cannot be counted.

    Notes
    -----
    The causes are *revised* rows (withdrawn ones too), *late* ones, which speak of days that the old report reached
    (and what later totals say of such days), *time*, which moves the windows on while what was expected comes, and
    *new* events, which are what came in its place.  An answer's move is divided by Shapley values over the causes
    present, new events after time; all sets of causes are answered with the model and the random numbers of the old
    report, and what the model, the random numbers and the first day of the new one add is the last step (``settings``).

    Examples
    --------
    >>> table = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=120, freq="2D"), "date_end": pd.NaT})
    >>> table["date_end"] = table["date"]
    >>> source = lambda rows: Source("raids", "raids", "incidents", rows, table.iloc[:0], "", {})
    >>> found = what_changed(source(table), source(table.drop(index=[110, 111, 112])), freq="W-SUN", rng=1)
    >>> found.causes, found.shares.loc["count_recent", "revised"]
    (('revised',), np.float64(-3.0))
    """
    seed = seed_of(rng)
    old_seed = seed if old_rng is None else seed_of(old_rng)
    say = step or (lambda _: None)
    sources = [one if isinstance(one, Source) else open_source(one) for one in (old, new)]
    if sources[0].kind != sources[1].kind:
        raise InputError(
            f"{sources[0].name} holds {sources[0].kind} and {sources[1].name} {sources[1].kind}; compare two of a kind"
        )
    if (series, counter, place, unit, by) == (None,) * 5:
        series, counter, unit = main_options(sources[1])

    def count(source: Source, begin: pd.Timestamp | None, end: pd.Timestamp | None, root: int) -> SourceSeries:
        return count_series(
            source,
            series=series,
            counter=counter,
            place=place,
            unit=unit,
            by=by,
            freq=freq,
            start=begin,
            end=end,
            rng=root,
        )

    def ask(counted: CountSeries, threshold: int | None, name: str, root: int) -> Assessment:
        return assess(
            counted,
            horizon=horizon,
            at_least=threshold,
            over=over,
            within=within,
            season=season,
            model=name,
            models=(),
            rng=root,
        )

    say("counting the old report")
    before = count(sources[0], None, None, old_seed)
    say("counting the new report")
    after = count(sources[1], None, None, old_seed)
    _check_order(before, after)
    old_rows, new_rows = (_rows_of(one, counted) for one, counted in zip(sources, (before, after), strict=True))
    rows = compare_rows(old_rows, new_rows, sources[0].kind, before.observed_until)
    begin = before.periods[0].start_time
    same = after.periods[0] == before.periods[0]
    states = States(
        before,
        after if same else count(sources[1], begin, None, old_seed),
        rows,
        lambda table, end: count(replace(sources[1], table=table), begin, end, old_seed),
        old_seed,
    )
    first = ask(before, at_least, old_model, old_seed)
    threshold = at_least if at_least is not None or not first.flashpoints else first.flashpoints[0].at_least
    # which other thresholds are answered depends on the counts
    keys = [one.key for one in first.answer_list(*PARTS) if not one.key.startswith("flashpoint_")]
    start = _aligned(first, keys)

    def value(come: frozenset[str]) -> FloatArray:
        if not come:
            return start
        say(f"answering with {', '.join(sorted(come))}")
        return _aligned(ask(states.series(come), threshold, old_model, old_seed), keys)

    shares = shapley(states.causes, value, NEEDS)
    say("answering the new report")
    moved = start + sum(shares.values(), 0.0 * start)
    last = ask(count(sources[1], None, None, seed) if seed != old_seed else after, threshold, model, seed)
    final = _aligned(last, keys)
    table = pd.DataFrame(shares, index=pd.Index(keys, name="key"), columns=list(states.causes), dtype=float)
    return Changed(
        old=first,
        new=last,
        causes=states.causes,
        shares=table.assign(settings=np.where(np.isclose(final, moved, rtol=1e-9), 0.0, final - moved)),
        answers=pd.DataFrame({"old": start, "new": final}, index=table.index),
        rows=rows.listed(),
        asked=len(coalitions(states.causes, NEEDS)),
    )


def _rows_of(source: Source, counted: SourceSeries) -> pd.DataFrame:
    """Rows of a table that are counted: of tallies the usable ones of the series by its counter and of its unit."""
    if source.kind == "incidents":
        return source.table
    made = counted.reconstruction
    assert made is not None
    rows = usable(source.table, made.series)
    return taken(rows, made.counter, made.unit)


def _check_order(before: SourceSeries, after: SourceSeries) -> None:
    """Refuse reports that cannot follow each other."""
    if after.freq != before.freq or after.unit != before.unit:
        raise InputError(
            f"the old report counts {before.unit} by {before.freq}, the new one {after.unit} by {after.freq}; give "
            "unit and freq for both"
        )
    if after.observed_until < before.observed_until:
        raise InputError(
            f"the new report ends on {after.observed_until.date()}, the old one on {before.observed_until.date()}; "
            "swap them"
        )


def _aligned(assessment: Assessment, keys: list[str]) -> FloatArray:
    """Figures by key; NaN where one is not given."""
    known = {one.key: one.value for one in assessment.answer_list(*PARTS)}
    return np.array([known.get(key, np.nan) for key in keys], dtype=float)
