r"""How late reports come: reverse-time hazards of the delay, and draws of the share that is known by each delay.

Plain arrays in and out; :func:`escalation.incidents.nowcast` is the way in for users.  The reverse-time hazard
:math:`g_x = P(\text{delay} = x \mid \text{delay} \le x)` of delays :math:`x = 1 \dots D` needs no correction for
what is not in yet: of the incidents of a period that are known by delay :math:`x`, a binomial share :math:`g_x` came
with it.  The share known by delay :math:`x` is :math:`\prod_{y > x} (1 - g_y)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import expit, log_expit, logsumexp

from escalation.conventions.arrays import BoolArray, FloatArray, IntArray

BURN_IN, PER_ROUND = 100, 10
"""Rounds of the sampler of delays known only as spans that are left out, and draws from each of the others."""
WIDEST_SHIFT = 6.0
"""Log odds by which a change may move every hazard, at most."""
SHIFTS, HAZARDS = 81, 161
"""Points of the grids of the shift, and of each hazard given a shift."""
NEGLIGIBLE = 25.0
"""Log of what is left out at the ends of the shift's grid."""
SHIFT_SCALE = 1.0
"""Standard deviation of the prior of the shift, as in surveillance (precision 1)."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Binomial trials of the reverse-time hazard: of ``total`` known by delay ``high``, ``late`` came in low to high.

    Attributes
    ----------
    period, low, high, late, total : (n,) int64 array
        ``low`` is at least 1; it equals ``high`` where each report has its date.
    most : int
        The longest delay.
    """

    period: IntArray
    low: IntArray
    high: IntArray
    late: IntArray
    total: IntArray
    most: int

    @property
    def exact(self) -> bool:
        """Say whether every trial is of a single delay."""
        return bool((self.low == self.high).all())

    def sums(self, chosen: BoolArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Late and total of each delay 1 to most, shape (most,) each; of some trials (bool) or of all."""
        part = np.ones(len(self.high), dtype=bool) if chosen is None else chosen
        late, total = (
            np.bincount(self.high[part], weights=values[part], minlength=self.most + 1)[1:].astype(float)
            for values in (self.late, self.total)
        )
        return late, total


def make_trials(known: FloatArray, window: int | None = None) -> Trials:
    """Trials between each two delays by which a count is known, of the last ``window`` periods or of all.

    Parameters
    ----------
    known : (periods, D + 1) float array
        Incidents known by each delay, NaN where that is not known.
    window : int, optional
        How many of the last periods to use.
    """
    periods, width = known.shape
    there = ~np.isnan(known)
    # the delay of the last figure before each cell, -1 where there is none
    at = np.where(there, np.arange(width), -1)
    before = np.full_like(at, -1)
    before[:, 1:] = np.maximum.accumulate(at, axis=1)[:, :-1]
    row, high = np.nonzero(there & (before >= 0))
    if window is not None:
        recent = row >= periods - window
        row, high = row[recent], high[recent]
    earlier = before[row, high]
    total = known[row, high].astype(np.int64)
    late = total - known[row, earlier].astype(np.int64)
    return Trials(row, earlier + 1, high, late, total, width - 1)


def reverse_hazards(trials: Trials) -> FloatArray:
    """Maximum likelihood hazards of delays 1 to most where each trial is of one delay; 0 where nothing was at risk.

    Lawless (1994, doi:10.2307/3315826.n1, equation 2.9).
    """
    late, total = trials.sums()
    return late / np.maximum(total, 1.0)


def known_share(hazards: FloatArray) -> FloatArray:
    """Share known by each delay 0 to D from the hazards of delays 1 to D; last axis D + 1 of D."""
    share = np.ones((*hazards.shape[:-1], hazards.shape[-1] + 1))
    share[..., :-1] = np.cumprod(1.0 - hazards[..., ::-1], axis=-1)[..., ::-1]
    return share


def draw_hazards(late: FloatArray, total: FloatArray, concentration: float, draws: int, rng: Generator) -> FloatArray:
    r"""Draw hazards from their posterior, shape (draws, D).

    With the prior of equal Dirichlet weights :math:`\kappa` of delays 0 to D the hazards are independent
    :math:`\mathrm{Beta}(\kappa + n_x, \kappa x + N_x - n_x)`: a generalised Dirichlet posterior of the delays (Höhle &
    an der Heiden 2014, doi:10.1111/biom.12194).
    """
    delay = np.arange(1, len(late) + 1)
    return rng.beta(concentration + late, concentration * delay + total - late, size=(draws, len(late)))


def draw_untruncated(known: FloatArray, trials: Trials, concentration: float, draws: int, rng: Generator) -> FloatArray:
    """Draw hazards as if the delays seen so far were all that there will be: surveillance's ``bayes.notrunc``."""
    late, _ = trials.sums()
    used = np.unique(trials.period)
    at_once = np.append(np.nansum(known[used, 0]), late)
    return draw_hazards(late, np.cumsum(at_once)[1:], concentration, draws, rng)


def draw_plug_in(late: FloatArray, total: FloatArray, draws: int, rng: Generator) -> FloatArray:
    """Draw hazards about their estimates with the variance g (1 - g) / N of Lawless (1994), as beta variables."""
    hazard = late / np.maximum(total, 1.0)
    drawn = np.tile(hazard, (draws, 1))
    inner = (hazard > 0) & (hazard < 1) & (total > 1)
    weight = total[inner] - 1.0  # Var of Beta(a, b) is g (1 - g) / (a + b + 1)
    drawn[:, inner] = rng.beta(hazard[inner] * weight, (1 - hazard[inner]) * weight, size=(draws, int(inner.sum())))
    return drawn


def draw_moved(
    late: FloatArray, total: FloatArray, concentration: float, draws: int, rng: Generator
) -> tuple[FloatArray, FloatArray]:
    r"""Draw hazards before a change, and the log odds by which it moved all of them, from their joint posterior.

    Parameters
    ----------
    late, total : (2, D) float array
        Trials reported before the change and since.
    concentration : float
        Prior of the hazards before, as in :func:`draw_hazards`.
    draws : int
    rng : Generator

    Returns
    -------
    hazards : (draws, D) float array
        Before the change; those since are ``expit(logit(hazards) + shift)``.
    shift : (draws,) float array
        Prior: normal about 0 with standard deviation 1.

    Notes
    -----
    Given the shift the hazards are independent, so both are summed on grids and drawn without a chain.
    """
    low, high = -WIDEST_SHIFT, WIDEST_SHIFT
    while True:
        shifts = np.linspace(low, high, SHIFTS)
        tables = [
            _hazard_given_shift(late[:, x], total[:, x], concentration, x + 1, shifts) for x in range(late.shape[1])
        ]
        weight = sum(mass for _, _, mass in tables) - 0.5 * (shifts / SHIFT_SCALE) ** 2
        inside = np.flatnonzero(weight > weight.max() - NEGLIGIBLE)
        if inside[-1] - inside[0] >= SHIFTS // 3:
            break
        low, high = shifts[max(inside[0] - 1, 0)], shifts[min(inside[-1] + 1, SHIFTS - 1)]
    share = np.exp(weight - weight.max())
    which = rng.choice(SHIFTS, size=draws, p=share / share.sum())
    hazards = np.empty((draws, late.shape[1]))
    for x, (grid, cumulative, _) in enumerate(tables):
        place = (rng.random((draws, 1)) > cumulative[which]).sum(axis=1).clip(max=HAZARDS - 1)
        spread = (grid[which, 1] - grid[which, 0]) * rng.uniform(-0.5, 0.5, size=draws)
        hazards[:, x] = expit(grid[which, place] + spread)
    return hazards, shifts[which] + (shifts[1] - shifts[0]) * rng.uniform(-0.5, 0.5, size=draws)


def _hazard_given_shift(
    late: FloatArray, total: FloatArray, concentration: float, delay: int, shifts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Grid of one hazard's log odds for each shift, its cumulative posterior, and the log of its whole mass.

    ``late`` and ``total`` are of before the change and since, shape (2,).  The density is log-concave: its mode is
    found by bisection, and the grid reaches 8 standard deviations of the curvature there to both sides.
    """
    wins = concentration + late.sum()
    before, since = concentration * (1 + delay) + total[0], total[1]
    low, high = np.full(len(shifts), -50.0), np.full(len(shifts), 50.0)
    for _ in range(50):
        middle = (low + high) / 2
        rising = wins > before * expit(middle) + since * expit(middle + shifts)
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    curvature = before * expit(low) * expit(-low) + since * expit(low + shifts) * expit(-low - shifts)
    grid = low[:, None] + np.linspace(-8.0, 8.0, HAZARDS) / np.sqrt(curvature)[:, None]
    moved = grid + shifts[:, None]
    log_density = (
        (concentration + late[0]) * log_expit(grid)
        + (concentration * delay + total[0] - late[0]) * log_expit(-grid)
        + late[1] * log_expit(moved)
        + (total[1] - late[1]) * log_expit(-moved)
    )
    mass = logsumexp(log_density, axis=1)
    return grid, np.cumsum(np.exp(log_density - mass[:, None]), axis=1), mass - 0.5 * np.log(curvature)


def split_spans(trials: Trials, hazards: FloatArray, rng: Generator) -> Trials:
    """Draw for each report known only to have come within a span of delays the one it came with.

    Parameters
    ----------
    trials : Trials
    hazards : (n, D) float array
        Those that each trial is under.
    rng : Generator

    Returns
    -------
    Trials
        Of single delays, one for each delay of each span.
    """
    delay = np.arange(1, trials.most + 1)
    inside = (delay >= trials.low[:, None]) & (delay <= trials.high[:, None])
    survive = known_share(hazards)[:, 1:]
    # P(delay = x | delay <= D) is g_x times the share known by x; the part above the span cancels
    weight = np.where(inside, np.maximum(hazards * survive, 1e-300), 0.0)
    split = rng.multinomial(trials.late, weight / weight.sum(axis=1, keepdims=True))
    above = np.cumsum(split[:, ::-1], axis=1)[:, ::-1] - split
    row, column = np.nonzero(inside)
    single = delay[column]
    return Trials(
        trials.period[row],
        single,
        single,
        split[row, column],
        trials.total[row] - above[row, column],
        trials.most,
    )


def sample_delays(
    trials: Trials, concentration: float, draws: int, rng: Generator, change: int | None = None
) -> tuple[FloatArray, FloatArray | None]:
    """Draw hazards that hold now, and the log odds by which a change moved them, shapes (draws, D) and (draws,).

    Parameters
    ----------
    trials : Trials
        Of single delays, or of spans: then a Gibbs sampler alternates between splitting them and drawing hazards.
    concentration : float
        Dirichlet weight of each delay.
    draws : int
    rng : Generator
    change : int, optional
        Position of the first period of reporting after the change.
    """
    if trials.exact:
        return _sample_single(trials, concentration, draws, rng, change)
    hazards = np.tile(1.0 / np.arange(2, trials.most + 2), (len(trials.late), 1))
    kept, shifts = [], []
    for round_ in range(BURN_IN + -(-draws // PER_ROUND)):
        whole = split_spans(trials, hazards, rng)
        drawn, shift = _sample_single(whole, concentration, PER_ROUND, rng, change)
        hazards = np.broadcast_to(drawn[0], hazards.shape)
        if change is not None and shift is not None:
            delay = np.arange(1, trials.most + 1)
            early = trials.period[:, None] + delay < change
            hazards = np.where(early, _moved(drawn[:1], -shift[:1]), drawn[0])
        if round_ >= BURN_IN:
            kept.append(drawn)
            shifts.append(np.zeros(PER_ROUND) if shift is None else shift)
    return np.concatenate(kept)[:draws], None if change is None else np.concatenate(shifts)[:draws]


def _sample_single(
    trials: Trials, concentration: float, draws: int, rng: Generator, change: int | None
) -> tuple[FloatArray, FloatArray | None]:
    if change is None:
        return draw_hazards(*trials.sums(), concentration, draws, rng), None
    since = trials.period + trials.high >= change
    (late0, total0), (late1, total1) = trials.sums(~since), trials.sums(since)
    before, shift = draw_moved(np.array([late0, late1]), np.array([total0, total1]), concentration, draws, rng)
    return _moved(before, shift), shift


def _moved(hazards: FloatArray, shift: FloatArray) -> FloatArray:
    """Move hazards by log odds, shapes (draws, D) and (draws,)."""
    odds = hazards / np.maximum(1.0 - hazards, 1e-300) * np.exp(shift)[:, None]
    return odds / (1.0 + odds)


def reporting_rhythm(trials: Trials, periods: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Reports that came in each period, how many the delays alone let expect, and the variance; shape (periods,) each.

    Only of trials of single delays; reports with delay 0 are not among them.
    """
    single = trials.low == trials.high
    hazard = reverse_hazards(trials)[trials.high - 1]
    when = trials.period + trials.high
    came, expected, variance = (
        np.bincount(when[single], weights=values[single], minlength=periods)[:periods].astype(float)
        for values in (trials.late, trials.total * hazard, trials.total * hazard * (1 - hazard))
    )
    return came, expected, variance
