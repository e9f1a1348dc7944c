"""The tail of fatalities per lethal event: a power law above a threshold, how sure it is, and what else would do."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.analysis.severity.power_law import (
    MOST_ALPHA,
    distance,
    draw_power,
    exponent,
    find_threshold,
    find_thresholds,
    log_power,
    power_survival,
)
from escalation.analysis.severity.rivals import RIVALS, fit_rival, vuong
from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import measures
from escalation.errors import InputError
from escalation.incidents.schema import MAX_FATALITIES

FEWEST = 10
"""Fewest lethal events for a distribution of their sizes, and fewest values above a threshold."""
TOLD_APART = 0.05
"""Two distributions are distinguishable where the test's p-value is below this."""
LIMITS = {"lognormal": "its limit, a power law", "negative binomial": "a bound of its dispersion"}
"""What the bounds of distributions are."""
REJECTED = 0.1
"""A power law is ruled out where its p-value is below this (Clauset, Shalizi & Newman 2009, section 4)."""


@dataclass(frozen=True, eq=False)
class FatalityTail:
    """A power law of the fatalities of the deadliest events.

    Attributes
    ----------
    xmin : int
        Fatalities from which the power law holds.
    alpha : float
        Exponent: ``P(x) ~ x ** -alpha``.
    xmin_lower, xmin_upper, alpha_lower, alpha_upper : float
        Intervals, by the bootstrap.
    alpha_se, xmin_se : float
        Standard deviations over the bootstrap's replicates.
    n, n_tail : int
        Lethal events, and those of ``xmin`` fatalities or more.
    distance : float
        Largest distance of the distribution functions above the threshold.
    p_value : float or None
        Share of samples from the power law that lie farther from their own fits than the data from theirs: below 0.1
        the power law is ruled out.  None where no samples were asked for.
    rivals : pandas.DataFrame
        Indexed by ``distribution``: ``log_likelihood`` of the tail, ``ratio`` (log likelihood of the power law less
        that of the distribution), ``z`` and ``p_value`` of Vuong's test, ``verdict``: which fits better, or neither,
        and ``at_bound``: whether the highest likelihood lies at a bound of the parameters.  Power laws are limits of
        lognormal distributions, so that the ratio against these is at most 0; it is 0 where no lognormal distribution
        fits better than that limit.
    replicates : pandas.DataFrame
        ``xmin`` and ``alpha`` of resampled events, one a row, and ``share``, that of the events from ``xmin`` on.
    killed, times : (k,) arrays
        Distinct numbers of fatalities, sorted, and how many events had each.
    level : float
        Probability of the intervals.
    """

    xmin: int
    alpha: float
    xmin_lower: float
    xmin_upper: float
    alpha_lower: float
    alpha_upper: float
    alpha_se: float
    xmin_se: float
    n: int
    n_tail: int
    distance: float
    p_value: float | None
    rivals: pd.DataFrame = field(repr=False)
    replicates: pd.DataFrame = field(repr=False)
    killed: FloatArray = field(repr=False)
    times: IntArray = field(repr=False)
    level: float

    def table(self) -> pd.DataFrame:
        """The figures, indexed by ``measure``: ``value``, ``lower``, ``upper`` and ``unit``."""
        return measures(
            [
                ("exponent", (self.alpha, self.alpha_lower, self.alpha_upper), "exponent"),
                ("threshold", (self.xmin, self.xmin_lower, self.xmin_upper), "fatalities"),
                ("lethal events from the threshold on", (self.n_tail,), "events"),
                ("p-value of the power law", (self.p_value,), "probability"),
            ]
        )

    def sentence(self) -> str:
        """Say it in plain words, with the ranges and what else fits."""
        power_law = (
            f"Of {self.n:,} lethal events the {self.n_tail:,} that killed at least {self.xmin:,} follow a power law "
            f"with exponent {self.alpha:.2f} ({self.level:.0%} interval {self.alpha_lower:.2f} to "
            f"{self.alpha_upper:.2f}; threshold {self.xmin_lower:,.0f} to {self.xmin_upper:,.0f})"
        )
        fit = ""
        if self.p_value is not None:
            said = f"= {self.p_value:.2f}" if self.p_value >= 0.005 else "< 0.01"
            ruled = "is ruled out" if self.p_value < REJECTED else "is not ruled out"
            fit = f", which {ruled} by its own test (p {said})"
        return f"{power_law}{fit}. {self._others()}{self._mean()}"

    def _others(self) -> str:
        """Say which other distributions fit as well or better."""
        found = {
            verdict: [str(rival).replace("_", " ") for rival in rows.index]
            for verdict, rows in self.rivals.groupby("verdict", sort=False)
        }
        parts = []
        if "power law" in found:
            parts.append(f"it fits better than the {' and the '.join(found['power law'])} distribution")
        for rival in self.rivals["verdict"].unique():
            if rival not in ("power law", "neither"):
                parts.append(f"the {rival!s} distribution fits better")
        if "neither" in found:
            parts.append(f"it cannot be distinguished from the {' and the '.join(found['neither'])} distribution")
        text = "; ".join(parts)
        bound = [str(rival).replace("_", " ") for rival in self.rivals.index[self.rivals["at_bound"]]]
        limit = "".join(f" The {name} distribution fits best at {LIMITS[name]}." for name in bound)
        return f"{text[:1].upper()}{text[1:]}.{limit}"

    def _mean(self) -> str:
        if self.alpha_lower > 2.0:
            return ""
        what = "has" if self.alpha_upper <= 2.0 else "may have"
        return f" A power law with an exponent up to 2 has no mean: this one {what} none."

    def exceedance(self, killed: Sequence[float]) -> pd.DataFrame:
        """Probability that a lethal event kills so many or more, by the power law of the tail.

        Parameters
        ----------
        killed : sequence of float
            Numbers of fatalities, from ``xmin`` on.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``killed``: ``probability``, ``lower`` and ``upper``, of the resampled events whose threshold
            is not above it.

        Raises
        ------
        InputError
            If a number is below the threshold.
        """
        if min(killed) < self.xmin:
            raise InputError(f"killed is {min(killed):g}; the power law of the tail holds from {self.xmin:,} on")
        alpha, xmin, share = (self.replicates[name].to_numpy() for name in ("alpha", "xmin", "share"))
        rows = []
        for least in killed:
            held = xmin <= least
            drawn = share[held] * power_survival(least, alpha[held], xmin[held])
            point = (
                self.n_tail / self.n * power_survival(least, np.array([self.alpha]), np.array([float(self.xmin)]))[0]
            )
            ends = np.quantile(drawn, [(1 - self.level) / 2, (1 + self.level) / 2]) if held.any() else [point, point]
            rows.append([point, *ends])
        index = pd.Index(killed, name="killed")
        return pd.DataFrame(rows, index=index, columns=["probability", "lower", "upper"], dtype=float)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.rivals.round(3))


def fatality_tail(
    fatalities: pd.Series | FloatArray | IntArray,
    *,
    xmin: int | None = None,
    samples: int = 1000,
    replicates: int = 1000,
    level: float = 0.9,
    rng: Seed = None,
) -> FatalityTail:
    r"""Fit a power law to the fatalities of the deadliest events.

    Parameters
    ----------
    fatalities : pandas.Series or array
        Killed in each event; events without a killed person or a known figure are left out.
    xmin : int, optional
        Threshold; left out, that with the least distance of the distribution functions among those with at least 10
        events from it on.
    samples : int
        Samples for the test of the power law, each with a threshold of its own; 0 for no test.  The p-value is known to
        :math:`1 / (2 \sqrt{samples})`.
    replicates : int
        Resampled sets of events for the intervals of threshold and exponent, at least 20.
    level : float
        Probability of the intervals.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    FatalityTail

    Raises
    ------
    InputError
        If fewer than 10 events killed anybody, too few or only equal ones lie above the threshold, or a number is out
        of range.

    Notes
    -----
    Methods of Clauset, Shalizi & Newman (2009, doi:10.1137/070710111): the exact discrete likelihood
    :math:`\prod x_i^{-\alpha} / \zeta(\alpha, x_{min})` (their eq. 3.5, maximised, not approximated), the threshold by
    the least Kolmogorov-Smirnov distance over all whole numbers (section 3.3), intervals by resampling events, the test
    by samples with resampled events below the threshold and the power law above it (section 4.1), and Vuong's test
    against other distributions of the tail (section 5).  Lognormal distributions whose standard deviation of the logs
    goes to infinity, and their mean to minus infinity with its square, become power laws (Malevergne, Pisarenko &
    Sornette 2011, doi:10.1103/PhysRevE.83.036111), so that no power law fits better than all of them.

    Examples
    --------
    >>> import numpy as np
    >>> killed = np.random.default_rng(1).zipf(2.5, 400)
    >>> tail = fatality_tail(killed, samples=50, replicates=50, rng=1)
    >>> tail.xmin, round(tail.alpha, 1), tail.alpha_lower < 2.5 < tail.alpha_upper
    (1, 2.5, True)
    """
    killed = lethal_sizes(fatalities)
    level, generator = check_level(level), as_generator(rng)
    replicates = check_whole(replicates, "replicates", 100_000)
    if replicates < 2 * FEWEST:
        raise InputError(f"replicates is {replicates}; an interval needs at least {2 * FEWEST}")
    if isinstance(samples, bool) or not hasattr(samples, "__index__") or not 0 <= int(samples) <= 100_000:
        raise InputError(f"samples is {samples!r}; give a whole number from 0 (no test) to 100,000")
    values, times = distinct(killed)
    place, alpha, far = _fit(values, times, xmin)
    resampled = generator.multinomial(len(killed), times / len(killed), size=replicates)
    found = resampled_tails(values, resampled, None if xmin is None else place)
    shares = np.where(values >= found[:, :1], resampled, 0).sum(axis=1)
    tail = times[place:]
    spread = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return FatalityTail(
        xmin=int(values[place]),
        alpha=alpha,
        xmin_lower=float(spread[0, 0]),
        xmin_upper=float(spread[1, 0]),
        alpha_lower=float(spread[0, 1]),
        alpha_upper=float(spread[1, 1]),
        alpha_se=float(np.nanstd(found[:, 1], ddof=1)),
        xmin_se=float(np.nanstd(found[:, 0], ddof=1)),
        n=len(killed),
        n_tail=int(tail.sum()),
        distance=far,
        p_value=None if samples == 0 else _p_value(values, times, place, alpha, far, xmin, int(samples), generator),
        rivals=_compare(values[place:], tail, alpha),
        replicates=pd.DataFrame(found, columns=["xmin", "alpha"]).assign(share=shares / len(killed)).dropna(),
        killed=values,
        times=times,
        level=level,
    )


def lethal_sizes(fatalities: pd.Series | FloatArray | IntArray) -> FloatArray:
    """Fatalities of the events that killed anybody.

    Raises
    ------
    InputError
        If they are no whole numbers >= 0, or fewer than 10 events killed.
    """
    try:
        given = pd.Series(fatalities).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError("fatalities holds values that are no numbers; give the killed of each event") from None
    known = given[~np.isnan(given)]
    bad = (known < 0) | (known != np.floor(known)) | (known > MAX_FATALITIES)
    if bad.any():
        raise InputError(f"fatalities holds {known[bad][0]:g}; give whole numbers from 0 to {MAX_FATALITIES:,}")
    killed: FloatArray = known[known > 0]
    if len(killed) < FEWEST:
        raise InputError(
            f"{len(killed)} events killed anybody; a distribution of sizes needs at least {FEWEST}: use the share alone"
        )
    return killed


def distinct(killed: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distinct values, sorted, and how often each occurs."""
    values, times = np.unique(killed, return_counts=True)
    return values, times.astype(np.int64)


def _fit(values: FloatArray, times: IntArray, xmin: int | None) -> tuple[int, float, float]:
    """Place of the threshold among the values, the exponent and the distance."""
    if xmin is None:
        place, alpha, far = find_threshold(values, times, FEWEST)
        if place < 0:
            raise InputError(
                f"no threshold has {FEWEST} events and two different numbers of fatalities from it on; "
                "use the share alone or a distribution of all sizes"
            )
    else:
        least = check_whole(xmin, "xmin", MAX_FATALITIES)
        place = int(np.searchsorted(values, least))
        above = int(times[place:].sum())
        if above < FEWEST or len(values) - place < 2 or values[place] != least:
            raise InputError(
                f"xmin is {least:,}, and {above} events killed as many; choose a number of fatalities that occurs, "
                f"with at least {FEWEST} events and two different numbers from it on"
            )
        alpha = _exponent_from(values, times, place)
        far = distance(values, times, place, alpha, np.inf)
    return int(place), float(alpha), float(far)


def _exponent_from(values: FloatArray, times: IntArray, place: int) -> float:
    tail = times[place:]
    return float(exponent(float(tail.sum()), float(tail @ np.log(values[place:])), values[place]))


def resampled_tails(values: FloatArray, resampled: IntArray, place: int | None) -> FloatArray:
    """Threshold and exponent of each row of ``resampled`` (rows, values); NaN where there is none.

    ``place`` is that of a threshold which was given.
    """
    if place is None:
        return np.asarray(find_thresholds(values, resampled, FEWEST))
    found = np.full((len(resampled), 2), np.nan)
    for row, times in enumerate(resampled):
        if times[place:].sum() >= 2:
            found[row] = values[place], _exponent_from(values, times, place)
    found[found[:, 1] >= MOST_ALPHA] = np.nan  # equal values only
    return found


def _p_value(
    values: FloatArray,
    times: IntArray,
    place: int,
    alpha: float,
    far: float,
    xmin: int | None,
    samples: int,
    rng: Generator,
) -> float:
    """Share of samples from the power law that lie farther from their own fit."""
    n, n_tail = int(times.sum()), int(times[place:].sum())
    body = times[:place] / max(n - n_tail, 1)
    above = np.maximum(rng.binomial(n, n_tail / n, size=samples), 0 if xmin is None else 1)  # a fit needs a value
    worse = 0
    for number in above:
        drawn = draw_power(np.full(number, alpha), np.full(number, values[place]), MAX_FATALITIES, rng)
        own, often = distinct(np.append(drawn, values[place]))  # a threshold that was given need not be drawn
        often[0] -= 1
        if place:
            own = np.concatenate([values[:place], own])
            often = np.concatenate([rng.multinomial(n - number, body), often])
        if xmin is None:
            _, _, own_far = find_threshold(own, often, FEWEST)
        else:
            own_far = distance(own, often, place, _exponent_from(own, often, place), np.inf)
        worse += own_far >= far
    return worse / samples


def _compare(values: FloatArray, times: IntArray, alpha: float) -> pd.DataFrame:
    """Vuong's test of the power law against other distributions of the same values."""
    xmin = float(values[0])
    power = log_power(values, alpha, xmin)
    rows = []
    for rival in RIVALS:
        fit = fit_rival(rival, values, times, xmin)
        log_pmf, at_bound = fit.log_pmf, fit.at_bound
        if rival == "lognormal" and power @ times >= log_pmf @ times:
            log_pmf, at_bound = power, True  # the limit by other roundings
        ratio, z, p_value = vuong(power, log_pmf, times)
        better = "power law" if ratio > 0 else rival.replace("_", " ")
        verdict = better if p_value < TOLD_APART else "neither"
        rows.append([rival, float(log_pmf @ times), ratio, z, p_value, verdict, at_bound])
    columns = ["distribution", "log_likelihood", "ratio", "z", "p_value", "verdict", "at_bound"]
    return pd.DataFrame(rows, columns=columns).set_index("distribution")
