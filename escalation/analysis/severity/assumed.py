"""Assumed lethal attacks: the paths and draws of severity that go with them, and what else those paths cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.analysis.severity.compounding import Severity, draw_fatalities, draw_lethal, draw_severity
from escalation.analysis.severity.sizes import FatalitySizes
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.forecasts.forecast import Forecast

LEAST_PROBABILITY = 1e-5
"""Attacks less likely than this are not assumed: the few draws that allow them would say all."""
TRIED = 100
"""Sizes that are drawn at a time for each attack that is to kill so many."""


class Cost(NamedTuple):
    """What each path that was kept costs.

    Attributes
    ----------
    kept : (draws,) bool array
        Which paths.
    lethal : (kept, steps) int array
        Attacks that kill, the assumed ones included.
    killed : (kept, steps) int array or None
        Fatalities; None without a distribution of sizes.
    assumed : int
        Lethal attacks that were assumed.
    """

    kept: NDArray[np.bool_]
    lethal: IntArray
    killed: IntArray | None
    assumed: int


def draw_cost(forecast: Forecast, severity: Severity, assumed: Mapping[int, int], rng: Generator) -> Cost:
    r"""Draw what paths cost, given an attack that kills so many or more in each of some periods.

    Parameters
    ----------
    forecast : Forecast
        Joint paths of attacks.
    severity : Severity
        Its posterior draws go with the paths, one each.
    assumed : mapping of int to int
        Place of a period, and how many an attack in it kills at least; empty for nothing assumed, which keeps all.
    rng : Generator
        Generator.

    Returns
    -------
    Cost

    Raises
    ------
    InputError
        If so many killed need a distribution of sizes that is not there, or are too unlikely to be assumed.

    Notes
    -----
    With ``n`` attacks in the period and a posterior draw with the share :math:`p` and the probability :math:`S(k)` that
    a lethal attack kills ``k`` or more, such an attack has the probability :math:`w = 1 - (1 - p S(k))^n`.  Paths are
    kept with the probability :math:`w / \max w` (rejection sampling; Robert & Casella 2004, section 2.3,
    doi:10.1007/978-1-4757-4145-2), so that those kept, with their severity, follow the distribution given the attack:
    they have more attacks and more lethal ones than others.  The place of the first such attack is drawn from its
    truncated geometric distribution, the others from theirs given it.
    """
    share, _, index = draw_severity(severity, forecast, rng)
    paths, weight = forecast.series_paths, np.ones(forecast.draws)
    heavy: dict[int, FloatArray] = {}
    for place, killed in assumed.items():
        if killed > 1 and severity.sizes is None:
            raise InputError(
                f"an attack that kills {killed:,} is assumed, and the severity has no distribution of sizes; "
                "assume killed=1"
            )
        above = (
            np.ones(forecast.draws) if severity.sizes is None else severity.sizes.distributions.survival(killed)[index]
        )
        heavy[place] = np.minimum(above, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            none = np.where(paths[:, place] > 0, paths[:, place] * np.log1p(-share * above), 0.0)
        weight = weight * -np.expm1(none)
    if weight.mean() < LEAST_PROBABILITY:
        raise InputError(
            f"the assumed lethal attack has a probability of {weight.mean():.1g} in this forecast, too small to say "
            "what follows it; assume fewer killed"
        )
    kept = rng.random(forecast.draws) * weight.max() < weight
    share, index, paths = share[kept], index[kept], paths[kept]
    lethal = draw_lethal(paths, np.ones(forecast.steps), share, rng)
    several = {}
    for place in heavy:
        several[place] = _first_and_others(paths[:, place], share * heavy[place][kept], rng)
        rest = share * (1.0 - heavy[place][kept]) / np.maximum(1.0 - share * heavy[place][kept], 1e-300)
        lethal[:, place] = several[place] + rng.binomial(paths[:, place] - several[place], np.minimum(rest, 1.0))
    if severity.sizes is None:
        return Cost(kept, lethal, None, len(assumed))
    free = lethal.copy()
    free[:, list(several)] = 0
    killed_each = draw_fatalities(free, severity.sizes, index, rng)
    for place, number in several.items():
        least = assumed[place]
        killed_each[:, place] = _sum_sizes(number, severity.sizes, index, least, None, rng)
        killed_each[:, place] += _sum_sizes(lethal[:, place] - number, severity.sizes, index, 1, least, rng)
    return Cost(kept, lethal, killed_each, len(assumed))


def _first_and_others(attacks: IntArray, probability: FloatArray, rng: Generator) -> IntArray:
    """Draw how many of the attacks (draws,), each with a probability (draws,), are such, given at least one."""
    any_one = -np.expm1(attacks * np.log1p(-np.minimum(probability, 1 - 1e-12)))
    first = np.ceil(np.log1p(-rng.random(len(attacks)) * any_one) / np.log1p(-np.minimum(probability, 1 - 1e-12)))
    before = np.clip(first, 1, attacks).astype(np.int64)
    return np.asarray(1 + rng.binomial(attacks - before, np.minimum(probability, 1.0)))


def _sum_sizes(
    number: IntArray, sizes: FatalitySizes, index: IntArray, least: int, below: int | None, rng: Generator
) -> IntArray:
    """Draw the fatalities of so many attacks of each path (draws,), each with ``least`` or more and below ``below``."""
    place = np.repeat(np.arange(len(number)), number)
    drawn = np.zeros(len(place))
    open_ones = np.arange(len(place))
    while len(open_ones):
        tries = sizes.distributions.draw(np.repeat(index[place[open_ones]], TRIED), rng).reshape(-1, TRIED)
        fits = (tries >= least) & (tries < (np.inf if below is None else below))
        done = fits.any(axis=1)
        drawn[open_ones[done]] = tries[done, fits[done].argmax(axis=1)]
        open_ones = open_ones[~done]
    return np.bincount(place, weights=drawn, minlength=len(number)).astype(np.int64)
