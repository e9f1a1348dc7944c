"""What a report finds besides its answers: growth, changes, alarms, regimes, excitation, flashpoints in public use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from escalation.alarms import Alarms, FalseAlarms, alarms, false_alarms
from escalation.assessment import Assessment
from escalation.carriers import Carrier
from escalation.changes.changepoints import ChangePoints, changepoints
from escalation.counts import count_matrix
from escalation.definitions import PRESETS
from escalation.errors import FitError, InputError
from escalation.excitation import Excitation
from escalation.flashpoint import FlashpointProbability, flashpoint
from escalation.models.hidden_markov import HiddenMarkov, mean_bic
from escalation.models.local_level import LocalLevel
from escalation.periods import period_word
from escalation.randomness import Seed, as_generator
from escalation.regimes import RegimeNow, compare_states, regime_now, state_probabilities
from escalation.trend_reading import GROWTH, carrier_of
from escalation.window_growth import FEWEST, WindowGrowth, window_growth

ALARM = "ears_c2"
"""Judges a period by the seven before the last two, so that it needs neither years nor a season."""
ALARM_DRAWS = 100
"""Simulated series behind the false alarms."""
CHANGES_NEED, ALARMS_NEED = 20, 15
"""Observed periods."""
OF_FATALITIES = ("views-25", "views-1", "first-lethal")
"""Definitions that mean something of counts of fatalities alone."""
INCIDENTS_NEED = 10
"""Incidents (their mean over the histories) that growth, changes and alarms are read from."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What the further pages of a report say; what the data could not carry is None, and why is in ``left_out``.

    Attributes
    ----------
    growth : WindowGrowth or None
        Over the last 28 days, 13 weeks or 12 months.
    carrier : Carrier or None
        Whether one tally or day carries the change of the rate.
    changes : ChangePoints or None
        When the rate changed, with dispersion.
    poisson_changes : ChangePoints or None
        The same without dispersion: the alternative that would find too many.
    alarms : Alarms or None
        Periods that stand out.
    cost : FalseAlarms or None
        False alarms of the method while nothing changes.
    regime : RegimeNow or None
        The regime of the last period.
    regime_chances : pandas.DataFrame or None
        Probability of each regime in each period, as of :func:`escalation.state_probabilities`.
    regime_numbers : pandas.DataFrame or None
        One to four regimes compared, as of :func:`escalation.compare_states`.
    regime_rival : float or None
        BIC of the alternative, one rate that drifts (:class:`escalation.LocalLevel`); None where it cannot be fitted.
    excitation : Excitation or None
        Between two sides, where the report was given one.
    presets : dict of str to FlashpointProbability
        Chances of the definitions in public use that the forecast and the past allow; those of fatalities only
        where fatalities were counted.
    left_out : dict of str to str
        Page and why it is not there.
    """

    growth: WindowGrowth | None
    carrier: Carrier | None
    changes: ChangePoints | None
    poisson_changes: ChangePoints | None
    alarms: Alarms | None
    cost: FalseAlarms | None
    regime: RegimeNow | None
    regime_chances: pd.DataFrame | None = field(repr=False)
    regime_numbers: pd.DataFrame | None = field(repr=False)
    regime_rival: float | None
    excitation: Excitation | None
    presets: dict[str, FlashpointProbability]
    left_out: dict[str, str] = field(repr=False)


def find(
    assessment: Assessment,
    *,
    regimes: Literal["none", "hidden_markov"] = "none",
    excitation: Excitation | None = None,
    rng: Seed = None,
) -> Findings:
    """Find what the further pages of a report say of an assessed series.

    Growth needs four observed periods and ten incidents in its window; changes need 20 observed periods, alarms 15,
    both ten incidents; a definition in public use needs a forecast as long as its window and the past that it compares
    with.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`.
    regimes : {"none", "hidden_markov"}
        Whether to fit :class:`escalation.HiddenMarkov` for the page on regimes; compiling it takes ten seconds once.
    excitation : Excitation, optional
        From :func:`escalation.excitation`, for the page on two sides.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Findings

    Raises
    ------
    InputError
        If ``regimes`` is unknown.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> counts = pd.Series([2, 0, 1] * 7 + [4, 6, 5] * 3, index=weeks)
    >>> import escalation
    >>> series = escalation.CountedSeries(counts, pd.Series(1.0, index=weeks), "raids", "raids", "", "", None, ())
    >>> assessment = escalation.assess(series, models=[], model="climatology", draws=200, rng=1)
    >>> found = find(assessment, rng=1)
    >>> len(found.changes.changes), sorted(found.left_out), "acled-25" in found.presets
    (1, ['excitation', 'regimes'], True)
    """
    if regimes not in ("none", "hidden_markov"):
        raise InputError(f"regimes is {regimes!r}; use none or hidden_markov")
    generator = as_generator(rng)
    series, left_out = assessment.series, dict[str, str]()
    counts, exposure, unit = series.counts, series.exposure, series.unit
    index = pd.PeriodIndex(counts.index)
    matrix = count_matrix(counts)
    words = period_word(index.freqstr, 2)

    def enough(page: str, part: np.ndarray[tuple[int, int], np.dtype[np.float64]], periods: int) -> bool:
        """Tell whether so many periods were observed and hold enough incidents, and note why not."""
        seen, total = int((~np.isnan(part[:, 0])).sum()), float(np.nansum(part) / part.shape[1])
        if seen < periods:
            left_out[page] = f"{seen} observed {words}, and it needs {periods}"
        elif total < INCIDENTS_NEED:
            left_out[page] = f"{total:.3g} {unit} in its {words}, and it needs {INCIDENTS_NEED}"
        return page not in left_out

    window = min(GROWTH[index.freqstr[0]], len(counts))
    risen = changed = poisson = judged = cost = regime = chances = numbers = rival = None
    if enough("growth", matrix[-window:], FEWEST):
        risen = window_growth(counts, window, exposure=exposure, level=assessment.level)
    if enough("changes", matrix, CHANGES_NEED):
        changed, poisson = (
            changepoints(counts, exposure=exposure, unit=unit, level=assessment.level, family=family)
            for family in ("negbin", "poisson")
        )
    if enough("alarms", matrix, ALARMS_NEED):
        try:
            judged = alarms(counts, ALARM, exposure=exposure, unit=unit)
            cost = false_alarms(counts, ALARM, exposure=exposure, draws=ALARM_DRAWS, rng=generator)
        except (FitError, InputError) as error:
            left_out["alarms"] = str(error)
    left_out["regimes"] = "not asked for"
    if regimes == "hidden_markov":
        del left_out["regimes"]
        try:
            fit = HiddenMarkov().fit(counts, exposure=exposure, unit=unit)
            regime, chances, numbers = regime_now(fit), state_probabilities(fit), compare_states(fit)
            rival = _drifting(assessment)
        except (FitError, InputError) as error:
            left_out["regimes"] = str(error)
    if excitation is None:
        left_out["excitation"] = "it needs two sides"
    return Findings(
        growth=risen,
        carrier=carrier_of(series, assessment.change, tried=1, rng=generator),
        changes=changed,
        poisson_changes=poisson,
        alarms=judged,
        cost=cost,
        regime=regime,
        regime_chances=chances,
        regime_numbers=numbers,
        regime_rival=rival,
        excitation=excitation,
        presets=_presets(assessment),
        left_out=left_out,
    )


def _drifting(assessment: Assessment) -> float | None:
    """BIC of one rate that drifts, where it can be fitted."""
    series = assessment.series
    try:
        fit = LocalLevel().fit(series.counts, exposure=series.exposure, unit=series.unit)
    except FitError:
        return None
    return mean_bic(fit.estimates, fit.nobs)


def _presets(assessment: Assessment) -> dict[str, FlashpointProbability]:
    """Chances of the definitions in public use over the chosen horizon."""
    found = {}
    for name, definition in PRESETS.items():
        if definition.over(assessment.freq) > assessment.forecast.steps:
            continue
        if name in OF_FATALITIES and assessment.series.unit != "fatalities":
            continue
        try:
            found[name] = flashpoint(assessment.forecast, definition, within=assessment.within)
        except InputError:  # the past does not hold what it compares with
            continue
    return found
