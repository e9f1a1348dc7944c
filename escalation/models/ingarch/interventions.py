"""Dated changes that an INGARCH fit does not know of: a score test at given dates, and a search over all of them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import chi2

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import DateLike, parse_date, period_word
from escalation.errors import InputError
from escalation.models.contract.base import CountFit, fit_checked
from escalation.models.contract.design import Checked
from escalation.models.contract.estimate import warn_not_converged
from escalation.models.ingarch.maximum import search_space
from escalation.models.ingarch.model import INGARCH
from escalation.models.ingarch.null import Null, null_at, null_peaks, roots_of, strength
from escalation.models.ingarch.score import joint_statistic
from escalation.models.regression.interventions import Decay, Intervention, Pulse, Step

Kind: TypeAlias = Literal["level_shift", "transient", "additive"]
Effect: TypeAlias = Literal["internal", "external"]

KINDS: tuple[Kind, ...] = ("level_shift", "transient", "additive")
STRONG, SOME = 0.01, 0.05
"""P-values below which the evidence is called strong, or is called evidence at all."""


@dataclass(frozen=True)
class InterventionTest:
    """Score test of whether counts follow a fit also at dated changes that it does not know of.

    Attributes
    ----------
    interventions : tuple of Step, Pulse or Decay
        What was tested, all at once.
    effect : str
        ``internal`` or ``external``.
    statistic : float
        Under the fit chi-square, roughly, with ``df`` degrees of freedom.
    df : int
        How many interventions.
    p_value : float
        Probability of a statistic as large under the fit, in large samples.
    directions : tuple of str
        ``rise`` or ``fall``: whether counts are above or below what the fit expects at each.
    """

    interventions: tuple[Intervention, ...]
    effect: str
    statistic: float
    df: int
    p_value: float
    directions: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """What was tested, a row each: ``intervention`` and ``direction``, and the test of all at once."""
        columns = {"intervention": self.interventions, "direction": self.directions}
        return pd.DataFrame(columns).assign(statistic=self.statistic, df=self.df, p_value=self.p_value)

    def sentence(self) -> str:
        """Say it in plain words."""
        evidence = "No clear"
        if self.p_value < SOME:
            evidence = "Strong" if self.p_value < STRONG else "Some"
        what = " and ".join(
            _words(one, direction) for one, direction in zip(self.interventions, self.directions, strict=True)
        )
        return (
            f"{evidence} evidence of {what}: score statistic {self.statistic:.1f} on {self.df} "
            f"degree{'s' * (self.df > 1)} of freedom, {_p_words(self.p_value)}."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"


@dataclass(frozen=True)
class FoundIntervention:
    """A dated change that a search found.

    Attributes
    ----------
    intervention : Step, Pulse or Decay
        What and when.
    period : pandas.Period
        The first period it is in.
    direction : str
        ``rise`` or ``fall``.
    statistic : float
        The largest score statistic of its kind.
    p_value : float
        By bootstrap, over all its times and kinds.
    size, std_error : float
        Its coefficient in ``InterventionSearch.fit``, on the rate or (log link) the log rate.
    """

    intervention: Intervention
    period: pd.Period
    direction: str
    statistic: float
    p_value: float
    size: float
    std_error: float

    def sentence(self) -> str:
        """Say it in plain words."""
        what = _words(self.intervention, self.direction)
        size = f"coefficient {self.size:.2g}, standard error {self.std_error:.2g}"
        return f"{what[0].upper()}{what[1:]}: {size}; score statistic {self.statistic:.1f}, {_p_words(self.p_value)}."

    def table(self) -> pd.DataFrame:
        """Its attributes in one row."""
        return pd.DataFrame([vars(self)])


@dataclass(frozen=True, eq=False)
class InterventionSearch:
    """Dated changes found one after another.

    Attributes
    ----------
    found : tuple of FoundIntervention
        In the order they were found; may be empty.
    fit : CountFit
        The model with all of them.
    rounds : pandas.DataFrame
        One row a round and kind: its best period, the statistic there and the p-value.
    roots : pandas.DataFrame
        Signed root of the score statistic of each period (rows) and kind (columns) before anything was found.
    effect : str
        ``internal`` or ``external``.
    alpha : float
        P-value at which the search stopped.
    replicates : int
        Bootstrap series of each round.
    """

    found: tuple[FoundIntervention, ...]
    fit: CountFit = field(repr=False)
    rounds: pd.DataFrame = field(repr=False)
    roots: pd.DataFrame = field(repr=False)
    effect: str
    alpha: float
    replicates: int

    def table(self) -> pd.DataFrame:
        """What was found, one row each."""
        return pd.DataFrame([vars(one) for one in self.found], columns=list(FoundIntervention.__dataclass_fields__))

    def sentence(self) -> str:
        """Say it in plain words."""
        first, last = self.roots.index[0], self.roots.index[-1]
        span = f"between {first.start_time.date()} and {last.end_time.date()}"
        if not self.found:
            return f"No dated change stands out {span} (smallest {_p_words(self.rounds['p_value'].min())})."
        unit, word, parts = self.fit.unit, period_word(first.freqstr), []
        for one in self.found:
            size = f"{one.size:+.2g} {unit} a {word}"
            if isinstance(self.fit.model, INGARCH) and self.fit.model.link == "log":
                size = f"{np.exp(one.size):.2g} times the rate"
            parts.append(f"{_words(one.intervention, one.direction)} ({size} at first, {_p_words(one.p_value)})")
        return f"Found {span}: {'; '.join(parts)}."

    def _repr_html_(self) -> str:
        table = self.table().astype({"intervention": str, "period": str}).round(3)
        return f"<p>{html.escape(self.sentence())}</p>" + (table_html(table, index=False) if self.found else "")


def intervention_test(
    fit: CountFit,
    interventions: Intervention | Sequence[Intervention],
    *,
    effect: Effect = "internal",
) -> InterventionTest:
    r"""Test whether counts follow an INGARCH fit also at dated changes that it does not know of.

    Parameters
    ----------
    fit : CountFit
        Of an :class:`INGARCH` model, to one exactly known series.
    interventions : Step, Pulse, Decay or several of them
        The changes, at dates that were chosen without a look at the counts; tested all at once.
    effect : {"internal", "external"}
        Whether ``past_mean`` would carry the change on.

    Returns
    -------
    InterventionTest

    Raises
    ------
    InputError
        If the fit is of another model or of histories, or the counts cannot distinguish a change from the rest of the
        model.

    Notes
    -----
    A score test: nothing is fitted anew.  With S the scores of the effects, G the sensitivity and H the covariance of
    all scores at the fit, the statistic is ``S' V^-1 S`` with ``V = P H P'`` and ``P = (-G_21 G_11^-1, 1)`` (Boos 1992,
    doi:10.1080/00031305.1992.10475921).  At full maximum likelihood G = H is the expected information; with
    ``dispersion="pearson"`` the scores are those of a Poisson likelihood and H has the variance of the counts, as in
    R's tscount (Fokianos & Fried 2010, doi:10.1111/j.1467-9892.2010.00657.x).  There G and H lack that with a
    ``"marginal"`` start the counts before the series depend on the parameters, and the estimates are no exact maximum,
    so that its statistics differ a little; with the log link it divides by the log of the mean where the mean belongs.
    Coefficients on a bound count as known.  For a change that lasts few periods the statistic is not chi-square.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation import INGARCH
    >>> from escalation.models import Step
    >>> weeks = pd.period_range("2024-01-01", periods=16, freq="W-SUN")
    >>> counts = pd.Series([2, 3, 1, 4, 2, 3, 2, 1, 5, 4, 6, 3, 5, 7, 4, 5], index=weeks)
    >>> fit = INGARCH(past_mean=(), family="poisson").fit(counts)
    >>> print(intervention_test(fit, Step("2024-02-26")).sentence())
    Strong evidence of a lasting rise from 2024-02-26 on: score statistic 8.2 on 1 degree of freedom, p = 0.0042.
    """
    _check_effect(effect)
    chosen = (interventions,) if isinstance(interventions, Intervention) else tuple(interventions)
    if not chosen or not all(isinstance(one, Intervention) for one in chosen):
        raise InputError(f"intervention_test got {interventions!r}; give a Step, Pulse or Decay, or several")
    columns = np.array([one.column(fit.design.periods) for one in chosen])
    same = np.ptp(columns[:, ~np.isnan(fit.array[0])], axis=1) == 0
    null, inside = _null(fit), effect == "internal"
    statistic = joint_statistic(columns, null.point, null.data, null.scores, internal=inside)
    if same.any() or np.isnan(statistic):
        raise InputError(
            f"{' and '.join(one.term for one in chosen)} cannot be distinguished from the rest of the model in the "
            "observed periods; leave out what is in it, or what is the same in all of them"
        )
    return InterventionTest(
        interventions=chosen,
        effect=effect,
        statistic=statistic,
        df=len(chosen),
        p_value=float(chi2.sf(statistic, len(chosen))),
        directions=tuple("rise" if root >= 0 else "fall" for root in roots_of(columns, null, internal=inside)),
    )


def find_interventions(
    fit: CountFit,
    *,
    kinds: Sequence[Kind] = KINDS,
    half_life: float | None = None,
    effect: Effect = "internal",
    between: tuple[DateLike, DateLike] | None = None,
    alpha: float = 0.05,
    most: int = 5,
    replicates: int = 499,
    rng: Seed = None,
    executor: Executor | None = None,
) -> InterventionSearch:
    """Search for dated changes that an INGARCH fit does not know of, one after another.

    Parameters
    ----------
    fit : CountFit
        Of an :class:`INGARCH` model, to one exactly known series.
    kinds : sequence of {"level_shift", "transient", "additive"}
        A lasting change (``Step``); one that fades (``Decay``); a single odd period (``Pulse``).
    half_life : float, optional
        Days in which transient changes halve; three periods when left out, not far from the usual 0.8 a period.
    effect : {"internal", "external"}
        Whether ``past_mean`` carries a change on.
    between : pair of dates or periods, optional
        First and last period in which a change may begin; all but the first period of the series when left out.
    alpha : float
        The search ends when no p-value is below this.
    most : int
        It also ends after so many changes.
    replicates : int
        Series simulated in each round.
    rng : int, Generator or None
        Seed or generator.
    executor : concurrent.futures.Executor, optional
        Shares the replicates out; the numbers are the same without.

    Returns
    -------
    InterventionSearch

    Raises
    ------
    InputError
        If the fit is of another model or of histories, an option is out of range, or no change can begin in
        ``between``.

    Notes
    -----
    In each round the statistic of :func:`intervention_test` is worked out for every kind and period.  The p-value of
    the largest of a kind is its rank among those of series simulated from the fit, each fitted anew, times the number
    of kinds (Bonferroni), as in R's tscount (Fokianos & Fried 2010, doi:10.1111/j.1467-9892.2010.00657.x).  The kind
    with the smallest p-value, of equal ones that with the largest statistic, goes into the model, which is fitted anew.
    Two things differ from tscount: it takes the effect out of the counts instead, and of equal p-values prefers a level
    shift.  With the identity link effects are >= 0, so that only rises are searched for; use the log link for falls.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation import INGARCH
    >>> weeks = pd.period_range("2024-01-01", periods=16, freq="W-SUN")
    >>> counts = pd.Series([2, 3, 1, 4, 2, 3, 2, 1, 3, 1, 30, 2, 4, 3, 1, 2], index=weeks)
    >>> search = find_interventions(INGARCH(past_mean=(), family="poisson").fit(counts), replicates=99, rng=1)
    >>> [(one.intervention.term, one.direction) for one in search.found]
    [('pulse_2024-03-11', 'rise')]
    """
    _checked(fit)
    _check_effect(effect)
    if not kinds or isinstance(kinds, str) or len(set(kinds)) < len(kinds) or not set(kinds) <= set(KINDS):
        raise InputError(f"kinds is {kinds!r}; give some of {', '.join(KINDS)}, each once")
    check_level(alpha, "alpha", such=0.05)
    most, replicates = check_whole(most, "most", 100), check_whole(replicates, "replicates", 1_000_000)
    generator = as_generator(rng)
    candidates = [_candidates(fit, kind, half_life, between) for kind in kinds]
    columns = [some.columns for some in candidates]
    inside = effect == "internal"
    picked: list[tuple[Intervention, pd.Period, str, float, float]] = []
    rounds: list[tuple[int, str, pd.Period, float, float]] = []
    now, first_roots = fit, list[FloatArray]()
    while len(picked) < most:
        null = _null(now)
        roots = [roots_of(some.columns, null, internal=inside) for some in candidates]
        first_roots = first_roots or roots
        statistics = [strength(one, null.data) for one in roots]
        places, peaks = [int(one.argmax()) for one in statistics], np.array([one.max() for one in statistics])
        drawn = null_peaks(null, columns, replicates, generator, executor, internal=inside)
        p_values = np.minimum(1.0, len(kinds) * (1 + (drawn >= peaks).sum(axis=0)) / (replicates + 1))
        begins = [some.periods[place] for some, place in zip(candidates, places, strict=True)]
        rounds += list(zip([len(picked) + 1] * len(kinds), kinds, begins, peaks, p_values, strict=True))
        best = min(range(len(kinds)), key=lambda k: (p_values[k], -peaks[k]))
        if p_values[best] >= alpha:
            break
        direction = "rise" if roots[best][places[best]] > 0 else "fall"
        chosen = candidates[best].interventions[places[best]]
        picked.append((chosen, begins[best], direction, float(peaks[best]), float(p_values[best])))
        now = _with(fit, tuple(one for one, *_ in picked), effect)
    return InterventionSearch(
        found=tuple(
            FoundIntervention(*one, size=float(now.params[one[0].term]), std_error=float(now.bse[one[0].term]))
            for one in picked
        ),
        fit=now,
        rounds=pd.DataFrame(rounds, columns=["round", "kind", "period", "statistic", "p_value"]),
        roots=pd.DataFrame(
            {
                kind: pd.Series(one, index=some.periods)
                for kind, one, some in zip(kinds, first_roots, candidates, strict=True)
            }
        ),
        effect=effect,
        alpha=alpha,
        replicates=replicates,
    )


class _Candidates(NamedTuple):
    """Changes of one kind at m periods, and their regressors (m, n)."""

    periods: pd.PeriodIndex
    interventions: list[Intervention]
    columns: FloatArray


def _checked(fit: CountFit) -> INGARCH:
    """Return the model of a fit that can be tested."""
    if not isinstance(fit, CountFit) or not isinstance(fit.model, INGARCH):
        given = type(fit.model if isinstance(fit, CountFit) else fit).__name__
        raise InputError(f"a test of interventions got {given}; give the fit of an INGARCH model")
    if len(fit.estimates) > 1:
        raise InputError(f"the fit pools {len(fit.estimates)} histories; test a fit to one of them")
    if "learnt" in fit.estimates[0].state:
        raise InputError("the parameters of the fit are those of other counts; test a fit to these")
    return fit.model


def _check_effect(effect: str) -> None:
    if effect not in ("internal", "external"):
        raise InputError(f"effect is {effect!r}; use 'internal' or 'external'")


def _null(fit: CountFit) -> Null:
    model, state = _checked(fit), fit.estimates[0].state
    method = model.dispersion if model.family == "negbin" else "none"
    return null_at(state["point"], state["data"], search_space(state["data"], free=method == "ml"), method)


def _candidates(
    fit: CountFit, kind: Kind, half_life: float | None, between: tuple[DateLike, DateLike] | None
) -> _Candidates:
    """Changes that begin in ``between``, but for those that are the same in all observed periods."""
    periods = fit.design.periods
    span = (periods[-1].end_time - periods[0].start_time) / pd.Timedelta(days=1)
    days = max(1, round(3 * span / len(periods))) if half_life is None else half_life
    chosen = np.arange(1, len(periods))
    if between is not None:
        begin, end = parse_date(between[0], "the start of between"), parse_date(between[1], "the end of between", "end")
        chosen = np.flatnonzero((periods.end_time >= begin) & (periods.start_time <= end))
    interventions = [_make(kind, period, days) for period in periods[chosen]]
    columns = np.array([one.column(periods) for one in interventions]).reshape(len(interventions), len(periods))
    differs = np.ptp(columns[:, ~np.isnan(fit.array[0])], axis=1) > 0
    if not differs.any():
        raise InputError(
            f"between is {between!r}; no {kind} can begin there, the series is {periods[0]} to {periods[-1]}"
        )
    kept = np.flatnonzero(differs)
    return _Candidates(periods[chosen[kept]], [interventions[place] for place in kept], columns[kept])


def _make(kind: Kind, period: pd.Period, half_life: float) -> Intervention:
    date = period.start_time
    if kind == "transient":
        return Decay(date, half_life)
    return Step(date) if kind == "level_shift" else Pulse(date)


def _with(fit: CountFit, interventions: tuple[Intervention, ...], effect: str) -> CountFit:
    """The same model with more interventions, fitted to the same counts."""
    model = _checked(fit)
    outside = tuple(one.term for one in interventions) if effect == "external" else ()
    wider = replace(model, interventions=model.interventions + interventions, external=model.external + outside)
    found = fit_checked(wider, Checked(fit.counts, fit.array, fit.design), 1, fit.unit)
    warn_not_converged(wider.name, found.estimates)
    return found


# Words


def _words(intervention: Intervention, direction: str) -> str:
    if isinstance(intervention, Step):
        return f"a lasting {direction} from {intervention.date} on"
    if isinstance(intervention, Decay):
        return f"a fading {direction} from {intervention.date} on"
    until = "" if intervention.end is None else f" to {intervention.end}"
    return f"a passing {direction} {'on' if not until else 'from'} {intervention.date}{until}"


def _p_words(p_value: float) -> str:
    return "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.2g}"
