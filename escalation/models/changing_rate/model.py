"""Changing rate: level, slope, jumps, shocks that fade and seasons, all weighted by how well they foretell the counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.errors import InputError
from escalation.models.changing_rate.grid_filter import FloatArray
from escalation.models.changing_rate.paths import LATE, LATE_SD, ROOM, simulate_run
from escalation.models.changing_rate.posterior import Run, posterior
from escalation.models.changing_rate.season import Season, find_season, possible
from escalation.models.changing_rate.segments import Stretches, draw_stretches
from escalation.models.contract.base import CountModel, IntArray
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate, check_largest
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions

LARGEST_COUNT = 1e13
NEGLIGIBLE = 1e-5
"""Runs of less weight are forgotten once all have been weighted."""
PROMISING = 0.7
"""A season is tried where it gains that share of its penalty in a fit of a smooth trend."""
NAMES = ("rate", "growth", "dispersion")


@dataclass(frozen=True)
class ChangingRate(CountModel):
    """Counts around a rate that may rise, fall, jump, return, or stay.

    A count is negative binomial, ``y_t ~ NB2(mean = exposure_t * season_t * rate_t, dispersion / exposure_t)``.  How the
    rate moves is one of many structures of two families, each with its own noise, probability of a jump and dispersion:
    a *trend*, whose log rate has a slope that lasts until it is redrawn, jumps for good and does not heed outliers; and
    a *return*, whose rate comes back to a target after each shock or jump, at once or by and by, until the target is
    redrawn.  Each structure is filtered exactly on a grid of log rates (Harrison & Stevens 1976,
    doi:10.1111/j.2517-6161.1976.tb01586.x, called such a set of structures multi-process; grids as Kitagawa 1987,
    doi:10.2307/2289375), and all are weighted by their prior and the probability that they gave to the counts one step
    ahead: nothing is plugged in, and no structure is chosen.  Jumps lead, three times in four, to levels as they were
    before.

    Weekday and yearly patterns are harmonics beside a smooth trend; each enters as one more alternative, weighted by its
    likelihood less ``k / 2 * log(n)`` for its k coefficients, where two cycles of it were observed.

    Estimates are posterior means at the last period, without season: ``rate`` a fully covered period, ``growth`` of the
    log rate from that period to the next, and ``dispersion``.  The covariance is that of the posterior.  ``fitted`` is
    the expected count given the counts before it.

    Parameters
    ----------
    season : {"auto", "none", "weekday", "year"}
        Patterns that are tried: all that the periods can show, none, or only the one.

    Raises
    ------
    InputError
        If an option is none of these.
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
        check_largest(self.name, counts, LARGEST_COUNT)
        seasons, found = self._alternatives(counts, design)
        runs = [(run, season) for season, (own, _) in zip(seasons, found, strict=True) for run in own]
        ends = [(stretches, k, season) for season, (_, stretches) in zip(seasons, found, strict=True) for k in range(len(stretches.start))]
        logs = np.concatenate([[run.log_weight for run, _ in runs], *(stretches.log_weight for _, stretches in found)])
        weights = normalised(logs)
        of_runs = normalised(logs[: len(runs)])
        offsets = {id(season): season_offset(season, design.periods) for season in seasons}
        fitted = np.zeros(len(counts))
        for weight, (run, season) in zip(of_runs, runs, strict=True):
            if weight > NEGLIGIBLE:
                fitted += weight * run.filtered.expected * np.exp(offsets[id(season)])
        kept = np.flatnonzero(weights > NEGLIGIBLE)
        shares = weights[kept] / weights[kept].sum()
        best = runs[int(np.argmax(of_runs))][0]
        parts = [(runs + ends)[k] for k in kept]
        mean, cov = moments(parts, shares)
        return Estimate(
            params=mean,
            cov=cov,
            names=NAMES,
            llf=float(np.logaddexp.reduce(logs)),
            fitted=design.exposure * fitted,
            converged=True,
            state={"parts": parts, "weights": shares, "landing": (best.grid.levels, np.cumsum(best.filtered.landing))},
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:  # noqa: ARG002
        """Filter anew: the weights of the structures are part of the state; see :meth:`Model.carry`."""
        return self.estimate(counts, design)

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw structures, their states and what follows; see :meth:`CountModel.simulate`."""
        parts = estimate.state["parts"]
        ladder = (rng.random() + np.arange(draws)) / draws
        which = np.minimum(np.searchsorted(np.cumsum(estimate.state["weights"]), ladder), len(parts) - 1)
        paths = np.empty((draws, len(design.exposure)), dtype=np.int64)
        for k in np.unique(which):
            rows = np.flatnonzero(which == k)
            part = parts[k]
            offsets = season_offset(part[-1], design.periods, len(rows), rng)
            if len(part) == 2:
                paths[rows] = simulate_run(part[0], offsets, design.exposure, rng)
            else:
                landing = estimate.state["landing"]
                paths[rows] = draw_stretches(part[0], np.full(len(rows), part[1]), landing, LATE, LATE_SD, landing[0][-1] + ROOM, offsets, design.exposure, rng)
        return rng.permutation(paths)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Mixture over structures and levels given the counts before; see :meth:`CountModel.distributions`."""
        seasons, found = self._alternatives(counts, design, predict=True)
        logs = np.array([run.log_weight - run.filtered.log_density.sum() for runs, _ in found for run in runs])
        before = np.array([np.cumsum(run.filtered.log_density) for runs, _ in found for run in runs])
        before = np.column_stack([np.zeros(len(before)), before[:, :-1]])
        shares = normalised(logs[:, None] + before)
        place, parts = 0, []
        for season, (runs, _) in zip(seasons, found, strict=True):
            scale = design.exposure * np.exp(season_offset(season, design.periods))
            mixed: dict[tuple[int, float], tuple[FloatArray, FloatArray]] = {}
            for run in runs:
                key = run.structure.grid, run.dispersion
                _, so_far = mixed.get(key, (run.grid.levels, np.zeros_like(run.predicted)))
                mixed[key] = run.grid.levels, so_far + shares[place][:, None] * run.predicted
                place += 1
            for (_, dispersion), (levels, weight) in mixed.items():
                means = scale[:, None] * np.exp(levels)
                parts.append((weight, means, np.broadcast_to((dispersion / design.exposure)[:, None], means.shape)))
        parts[0][0][0] = np.nan  # before the first count there is but a vague prior
        weight, means, dispersions = (np.concatenate(one, axis=1) for one in zip(*parts, strict=True))
        return MixtureDistributions(weight / weight.sum(axis=1, keepdims=True), means, dispersions)

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return super().limits() | {"rate": (0.0, math.inf)}

    def _alternatives(
        self, counts: FloatArray, design: Design, *, predict: bool = False
    ) -> tuple[list[Season | None], list[tuple[list[Run], Stretches]]]:
        """Seasons that are worth a try, and the structures with each."""
        log_exposure = np.log(design.exposure)
        nobs = int((~np.isnan(counts)).sum())

        def explained(season: Season | None) -> tuple[list[Run], Stretches]:
            penalty = 0.0 if season is None else len(season.coefficients) / 2 * math.log(nobs)
            offset = season_offset(season, design.periods)
            return posterior(counts, log_exposure + offset, design.exposure, -penalty, predict=predict)

        seasons: list[Season | None] = [None, *self._seasons(counts, log_exposure, design.periods, nobs)]
        return seasons, [explained(season) for season in seasons]

    def _seasons(
        self, counts: FloatArray, log_exposure: FloatArray, periods: pd.PeriodIndex, nobs: int
    ) -> list[Season]:
        wanted: dict[str, tuple[str, ...]] = {"auto": ("weekday", "year"), "none": ()}
        kinds = [kind for kind in possible(periods) if kind in wanted.get(self.season, (self.season,))]
        if not np.nansum(counts):
            return []
        promising = []
        for kind in kinds:
            season = find_season(counts, log_exposure, periods, (kind,))
            if season.gain > PROMISING * len(season.coefficients) * math.log(nobs):
                promising.append(season)
        if len(promising) > 1:
            both = tuple(season.kinds[0] for season in promising)
            promising.append(find_season(counts, log_exposure, periods, both))
        return promising


def season_offset(
    season: Season | None, periods: pd.PeriodIndex, draws: int | None = None, rng: Generator | None = None
) -> FloatArray:
    """What a season adds to the log rate (n,), or (draws, n) with coefficients drawn from their posterior."""
    if season is None:
        return np.zeros(len(periods) if draws is None else (draws, len(periods)))
    if draws is None or rng is None:
        return season.offset(periods)
    root = np.linalg.cholesky(season.cov)
    drawn = season.coefficients + rng.standard_normal((draws, len(root))) @ root.T
    value: FloatArray = drawn @ season.waves(periods).T
    return value


def normalised(logs: FloatArray) -> FloatArray:
    """Weights in proportion to exp(logs), which sum to 1 over the first axis."""
    weights = np.exp(logs - logs.max(axis=0))
    value: FloatArray = weights / weights.sum(axis=0)
    return value


def moments(parts, weights):
    """Posterior mean (3,) and covariance (3, 3) of the last rate, its growth, and the dispersion."""
    first, second = np.zeros(3), np.zeros((3, 3))
    for weight, part in zip(weights, parts, strict=True):
        if len(part) == 2:
            run = part[0]
            state = weight * run.filtered.state
            rate = np.broadcast_to(np.exp(run.grid.levels), state.shape)
            values = np.stack([rate, run.growth(), np.full(state.shape, run.dispersion)])
            first += (state * values).sum(axis=(1, 2))
            second += np.einsum("zx,izx,jzx->ij", state, values, values)
        else:
            stretches, k, _ = part
            cov = stretches.root[k] @ stretches.root[k].T
            rate = np.exp(stretches.mode[k, 0] + cov[0, 0] / 2)
            growth, turn = stretches.mode[k, 1], np.eye(2)
            if stretches.linear[k]:
                length = max(stretches.length - stretches.start[k] - 1, 1)
                share = np.exp(stretches.mode[k, 1] - stretches.mode[k, 0])
                growth, turn = max((1 - share) / length, -0.3), np.array([[1.0, 0.0], [share / length, -share / length]])
            cov = turn @ cov @ turn.T
            mean = np.array([rate, growth, stretches.dispersion[k]])
            inner = np.zeros((3, 3))
            inner[0, 0], inner[1, 1] = rate**2 * np.expm1(cov[0, 0]), cov[1, 1]
            inner[0, 1] = inner[1, 0] = rate * cov[0, 1]
            first += weight * mean
            second += weight * (np.outer(mean, mean) + inner)
    return first, second - np.outer(first, first)
