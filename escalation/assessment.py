"""An assessment: the numbers behind a report, computed once, for the screen, the PDF and notebooks alike."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.arguments import check_whole
from escalation.counts import LARGEST, check_counts, count_matrix
from escalation.errors import FitError, InputError
from escalation.flashpoint import FlashpointProbability, first_passage, flashpoint
from escalation.forecast import Forecast, pool_forecasts
from escalation.models.base import CountFit, CountModel
from escalation.models.ensemble import Ensemble
from escalation.models.estimate import MAX_STEPS
from escalation.models.local_level import LocalLevel
from escalation.models.registry import get_model
from escalation.periods import MAX_PERIODS, period_word
from escalation.randomness import Seed, as_generator
from escalation.sources import CountedSeries
from escalation.trend import RateChange, compare_rates

HORIZON = {"D": 28, "W": 8, "M": 6}
"""Periods ahead, unless asked otherwise."""
RECENT = {"D": 28, "W": 4, "M": 3}
"""Periods that count as now."""
BASELINE = {"D": 182, "W": 26, "M": 12}
"""Periods before them to compare with, as far as there are."""

MODELS = ("local_level", "negative_binomial", "climatology")
"""Models fitted for every assessment."""
CHOSEN: dict[str, CountModel] = {"local_level": LocalLevel(link="softplus")}
"""Those of them that are not fitted with their default options: series with long lulls need the bounded tail."""
WEIGHTS = {"local_level": 0.8, "negative_binomial": 0.1, "climatology": 0.1}
"""Of their pool.  The probabilities of an equal one are too near to 0 and 1 on simulated worlds, and the local level is
better in Iraqi governorates; a little of the others does no harm (see benchmarks/README.md)."""
POOL = "pool"
"""Name of the pool, which answers unless asked otherwise."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """Answers to: how many now, is it rising, what comes next, how likely is a flashpoint.

    Attributes
    ----------
    series : CountedSeries
        The counts or histories and where they come from.
    change : RateChange
        The recent periods against the baseline.
    fits : dict of str to CountFit
        The models that could be fitted, by name.
    forecasts : dict of str to Forecast
        Their forecasts.
    model : str
        Name of the forecast that the answers use; ``pool`` is the pool of all.
    flashpoints : tuple of FlashpointProbability
        One a threshold, the chosen one first.
    passage : pandas.DataFrame
        Probability that each threshold has been reached by each period; columns are thresholds.
    at_least, over, within : int
        The chosen flashpoint.
    level : float
        Probability of the intervals.
    failed : dict of str to str
        Models that could not be fitted, and why.
    """

    series: CountedSeries
    change: RateChange
    fits: dict[str, CountFit] = field(repr=False)
    forecasts: dict[str, Forecast] = field(repr=False)
    model: str
    flashpoints: tuple[FlashpointProbability, ...]
    passage: pd.DataFrame = field(repr=False)
    at_least: int
    over: int
    within: int
    level: float
    failed: dict[str, str]

    @property
    def forecast(self) -> Forecast:
        """The forecast that the answers use."""
        return self.forecasts[self.model]

    @property
    def freq(self) -> str:
        """Frequency of the periods."""
        return str(self.forecast.periods.freqstr)

    def answers(self) -> pd.DataFrame:
        """The answers as a table.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``question``; columns ``value``, ``lower``, ``upper`` (interval at ``level``; for
            a flashpoint its Monte Carlo interval) and ``unit``.
        """
        word, unit = period_word(self.forecast.periods.freqstr), self.series.unit
        per, spans = f"{unit} per {word}", len(self._recent())
        change, total = self.change, _total(self.forecast, self.within, self.level)
        rows: list[tuple[str, float, float, float, str]] = [
            (f"counted in the last {spans} {period_word(self.freq, spans)}", *self.counted(), unit),
            ("rate now", change.recent.rate, change.recent.lower, change.recent.upper, per),
            ("rate before", change.baseline.rate, change.baseline.lower, change.baseline.upper, per),
            ("ratio of rates", change.ratio, change.lower, change.upper, "times"),
            ("probability that the rate rose", change.probability_rose, np.nan, np.nan, "probability"),
            (f"forecast total, next {self.within} {period_word(self.freq, self.within)}", *total, unit),
        ]
        rows += [
            (_question(point), point.probability, point.lower, point.upper, "probability") for point in self.flashpoints
        ]
        frame = pd.DataFrame(rows, columns=["question", "value", "lower", "upper", "unit"])
        return frame.set_index("question")

    def maker(self) -> str:
        """What made the forecast, in words."""
        if self.model != POOL:
            return f"the {self.model.replace('_', ' ')} model"
        names = [name.replace("_", " ") for name in self.fits]
        return f"the pool of {len(names)} models ({', '.join(names)})"

    def counted(self) -> tuple[float, float, float]:
        """Median and interval of what was counted in the recent window (for exact counts all the same)."""
        recent = count_matrix(self.series.counts)[-len(self._recent()) :]
        return _spread(np.nansum(recent, axis=0), self.level)

    def _recent(self) -> pd.PeriodIndex:
        return pd.period_range(self.change.recent.first, self.change.recent.last)

    def sentences(self) -> list[str]:
        """The answers in plain sentences, with their ranges."""
        forecast, word = self.forecast, period_word(self.freq)
        value, lower, upper = _total(forecast, self.within, self.level)
        nxt = forecast.summary_frame(self.level).iloc[0]
        ahead = (
            f"Over the {self.within} {period_word(self.freq, self.within)} to "
            f"{forecast.periods[self.within - 1].end_time.date()} {self.maker()} gives "
            f"{value:,.0f} {self.series.unit} in all ({self.level:.0%} interval {lower:,.0f} to {upper:,.0f}); in the "
            f"first {word} {nxt['median']:,.0f} ({nxt['obs_pi_lower']:,.0f} to {nxt['obs_pi_upper']:,.0f})."
        )
        value, lower, upper = self.counted()
        span = "" if lower == upper else f" ({self.level:.0%} interval {lower:,.0f} to {upper:,.0f})"
        seen = f"{value:,.0f} {self.series.unit}{span} in {self.change.recent.span()}."
        return [f"There were {seen}", self.change.sentence(), ahead, *(point.sentence() for point in self.flashpoints)]

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences())
        return f"<b>{html.escape(self.series.title)}</b>{lines}{self.answers().round(3).to_html()}"


def assess(
    series: CountedSeries,
    *,
    horizon: int | None = None,
    at_least: int | None = None,
    over: int = 1,
    within: int | None = None,
    recent: int | None = None,
    baseline: int | None = None,
    model: str = POOL,
    models: Sequence[str] = MODELS,
    level: float = 0.9,
    draws: int = 4000,
    rng: Seed = None,
) -> Assessment:
    """Answer the analyst's questions about one count series.

    Parameters
    ----------
    series : CountedSeries
        From :func:`escalation.sources.count_series`.
    horizon : int, optional
        Periods to forecast; 28 days, 8 weeks or 6 months (or ``within``, if that is more) when left out.
    at_least, over, within : int, optional
        The flashpoint: ``over`` periods that sum to ``at_least`` or more, the last of them among the next
        ``within``.  Left out: what the busiest tenth of the windows so far reached, one period,
        the whole horizon.
    recent, baseline : int, optional
        Periods that count as now (28, 4 or 3), and before them to compare with (up to 182, 26 or 12).
    model : str
        Whose forecast the answers use: a model's name, or ``pool`` for the pool of all that could be fitted: eight
        parts of the local level, one of each other, and equal parts where models have others beside these.
    models : sequence of str
        Models to fit; ``model`` is always among them.
    level : float
        Probability of the intervals.
    draws : int
        Forecast paths of each model.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Assessment

    Raises
    ------
    InputError
        If an option is out of range or the series is too short to compare two windows.
    FitError
        If ``model`` cannot be fitted or, for the pool, no model can.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> counts = pd.Series([2, 0, 1] * 8 + [4, 6, 5] * 2, index=weeks)
    >>> whole = pd.Series(1.0, index=weeks)
    >>> series = CountedSeries(counts, whole, "attacks", "attacks", "", "", None, ())
    >>> assess(series, draws=200, rng=1).sentences()[0]
    'There were 20 attacks in the 4 weeks 2024-07-01 to 2024-07-28.'
    """
    rng = as_generator(rng)
    check_question(horizon=horizon, at_least=at_least, over=over, within=within, model=model)
    counts = check_counts(series.counts)
    index = pd.PeriodIndex(counts.index)
    kind = index.freqstr[0]
    horizon = max(HORIZON[kind], within or 0) if horizon is None else horizon
    n = len(counts)
    if n < 4:
        raise InputError(f"the series has {n} {period_word(index.freqstr, n)}; an assessment needs at least 4")
    recent = min(RECENT[kind], n // 2) if recent is None else recent
    baseline = min(BASELINE[kind], n - recent) if baseline is None else baseline
    change = compare_rates(counts, recent, baseline, exposure=series.exposure, level=level)

    fits: dict[str, CountFit] = {}
    forecasts: dict[str, Forecast] = {}
    failed: dict[str, str] = {}
    for name in dict.fromkeys(models if model == POOL else (model, *models)):
        try:
            fit = model_of(name).fit(counts, exposure=series.exposure, unit=series.unit)
            forecasts[name] = fit.forecast(horizon, draws=draws, rng=rng)
            fits[name] = fit  # only with a forecast: the pool is said to be of these
        except FitError as error:
            if name == model:
                raise
            failed[name] = str(error)
    if not forecasts:
        raise FitError(f"no model could be fitted: {'; '.join(failed.values())}")
    forecasts = {POOL: pool_forecasts(list(forecasts.values()), pool_weights(list(forecasts))), **forecasts}

    usual, record = _busy(counts, over)
    at_least = usual if at_least is None else at_least
    within = horizon if within is None else within
    thresholds = [at_least, *sorted({max(1, at_least // 2), 2 * at_least, record} - {at_least})]
    chosen = forecasts[model]
    return Assessment(
        series=series,
        change=change,
        fits=fits,
        forecasts=forecasts,
        model=model,
        flashpoints=tuple(flashpoint(chosen, threshold, over, within) for threshold in thresholds),
        passage=pd.DataFrame({threshold: first_passage(chosen, threshold, over) for threshold in thresholds}),
        at_least=at_least,
        over=over,
        within=within,
        level=level,
        failed=failed,
    )


def pool_weights(names: Sequence[str]) -> tuple[float, ...]:
    """Weights of the pool of these models, which sum to 1: equal if others are among them than those of assessments."""
    own = [WEIGHTS.get(name, 0.0) for name in names]
    return tuple(weight / sum(own) for weight in own) if all(own) else (1 / len(names),) * len(names)


def pool_model() -> Ensemble:
    """Return the model whose forecasts are those of the pool of an assessment."""
    return Ensemble(models=tuple(model_of(name) for name in MODELS), weights=pool_weights(MODELS))


def model_of(name: str) -> CountModel:
    """Return the model of this name with the options that assessments give it.

    Raises
    ------
    InputError
        If no model has this name.
    """
    return CHOSEN.get(name) or get_model(name)


def check_question(
    *,
    horizon: int | None = None,
    at_least: int | None = None,
    over: int = 1,
    within: int | None = None,
    model: str = POOL,
) -> None:
    """Raise what :func:`assess` would raise for these options, before counts are made for it.

    Parameters
    ----------
    horizon, at_least, over, within, model
        As in :func:`assess`.

    Raises
    ------
    InputError
        If a number is out of range, ``within`` is beyond ``horizon`` or there is no such model.
    """
    if model != POOL:
        model_of(model)
    limits = {"horizon": (horizon, MAX_STEPS), "at_least": (at_least, LARGEST), "over": (over, MAX_PERIODS)}
    for name, (value, most) in (limits | {"within": (within, MAX_STEPS)}).items():
        if value is not None:
            check_whole(value, name, most)
    if horizon is not None and within is not None and within > horizon:
        raise InputError(f"within is {within}, beyond the horizon of {horizon} periods; raise the horizon")


def _question(point: FlashpointProbability) -> str:
    window = "a" if point.over == 1 else f"{point.over}"
    word = period_word(point.last.freqstr, point.over)
    return f"{window} {word} of {point.at_least:,} or more by {point.last.end_time.date()}"


def _total(forecast: Forecast, within: int, level: float) -> tuple[float, float, float]:
    """Median and interval of the sum over the first ``within`` steps."""
    return _spread(forecast.paths[:, :within].sum(axis=1), level)


def _spread(draws: NDArray[np.float64] | NDArray[np.int64], level: float) -> tuple[float, float, float]:
    """Median and central interval of draws."""
    middle, lower, upper = np.quantile(draws, [0.5, (1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return float(middle), float(lower), float(upper)


def _busy(counts: pd.Series | pd.DataFrame, over: int) -> tuple[int, int]:
    """What the busiest tenth of the windows reached, and the busiest of all (median over histories); at least 1."""
    table = pd.DataFrame(count_matrix(counts)).rolling(over).sum()
    if table.isna().all(axis=None):
        raise InputError(f"no {over} consecutive periods were observed; shorten over")
    tenth, most = (float(np.median(table.quantile(q, interpolation="lower"))) for q in (0.9, 1.0))
    return max(1, int(tenth)), max(1, int(most))
