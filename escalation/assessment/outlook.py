"""What comes next: the models' forecasts, their pool, and the flashpoints read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation import models
from escalation.analysis.trend.growth import WindowGrowth
from escalation.analysis.trend.rate_change import SAID
from escalation.assessment.answer import PROBABILITY, Answer, answer_from, keys_of, not_given
from escalation.assessment.gate import barely_spoken_of
from escalation.assessment.named_days import CalendarEffect, calendar_effects, calendar_exog, exog_ahead
from escalation.assessment.options import Options
from escalation.assessment.withheld import Withheld, try_part
from escalation.conventions.randomness import generator_for
from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries
from escalation.errors import FitError, InputError
from escalation.forecasts.flashpoint import FlashpointProbability, first_passage, flashpoint
from escalation.forecasts.flashpoint_definitions import PRESETS, Flashpoint
from escalation.forecasts.forecast import Forecast
from escalation.models.changing_rate.found_season import found_seasons
from escalation.models.contract.base import CountFit
from escalation.models.contract.underlying import UnderlyingRates
from escalation.models.registry import DEFAULT, get_model

READINGS = {
    "steady": "it has been steady since its last change",
    "grows": "it has grown or fallen steadily since its last change",
    "drifts": "it drifts, with a growth that may change any time",
    "returns": "it returns to a usual level after each shock",
}
"""The readings of :meth:`escalation.models.ChangingRate.readings` in words."""
CLEAR = 0.5
"""A reading of at least this probability is said to be how the rate moves."""
FAR = 10.0
"""A mean forecast so many times above the largest past window carries a caution."""
YEAR = {"D": 365, "W": 52, "M": 12}
"""Periods of twelve months."""
TURNED = 0.05
"""A forecast that ends lower than the rate now by this share does not carry a rise on."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """The forecasts of one series.

    Attributes
    ----------
    fits : dict of str to CountFit
        The models that could be fitted, by name.
    forecasts : dict of str to Forecast
        Their forecasts, that of the model that answers first.
    failed : dict of str to str
        Models that could not be fitted, and why.
    model : str
        Name of the model whose forecast the answers use.
    """

    fits: dict[str, CountFit] = field(repr=False)
    forecasts: dict[str, Forecast] = field(repr=False)
    failed: dict[str, str]
    model: str

    @property
    def forecast(self) -> Forecast:
        """The forecast that the answers use."""
        return self.forecasts[self.model]

    def maker(self) -> str:
        """What made it, in words."""
        return f"the {self.model.replace('_', ' ')} model"

    def other_model(self) -> str:
        """Where another model than the default one forecasts, what that means beside the rates; "" where none does."""
        if self.model == DEFAULT:
            return ""
        return (
            f"Forecasts and flashpoints are those of {self.maker()}, which was asked for, and rates and trend those of "
            "the default model: where the rate changes, that forecast need not go on from it."
        )

    def totals(self, within: int, level: float) -> pd.DataFrame:
        """What each model expects in the first period, and in all over the first ``within`` periods.

        Returns
        -------
        pandas.DataFrame
            Indexed by model; columns ``first``, ``first_lower``, ``first_upper``, ``total``, ``total_lower`` and
            ``total_upper``: medians and prediction intervals of probability ``level``.
        """
        rows = {
            name: (*spread(one.series_paths[:, 0], level), *total_ahead(one, within, level))
            for name, one in self.forecasts.items()
        }
        columns = ["first", "first_lower", "first_upper", "total", "total_lower", "total_upper"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(np.int64).rename_axis("model")

    def sentence(self, within: int, level: float) -> str:
        """Say what is expected in all and in the first period."""
        forecast, word = self.forecast, period_word(self.forecast.periods.freqstr)
        value, lower, upper = total_ahead(forecast, within, level)
        first, first_lower, first_upper = spread(forecast.series_paths[:, 0], level)
        return (
            f"Over the {within} {period_word(forecast.periods.freqstr, within)} to "
            f"{forecast.periods[within - 1].end_time.date()} {self.maker()} gives "
            f"{value:,.0f} {forecast.unit} in all ({level:.0%} interval {lower:,.0f} to {upper:,.0f}); in the "
            f"first {word} {first:,.0f} ({first_lower:,.0f} to {first_upper:,.0f})."
            + (f" {beyond}" if (beyond := far_beyond(forecast, within)) else "")
        )


def find_default_fit(series: CountSeries, options: Options) -> CountFit | Withheld:
    """Fit the default model, with the patterns and calendars that were asked for."""
    model, exog = models.ChangingRate(options.season), calendar_exog(series, options.calendars, DEFAULT)
    return try_part(
        "default_fit",
        lambda: model.fit(series.counts, exposure=series.exposure, exog=exog, unit=series.unit),
        unless=barely_spoken_of(series),
    )


def find_outlook(
    series: CountSeries, default: Callable[[], CountFit | Withheld], options: Options, seed: int
) -> Outlook | Withheld:
    """Fit the models beside the default one and forecast; the paths of each depend on the seed and its name alone."""
    thin = barely_spoken_of(series)
    if thin is not None:
        return Withheld("forecast", thin)
    fits: dict[str, CountFit] = {}
    forecasts: dict[str, Forecast] = {}
    failed: dict[str, str] = {}
    for name in options.models:
        try:
            fit = _fit(name, series, default, options.calendars)
            rng = generator_for(seed, f"forecast by {name}")
            exog = exog_ahead(fit, options.calendars, options.horizon)
            forecasts[name] = fit.forecast(options.horizon, draws=options.draws, exog=exog, rng=rng)
            fits[name] = fit  # only with a forecast
        except FitError as error:
            failed[name] = str(error)
    if options.model in failed:
        return Withheld("forecast", failed[options.model])
    return Outlook(fits, forecasts, failed, options.model)


def effects_of_calendars(outlook: Outlook | Withheld, options: Options) -> tuple[CalendarEffect, ...]:
    """The factor of each calendar that was asked about, by the model that answers; none without a forecast."""
    if isinstance(outlook, Withheld):
        return ()
    return tuple(calendar_effects(outlook.fits[outlook.model], options.calendars, options.level))


def _fit(
    name: str, series: CountSeries, default: Callable[[], CountFit | Withheld], calendars: Sequence[str]
) -> CountFit:
    """The fit of a model by its name; that of the default one is there already."""
    if name != DEFAULT:
        exog = calendar_exog(series, calendars, name)
        return get_model(name).fit(series.counts, exposure=series.exposure, exog=exog, unit=series.unit)
    fit = default()
    if isinstance(fit, Withheld):
        raise FitError(f"the default model cannot be fitted: {fit.reason}")
    return fit


def far_beyond(forecast: Forecast, within: int) -> str:
    """A caution where the mean forecast lies far above all that was ever counted; empty where it does not."""
    past = pd.DataFrame(forecast.observed[0].T)
    over = min(within, len(past))
    largest = float(past.rolling(over, min_periods=1).sum().max(axis=0).mean())
    mean = float(forecast.series_paths[:, :over].sum(axis=1).mean())
    if mean <= FAR * max(largest, 1.0):
        return ""
    return (
        f"Caution: the mean of these totals, {mean:,.0f}, is more than {FAR:.0f} times the most that was ever counted "
        f"in so many periods ({largest:,.0f}); such a rise has never been seen in this series."
    )


def reading_sentences(
    outlook: Outlook, rates: UnderlyingRates | Withheld, growth: WindowGrowth | Withheld
) -> Iterator[str]:
    """Say which reading of the past carries the forecast, and why a rise or fall is not carried on where it is not."""
    if isinstance(rates, Withheld):
        return
    reading = str(rates.readings.idxmax())
    yield from (season.sentence() for season in found_seasons(outlook.fits[DEFAULT]))
    if rates.readings[reading] >= CLEAR:
        yield f"How the rate moves: most likely {READINGS[reading]} ({_share(rates, reading)})."
    else:
        yield f"How the rate moves is not clear: that {READINGS[reading]} is likeliest ({_share(rates, reading)})."
    if isinstance(growth, Withheld) or max(growth.probability_rising, 1 - growth.probability_rising) < SAID:
        return
    if any(season.cycle == "year" for season in found_seasons(outlook.fits[DEFAULT])):
        return  # what comes differs by the season as well
    cycle = 7 if rates.periods.freqstr == "D" else 1
    ahead = float(outlook.forecast.series_paths[:, -cycle:].mean()) / float(rates.rates[:, -cycle:].mean())
    if growth.growth > 0 and ahead < 1 - TURNED:
        yield (
            "The forecast does not carry the rise on: the rate may return to earlier levels "
            f"({_share(rates, 'returns')}), or its growth may end."
        )
    elif growth.growth < 0 and ahead > 1 + TURNED:
        yield (
            "The forecast does not carry the fall on: the rate may return to earlier levels "
            f"({_share(rates, 'returns')}), or its fall may end."
        )


def _share(rates: UnderlyingRates, reading: str) -> str:
    return f"probability {probability_text(float(rates.readings[reading]))}"


@dataclass(frozen=True, eq=False)
class Thresholds:
    """The chosen flashpoint, and others beside it.

    Attributes
    ----------
    points : tuple of FlashpointProbability
        One a threshold, the chosen one first.
    passage : pandas.DataFrame
        Probability that each threshold has been reached by each period; columns are thresholds.
    """

    points: tuple[FlashpointProbability, ...]
    passage: pd.DataFrame = field(repr=False)


def find_thresholds(series: CountSeries, forecast: Forecast | Withheld, options: Options) -> Thresholds | Withheld:
    """Return the probability of the chosen flashpoint, and of half, twice and the highest so far beside it."""
    if isinstance(forecast, Withheld):
        return Withheld("flashpoints", forecast.reason)
    over, within = options.over, options.within
    wanted: list[int | Flashpoint] = []
    try:
        if isinstance(options.at_least, Flashpoint):
            wanted = [options.at_least]
        else:
            usual, record = busy_windows(series, over)
            chosen = usual if options.at_least is None else options.at_least
            wanted = [chosen, *sorted({max(1, chosen // 2), 2 * chosen, record} - {chosen})]
        points = tuple(flashpoint(forecast, threshold, over, within) for threshold in wanted)
    except InputError as error:
        return Withheld("flashpoints", str(error))
    columns = {
        point.at_least: first_passage(forecast, threshold, over)
        for point, threshold in zip(points, wanted, strict=True)
    }
    return Thresholds(points, pd.DataFrame(columns))


def find_presets(
    series: CountSeries, forecast: Forecast | Withheld, options: Options
) -> dict[str, FlashpointProbability] | Withheld:
    """Return the probabilities of the definitions in public use that the forecast and the past allow."""
    if isinstance(forecast, Withheld):
        return Withheld("presets", forecast.reason)
    found: dict[str, FlashpointProbability] = {}
    for name, definition in PRESETS.items():
        if definition.over(series.freq) > forecast.steps:
            continue
        if definition.above == "record" and not definition.past_is_whole(len(series.counts), series.freq):
            continue
        try:
            found[name] = flashpoint(forecast, definition, within=options.within)
        except InputError:  # of another unit, or the past does not hold what it compares with
            continue
    return found


@dataclass(frozen=True, eq=False)
class Year:
    """What the next twelve months may bring: far ahead, and mostly beyond any record.

    Attributes
    ----------
    forecast : Forecast
        Of 365 days, 52 weeks or 12 months.
    flashpoint : FlashpointProbability
        The chosen threshold, reached in the course of them.
    level : float
        Probability of the interval.
    """

    forecast: Forecast = field(repr=False)
    flashpoint: FlashpointProbability
    level: float

    def total(self) -> tuple[float, float, float]:
        """Median and interval of the sum over all of them."""
        return total_ahead(self.forecast, self.forecast.steps, self.level)

    def sentence(self) -> str:
        """Say how many there will be in all, and how likely the threshold is reached."""
        value, lower, upper = self.total()
        steps, word = self.forecast.steps, period_word(self.forecast.periods.freqstr, self.forecast.steps)
        return (
            f"Over the next {steps} {word}: {value:,.0f} {self.forecast.unit} in all ({self.level:.0%} interval "
            f"{lower:,.0f} to {upper:,.0f}). {self.flashpoint.sentence()}"
        )

    def table(self) -> pd.DataFrame:
        """The total with its interval, in one row."""
        columns = ["value", "lower", "upper"]
        return pd.DataFrame([self.total()], columns=columns, index=pd.Index(["total_year"], name="key"))


def find_year(
    outlook: Outlook | Withheld, thresholds: Thresholds | Withheld, options: Options, rng: Generator
) -> Year | Withheld:
    """Forecast twelve months by the model that answers."""
    if isinstance(outlook, Withheld):
        return Withheld("year", outlook.reason)
    if isinstance(thresholds, Withheld):
        return Withheld("year", thresholds.reason)
    fit, freq = outlook.fits[outlook.model], outlook.forecast.periods.freqstr
    wanted = options.at_least if isinstance(options.at_least, Flashpoint) else thresholds.points[0].at_least

    def make() -> Year:
        exog = exog_ahead(fit, options.calendars, YEAR[freq[0]])
        ahead = fit.forecast(YEAR[freq[0]], draws=options.draws, exog=exog, rng=rng)
        return Year(ahead, flashpoint(ahead, wanted, options.over), options.level)

    return try_part("year", make)


def year_answers(series: CountSeries, year: Year | Withheld) -> Iterator[Answer]:
    """Answer how many there will be in twelve months, and how likely the threshold is reached in them."""
    steps = YEAR[series.freq[0]]
    total = ("total_year", f"forecast total, next {steps} {period_word(series.freq, steps)}", series.unit)
    if isinstance(year, Withheld):
        yield from not_given(year, total, ("flashpoint_year", "a flashpoint within twelve months", PROBABILITY))
        return
    yield Answer(*total[:2], *year.total(), total[2])
    yield _point("flashpoint_year", year.flashpoint)


def times_reached(series: CountSeries, thresholds: Thresholds, over: int) -> pd.DataFrame:
    """How many windows so far reached each threshold.

    Returns
    -------
    pandas.DataFrame
        Indexed by threshold, as ``thresholds.passage``; ``windows`` of ``over`` observed periods there were, and
        ``reached`` of them (the median over the histories).
    """
    table = pd.DataFrame(count_matrix(series.counts)).rolling(over).sum()
    windows = int(table.iloc[:, 0].notna().sum())
    reached = {at_least: int(np.median((table >= at_least).sum())) for at_least in thresholds.passage.columns}
    frame = pd.DataFrame({"windows": windows, "reached": pd.Series(reached)})
    return frame.rename_axis("at_least")


def busy_windows(series: CountSeries, over: int) -> tuple[int, int]:
    """What the busiest tenth of the windows reached, and the busiest of all (median over histories); at least 1.

    Raises
    ------
    InputError
        If no so many consecutive periods were observed.
    """
    table = pd.DataFrame(count_matrix(series.counts)).rolling(over).sum()
    if table.isna().all(axis=None):
        raise InputError(f"no {over} consecutive periods were observed; shorten over")
    tenth, most = (float(np.median(table.quantile(q, interpolation="lower"))) for q in (0.9, 1.0))
    return max(1, int(tenth)), max(1, int(most))


def total_ahead(forecast: Forecast, within: int, level: float) -> tuple[float, float, float]:
    """Median and interval of the sum over the first ``within`` steps."""
    return spread(forecast.series_paths[:, :within].sum(axis=1), level)


def spread(draws: NDArray[np.float64] | NDArray[np.int64], level: float) -> tuple[float, float, float]:
    """Median and central interval of draws."""
    middle, lower, upper = np.quantile(draws, [0.5, (1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return float(middle), float(lower), float(upper)


def forecast_answer(series: CountSeries, forecast: Forecast | Withheld, within: int, level: float) -> Answer:
    """Answer how many there will be in all."""
    question = f"forecast total, next {within} {period_word(series.freq, within)}"
    return answer_from(forecast, "total_ahead", question, series.unit, lambda one: total_ahead(one, within, level))


def flashpoint_answers(points: Sequence[FlashpointProbability] | Withheld) -> Iterator[Answer]:
    """Answer how likely each flashpoint is, the chosen one first."""
    if isinstance(points, Withheld):
        yield from not_given(points, ("flashpoint", "a flashpoint", PROBABILITY))
        return
    for place, point in enumerate(points):
        yield _point("flashpoint" if place == 0 else f"flashpoint_{point.at_least}", point)


def preset_answers(presets: Mapping[str, FlashpointProbability] | Withheld) -> Iterator[Answer]:
    """Answer how likely the flashpoints in public use are."""
    if isinstance(presets, Withheld):
        yield from not_given(presets, ("preset", "a flashpoint as others define it", PROBABILITY))
        return
    for key, point in zip(keys_of(presets), presets.values(), strict=True):
        yield _point(f"preset_{key}", point)


def window_text(point: FlashpointProbability) -> str:
    """The window that a flashpoint is looked for in, with its threshold: ``a week of 8 or more``."""
    window = "a" if point.over == 1 else f"{point.over}"
    return f"{window} {period_word(point.last.freqstr, point.over)} of {point.at_least:,} or more"


def _point(key: str, point: FlashpointProbability) -> Answer:
    question = f"{window_text(point)} by {point.last.end_time.date()}"
    if point.name:
        question += f" ({point.name})"
    return Answer(key, question, point.probability, point.lower, point.upper, PROBABILITY, point.mc_error)
