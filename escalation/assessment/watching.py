"""Changes of the rate, alarms, regimes and excitation, where the data can carry them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from escalation.analysis.alarms.alarms import Alarms, FalseAlarms, alarms, false_alarms
from escalation.analysis.changes.changepoints import ChangePoints, changepoints
from escalation.analysis.excitation.excitation import Excitation, excitation
from escalation.analysis.regimes import RegimeNow, compare_states, regime_now, state_probabilities
from escalation.assessment.answer import PROBABILITY, Answer, answer_from, keys_of, not_given
from escalation.assessment.gate import too_thin
from escalation.assessment.options import Options
from escalation.assessment.sides import LAGS, Sides
from escalation.assessment.withheld import Withheld, try_part
from escalation.conventions.randomness import Seed, generator_for
from escalation.counts.periods import period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries
from escalation.errors import FitError
from escalation.models.hidden_markov.model import HiddenMarkov, mean_bic
from escalation.models.levels.local_level import LocalLevel

ALARM = "ears_c2"
"""Judges a period by the seven before the last two, so that it needs neither years nor a season."""
ALARM_DRAWS = 100
"""Simulated series behind the false alarms."""
CHANGES_NEED, ALARMS_NEED = 20, 15
"""Observed periods."""


@dataclass(frozen=True, eq=False)
class RegimesFound:
    """The regimes of a series, beside what one rate would say.

    Attributes
    ----------
    now : RegimeNow
        The regime of the last period.
    probabilities : pandas.DataFrame
        Probability of each regime in each period, as of :func:`escalation.analysis.state_probabilities`.
    numbers : pandas.DataFrame
        One to four regimes compared, as of :func:`escalation.analysis.compare_states`.
    drifting_bic : float or None
        BIC of the alternative, one rate that drifts (:class:`escalation.LocalLevel`); None where it cannot be fitted.
    """

    now: RegimeNow
    probabilities: pd.DataFrame = field(repr=False)
    numbers: pd.DataFrame = field(repr=False)
    drifting_bic: float | None

    def sentence(self) -> str:
        """Say in plain words which regime the last period is in."""
        return self.now.sentence()

    def table(self) -> pd.DataFrame:
        """Return one to four regimes compared."""
        return self.numbers


def find_changes(
    series: CountSeries, options: Options, family: Literal["fluctuating", "poisson"]
) -> ChangePoints | Withheld:
    """Return when the rate changed, counts scattering as ``family`` says."""
    thin = too_thin(series, count_matrix(series.counts), CHANGES_NEED)
    return try_part(
        "changes",
        lambda: changepoints(
            series.counts, exposure=series.exposure, unit=series.unit, level=options.level, family=family
        ),
        unless=thin,
    )


def find_alarms(series: CountSeries, options: Options) -> Alarms | Withheld:
    """Return the periods that a surveillance method finds unusual."""
    thin = too_thin(series, count_matrix(series.counts), ALARMS_NEED)
    judge = partial(alarms, series.counts, options.alarm, exposure=series.exposure, unit=series.unit)
    return try_part("alarms", judge, unless=thin)


def find_false_alarms(
    series: CountSeries, raised: Alarms | Withheld, options: Options, rng: Seed
) -> FalseAlarms | Withheld:
    """Return how many alarms the method raises while nothing changes."""
    silent = raised.reason if isinstance(raised, Withheld) else None
    simulate = partial(false_alarms, series.counts, options.alarm, exposure=series.exposure, draws=ALARM_DRAWS, rng=rng)
    return try_part("false_alarms", simulate, unless=silent)


def find_regimes(series: CountSeries, options: Options, rng: Seed) -> RegimesFound | Withheld:
    """Return quiet and active regimes, where they were asked for and can be fitted."""
    if options.regimes == "none":
        return Withheld("regimes", "not asked for")
    return try_part("regimes", lambda: _regimes(series, options.level, rng))


def _regimes(series: CountSeries, level: float, rng: Seed) -> RegimesFound:
    fit = HiddenMarkov().fit(series.counts, exposure=series.exposure, unit=series.unit)
    now = regime_now(fit, level=level, rng=rng)
    return RegimesFound(now, state_probabilities(fit), compare_states(fit), _drifting_bic(series))


def find_excitation(sides: Sides | None, seed: int) -> Excitation | Withheld:
    """Return what an attack by each side is followed by, where there are two sides that show enough."""
    if sides is None:
        return Withheld("excitation", "it needs two sides")
    return try_part("excitation", lambda: excite(sides, seed=seed))


def excite(sides: Sides, *, lags: int = LAGS, seed: int) -> Excitation:
    """Ask whether attacks by one side follow those by the other; the same seed gives the same numbers.

    Raises
    ------
    InputError
        As :func:`escalation.analysis.excitation.excitation`.
    """
    return excitation(sides.counts, lags=lags, unit=sides.unit, rng=generator_for(seed, "excitation"))


def _drifting_bic(series: CountSeries) -> float | None:
    """BIC of one rate that drifts, where it can be fitted."""
    try:
        fit = LocalLevel().fit(series.counts, exposure=series.exposure, unit=series.unit)
    except FitError:
        return None
    return mean_bic(fit.estimates, fit.nobs)


def changes_answers(found: ChangePoints | Withheld) -> Iterator[Answer]:
    """Answer how often the rate changed, and whether it did."""
    number = ("changes", "changes of the rate, likeliest number")
    changed = ("probability_changed", "probability that the rate changed")
    yield answer_from(found, *number, "changes", lambda one: [float(len(one.changes))])
    yield answer_from(found, *changed, PROBABILITY, lambda one: [1 - float(one.number.iloc[0])])


def alarms_answers(found: Alarms | Withheld, false: FalseAlarms | Withheld) -> Iterator[Answer]:
    """Answer how many periods stand out, and how many would while nothing changes."""
    raised, nothing = "alarms", ("false_alarms", "false alarms while nothing changes")
    if isinstance(found, Withheld):
        yield from not_given(found, (raised, raised, raised))
    else:
        yield Answer(raised, f"alarms by {found.method.label}", float(len(found.periods)), unit=raised)
    if isinstance(false, Withheld):
        yield from not_given(false, (*nothing, "alarms per year"))
    else:
        yield Answer(*nothing, false.per_year, unit="alarms per year", mc_error=false.mc_error)


def regimes_answer(found: RegimesFound | Withheld) -> Answer:
    """Answer how likely the last period is in the active regime."""
    if isinstance(found, Withheld):
        return Answer("probability_regime", "probability of the regime", np.nan, why=found.reason)
    now = found.now
    return Answer("probability_regime", f"probability that it is {now.regime} now", now.probability)


def excitation_answers(series: CountSeries, found: Excitation | Withheld) -> Iterator[Answer]:
    """Answer how many more attacks by each side follow one by the other."""
    if isinstance(found, Withheld):
        yield from not_given(found, ("excitation", "attacks by one side after one by the other", series.unit))
        return
    keys = dict(zip(found.sides, keys_of(found.sides), strict=True))
    span = f"{found.within} {period_word(found.freq, found.within)}"
    for by, after in (found.sides[::-1], found.sides):
        row = found.response.loc[[(by, after, found.within)]].iloc[0]
        ends = (float(row["estimate"]), float(row["lower"]), float(row["upper"]))
        question = f"more by {by} in {span} after one by {after}"
        yield Answer(f"excitation_{keys[by]}_after_{keys[after]}", question, *ends, found.unit)
