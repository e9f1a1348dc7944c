"""Histories without some of the tallies: which of them a figure leans on, and what is left when one is taken away."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray
from escalation.tallies.daily import by_period, daily_histories
from escalation.tallies.evidence import Evidence, atoms_from
from escalation.tallies.kernels import check_kernels
from escalation.tallies.posterior import Plan, sample_posterior
from escalation.tallies.reconstruct import Reconstruction, tally_kernels
from escalation.tallies.reliability import Tallied
from escalation.tallies.rough import rough_system
from escalation.tallies.silence import event_windows

WINDOW = ["place", "start", "end"]
"""What was printed of one place and window is taken away together: several papers print one bulletin."""
SHORT = Plan(chains=2, warmup=500, keep=300, thin=2, rounds=(1, 1, 2, 2), ess=60.0)
"""Shorter chains than a reconstruction has: a probability of direction is wanted, not its second figure."""


def leaning(result: Reconstruction, recent: slice, baseline: slice, kernels: pd.DataFrame | None = None) -> pd.Series:
    """By how much the log ratio of two windows' totals falls when a window's tallies are taken away, roughly.

    Neither of two quick ways is right by itself.  Where tallies of a window agree with the others each history can be
    weighted by the inverse of their kernels, truncated at sqrt(number of histories) times the mean weight (Ionides
    2008, doi:10.1198/106186008X320456); but histories that only a world without them would hold are not among those
    drawn.  Least squares without their equation finds those, but knows numbers only, no bounds.  The larger change
    counts: this shows which tallies to look at, not what is left without them.

    Parameters
    ----------
    result : Reconstruction
        The histories.
    recent, baseline : slice
        Positions of the windows among its periods.
    kernels : pandas.DataFrame, optional
        The reporting kernels of the reconstruction, where they are not the default ones.

    Returns
    -------
    pandas.Series
        Indexed by ``place``, ``start`` and ``end`` of the windows of used tallies.
    """
    used = result.tallies[result.tallies["used"]].reset_index(drop=True)
    kernel_of = tally_kernels(used, check_kernels(kernels))
    evidence = _evidence(used, kernel_of, result)
    spans = recent, baseline
    weighted = _by_weights(result, used, kernel_of, spans)
    solved = _by_equations(evidence, result, spans)
    found = {}
    for window, members in used.groupby(WINDOW, sort=False).groups.items():
        row = members[0]
        own = solved.get(int(evidence.window_of[row]), 0.0) if used["role"].iloc[row] == "count" else 0.0
        found[window] = max(own, weighted.get(window, 0.0), key=abs)
    return pd.Series(found, dtype=float)


def _evidence(used: pd.DataFrame, kernel_of: list[Tallied], result: Reconstruction) -> Evidence:
    days = pd.PeriodIndex(result.daily.index)
    first, last = (day.to_timestamp().to_datetime64() for day in (days[0], days[-1]))
    return atoms_from(used["start"].to_numpy(), used["end"].to_numpy(), kernel_of, first, last, event_windows(used))


def _by_weights(
    result: Reconstruction, used: pd.DataFrame, kernel_of: list[Tallied], spans: tuple[slice, slice]
) -> dict[object, float]:
    """Fall of the mean log ratio of the histories, weighted as if a window's tallies had not been printed."""
    now, was = (np.log(result.histories.to_numpy()[span].sum(axis=0) + 0.5) for span in spans)
    figures = now - was
    days = pd.PeriodIndex(result.daily.index)
    total = np.vstack([np.zeros((1, result.daily.shape[1]), np.int64), result.daily.to_numpy().cumsum(axis=0)])
    opens = pd.PeriodIndex(used["start"], freq="D").asi8 - days.asi8[0]
    closes = pd.PeriodIndex(used["end"], freq="D").asi8 - days.asi8[0]
    inside = (opens >= 0) & (closes < len(days))
    found: dict[object, float] = {}
    for window, members in used[inside].groupby(WINDOW, sort=False).groups.items():
        said = np.zeros(len(figures))
        for row in members:
            said += np.maximum(kernel_of[row].log_prob(total[closes[row] + 1] - total[opens[row]]), -700.0)
        weight = np.exp(said.min() - said)
        weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
        found[window] = float(figures.mean() - weight @ figures / weight.sum())
    return found


def _by_equations(evidence: Evidence, result: Reconstruction, spans: tuple[slice, slice]) -> dict[int, float]:
    """Fall of the log ratio of the totals that solve the windows' equations, without each of them in turn."""
    said, design, target, pull, usual = rough_system(evidence)
    inverse = np.linalg.inv(design.T @ design + np.diag(pull**2))
    counts = inverse @ (design.T @ target + pull**2 * usual)
    gain = inverse @ design.T
    leverage = np.einsum("sa,as->s", design, gain)
    residual = (target - design @ counts) / np.maximum(1 - leverage, 1e-9)
    without = counts[:, None] - gain * residual
    starts = np.concatenate([[0.0], np.cumsum(evidence.atom_days)])
    periods = pd.PeriodIndex(result.histories.index)

    def log_total(span: slice, atoms: FloatArray) -> FloatArray:
        opens = (periods[span.start].start_time - pd.Timestamp(evidence.first_day)).days
        closes = (periods[span.stop - 1].end_time - pd.Timestamp(evidence.first_day)).days + 1
        share = np.clip(np.minimum(starts[1:], closes) - np.maximum(starts[:-1], opens), 0, None) / evidence.atom_days
        total: FloatArray = np.log(np.maximum(share @ atoms, 0.0) + 0.5)
        return total

    recent, baseline = spans
    fall = (log_total(recent, counts) - log_total(baseline, counts)) - (
        log_total(recent, without) - log_total(baseline, without)
    )
    return dict(zip(said.tolist(), fall.tolist(), strict=True))


def histories_without(
    result: Reconstruction,
    window: tuple[object, ...],
    draws: int,
    rng: Generator,
    kernels: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, float]:
    """Draw histories again, by shorter chains, without what was printed of one place and window.

    Parameters
    ----------
    result : Reconstruction
        Of two or more windows.
    window : tuple
        Its place, first and last day.
    draws : int
        Histories wanted.
    rng : Generator
        Generator.
    kernels : pandas.DataFrame, optional
        The reporting kernels of the reconstruction, where they are not the default ones.

    Returns
    -------
    histories : pandas.DataFrame
        On the periods of ``result``.
    rhat : float
        Largest R-hat of the chains.
    """
    rows = result.tallies
    same = (rows[WINDOW] == list(window)).all(axis=1)
    kept = rows[rows["used"] & ~same].reset_index(drop=True)
    days = pd.PeriodIndex(result.daily.index)
    evidence = _evidence(kept, tally_kernels(kept, check_kernels(kernels)), result)
    posterior = sample_posterior(evidence, draws, rng, plan=SHORT)
    daily = daily_histories(posterior, evidence, draws, rng).loc[days[0] : days[-1]]
    if result.silence != "unknown":
        daily = daily.mul(result.spoken.astype("int64"), axis=0)
    return by_period(daily, pd.PeriodIndex(result.histories.index)), posterior.rhat
