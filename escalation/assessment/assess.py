"""Ask every question about one series, with the defaults that all ways of asking share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from escalation.assessment.named_days import check_days
from escalation.assessment.notes import check_decided
from escalation.assessment.options import (
    HORIZON,
    MODELS,
    Options,
    Regimes,
    Season,
    check_names,
    check_question,
    fill_windows,
)
from escalation.assessment.result import Assessment
from escalation.assessment.severity import check_types
from escalation.assessment.sides import Sides, join_sides
from escalation.assessment.source import Source, SourceSeries, count_series, from_reconstruction, open_source
from escalation.assessment.usual import usual_threshold
from escalation.assessment.watching import ALARM
from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.randomness import Seed, seed_of
from escalation.counts.schema import LARGEST, count_matrix
from escalation.counts.series import CountSeries, CountsLike, as_count_series
from escalation.counts.windows import WindowSpec
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.models.contract.design import make_design
from escalation.models.registry import DEFAULT
from escalation.tallies.reconstruct import Reconstruction


def assess(
    counts: CountsLike | Source | str | Path,
    *,
    horizon: int | None = None,
    at_least: int | Flashpoint | None = None,
    over: int = 1,
    within: int | None = None,
    recent: WindowSpec | None = None,
    baseline: WindowSpec | None = None,
    window: WindowSpec | None = None,
    model: str = DEFAULT,
    season: Season = "auto",
    calendars: Sequence[str] = (),
    models: Sequence[str] = MODELS,
    level: float = 0.9,
    draws: int = 4000,
    regimes: Regimes = "none",
    alarm: str = ALARM,
    types: str | None = None,
    sides: Sides | Mapping[str, CountsLike] | None = None,
    rng: Seed = None,
) -> Assessment:
    """Ask the analyst's questions about one count series; each answer is worked out when it is first looked at.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries, Reconstruction, Source, str or Path
        The counts; or a source of them, or the name of a case or a file, whose series is the one that
        :func:`escalation.count_series` gives without options.
    horizon : int, optional
        Periods to forecast; 28 days, 8 weeks or 6 months (or ``within``, if that is more) when left out.
    at_least, over, within : int, optional
        The flashpoint: ``over`` periods that sum to ``at_least`` or more, the last of them among the next
        ``within``.  Left out: what the case names for one period, or else what the busiest tenth of the windows so
        far reached; one period; the whole horizon.  In place of a number ``at_least`` may be a
        :class:`escalation.Flashpoint`.
    recent, baseline : int, slice or tuple, optional
        Windows that are compared, as in :func:`escalation.compare_rates`: what counts as now (28 days, 4 weeks or 3
        months), and what it is compared with (up to 182 days, 26 weeks or 12 months before).
    window : int, slice or tuple, optional
        What growth is read from; the last 28 days, 13 weeks or 12 months.
    model : str
        Whose forecast the answers use.  The trend always comes from :func:`escalation.default_model`, whose name is the
        default here too, so that trend and forecast agree.
    season : {"auto", "none", "weekday", "year"}
        Patterns that the default model looks for, as in :class:`escalation.models.ChangingRate`: all that the periods
        can show, none, or only the one.
    calendars : sequence of str
        Named calendars that the models allow for, such as ``["ramadan"]`` or ``["holidays-IQ"]``; see
        :func:`escalation.counts.calendar_spans`.  Models that take no regressors stand beside without.
    models : sequence of str
        Models whose forecasts stand beside it for comparison.
    level : float
        Probability of the intervals.
    draws : int
        Forecast paths of each model.
    regimes : {"none", "hidden_markov"}
        Whether to look for regimes with :class:`escalation.models.HiddenMarkov`; compiling it takes ten seconds once.
    alarm : str
        Method of the alarms; see :func:`escalation.analysis.alarms.alarms`.
    types : str, optional
        Column of the incidents whose values get a share of lethal attacks each; ``event_type`` when left out, if it
        has several values.
    sides : mapping of str to Series, DataFrame of histories, CountSeries or Reconstruction, optional
        Counts of two sides that may answer each other, by their names; the periods that both were wholly covered in
        are looked at.
    rng : int, Generator or None
        Seed or generator; the numbers of each part depend on it and on the part alone.

    Returns
    -------
    Assessment

    Raises
    ------
    InputError
        If an option is out of range, a count has no exposure, the series is too short to compare two windows, or all
        its tallies contradict each other.
    FileError
        If there is neither a case nor a file of that name.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> counts = pd.Series([2, 0, 1] * 8 + [4, 6, 5] * 2, index=weeks)
    >>> assessment = assess(CountSeries(counts, unit="attacks"), draws=200, rng=1)
    >>> assessment.sentences("rate")[0]
    'There were 20 attacks in the 4 weeks 2024-07-01 to 2024-07-28.'
    >>> assessment.answers().loc["count_recent", "text"]
    '20 attacks'
    """
    seed = seed_of(rng)
    series = _series_of(counts, seed)
    check_question(
        horizon=horizon, at_least=at_least, over=over, within=within, model=model, season=season, calendars=calendars
    )
    check_decided(series.reconstruction if isinstance(series, SourceSeries) else None)
    check_days(series, calendars)
    check_level(level)
    check_names(model, models, regimes, alarm)
    recent, baseline, window = fill_windows(series.periods, recent, baseline, window)
    horizon = max(HORIZON[series.freq[0]], within or 0) if horizon is None else horizon
    options = Options(
        horizon=int(horizon),
        at_least=usual_threshold(series) if at_least is None and over == 1 else at_least,
        over=int(over),
        within=int(horizon if within is None else within),
        recent=recent,
        baseline=baseline,
        window=window,
        model=model,
        season=season,
        calendars=tuple(calendars),
        models=tuple(dict.fromkeys((model, *models))),
        level=level,
        draws=check_whole(draws, "draws", LARGEST),
        regimes=regimes,
        alarm=alarm,
        types=types,
    )
    check_types(series, types)
    both = sides if sides is None or isinstance(sides, Sides) else join_sides(sides)
    return Assessment(series, options, seed, both)


def _series_of(counts: CountsLike | Source | str | Path, seed: int) -> CountSeries:
    """Return the count series of whatever was given, every count of it in a period with some exposure."""
    if isinstance(counts, str | Path):
        counts = open_source(counts)
    if isinstance(counts, Source):
        return count_series(counts, rng=seed)
    series = from_reconstruction(counts) if isinstance(counts, Reconstruction) else as_count_series(counts)
    unseen = np.isnan(count_matrix(series.counts)[:, 0])
    make_design(series.periods, 0, series.exposure, None, unseen)
    return series
