"""Regimes: which one a series is in by a hidden Markov fit, how long they last, and how many there are."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import measures, plain, probability_text
from escalation.counts.periods import MAX_PERIODS, period_word
from escalation.errors import InputError
from escalation.models.contract.base import CountFit
from escalation.models.hidden_markov.likelihood import (
    Observed,
    first_distribution,
    last_regimes,
    smooth,
    unpack,
    without_effects,
)
from escalation.models.hidden_markov.model import MOST_STATES, REGIMES, HiddenMarkov, draw_points, mean_bic

LEAST_POINTS = 64
"""Points drawn for each history."""


@dataclass(frozen=True, eq=False)
class RegimeNow:
    """The regime of a fit's last period, and how long it goes on if it is the one that was asked for.

    Attributes
    ----------
    period : pandas.Period
        The last period of the fit.
    regime : str
        The regime that was asked for.
    probability : float
        The probability that the period is in it, given all counts; the uncertainty of the parameters is in it.
    probabilities : pandas.Series
        The same of every regime.
    rate : float
        Counts per full period in the regime, at the estimates.
    expected : float
        Expected number of periods until the regime ends, if it is the present one (1: the next period is in
        another), ``1 / (1 - p)`` with p the probability of staying: the posterior median, because a mean need not
        exist.
    expected_lower, expected_upper : float
        Its interval: how far the counts leave the expected number open.
    median, lower, upper : int
        Median and prediction interval of the number of periods itself.
    ended : pandas.Series
        The probability that the regime has ended after 1, 2, ... periods, if it is the present one.
    level : float
        Probability of both intervals.
    histories : int
        How many histories were averaged; 1 for exact counts.
    unit : str
        What is counted.
    """

    period: pd.Period
    regime: str
    probability: float
    probabilities: pd.Series
    rate: float
    expected: float
    expected_lower: float
    expected_upper: float
    median: int
    lower: int
    upper: int
    ended: pd.Series
    level: float
    histories: int
    unit: str

    def table(self) -> pd.DataFrame:
        """The figures, indexed by ``measure``: ``value``, ``lower``, ``upper`` and ``unit``."""
        word = period_word(self.period.freqstr)
        rows = [
            (f"probability of the {name} regime", (float(p),), "probability") for name, p in self.probabilities.items()
        ]
        ends = (self.expected, self.expected_lower, self.expected_upper)
        return measures(
            [
                *rows,
                (f"rate of the {self.regime} regime", (self.rate,), f"{self.unit} per {word}"),
                ("expected end of the regime", ends, f"{word}s"),
                ("end of the regime", (self.median, self.lower, self.upper), f"{word}s"),
            ]
        )

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        word = period_word(self.period.freqstr)
        last = self.period.end_time.date()
        return (
            f"The probability that the {word} to {last} is in the {self.regime} regime (some {plain(self.rate)} "
            f"{self.unit} a {word}) is {probability_text(self.probability)}; if it is, the regime is expected to end "
            f"after {plain(self.expected)} {period_word(self.period.freqstr, self.expected)} "
            f"({100 * self.level:g}% interval {plain(self.expected_lower)} to {plain(self.expected_upper)}), "
            "and as likely as not by the "
            f"{_ordinal(self.median)} {word} from now ({100 * self.level:g}% prediction interval {self.lower:,} to "
            f"{self.upper:,})."
        )

    def _repr_html_(self) -> str:
        return (
            f"<p>{html.escape(self.sentence())}</p>"
            + table_html(self.probabilities.to_frame().T.round(3))
            + table_html(self.ended.to_frame().T.round(3))
        )


def state_probabilities(fit: CountFit, *, kind: Literal["smoothed", "filtered"] = "smoothed") -> pd.DataFrame:
    """Probability of each regime in each period, at the estimates.

    Parameters
    ----------
    fit : CountFit
        Of :class:`HiddenMarkov`.
    kind : {"smoothed", "filtered"}
        Given all counts, or given those up to and including the period.

    Returns
    -------
    pandas.DataFrame
        One row a period, one column a regime in the order of their rates, each row sums to 1; the mean over the
        histories where there are several.

    Raises
    ------
    InputError
        If the fit is of another model, or ``kind`` is none of these.

    Notes
    -----
    By the forward-backward recursions (Rabiner 1989, doi:10.1109/5.18626).

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=20, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 0, 1, 9, 12, 8, 11, 14, 9, 1, 0, 0, 2, 1, 1, 0, 1], index=weeks)
    >>> probabilities = state_probabilities(HiddenMarkov().fit(counts))
    >>> probabilities["active"].round(2).tolist()[4:9]
    [0.0, 0.0, 1.0, 1.0, 1.0]
    """
    _states(fit)
    if kind not in ("smoothed", "filtered"):
        raise InputError(f"kind is {kind!r}; use 'smoothed' (given all counts) or 'filtered' (given those so far)")
    each = []
    for one in fit.estimates:
        filtered, _, smoothed, _ = smooth(one.state["theta"], one.state["data"])
        each.append(smoothed if kind == "smoothed" else filtered)
    return pd.DataFrame(np.mean(each, axis=0), index=fit.design.periods, columns=_names(fit))


def regime_durations(fit: CountFit, *, level: float = 0.9) -> pd.DataFrame:
    """How long each regime lasts on average, with its rate.

    Parameters
    ----------
    fit : CountFit
        Of :class:`HiddenMarkov` with two regimes or more.
    level : float
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a regime: ``rate`` (counts per full period), ``share`` (of all periods, in the long run), ``duration``
        (periods, ``1 / (1 - p)`` with p the probability of staying), ``lower`` and ``upper`` (its interval).

    Raises
    ------
    InputError
        If the fit is of another model or has one regime, or ``level`` is not between 0 and 1.

    Notes
    -----
    The interval is normal in the log odds of staying, ``log(duration - 1)``, pooled over histories by Rubin's rules.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=40, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 0, 1, 0, 9, 12, 8] * 4, index=weeks)
    >>> regime_durations(HiddenMarkov().fit(counts))["duration"].round(1).to_dict()
    {'quiet': 7.2, 'active': 3.6}
    """
    states = _several_states(fit)
    half = norm.ppf((1 + check_level(level)) / 2)
    odds, variances, rates, shares = (np.empty((len(fit.estimates), states)) for _ in range(4))
    for m, one in enumerate(fit.estimates):
        theta, cov = one.state["theta"], one.state["cov"]
        rates[m], moves, _ = unpack(without_effects(theta, one.state["data"]), states)
        shares[m] = first_distribution(moves, False)[0]
        for i in range(states):
            place = slice(states + i * (states - 1), states + (i + 1) * (states - 1))
            leaving = np.exp(theta[place])
            slope = leaving / leaving.sum()
            odds[m, i] = -np.log(leaving.sum())
            variances[m, i] = slope @ cov[place, place] @ slope
    m = len(fit.estimates)
    spread = variances.mean(axis=0) + ((1 + 1 / m) * odds.var(axis=0, ddof=1) if m > 1 else 0.0)
    centre = odds.mean(axis=0)
    table = {
        "rate": rates.mean(axis=0),
        "share": shares.mean(axis=0),
        "duration": 1 + np.exp(centre),
        "lower": 1 + np.exp(centre - half * np.sqrt(spread)),
        "upper": 1 + np.exp(centre + half * np.sqrt(spread)),
    }
    return pd.DataFrame(table, index=pd.Index(_names(fit), name="regime"))


def regime_now(
    fit: CountFit,
    *,
    regime: str = "active",
    horizon: int = 12,
    level: float = 0.9,
    draws: int = 1000,
    rng: Seed = None,
) -> RegimeNow:
    """Estimate how likely the last period is in a regime, and how long that regime goes on if it is.

    Parameters
    ----------
    fit : CountFit
        Of :class:`HiddenMarkov` with two regimes or more.
    regime : str
        Its name, ``"active"`` or ``"quiet"``, or one of those in between.
    horizon : int
        Periods ahead in ``ended``.
    level : float
        Probability of the intervals.
    draws : int
        Points drawn from the posterior, shared out evenly over the histories, at least 64 for each.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    RegimeNow

    Raises
    ------
    InputError
        If the fit is of another model or has one regime, there is no such regime, or a number is out of range.

    Notes
    -----
    For one point of the posterior the number of periods until the regime ends is geometric; over points, weighted by
    the probability that each gives to the regime, it is a mixture of them, with a longer tail.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=40, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 0, 1, 0, 9, 12, 8] * 4, index=weeks)
    >>> now = regime_now(HiddenMarkov().fit(counts), rng=1)
    >>> now.probability > 0.9, now.lower, now.median
    (True, 1, 3)
    """
    _several_states(fit)
    names = _names(fit)
    if regime not in names:
        raise InputError(f"regime is {regime!r}; this fit has {', '.join(names)}")
    horizon, draws = check_whole(horizon, "horizon", MAX_PERIODS), check_whole(draws, "draws", 1_000_000)
    tail = (1 - check_level(level)) / 2
    place, each = names.index(regime), max(LEAST_POINTS, -(-draws // len(fit.estimates)))
    generators = as_generator(rng).spawn(len(fit.estimates))
    parts = [_drawn(one.state, each, own) for one, own in zip(fit.estimates, generators, strict=True)]
    now, leaving = (np.concatenate(part) for part in zip(*parts, strict=True))
    weight = now[:, place] / now[:, place].sum()
    lasting = 1 / leaving[:, place]
    low, middle, high = (_weighted_quantile(lasting, weight, q) for q in (tail, 0.5, 1 - tail))
    lower, median, upper = (_mixture_quantile(leaving[:, place], weight, q) for q in (tail, 0.5, 1 - tail))
    ahead = np.arange(1, horizon + 1)
    ended = 1 - weight @ (1 - leaving[:, place, None]) ** ahead
    probabilities = pd.Series(now.mean(axis=0), index=names, name="probability")
    return RegimeNow(
        period=fit.design.periods[-1],
        regime=regime,
        probability=float(probabilities[regime]),
        probabilities=probabilities,
        rate=float(fit.params[f"rate_{regime}"]),
        expected=middle,
        expected_lower=low,
        expected_upper=high,
        median=median,
        lower=lower,
        upper=upper,
        ended=pd.Series(ended, index=pd.RangeIndex(1, horizon + 1, name="periods"), name="ended"),
        level=level,
        histories=len(fit.estimates),
        unit=fit.unit,
    )


def compare_states(fit: CountFit) -> pd.DataFrame:
    """Fit each number of regimes to the counts of a fit, and say why one of them is preferred.

    Parameters
    ----------
    fit : CountFit
        Of :class:`HiddenMarkov`; its other options are kept.

    Returns
    -------
    pandas.DataFrame
        One row a number of regimes: ``log_likelihood`` (mean over the histories), ``parameters``, ``bic``, ``over``
        (BIC above the lowest), ``least_stay`` (the smallest probability of staying of a regime: near 0 for a regime
        that takes up single outliers), ``rates`` and ``why``.

    Raises
    ------
    InputError
        If the fit is of another model.

    Notes
    -----
    The theory behind BIC asks that the parameters can all be estimated, which those of a superfluous regime cannot;
    for the number of regimes it errs, if anything, towards too few (Celeux & Durand 2008,
    doi:10.1007/s00180-007-0097-1).

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=40, freq="W-SUN")
    >>> table = compare_states(HiddenMarkov().fit(pd.Series([1, 0, 2, 1, 0, 1, 0, 9, 12, 8] * 4, index=weeks)))
    >>> int(table["bic"].idxmin()), table["why"][2]
    (2, 'adds 17.7 to the log-likelihood of 1, for which BIC asks 5.5; lowest BIC')
    """
    _states(fit)
    assert isinstance(fit.model, HiddenMarkov)
    rows, before = [], float("nan")
    for states in range(1, MOST_STATES + 1):
        found = replace(fit.model, states=states).estimate_all(fit.array, fit.design)
        moves = [unpack(without_effects(one.state["theta"], one.state["data"]), states)[1] for one in found]
        rates = np.mean([one.params[:states] for one in found], axis=0)
        llf = float(np.mean([one.llf for one in found]))
        rows.append(
            {
                "states": states,
                "log_likelihood": llf,
                "parameters": len(found[0].names),
                "bic": mean_bic(found, fit.nobs),
                "least_stay": float(np.diagonal(np.mean(moves, axis=0)).min()),
                "rates": ", ".join(f"{rate:.3g}" for rate in rates),
                "gain": llf - before,
            }
        )
        before = llf
    table = pd.DataFrame(rows).set_index("states")
    table["over"] = table["bic"] - table["bic"].min()
    cost = table["parameters"].diff() * np.log(fit.nobs) / 2
    table["why"] = [
        "one rate for all periods" if states == 1 else _why(table["gain"][states], cost[states], states)
        for states in table.index
    ]
    table.loc[table["over"] == 0, "why"] += "; lowest BIC"
    return table[["log_likelihood", "parameters", "bic", "over", "least_stay", "rates", "why"]]


def _why(gain: float, cost: float, states: int) -> str:
    """What one more regime brings and what BIC asks for it."""
    change = f"adds {gain:.1f} to" if gain >= 0 else f"takes {-gain:.1f} off"
    return f"{change} the log-likelihood of {states - 1}, for which BIC asks {cost:.1f}"


def _states(fit: CountFit) -> int:
    """Number of regimes of a hidden Markov fit."""
    if not isinstance(fit.model, HiddenMarkov):
        raise InputError(f"this is a fit of {fit.model.name}; regimes are those of HiddenMarkov().fit(counts)")
    data: Observed = fit.estimates[0].state["data"]
    return data.states


def _several_states(fit: CountFit) -> int:
    states = _states(fit)
    if states == 1:
        raise InputError("this fit has one regime, which never ends; fit HiddenMarkov(states=2)")
    return states


def _names(fit: CountFit) -> list[str]:
    return list(REGIMES[_states(fit)])


def _drawn(state: dict[str, object], number: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Present regime and probability of leaving each (number, K), at draws from the posterior, in order of rates."""
    data = state["data"]
    assert isinstance(data, Observed)
    points = draw_points(state, number, rng)
    now = last_regimes(points, data)
    points = without_effects(points, data)
    order = np.argsort(points[:, : data.states], axis=1)
    stay = np.array([np.diagonal(unpack(point, data.states)[1]) for point in points])
    return np.take_along_axis(now, order, 1), 1 - np.take_along_axis(stay, order, 1)


def _weighted_quantile(values: FloatArray, weight: FloatArray, q: float) -> float:
    ranked = np.argsort(values)
    at = np.searchsorted(np.cumsum(weight[ranked]), q)
    return float(values[ranked[min(int(at), len(values) - 1)]])


def _mixture_quantile(leaving: FloatArray, weight: FloatArray, q: float) -> int:
    """Smallest number of periods by which a mixture of geometric distributions has ended with probability ``q``."""
    low, high = 0, 1
    while 1 - weight @ (1 - leaving) ** high < q:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if 1 - weight @ (1 - leaving) ** middle < q:
            low = middle
        else:
            high = middle
    return high


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
