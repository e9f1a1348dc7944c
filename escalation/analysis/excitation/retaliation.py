"""Retaliation: how likely one side attacks so often soon after the other did, from joint paths of both."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.analysis.excitation.share_model import draw_split, fit_shares, inverse_logit
from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import table_of_counts
from escalation.errors import InputError
from escalation.forecasts.flashpoint import LARGEST_SUM, FlashpointProbability, flashpoint
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.base import PanelFit
from escalation.models.contract.estimate import MAX_STEPS, check_size
from escalation.models.levels.local_level import LocalLevel

FEWEST_PATHS = 50
"""With fewer paths on either side a comparison says nothing."""


@dataclass(frozen=True)
class Retaliation:
    """Probability that one side attacks so often after the other did, and the same where both follow a shared level.

    Attributes
    ----------
    after_attack, after_none : FlashpointProbability
        The probability where ``after`` attacks in the first period to come, and where it does not, by the model of the
        fit.
    shared_after_attack, shared_after_none : FlashpointProbability
        The same where nobody answers anybody and both follow one drifting level.
    by, after : str
        Who retaliates, and after whose attack.
    at_least, within : int
        So many attacks or more in so many periods, which begin one after that of the attack.
    model : str
        What made the joint paths.
    """

    after_attack: FlashpointProbability
    after_none: FlashpointProbability
    shared_after_attack: FlashpointProbability
    shared_after_none: FlashpointProbability
    by: str
    after: str
    at_least: int
    within: int
    model: str

    @property
    def rise(self) -> float:
        """How much higher the probability is where ``after`` attacks than where it does not, by the fitted model."""
        return self.after_attack.probability - self.after_none.probability

    @property
    def shared_rise(self) -> float:
        """The same where both follow a shared level: that much of ``rise`` needs no answer."""
        return self.shared_after_attack.probability - self.shared_after_none.probability

    def table(self) -> pd.DataFrame:
        """Both probabilities by both models, with Monte Carlo errors and the paths behind them."""
        rows = {
            (self.model, "attack"): self.after_attack,
            (self.model, "none"): self.after_none,
            ("shared level", "attack"): self.shared_after_attack,
            ("shared level", "none"): self.shared_after_none,
        }
        index = pd.MultiIndex.from_tuples(rows, names=["model", "first period"])
        columns = ["probability", "mc_error", "lower", "upper", "draws"]
        return pd.DataFrame([[getattr(row, name) for name in columns] for row in rows.values()], index, columns)

    def sentence(self) -> str:
        """Say it in plain words, beside what a shared level would do."""
        period = self.after_attack.first
        word = period_word(period.freqstr, self.within)
        span = f"the {word}" if self.within == 1 else f"the {self.within} {word}"
        return (
            f"The probability of {self.at_least:,} or more {self.after_attack.unit} by {self.by} in {span} after an "
            f"attack by {self.after} in the next {period_word(period.freqstr)} is {_with_error(self.after_attack)}, "
            f"and {_with_error(self.after_none)} if there is none; if nobody answered and both followed a "
            f"shared level, they would be {_with_error(self.shared_after_attack)} and "
            f"{_with_error(self.shared_after_none)}."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.table().round(3))


def retaliation(
    fit: PanelFit,
    *,
    by: str,
    after: str,
    at_least: int = 1,
    within: int = 1,
    draws: int = 4000,
    rng: Seed = None,
) -> Retaliation:
    """Probability that one side attacks so often soon after the other attacked.

    Of the joint paths those are taken in which ``after`` attacks in the first period to come, and the share of them
    is counted in which ``by`` has ``at_least`` attacks in the ``within`` periods that follow.  That an attack goes
    with a higher probability need not be an answer to it: a path with an attack is one with a high level too.  So the
    same is worked out where nobody answers: a :class:`~escalation.LocalLevel` of the total of both sides, of which each
    side has a share that does not depend on the past (beta-binomial, its logit drawn from a normal posterior).

    Parameters
    ----------
    fit : PanelFit
        Of a joint model of both sides, such as :class:`~escalation.models.EndemicEpidemic`.
    by, after : str
        Units of the fit: who retaliates, after whose attack.
    at_least : int
        Attacks by ``by``, >= 1.
    within : int
        Periods after that of the attack, 1 to 4,999.
    draws : int
        Joint paths; only those with an attack, and those without, stand behind each number.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Retaliation

    Raises
    ------
    InputError
        If a unit is not in the fit, a number is out of range, or fewer than 50 paths have an attack in the first
        period, or have none.
    FitError
        If too few periods were observed for the shared level.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from escalation.models.endemic_epidemic.model import EndemicEpidemic
    >>> rng = np.random.default_rng(1)
    >>> counts = np.zeros((200, 2))
    >>> for t in range(1, 200):
    ...     counts[t] = rng.poisson(0.4 + 0.5 * counts[t - 1, ::-1])
    >>> weeks = pd.period_range("2021-01-04", periods=200, freq="W-SUN")
    >>> fit = EndemicEpidemic(own_past="none").fit(pd.DataFrame(counts, index=weeks, columns=["A", "B"]))
    >>> answer = retaliation(fit, by="B", after="A", rng=1)
    >>> answer.rise > 0.3 > 0.15 > answer.shared_rise
    True
    """
    for name, unit in (("by", by), ("after", after)):
        if unit not in fit.units:
            raise InputError(f"{name} is {unit!r}; the units of the fit are {', '.join(fit.units[:10])}")
    if by == after:
        raise InputError(f"by and after are both {by!r}; name two sides")
    at_least = check_whole(at_least, "at_least", LARGEST_SUM)
    within = check_whole(within, "within", MAX_STEPS - 1)
    steps, draws = check_size(within + 1, draws, len(fit.units))
    joint, shared, split = as_generator(rng).spawn(3)
    forecast = fit.forecast(steps, draws=draws, rng=joint)
    answers = _by_first(forecast[by], forecast[after].series_paths[:, 0], at_least, within)
    total = _total(fit, by, after)
    model = LocalLevel().fit(total, histories=len(fit.array), unit=fit.unit)
    level = model.forecast(steps, draws=draws, rng=shared)
    own = _split(fit, by, after, level, split)
    follower = replace(level, paths=own[None], model="shared level")
    alternative = _by_first(follower, level.series_paths[:, 0] - own[:, 0], at_least, within)
    return Retaliation(
        *answers, *alternative, by=by, after=after, at_least=at_least, within=within, model=forecast.model
    )


def _by_first(
    forecast: Forecast, first: IntArray, at_least: int, within: int
) -> tuple[FlashpointProbability, FlashpointProbability]:
    """Probabilities over the paths with an attack in the first period (draws,), and over those without."""
    probabilities = []
    for word, chosen in (("an attack", first >= 1), ("no attack", first == 0)):
        number = int(chosen.sum())
        if number < FEWEST_PATHS:
            raise InputError(
                f"only {number} of {forecast.draws:,} paths of {forecast.model} have {word} in {forecast.periods[0]}; "
                f"raise draws, or ask of shorter periods"
            )
        rest = replace(
            forecast,
            paths=forecast.paths[:, chosen, 1:],
            periods=forecast.periods[1:],
            observed=np.empty((1, number, 0)),  # no window reaches back before the attack
            component=None if forecast.component is None else forecast.component[chosen],
        )
        probabilities.append(flashpoint(rest, at_least, over=within))
    return probabilities[0], probabilities[1]


def _pair(fit: PanelFit, by: str, after: str) -> FloatArray:
    """Counts of both (histories, n, 2)."""
    return fit.array[:, :, [fit.units.index(by), fit.units.index(after)]]


def _total(fit: PanelFit, by: str, after: str) -> pd.Series | pd.DataFrame:
    """Counts of both together, or histories of them."""
    return table_of_counts(_pair(fit, by, after).sum(axis=2), fit.design.periods)


def _split(fit: PanelFit, by: str, after: str, level: Forecast, rng: Generator) -> IntArray:
    """Counts by ``by`` (draws, steps) in paths of the total, each with a share drawn for its history."""
    own = np.empty_like(level.series_paths)
    component = cast(IntArray, level.component)
    for place, counts in enumerate(_pair(fit, by, after)):
        seen = ~np.isnan(counts).any(axis=1)
        ones = np.ones((1, int(seen.sum()), 1))
        found = fit_shares(counts[None, seen, 0], counts[seen].sum(axis=1), ones)
        chosen = component == place
        logit = found.coef[0, 0] + np.sqrt(found.cov[0, 0, 0]) * rng.standard_normal(int(chosen.sum()))
        share = np.repeat(inverse_logit(logit)[:, None], level.steps, axis=1)
        own[chosen] = draw_split(level.series_paths[chosen].astype(float), share, float(found.correlation[0]), rng)
    return own


def _with_error(found: FlashpointProbability) -> str:
    return f"{probability_text(found.probability)} (Monte Carlo error {found.mc_error:.2g})"
