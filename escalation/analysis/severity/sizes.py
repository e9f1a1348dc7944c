"""Fatalities per lethal event: which distribution fits, and draws of it that carry its uncertainty."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.analysis.severity.grids import integrate
from escalation.analysis.severity.power_law import MOST_ALPHA, find_threshold, log_power
from escalation.analysis.severity.rivals import PARAMETERS, Rival, fit_rival, rival_log_pmf
from escalation.analysis.severity.size_distributions import (
    LognormalSizes,
    NegativeBinomialSizes,
    SizeDistributions,
    SplicedSizes,
    join_distributions,
)
from escalation.analysis.severity.tail import FEWEST, distinct, lethal_sizes, resampled_tails
from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import plain, probability_text, share
from escalation.counts.schema import DRAW
from escalation.errors import InputError
from escalation.incidents.schema import MAX_FATALITIES

Family = Literal["negative_binomial", "lognormal", "power_tail"]
FAMILIES: tuple[Family, ...] = ("negative_binomial", "lognormal", "power_tail")
FITTED: tuple[Rival, ...] = ("poisson", "negative_binomial", "lognormal")
PRIORS = {"negative_binomial": ((1.0, 2.0), (0.0, 2.0)), "lognormal": ((1.0, 2.0), (0.0, 1.0))}
"""Normal priors (mean, standard deviation) of log mean and log dispersion, or of mean and log deviation of the logs."""
WIDEST = ((-15.0, 17.0), (-12.0, 12.0))
"""Ends of the first grid of the parameters."""


@dataclass(frozen=True, eq=False)
class FatalitySizes:
    """A distribution of how many a lethal event kills, as equally plausible draws.

    Attributes
    ----------
    family : str
        ``negative_binomial`` (given that it is above 0), ``lognormal`` (rounded) or ``power_tail`` (frequencies as
        seen, and from a threshold on a power law).
    candidates : pandas.DataFrame
        Indexed by ``distribution``: ``log_likelihood`` of all lethal events, ``parameters``, ``aic``, ``at_bound``:
        whether the highest likelihood lies at a bound of the parameters (in some draw of the figures), and ``over``:
        AIC above the lowest.
    n : int
        Lethal events behind it (the median over draws of the figures).
    distributions : SizeDistributions
        The draws.
    draws : int
        How many.
    killed, times : (k,) arrays
        Distinct numbers of fatalities, sorted, and how many events had each (the mean over draws of the figures).
    level : float
        Probability of the intervals.
    """

    family: Family
    candidates: pd.DataFrame
    n: int
    distributions: SizeDistributions = field(repr=False)
    draws: int
    killed: FloatArray = field(repr=False)
    times: FloatArray = field(repr=False)
    level: float

    def exceedance(self, killed: list[int]) -> pd.DataFrame:
        """Probability that a lethal event kills so many or more.

        Parameters
        ----------
        killed : list of int
            Numbers of fatalities >= 1.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``killed``: ``probability`` (mean over the draws), ``lower``, ``upper``, and ``seen``, the
            share of the events behind the distribution.

        Raises
        ------
        InputError
            If a number is out of range.
        """
        rows = []
        for least in killed:
            drawn = self.distributions.survival(check_whole(least, "killed", MAX_FATALITIES))
            ends = np.quantile(drawn, [(1 - self.level) / 2, (1 + self.level) / 2])
            rows.append([drawn.mean(), *ends, self.times[self.killed >= least].sum() / self.times.sum()])
        index = pd.Index(killed, name="killed")
        return pd.DataFrame(rows, index=index, columns=["probability", "lower", "upper", "seen"], dtype=float)

    def mean(self) -> tuple[float, float, float] | None:
        """Mean fatalities of a lethal event with its interval; None where some of the draws have no mean."""
        drawn = self.distributions.mean()
        if not np.isfinite(drawn).all():
            return None
        ends = np.quantile(drawn, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(drawn.mean()), float(ends[0]), float(ends[1])

    def table(self) -> pd.DataFrame:
        """How likely a lethal event kills many, as :meth:`exceedance` of 2, 5, 10, 25 and 50."""
        return self.exceedance([2, 5, 10, 25, 50])

    def sentence(self) -> str:
        """Say it in plain words."""
        ten = self.exceedance([10]).iloc[0]
        mean = self.mean()
        expected = (
            "no expected number is given, for the tail may be too heavy to have one"
            if mean is None
            else f"{plain(mean[0])} are expected ({self.level:.0%} interval {plain(mean[1])} to {plain(mean[2])})"
        )
        family = {
            "negative_binomial": "a negative binomial distribution above 0",
            "lognormal": "a rounded lognormal distribution",
            "power_tail": "the frequencies seen with a power law for the tail",
        }[self.family]
        return (
            f"By {family}, from {self.n:,} lethal events, the probability that a lethal event kills 10 or more is "
            f"{probability_text(float(ten['probability']))} ({self.level:.0%} interval {share(ten['lower'])} to "
            f"{share(ten['upper'])}); {expected}.{self._bound()}"
        )

    def _bound(self) -> str:
        """Say whether the family's likelihood is highest at a bound of its parameters."""
        if not self.candidates["at_bound"][self.family]:
            return ""
        return " Its likelihood is highest at a bound of its parameters, so that priors decide on its tail."

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.candidates.round(1))


def fatality_sizes(
    fatalities: pd.Series | pd.DataFrame | FloatArray | IntArray,
    *,
    family: Literal["auto", "negative_binomial", "lognormal", "power_tail"] = "auto",
    draws: int = 1000,
    level: float = 0.9,
    rng: Seed = None,
) -> FatalitySizes:
    """Fit a distribution of the fatalities of lethal events.

    Parameters
    ----------
    fatalities : pandas.Series, DataFrame or array
        Killed in each event; events without a killed person or a known figure are left out.  A table of equally
        plausible figures, from :func:`escalation.analysis.draw_figures`, is fitted column by column and the draws
        joined.
    family : {"auto", "negative_binomial", "lognormal", "power_tail"}
        The distribution; ``auto`` takes that with the lowest AIC, but no
        lognormal distribution whose likelihood is highest at its limit, a power law.
    draws : int
        Draws of the distribution, at least 20.
    level : float
        Probability of the intervals.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    FatalitySizes

    Raises
    ------
    InputError
        If fewer than 10 events killed anybody, there is no such family, or a number is out of range.

    Notes
    -----
    The negative binomial distribution is that of the counts above 0 of a hurdle model (Mullahy 1986,
    doi:10.1016/0304-4076(86)90002-3); it and the lognormal distribution are drawn from their posterior on a grid, with
    weak normal priors.  The threshold, exponent and frequencies of ``power_tail`` are those of resampled events
    (Clauset, Shalizi & Newman 2009, doi:10.1137/070710111, section 3.3); each frequency below the threshold, the share
    of the tail, the exponent and the threshold count as parameters in its AIC (Akaike 1974,
    doi:10.1109/TAC.1974.1100705).

    Examples
    --------
    >>> import numpy as np
    >>> killed = np.random.default_rng(1).zipf(2.5, 400)
    >>> sizes = fatality_sizes(killed, draws=100, rng=1)
    >>> sizes.family, sizes.exceedance([10])["probability"].round(2).tolist()
    ('power_tail', [0.02])
    """
    if family not in ("auto", *FAMILIES):
        raise InputError(f"family is {family!r}; use 'auto' or one of {', '.join(FAMILIES)}")
    values, times = _tabulate(fatalities)
    draws, level = check_whole(draws, "draws", 100_000), check_level(level)
    if draws < 2 * FEWEST:
        raise InputError(f"draws is {draws}; the distribution's uncertainty needs at least {2 * FEWEST}")
    candidates = _mean_candidates(values, times)
    possible = [name for name in FAMILIES if name in candidates.index]
    # a lognormal distribution at its limit is a power law, which its draws do not hold
    drawable = [name for name in possible if name != "lognormal" or not candidates["at_bound"][name]]
    chosen: Family = family if family != "auto" else min(drawable, key=lambda name: float(candidates["aic"][name]))
    if chosen not in possible:
        raise InputError(
            "no power law can be had for the tail of these events: too few or too equal above any threshold; "
            "use family='negative_binomial'"
        )
    return FatalitySizes(
        family=chosen,
        candidates=candidates,
        n=int(np.median(times.sum(axis=1))),
        distributions=_pool_draws(chosen, values, times, draws, as_generator(rng)),
        draws=draws,
        killed=values,
        times=times.mean(axis=0),
        level=level,
    )


def _tabulate(fatalities: pd.Series | pd.DataFrame | FloatArray | IntArray) -> tuple[FloatArray, IntArray]:
    """Distinct numbers of killed, sorted (k,), and how many events had each in each draw of the figures, (draws, k)."""
    if not isinstance(fatalities, pd.DataFrame):
        values, times = distinct(lethal_sizes(fatalities))
        return values, times[None]
    if fatalities.columns.name != DRAW or fatalities.shape[1] == 0:
        raise InputError(
            f"fatalities has columns named {fatalities.columns.name!r}; give one column, or draw_figures()"
        )
    columns = [lethal_sizes(fatalities.iloc[:, draw]) for draw in range(fatalities.shape[1])]
    values = np.unique(np.concatenate(columns))
    times = np.zeros((len(columns), len(values)), dtype=np.int64)
    for row, column in zip(times, columns, strict=True):
        own, often = distinct(column)
        row[np.searchsorted(values, own)] = often
    return values, times


def _mean_candidates(values: FloatArray, times: IntArray) -> pd.DataFrame:
    """Average :func:`_candidates` over the draws of the figures, for distributions that all of them have."""
    each = [_candidates(values[row > 0], row[row > 0]) for row in times]
    distributions = [family for family in each[0].index if all(family in table.index for table in each)]
    shares = [one.loc[distributions].astype(float) for one in each]
    table = sum(shares[1:], start=shares[0]) / len(each)
    return table.assign(at_bound=table["at_bound"] > 0, over=table["aic"] - table["aic"].min())


def _pool_draws(family: Family, values: FloatArray, times: IntArray, draws: int, rng: Generator) -> SizeDistributions:
    """Draws of a distribution, shared out evenly over the draws of the figures."""
    shares = [len(part) for part in np.array_split(np.arange(draws), len(times))]
    parts = [
        _draw_sizes(family, values, row, number, rng) for row, number in zip(times, shares, strict=True) if number > 0
    ]
    return join_distributions(parts)


def _candidates(values: FloatArray, times: IntArray) -> pd.DataFrame:
    """Log likelihood and AIC of each distribution."""
    rows: dict[str, tuple[float, int, bool]] = {}
    for family in FITTED:
        fit = fit_rival(family, values, times, 1.0)
        rows[family] = float(fit.log_pmf @ times), PARAMETERS[family], fit.at_bound
    place, alpha, _ = find_threshold(values, times, FEWEST)
    if place >= 0:
        body, tail, n = times[:place], times[place:], times.sum()
        value = body @ np.log(body / n) + tail.sum() * np.log(tail.sum() / n)
        value += log_power(values[place:], alpha, values[place]) @ tail
        rows["power_tail"] = float(value), int(place) + 2, bool(alpha >= MOST_ALPHA)
    columns = ["log_likelihood", "parameters", "at_bound"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("distribution")
    table["aic"] = 2 * table["parameters"] - 2 * table["log_likelihood"]
    table["over"] = table["aic"] - table["aic"].min()
    return table


def _draw_sizes(family: Family, values: FloatArray, times: IntArray, draws: int, rng: Generator) -> SizeDistributions:
    """Draws of a distribution: resampled, or from the posterior of its two parameters."""
    if family == "power_tail":
        resampled = rng.multinomial(times.sum(), times / times.sum(), size=draws)
        found = resampled_tails(values, resampled, None)
        known = ~np.isnan(found[:, 1])
        kept = rng.choice(np.flatnonzero(known), size=draws) if not known.all() else np.arange(draws)
        return SplicedSizes(found[kept, 0], found[kept, 1], values, resampled[kept] / times.sum())
    seen = times > 0
    grid = integrate(partial(log_posterior, family=family, values=values[seen], times=times[seen]), WIDEST)
    node = rng.choice(len(grid.weight), size=draws, p=grid.weight)
    first, second = grid.x[node], grid.y[node]
    if family == "lognormal":
        return LognormalSizes(first, np.exp(second))
    return NegativeBinomialSizes(np.exp(first), np.exp(second))


def log_posterior(
    first: FloatArray,
    second: FloatArray,
    family: Literal["negative_binomial", "lognormal"],
    values: FloatArray,
    times: IntArray,
) -> FloatArray:
    """Log density of the two parameters of a distribution of sizes given the events."""
    (centre, wide), (other, narrow) = PRIORS[family]
    height: FloatArray = -0.5 * (((first - centre) / wide) ** 2 + ((second - other) / narrow) ** 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for value, number in zip(values, times, strict=True):
            height = height + number * rival_log_pmf(family, np.asarray(value), first, second, 1.0)
    return np.where(np.isnan(height), -np.inf, height)
