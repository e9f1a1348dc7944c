"""Changing rate: level, slope, jumps, shocks that fade and seasons, weighted by how well they predict the counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.linalg import block_diag

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.randomness import Seed, as_generator, draw_systematically
from escalation.errors import InputError
from escalation.models.changing_rate.panel_prior import Shares, learn_shares
from escalation.models.changing_rate.posterior import Explanations, Run, explain_counts
from escalation.models.changing_rate.season import Season, find_season, possible, season_offset
from escalation.models.changing_rate.segments import Segment, draw_on, segment_moments
from escalation.models.changing_rate.smoothing import draw_rates
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate, check_largest
from escalation.models.contract.regressors import check_regressors
from escalation.models.contract.shrinkage import Shrinkable
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions

LARGEST_COUNT = 1e13
NEGLIGIBLE = 1e-5
"""Runs of less weight are forgotten once all have been weighted."""
PROMISING = 0.7
"""A season is tried where it gains that share of its penalty in a fit of a smooth trend."""
NAMES = ("rate", "growth", "dispersion")
READINGS = ("steady", "grows", "drifts", "returns")
"""Ways in which a rate moves."""


@dataclass(frozen=True)
class ChangingRate(CountModel, Shrinkable):
    """Counts around a rate that may rise, fall, jump, return, or stay.

    A count is negative binomial, ``y_t ~ NB2(mean = exposure_t * season_t * rate_t, dispersion / exposure_t)``.  How
    the rate moves is one of many structures, each with its own noise, hazards and dispersion:

    * *trends*, whose log rate has a slope that lasts until it is redrawn, jumps for good and does not heed outliers;
    * *returns*, whose rate comes back to a target after each shock or jump, at once or by and by, until the target is
      redrawn;
    * *last segments*, in which the rate has been steady, or grown steadily, since some period up to the last count.

    Trends and returns are filtered exactly on a grid of log rates (Harrison & Stevens 1976,
    doi:10.1111/j.2517-6161.1976.tb01586.x, have such sets of structures, Kitagawa 1987, doi:10.2307/2289375, such
    grids); segments are integrated over level and growth by Laplace's approximation, what came before them being
    explained by all structures together.  All are weighted by their prior and the probability that they gave to the
    counts: nothing is plugged in, and none is chosen.  Jumps lead, three times in four, to levels as they were before.

    Weekday and yearly patterns are harmonics beside a smooth trend; each enters as one more alternative, weighted by
    its likelihood less ``k / 2 * log(n)`` for its k coefficients, where two cycles of it were observed.

    Regressors have effects on the log rate, estimated in the same way beside the patterns; they are parameters by their
    names, the change of the log rate for a change of 1, under a normal prior of standard deviation 2 over the range of
    the regressor.

    Estimates are posterior means at the last period, without season and where regressors are 0: ``rate`` a fully
    covered period, ``growth`` of the log rate from that period to the next, and ``dispersion``.  The covariance is that
    of the posterior.  ``fitted`` is the expected count given the counts before it.

    Parameters
    ----------
    season : {"auto", "none", "weekday", "year"}
        Patterns that are tried: all that the periods can show, none, or only the one.

    Raises
    ------
    InputError
        If an option is none of these; on ``fit``, if a regressor is the same in all observed periods, or has the
        name of a parameter.
    FitError
        On ``fit``, if a count is above 1e13.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-07", periods=52, freq="W-SUN")
    >>> rising = pd.Series(np.round(4 * 1.05 ** np.arange(52)).astype(int), index=weeks)
    >>> fit = ChangingRate().fit(rising)
    >>> bool(0.03 < fit.params["growth"] < 0.07)
    True
    >>> forecast = fit.forecast(8, draws=2000, rng=1)
    >>> bool(forecast.quantile(0.5).iloc[-1] > 1.2 * rising.iloc[-1])
    True
    """

    season: Literal["auto", "none", "weekday", "year"] = "auto"
    name: ClassVar[str] = "changing_rate"
    min_periods: ClassVar[int] = 3
    takes_exog: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.season not in ("auto", "none", "weekday", "year"):
            raise InputError(f"season is {self.season!r}; use 'auto', 'none', 'weekday' or 'year'")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Filter the counts under every structure; see :meth:`CountModel.estimate`.

        Raises
        ------
        FitError
            If a count is above 1e13.
        """
        return self._estimate(counts, design, None)

    def evidence(self, estimate: Estimate) -> FloatArray:
        """Log probability of the counts under each structure and dispersion; see :meth:`Shrinkable.evidence`."""
        table: FloatArray = estimate.state["evidence"]
        return table

    def learn(self, evidence: Sequence[Sequence[FloatArray]]) -> Shares:
        """Shares of structures and dispersions among the units; see :meth:`Shrinkable.learn`."""
        return learn_shares([np.logaddexp.reduce(tables) for tables in evidence])

    def shrunk(self, estimate: Estimate, counts: FloatArray, design: Design, prior: Shares) -> Estimate:  # noqa: ARG002
        """Filter the counts with the shares of the panel; see :meth:`Shrinkable.shrunk`."""
        return self._estimate(counts, design, prior)

    def _estimate(self, counts: FloatArray, design: Design, shares: Shares | None) -> Estimate:
        check_largest(self.name, counts, LARGEST_COUNT)
        check_regressors(self.name, counts, design, NAMES)
        seasons, found = self._alternatives(counts, design, shares=shares)
        fitted = self._expected(seasons, found, design)
        logs = [one.log_weights() for one in found]
        weights = normalised(np.concatenate(logs))
        kept = np.flatnonzero(weights > NEGLIGIBLE)
        kept_weights = weights[kept] / weights[kept].sum()
        of_season, places = located(logs, kept)
        parts = [part for k, one in enumerate(found) for part in one.parts(places[of_season == k])]
        mean, cov = pooled_moments(parts, kept_weights)
        effect, effect_cov = pooled_effects([seasons[k] for k in of_season], kept_weights, len(design.exog_names))
        return Estimate(
            params=np.append(mean, effect),
            cov=block_diag(cov, effect_cov),
            names=(*NAMES, *design.exog_names),
            llf=float(np.logaddexp.reduce(np.concatenate(logs))),
            fitted=fitted,
            converged=True,
            state={
                "parts": parts,
                "weights": kept_weights,
                "seasons": [seasons[k] for k in of_season],
                "tried": (seasons, [one.without_states() for one in found]),
                "panel": shares,
                "evidence": np.logaddexp.reduce([one.evidence for one in found]),
            },
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Filter anew: the weights of the structures are part of the state; see :meth:`Model.carry`.

        Only what is stated of the last period stays, as the parameters of other models do.
        """
        anew = self._estimate(counts, design, estimate.state["panel"])
        return estimate.carried(anew.fitted, anew.state)

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw structures, their states and what follows; see :meth:`CountModel.simulate`."""
        parts, seasons = estimate.state["parts"], estimate.state["seasons"]
        which = draw_systematically(estimate.state["weights"], draws, rng)
        paths = np.empty((draws, len(design.exposure)), dtype=np.int64)
        offsets, segments = np.empty(paths.shape), dict[int, Segment]()
        for k in np.unique(which):
            rows, part = np.flatnonzero(which == k), parts[k]
            offsets[rows] = season_offset(seasons[k], design, len(rows), rng)
            if isinstance(part, Segment):
                segments |= dict.fromkeys(rows.tolist(), part)
            else:
                paths[rows] = part.paths(offsets[rows], design.exposure, rng)
        if segments:  # of which there are many, each with few paths
            last = list(segments)
            paths[last] = draw_on(list(segments.values()), offsets[last], design.exposure, rng)
        return rng.permutation(paths)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:
        """Mixture over structures and levels given the counts before; see :meth:`CountModel.distributions`."""
        seasons, found = self._alternatives(counts, design, predict=True, shares=estimate.state["panel"])
        shares = self._shares_before(found)
        parts = []
        for season, one, share in zip(seasons, found, shares, strict=True):
            scale = design.exposure * np.exp(season_offset(season, design))
            mixed: dict[tuple[float, float], tuple[FloatArray, FloatArray]] = {}
            for run, weight in zip(one.runs, share, strict=True):
                key = run.grid.step, run.dispersion
                levels, so_far = mixed.get(key, (run.grid.levels, np.zeros_like(run.predicted)))
                mixed[key] = levels, so_far + weight[:, None] * run.predicted
            for (_, dispersion), (levels, chosen) in mixed.items():
                means = scale[:, None] * np.exp(levels)
                parts.append((chosen, means, np.broadcast_to((dispersion / design.exposure)[:, None], means.shape)))
        weights, means, dispersions = (np.concatenate(one, axis=1) for one in zip(*parts, strict=True))
        weights /= weights.sum(axis=1, keepdims=True)
        weights[0] = np.nan  # before the first count there is but a vague prior
        return MixtureDistributions(weights, means, dispersions)

    def draw_rates(
        self, estimate: Estimate, counts: FloatArray, design: Design, draws: int, *, rng: Seed = None
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Draw joint paths of the underlying rate given all counts, without exposure: with season, without, and growth.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`estimate` made of these counts and this design.
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        draws : int
            How many.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        rates : (draws, n) float array
            Rates a fully covered period, with season, in no order.
        levels : (draws, n) float array
            The same without season.
        growth : (draws,) float array
            Change of the log level from the last period to the next, without noise and jumps.
        """
        rng = as_generator(rng)
        seasons, found = estimate.state["tried"]
        logs = [one.log_weights() for one in found]
        of_season, places = located(logs, draw_systematically(normalised(np.concatenate(logs)), draws, rng))
        rates, levels, growth = np.empty((draws, len(counts))), np.empty((draws, len(counts))), np.empty(draws)
        for k in np.unique(of_season):
            rows = np.flatnonzero(of_season == k)
            offset = season_offset(seasons[k], design)
            log_scale = np.log(design.exposure) + offset
            levels[rows], growth[rows] = draw_rates(found[k], places[rows], counts, log_scale, design.exposure, rng)
            # a season or a calendar is not known for certain; paths ahead are drawn with it alike
            rates[rows] = levels[rows] * np.exp(season_offset(seasons[k], design, len(rows), rng))
        return rates, levels, growth

    def readings(self, estimate: Estimate) -> pd.Series:
        """Posterior probability of each way in which the rate may move now.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`estimate` made.

        Returns
        -------
        pandas.Series
            Of ``steady`` (one rate since some period), ``grows`` (steady growth since some period), ``drifts`` (a slope
            that may end any time) and ``returns`` (to a level from which it was driven away); they sum to 1.
        """
        shares = dict.fromkeys(READINGS, 0.0)
        for part, weight in zip(estimate.state["parts"], estimate.state["weights"], strict=True):
            shares[part.reading()] += float(weight)
        return pd.Series(shares, name="probability")

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return super().limits() | {"rate": (0.0, math.inf)}

    def _alternatives(
        self, counts: FloatArray, design: Design, *, predict: bool = False, shares: Shares | None = None
    ) -> tuple[list[Season | None], list[Explanations]]:
        """Seasons that are worth a try, and what explains the counts with each."""
        log_exposure = np.log(design.exposure)
        nobs = int((~np.isnan(counts)).sum())
        seasons = self._seasons(counts, log_exposure, design, nobs)
        penalties = [0.0 if one is None else one.chosen / 2 * math.log(nobs) for one in seasons]
        return seasons, [
            explain_counts(
                counts,
                log_exposure + season_offset(one, design),
                design.exposure,
                -penalty,
                predict=predict,
                shares=shares,
            )
            for one, penalty in zip(seasons, penalties, strict=True)
        ]

    def _shares_before(self, found: list[Explanations]) -> list[FloatArray]:
        """Weights (runs, n) of the runs with each season, given the counts before each period."""
        logs = [
            run.log_prior + np.append(0.0, np.cumsum(run.filtered.log_density)[:-1])
            for one in found
            for run in one.runs
        ]
        ends = np.cumsum([len(one.runs) for one in found])
        return np.split(normalised(np.array(logs)), ends[:-1])

    def _expected(self, seasons: list[Season | None], found: list[Explanations], design: Design) -> FloatArray:
        """Expected counts (n,) given those before, over the runs."""
        expected = np.zeros(len(design.exposure))
        for season, one, share in zip(seasons, found, self._shares_before(found), strict=True):
            rate = (share * [run.filtered.expected for run in one.runs]).sum(axis=0)
            expected += design.exposure * np.exp(season_offset(season, design)) * rate
        return expected

    def _seasons(self, counts: FloatArray, log_exposure: FloatArray, design: Design, nobs: int) -> list[Season | None]:
        """None, or the effects of regressors alone, and with patterns beside them that are worth a try."""
        periods, exog = design.periods, design.exog if design.exog_names else None
        plain = None if exog is None else find_season(counts, log_exposure, periods, (), exog)
        wanted: dict[str, tuple[str, ...]] = {"auto": ("weekday", "year"), "none": ()}
        kinds = [kind for kind in possible(periods) if kind in wanted.get(self.season, (self.season,))]
        if not np.nansum(counts):
            return [plain]
        promising: list[Season] = []
        for kind in kinds:
            season = find_season(counts, log_exposure, periods, (kind,), exog)
            if season.gain > PROMISING * season.chosen * math.log(nobs):
                promising.append(season)
        if len(promising) > 1:
            both = tuple(season.kinds[0] for season in promising)
            promising.append(find_season(counts, log_exposure, periods, both, exog))
        return [plain, *promising]


def pooled_effects(seasons: Sequence[Season | None], weights: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
    """Posterior mean (number,) and covariance of the effects of regressors, over seasons with these weights."""
    mean, second = np.zeros(number), np.zeros((number, number))
    for season, weight in zip(seasons, weights, strict=True):
        if number and season is not None:
            own = season.coefficients[season.chosen :]
            mean += weight * own
            second += weight * (season.cov[season.chosen :, season.chosen :] + np.outer(own, own))
    return mean, second - np.outer(mean, mean)


def normalised(logs: FloatArray) -> FloatArray:
    """Weights in proportion to exp(logs), which sum to 1 over the first axis."""
    weights = np.exp(logs - logs.max(axis=0))
    value: FloatArray = weights / weights.sum(axis=0)
    return value


def located(logs: list[FloatArray], which: IntArray) -> tuple[IntArray, IntArray]:
    """Which season each of these places (k,) in all log weights belongs to, and its place in those of the season."""
    sizes = np.array([len(one) for one in logs])
    ends = np.cumsum(sizes)
    season = np.searchsorted(ends, which, side="right")
    return season, which - (ends - sizes)[season]


def pooled_moments(parts: Sequence[Run | Segment], weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean (3,) and covariance (3, 3) of the last rate, its growth, and the dispersion."""
    means, within = np.empty((len(parts), 3)), np.empty((len(parts), 3, 3))
    segments = [k for k, part in enumerate(parts) if isinstance(part, Segment)]
    if segments:
        means[segments], within[segments] = segment_moments([part for part in parts if isinstance(part, Segment)])
    for k, part in enumerate(parts):
        if not isinstance(part, Segment):
            means[k], within[k] = part.moments()
    mean = weights @ means
    away = means - mean
    return mean, np.einsum("k,kij->ij", weights, within + away[:, :, None] * away[:, None, :])
