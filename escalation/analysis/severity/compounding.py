"""Compounding: forecasts of attacks times severity, path by path: lethal attacks and fatalities."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.analysis.severity.lethality import Lethality
from escalation.analysis.severity.share_posterior import JEFFREYS
from escalation.analysis.severity.sizes import FatalitySizes
from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import measures, plain, probability_text
from escalation.counts.periods import DateLike, exposure, parse_date
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import InputError
from escalation.forecasts.flashpoint import error_of_mean
from escalation.forecasts.forecast import Forecast
from escalation.incidents.schema import MAX_FATALITIES

MOST_EVENTS = 50_000_000
"""Lethal attacks of all paths together that are drawn one by one."""
MOST_DRAWN, FEWEST_PATHS = 5_000_000, 200
"""Lethal attacks that are drawn for a sum; where the paths hold more, those of some paths, at least so many."""


@dataclass(frozen=True, eq=False)
class Severity:
    """What attacks do: the share that kills, and how many a lethal one kills.

    Parameters
    ----------
    lethality : Lethality
        From :func:`escalation.lethality`.
    sizes : FatalitySizes, optional
        From :func:`escalation.analysis.fatality_sizes`; without it only the probability of lethal attacks can be had.

    Raises
    ------
    InputError
        If an argument is none of these.

    Examples
    --------
    >>> from escalation.analysis.severity.lethality import lethality
    >>> Severity(lethality(2, 200)).sizes is None
    True
    """

    lethality: Lethality
    sizes: FatalitySizes | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.lethality, Lethality) or not isinstance(self.sizes, FatalitySizes | None):
            raise InputError(
                f"a Severity is of a Lethality and FatalitySizes, and got {type(self.lethality).__name__} and "
                f"{type(self.sizes).__name__}; make them with lethality() and fatality_sizes()"
            )

    def sentences(self) -> list[str]:
        """Say which share kills and, where that is known, how many."""
        return [self.lethality.sentence(), *([] if self.sizes is None else [self.sizes.sentence()])]

    def table(self) -> pd.DataFrame:
        """The figures, indexed by ``measure``: ``value``, ``lower``, ``upper`` and ``unit``."""
        share = self.lethality
        rows = [("share of attacks that kills", (share.share, share.lower, share.upper), "probability")]
        for least, row in () if self.sizes is None else self.sizes.table().iterrows():
            name = f"probability that a lethal attack kills {least:,} or more"
            rows.append((name, (row["probability"], row["lower"], row["upper"]), "probability"))
        return measures(rows)


@dataclass(frozen=True, eq=False)
class Toll:
    """What the coming attacks may cost: probabilities of lethal ones, and the sum of the fatalities.

    Attributes
    ----------
    probabilities : pandas.DataFrame
        Indexed by ``killed``: ``probability`` that at least one attack kills so many or more, its Monte Carlo error
        ``mc_error``, and ``lower`` to ``upper``, between which what is not known of the severity takes it.
    expected, expected_lower, expected_upper : float or None
        Expected fatalities, and between what the severity takes them; None without a distribution of sizes, or if its
        tail may be too heavy to have a mean, or so heavy that a few draws of it make the mean.
    median, lower, upper : int or None
        Of the fatalities themselves: median and prediction interval; None without a distribution of sizes.
    start, end : pandas.Timestamp
        First and last day.
    draws : int
        Paths behind the numbers.
    level : float
        Probability of the intervals.
    unit : str
        What was forecast.
    summed : int
        Paths behind the median and interval of the fatalities: fewer where all hold very many lethal attacks.
    """

    probabilities: pd.DataFrame
    expected: float | None
    expected_lower: float | None
    expected_upper: float | None
    median: int | None
    lower: int | None
    upper: int | None
    start: pd.Timestamp
    end: pd.Timestamp
    draws: int
    level: float
    unit: str
    summed: int = 0

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        parts: list[str] = []
        for killed, row in zip(self.probabilities.index, self.probabilities.to_dict("records"), strict=True):
            what = "" if killed == 1 else f" {killed:,} or more"
            which = (
                "that one" if parts else f"that one of the {self.unit} from {self.start.date()} to {self.end.date()}"
            )
            parts.append(
                f"{which} kills{what} is {probability_text(row['probability'])} (Monte Carlo error "
                f"{max(row['mc_error'], 1e-4):.1g}; {probability_text(row['lower'])} to "
                f"{probability_text(row['upper'])})"
            )
        text = (
            f"The probability {', '.join(parts)}. The ranges are what is not known of the severity ({self.level:.0%})."
        )
        return text if self.median is None else f"{text} {self.total_sentence()}"

    def table(self) -> pd.DataFrame:
        """The probability of each number of killed, as in ``probabilities``."""
        return self.probabilities

    def total_sentence(self) -> str:
        """Say how many may be killed in all; empty without a distribution of sizes."""
        if self.median is None:
            return ""
        total = (
            f"Killed in all: {self.median:,} ({self.level:.0%} prediction interval {self.lower:,} to {self.upper:,})"
        )
        if self.expected is None or self.expected_lower is None or self.expected_upper is None:
            return f"{total}; no expected number is given, for the tail may be too heavy to have one."
        return (
            f"{total}; {plain(self.expected)} are expected ({plain(self.expected_lower)} to "
            f"{plain(self.expected_upper)})."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.probabilities.round(4))


def toll(
    forecast: Forecast,
    severity: Severity,
    *,
    killed: Sequence[int] = (1,),
    start: DateLike | None = None,
    end: DateLike | None = None,
    level: float = 0.9,
    rng: Seed = None,
) -> Toll:
    r"""Probability of a lethal attack, of one that kills so many, and the fatalities of the coming attacks.

    Parameters
    ----------
    forecast : Forecast
        Joint paths of attacks.
    severity : Severity
        Its posterior draws go with the paths, one each: nothing multiplies mean probabilities.  Where the trials behind
        the share are the histories that the paths continue, each path has the share of its own history: more attacks
        than were thought are more to come, of which fewer kill.
    killed : sequence of int
        Fatalities of one attack; those above 1 need a distribution of sizes.
    start, end : date or str, optional
        First and last day, within the forecast; all of it when left out.  The attacks of a period that lies partly
        inside fall on each of its days alike.
    level : float
        Probability of the intervals.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Toll

    Raises
    ------
    InputError
        If a day lies outside the forecast, a number is out of range, or a distribution of sizes is asked for and not
        there.

    Notes
    -----
    Given a path with :math:`n_t` attacks in period :math:`t`, of which a share :math:`w_t` of the days counts, and a
    posterior draw with the share :math:`p` and the probability :math:`S(k)` that a lethal attack kills ``k`` or more,
    the probability of at least one such attack is exactly :math:`1 - \prod_t (1 - p S(k) w_t)^{n_t}`.  These are
    averaged, not simulated (Rao-Blackwell; Casella & Robert 1996, doi:10.1093/biomet/83.1.81), and so are expected
    fatalities.  The Monte Carlo error is that of the mean over paths, at least that over histories, as in
    :func:`~escalation.flashpoint`.  The range is the average over paths with :math:`p S(k)` at its quantiles, in units
    of each path's mean share.

    Examples
    --------
    >>> from escalation.analysis.severity.lethality import lethality
    >>> weeks = pd.period_range("2024-12-02", periods=2, freq="W-SUN")
    >>> forecast = Forecast.of_series(np.full((4000, 2), 5), weeks, np.ones((4000, 1)), "five a week")
    >>> found = toll(forecast, Severity(lethality(2, 200)), rng=1)
    >>> found.probabilities.round(2).loc[1, ["probability", "lower", "upper"]].tolist()
    [0.11, 0.03, 0.24]
    """
    _check(forecast, severity)
    level, generator = check_level(level), as_generator(rng)
    numbers = [check_whole(number, "killed", MAX_FATALITIES) for number in killed]
    if not numbers or len(set(numbers)) < len(numbers):
        raise InputError(f"killed is {list(killed)}; give at least one number, each only once")
    if severity.sizes is None and max(numbers) > 1:
        raise InputError(
            f"killed is {max(numbers):,}, and the severity has no distribution of sizes; ask for killed=[1]"
        )
    first, last, weights = _window(forecast, start, end)
    share, centre, index = draw_severity(severity, forecast, generator)
    paths = forecast.series_paths
    ends = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for number in sorted(numbers):
        each = share * (1.0 if severity.sizes is None else severity.sizes.distributions.survival(number)[index])
        hit = _probability_of_any(paths, weights, each)
        reach = [_probability_of_any(paths, weights, at * centre).mean() for at in np.quantile(each / centre, ends)]
        rows.append([float(hit.mean()), _error(hit, forecast), *map(float, reach)])
    expected: tuple[float, float, float] | None = None
    total: list[int] | None = None
    summed = 0
    if severity.sizes is not None:
        means = severity.sizes.distributions.mean()
        attacks = paths @ weights
        if np.isfinite(means).all():
            cost = share * means[index]
            low, high = np.quantile(cost / centre, ends) * (attacks * centre).mean()
            mean = float((attacks * cost).mean())
            # beyond its own range it is made by a few draws of a tail that all but has no mean
            expected = (mean, float(low), float(high)) if low <= mean <= high else None
        lethal = draw_lethal(paths, weights, share, generator)
        some = _some_paths(lethal, generator)
        summed = len(some)
        sums = draw_fatalities(lethal[some], severity.sizes, index[some], generator)
        total = [int(value) for value in np.quantile(sums.sum(axis=1), [0.5, *ends], method="inverted_cdf")]
    columns = ["probability", "mc_error", "lower", "upper"]
    return Toll(
        probabilities=pd.DataFrame(rows, index=pd.Index(sorted(numbers), name="killed"), columns=columns),
        expected=None if expected is None else expected[0],
        expected_lower=None if expected is None else expected[1],
        expected_upper=None if expected is None else expected[2],
        median=None if total is None else total[0],
        lower=None if total is None else total[1],
        upper=None if total is None else total[2],
        start=first,
        end=last,
        draws=forecast.draws,
        level=level,
        unit=forecast.unit,
        summed=summed,
    )


def compound(
    forecast: Forecast,
    severity: Severity,
    *,
    what: Literal["fatalities", "lethal"] = "fatalities",
    observed: CountsLike | None = None,
    rng: Seed = None,
) -> Forecast:
    """Turn a forecast of attacks into one of fatalities or of lethal attacks, for any definition of a flashpoint.

    Parameters
    ----------
    forecast : Forecast
        Joint paths of attacks.
    severity : Severity
        Its posterior draws go with the paths, one each, so that periods of one path share them.
    what : {"fatalities", "lethal"}
        What is counted: the killed, which needs a distribution of sizes, or attacks that kill.
    observed : Series or CountSeries, optional
        The same until the origin, by period: for definitions that look back (a window that begins before the origin,
        a record).  Not observed when left out.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Forecast
        As many paths of the same periods: what :func:`escalation.forecasts.flashpoint` and
        :func:`escalation.first_passage` take, with a number or a definition such as ``views-25`` or ``first-lethal``.

    Raises
    ------
    InputError
        If there is no distribution of sizes for fatalities, the past is of other periods, or there are too many lethal
        attacks.

    Examples
    --------
    >>> from escalation.forecasts.flashpoint import flashpoint
    >>> from escalation.analysis.severity.lethality import lethality
    >>> weeks = pd.period_range("2024-12-02", periods=2, freq="W-SUN")
    >>> forecast = Forecast.of_series(np.full((4000, 2), 5), weeks, np.ones((4000, 1)), "five a week", unit="attacks")
    >>> lethal = compound(forecast, Severity(lethality(2, 200)), what="lethal", rng=1)
    >>> lethal.unit, round(flashpoint(lethal, 1).probability, 1)
    ('lethal attacks', 0.1)
    """
    _check(forecast, severity)
    if what not in ("fatalities", "lethal"):
        raise InputError(f"what is {what!r}; use 'fatalities' or 'lethal'")
    generator = as_generator(rng)
    share, _, index = draw_severity(severity, forecast, generator)
    paths = draw_lethal(forecast.series_paths, np.ones(forecast.steps), share, generator)
    if what == "fatalities":
        if severity.sizes is None:
            raise InputError("fatalities need a distribution of sizes, which this severity has not; use what='lethal'")
        paths = draw_fatalities(paths, severity.sizes, index, generator)
    unit = "fatalities" if what == "fatalities" else f"lethal {forecast.unit}"
    before = _past(forecast, observed)
    return replace(forecast, paths=paths[None], observed=before, model=f"{forecast.model} and severity", unit=unit)


def draw_severity(severity: Severity, forecast: Forecast, rng: Generator) -> tuple[FloatArray, FloatArray, IntArray]:
    """Draw for each path the share that kills, its mean share, and which distribution of sizes, all (draws,)."""
    posterior, number = severity.lethality.posterior, forecast.draws
    index = rng.integers(0, 1 if severity.sizes is None else severity.sizes.draws, size=number)
    seen = np.nansum(forecast.series_observed, axis=1).astype(np.int64)
    several, groups = posterior.trials.shape
    if several > 1 and groups == 1:
        seen = np.maximum(seen, posterior.lethal[0])
        if np.isin(seen, posterior.trials).all():
            a, b = JEFFREYS + posterior.lethal[0], JEFFREYS + seen - posterior.lethal[0]
            return rng.beta(a, b), np.asarray(a / (a + b)), index
    share = posterior.draw(number, rng)[:, :-1] @ posterior.mix()
    return share, np.full(number, severity.lethality.share), index


def _check(forecast: object, severity: object) -> None:
    if not isinstance(forecast, Forecast) or not isinstance(severity, Severity):
        raise InputError(
            f"a forecast of one series and a Severity are needed, and {type(forecast).__name__} and "
            f"{type(severity).__name__} were given"
        )


def _window(
    forecast: Forecast, start: DateLike | None, end: DateLike | None
) -> tuple[pd.Timestamp, pd.Timestamp, FloatArray]:
    """First and last day, and the share of each period between them, (steps,)."""
    opens, closes = forecast.periods[0].start_time, forecast.periods[-1].end_time.normalize()
    first = opens if start is None else parse_date(start, "start")
    last = closes if end is None else parse_date(end, "end", side="end")
    if not opens <= first <= last <= closes:
        raise InputError(
            f"start {first.date()} and end {last.date()} must lie in order within the forecast, {opens.date()} to "
            f"{closes.date()}"
        )
    return first, last, exposure(forecast.periods, first, last).to_numpy(dtype=float)


def _probability_of_any(paths: IntArray, weights: FloatArray, each: FloatArray | float) -> FloatArray:
    """Probability (draws,) of at least one such attack; each is it by ``each`` (draws,) times its period's weight."""
    probability_of_each = np.minimum(np.asarray(each)[..., None] * weights, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        none = np.where(paths > 0, paths * np.log1p(-probability_of_each), 0.0)
    return np.asarray(-np.expm1(none.sum(axis=1)))


def _error(hit: FloatArray, forecast: Forecast) -> float:
    """Monte Carlo standard error of the mean, never 0."""
    n = len(hit)
    plain_error = float(hit.std(ddof=1)) / sqrt(n) if n > 1 else 0.5
    least = sqrt(0.5 / (n + 1) / n) if plain_error == 0.0 else plain_error
    return error_of_mean(hit, forecast.component, least)


def draw_lethal(paths: IntArray, weights: FloatArray, share: FloatArray, rng: Generator) -> IntArray:
    """Draw how many attacks of each period kill and fall on days that count, (draws, steps)."""
    return rng.binomial(paths, np.minimum(share[:, None] * weights, 1.0))


def _some_paths(lethal: IntArray, rng: Generator) -> IntArray:
    """Places of so many paths, drawn at random, that their lethal attacks are not too many to draw; all if they are."""
    number = min(len(lethal), max(FEWEST_PATHS, int(len(lethal) * MOST_DRAWN / max(int(lethal.sum()), 1))))
    return np.sort(rng.choice(len(lethal), number, replace=False)) if number < len(lethal) else np.arange(number)


def draw_fatalities(lethal: IntArray, sizes: FatalitySizes, index: IntArray, rng: Generator) -> IntArray:
    """Draw the fatalities of each period, (draws, steps), its lethal attacks by the distribution of its path."""
    number = int(lethal.sum())
    if number > MOST_EVENTS:
        raise InputError(f"the paths hold {number:,} lethal attacks, more than {MOST_EVENTS:,}; forecast fewer paths")
    place = np.repeat(np.arange(lethal.size), lethal.ravel())
    drawn = sizes.distributions.draw(np.repeat(index, lethal.sum(axis=1)), rng)
    sums = np.bincount(place, weights=drawn, minlength=lethal.size)
    return sums.reshape(lethal.shape).astype(np.int64)


def _past(forecast: Forecast, observed: CountsLike | None) -> FloatArray:
    """What was observed until the origin, the same for all paths (1, draws, n); NaN where it is not known."""
    n = forecast.observed.shape[2]
    past = np.full(n, np.nan)
    if observed is not None:
        observed = unpack_counts(observed).counts
        single = isinstance(observed, pd.Series) and isinstance(observed.index, pd.PeriodIndex)
        if not single or pd.PeriodIndex(observed.index).freqstr != forecast.periods.freqstr:
            raise InputError(
                f"observed must be a Series on periods of {forecast.periods.freqstr}, as the forecast is; aggregate it"
            )
        before = pd.period_range(end=forecast.origin, periods=n, freq=forecast.periods.freqstr)
        past = pd.Series(observed).reindex(before).to_numpy(dtype=float, na_value=np.nan)
    return np.broadcast_to(past, (1, forecast.draws, n))
