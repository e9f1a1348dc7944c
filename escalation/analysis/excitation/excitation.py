"""Excitation: does an attack by one side bring about attacks by the other, or do both follow a shared shock."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.analysis.excitation.shared_shock import Trial, after_counts, after_makeup, binned
from escalation.analysis.excitation.two_sides import fit_decay, fit_sides, one_lag, p_values_of_none, sides_design
from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.histories import spread_over
from escalation.counts.periods import period_word
from escalation.counts.schema import check_counts, is_histories, panel_array
from escalation.errors import FitError, InputError
from escalation.models.contract.calendar_waves import calendar_waves
from escalation.models.contract.estimate import MAX_STEPS
from escalation.models.endemic_epidemic.branching import respond

YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0}
WIDTHS = (1, 2)
FEWEST = 30
"""Periods with a count of both sides, at every width."""
FEWEST_ATTACKS = 5
"""Fewest attacks of each side."""
NO_EFFECT = {"random": "random timing", "season": "season"}
"""Alternatives without any effect of one side on the other, as sentences name them."""
ALTERNATIVES = (*NO_EFFECT, "shared shock", "reporting")
"""Explanations other than that one side's attacks follow those of the other."""
INTERVAL = 0.9
"""Probability of intervals."""
MOST_LAGS = 52
"""Most bins back."""


@dataclass(frozen=True, eq=False)
class Excitation:
    """What an attack by each of two sides is followed by, and what else could be behind it.

    Attributes
    ----------
    effects : pandas.DataFrame
        Indexed by ``by``, ``after``, ``width`` (periods in a bin) and ``lag`` (bins back; ``"1-3"`` for all of them):
        ``effect`` is how many more attacks ``by`` one side directly follow one attack by the other (``after``), with
        the 90% interval ``lower`` to ``upper`` of a parametric bootstrap, as if there were no shared shock; ``own``
        is how many of its own one attack is followed by.  ``score`` is how far the share of ``by`` in the total follows
        what ``after`` did, in standard errors; ``p_shared_shock`` its p-value under a shared shock, adjusted for all
        rows, both directions included.
    alternatives : pandas.DataFrame
        Indexed by ``by``, ``after`` and ``alternative``: ``p_value`` of each.  ``random`` and ``season`` are
        likelihood-ratio tests of no effect without and with season and weekdays, ``shared shock`` the least of
        ``effects``, ``reporting`` is tested for both directions together.
    response : pandas.DataFrame
        Indexed by ``by``, ``after`` and ``step``: ``estimate`` with ``lower`` and ``upper``, more attacks expected in
        the periods up to ``step`` after one attack, directly and through others, as if there were no shared shock.
    sides : tuple of str
        The two sides.
    within : int
        Periods that the sentence speaks of.
    confidence : float
        Confidence with which it speaks of both directions.
    freq, unit : str
        Of the counts; what is counted.
    draws, replicates, histories : int
        Series behind each p-value and each interval, and histories that were averaged (1 for exact counts).
    """

    effects: pd.DataFrame = field(repr=False)
    alternatives: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    sides: tuple[str, str]
    within: int
    confidence: float
    freq: str
    unit: str
    draws: int
    replicates: int
    histories: int

    def found(self, by: str, after: str) -> bool:
        """Say whether attacks by one side follow those by the other more than a shared shock explains.

        Parameters
        ----------
        by, after : str
            The sides.

        Raises
        ------
        InputError
            If they are not the two sides.
        """
        return bool(self._p_value(by, after, "shared shock") < 1 - self.confidence)

    def table(self) -> pd.DataFrame:
        """What follows an attack at each lag and width, as in ``effects``."""
        return self.effects

    def sentence(self) -> str:
        """Say it in plain words, each direction with its range and verdict."""
        first, second = self.sides
        return f"{self._said(second, first)} {self._said(first, second)}"

    def _p_value(self, by: str, after: str, alternative: str) -> float:
        if {by, after} != set(self.sides):
            raise InputError(f"there is no excitation of {by!r} by {after!r}; the sides are {', '.join(self.sides)}")
        return float(self.alternatives["p_value"].to_dict()[by, after, alternative])

    def _said(self, by: str, after: str) -> str:
        row = self.response.xs(by, level="by").xs(after, level="after").loc[self.within]
        size = f"{row['estimate']:.2g} ({row['lower']:.2g} to {row['upper']:.2g})"
        word = period_word(self.freq, self.within)
        span = word if self.within == 1 else f"{self.within} {word}"
        text = f"An attack by {after} is followed by {size} more {self.unit} by {by} within {span}"
        p = {name: self._p_value(by, after, name) for name in ALTERNATIVES}
        alpha = 1 - self.confidence
        if not self.found(by, after):
            other = [name for name in NO_EFFECT if p[name] >= alpha]
            rest = f", nor from {NO_EFFECT[other[0]]} (p {_short(p[other[0]])})" if other else ""
            return f"{text}; this cannot be distinguished from a shared shock (p {_short(p['shared shock'])}){rest}."
        text += f"; a shared shock and season do not explain it (p {_short(p['shared shock'])})"
        if p["reporting"] >= alpha:
            text += ", but one side reported late on top of a shared shock might"
        return text + "."

    def _repr_html_(self) -> str:
        kind = f"; mean over {self.histories} histories" if self.histories > 1 else ""
        note = f"{self.draws:,} series behind each p-value, {self.replicates:,} behind each interval{kind}."
        return (
            f"<p>{html.escape(self.sentence())} {note}</p>"
            + table_html(self.alternatives.round(3))
            + table_html(self.effects.round(3))
        )


def excitation(
    counts: pd.DataFrame,
    *,
    lags: int = 3,
    widths: Sequence[int] | None = None,
    within: int | None = None,
    season: int | Literal["auto"] = "auto",
    confidence: float = 0.95,
    draws: int = 499,
    replicates: int = 100,
    histories: int = 10,
    unit: str = "attacks",
    rng: Seed = None,
) -> Excitation:
    r"""Look for attacks by one side that bring about attacks by the other, both ways, at several lags and bin widths.

    How many attacks follow is estimated by :class:`~escalation.models.EndemicEpidemic` with the own and the other's
    past of each side.  That both rise and fall together makes such an effect whether or not one brings about the
    other, so it is no evidence.  The verdict comes from shares: given the total of both sides in a period, a level
    that drives both, whatever it did, says nothing about whose attacks they were.  If an attack by A brings about
    attacks by B, the share of B rises after it.  The share is regressed on both sides' past counts (beta-binomial);
    p-values are shares of series drawn with the totals as they were, the side's own past included.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts on a ``PeriodIndex``, two columns, one a side (missing periods are left out); histories have columns of
        two levels, side and ``draw``.
    lags : int
        Bins back, 1 to ``lags``.
    widths : sequence of int, optional
        Periods in a bin; 1, the periods themselves, is always among them.  Left out, 1 and 2, or 1 alone where bins of
        2 are too few.
    within : int, optional
        Periods that the sentence speaks of; ``lags`` when left out.
    season : int or "auto"
        Pairs of yearly sine and cosine, of the share and of the endemic rates; ``"auto"`` is one where two years or
        more were observed, else none.  Daily counts have weekdays besides.
    confidence : float
        Confidence of the verdicts on both directions together.
    draws, replicates : int
        Series behind each p-value, 39 or more, and behind each interval.
    histories : int
        How many histories to use, spread evenly over all.
    unit : str
        What is counted, for sentences.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Excitation

    Raises
    ------
    InputError
        If the table has not two sides or an option is out of range.
    FitError
        If fewer than 30 bins of a width have a count of both sides, or a side has fewer than five attacks.

    Notes
    -----
    If counts are Poisson with rates :math:`a_t s_t` and :math:`b_t s_t`, the first is binomial given the total, with
    share :math:`a_t / (a_t + b_t)`, free of the shared level :math:`s_t`.  What a side does after its own attacks
    lowers the other's share: the score is that of the effect on the other above that on oneself, so an effect of
    the same size on both cannot be distinguished from a shared level.  Nor can a shared level that reaches one side
    later, or is reported later there; ``reporting`` tests against that, with all totals before and now held: only how
    totals were made up counts then, and it does not distinguish directions.  p-values are adjusted for lags and widths
    by the largest score in each drawn series (Westfall & Young 1993) and doubled for two directions; over histories
    they are averaged (Meng 1994, doi:10.1214/aos/1176325622).  ``random`` and ``season`` are halves of chi-squared
    tails with one degree of freedom (Self & Liang 1987, doi:10.1080/01621459.1987.10478472), as an effect is not below
    0. Short series show little: of 60 simulated pairs that answer each other (2 a week of their own, 0.4 for each of
    the other's) one direction was found in 5 at 27 weeks, 14 at 54 and 44 at 104. Intervals are of counts drawn around
    the fitted means, past counts held as they were, and fitted again; they are widened to hold the estimate, as an
    effect near 0 comes out higher in most drawn series.

    Of simulated pairs of 200 weeks with three attacks each (``benchmarks/excitation.py``), answers of 0.4 both ways are
    found in 97%, those of one side alone in half; where there is none one is claimed in 1 to 8%.

    A level that drives the sides with different strength changes the share itself, but not by what either did.

    Examples
    --------
    Two sides that answer each other:

    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(2)
    >>> counts = np.zeros((200, 2))
    >>> for t in range(1, 200):
    ...     counts[t] = rng.poisson(2 + 0.5 * counts[t - 1, ::-1])
    >>> weeks = pd.period_range("2021-01-04", periods=200, freq="W-SUN")
    >>> sides = pd.DataFrame(counts, index=weeks, columns=["A", "B"])
    >>> result = excitation(sides, lags=1, widths=(1,), draws=99, replicates=10, rng=1)
    >>> result.found("A", after="B"), result.found("B", after="A")
    (True, True)
    >>> result.sentence().partition("; ")[2][:44]
    'a shared shock and season do not explain it '
    """
    if not isinstance(counts, pd.DataFrame) or is_histories(counts):
        raise InputError(
            "excitation takes a table with a column for each of two sides; histories with levels side, draw"
        )
    table = pd.DataFrame(check_counts(counts))
    sides, array = panel_array(table)
    if len(sides) != 2:
        raise InputError(f"excitation is between two sides and got {len(sides)}; choose two columns, or sum some")
    check_level(confidence, "confidence", such=0.95)
    lags = check_whole(lags, "lags", MOST_LAGS)
    within = check_whole(lags if within is None else within, "within", MAX_STEPS)
    draws, replicates = check_whole(draws, "draws", 100_000), check_whole(replicates, "replicates", 100_000)
    if 2 / (draws + 1) > 1 - confidence:
        raise InputError(
            f"draws is {draws}; a verdict with confidence {confidence:g} needs {math.ceil(2 / (1 - confidence))}"
        )
    asked = WIDTHS if widths is None else widths
    every = tuple(sorted({1, *(check_whole(width, "widths", 366) for width in asked)}))
    chosen = array[spread_over(len(array), check_whole(histories, "histories", 1_000_000))]
    periods = pd.PeriodIndex(table.index)
    if widths is None:
        every = tuple(width for width in every if width == 1 or _bins(chosen, width, lags) >= FEWEST)
    _check_enough(chosen, sides, every, lags)
    fixed = _fixed_terms(periods, season)
    generators = as_generator(rng).spawn(len(chosen))
    each = -(-replicates // len(chosen))
    try:
        looks = [
            _look(panel, sides, periods, fixed, lags, every, within, draws, each, generator)
            for panel, generator in zip(chosen, generators, strict=True)
        ]
    except (np.linalg.LinAlgError, FitError):
        raise FitError(
            "attacks are in too few periods for endemic-epidemic fits; use more periods or wider bins"
        ) from None
    return Excitation(
        effects=_effects(looks, sides, every, lags),
        alternatives=_alternatives(looks, sides),
        response=_response(looks, sides, within),
        sides=(sides[0], sides[1]),
        within=within,
        confidence=confidence,
        freq=str(periods.freqstr),
        unit=unit,
        draws=draws,
        replicates=replicates,
        histories=len(chosen),
    )


class _Look(NamedTuple):
    """What one history says.  The first axis is the target: the first side, the second side."""

    effects: FloatArray  # (2, widths, lags + 1)
    owns: FloatArray  # (2, widths, lags + 1)
    effects_again: FloatArray  # (replicates, 2, widths, lags + 1)
    scores: FloatArray  # (2, widths, lags + 1)
    p_shared: FloatArray  # (2, widths, lags + 1)
    p_values: FloatArray  # (2, 4): random, season, shared shock, reporting
    response: FloatArray  # (2, steps)
    response_again: FloatArray  # (replicates, 2, steps)


def _look(
    panel: FloatArray,
    sides: tuple[str, ...],
    periods: pd.PeriodIndex,
    fixed: FloatArray,
    lags: int,
    widths: tuple[int, ...],
    within: int,
    draws: int,
    replicates: int,
    rng: Generator,
) -> _Look:
    """Look at one history (n, 2)."""
    shock, report, again = rng.spawn(3)
    slow = [0, *range(1, fixed.shape[1] - (6 if periods.freqstr == "D" else 0))]
    trial = Trial(panel.sum(axis=1), fixed, tuple(slow), lags, widths)
    tests = [after_counts(panel[:, 0], trial, side, draws, shock) for side in ("first", "second")]
    reporting = float(after_makeup(panel[:, 0], trial, draws, report)[1].min())
    p_shared = np.minimum(2 * np.stack([p for _, p in tests]), 1.0)
    cells = [
        [fit_sides(panel, sides, periods, trial, width, one_lag(lag, lags), replicates, again) for lag in range(lags)]
        + [fit_decay(panel, sides, periods, trial, width, replicates, again)]
        for width in widths
    ]
    whole = cells[0][-1]
    last = {
        name: p_values_of_none(
            panel, sides, sides_design(periods, fixed if name == "season" else fixed[:, :1], sides), whole
        )
        for name in NO_EFFECT
    }
    p_values = np.column_stack([last["random"], last["season"], p_shared.min(axis=(1, 2)), [reporting] * 2])
    lag_weights = np.array(whole.model.lag_weights)
    matrices = np.concatenate([whole.matrix[None], whole.again])
    single = np.stack([respond(matrices, lag_weights, source, within)[:, 1 - source] for source in (1, 0)], axis=1)
    total = np.cumsum(single, axis=-1)
    picked = np.array([[cell.matrix for cell in row] for row in cells])  # (widths, lags + 1, target, source)
    drawn = np.array([[cell.again for cell in row] for row in cells])
    return _Look(
        effects=np.stack([picked[:, :, 0, 1], picked[:, :, 1, 0]]),
        owns=np.stack([picked[:, :, 1, 1], picked[:, :, 0, 0]]),
        effects_again=np.stack([drawn[..., 0, 1], drawn[..., 1, 0]]).transpose(3, 0, 1, 2),
        scores=np.stack([score for score, _ in tests]),
        p_shared=p_shared,
        p_values=p_values,
        response=total[0],
        response_again=total[1:],
    )


def _fixed_terms(periods: pd.PeriodIndex, season: int | Literal["auto"]) -> FloatArray:
    """Level, yearly waves and, of days, weekdays (n, k)."""
    freq = str(periods.freqstr)
    year = YEAR[freq[0]]
    if season == "auto":
        pairs = int(len(periods) >= 2 * year)
    elif isinstance(season, bool) or not isinstance(season, int | np.integer) or season < 0:
        raise InputError(f"season is {season!r}; give a whole number of pairs >= 0, or 'auto'")
    else:
        pairs = int(season)
    columns = np.column_stack([np.ones(len(periods)), calendar_waves(periods, "year", pairs)])
    if freq != "D":
        return columns
    days = np.asarray(periods.day_of_week)[:, None] == np.arange(1, 7)
    return np.column_stack([columns, days.astype(float)])


def _check_enough(array: FloatArray, sides: tuple[str, ...], widths: tuple[int, ...], lags: int) -> None:
    for width in widths:
        both = _bins(array, width, lags)
        if both < FEWEST:
            less = "give fewer lags" if width == 1 else f"leave {width} out of widths, give fewer lags"
            raise FitError(
                f"{both} bins of {width} with counts of both sides after the first {lags} are too few for excitation, "
                f"which needs {FEWEST}; {less}, a longer series or shorter periods"
            )
    attacks = np.nansum(array, axis=1).min(axis=0)
    if (attacks < FEWEST_ATTACKS).any():
        least = int(np.argmin(attacks))
        raise FitError(
            f"side {sides[least]!r} has {attacks[least]:.0f} attacks, too few for excitation; it needs {FEWEST_ATTACKS}"
        )


def _bins(array: FloatArray, width: int, lags: int) -> int:
    """Bins with counts of both sides after the first so many."""
    return int((~np.isnan(binned(array[0].sum(axis=1), width))).sum()) - lags


# Tables


def _directions(sides: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each side, after the other."""
    return [(sides[0], sides[1]), (sides[1], sides[0])]


def _effects(looks: list[_Look], sides: tuple[str, ...], widths: tuple[int, ...], lags: int) -> pd.DataFrame:
    labels = [*(str(lag) for lag in range(1, lags + 1)), f"1-{lags}"]
    index = pd.MultiIndex.from_tuples(
        [(*pair, width, lag) for pair in _directions(sides) for width in widths for lag in labels],
        names=["by", "after", "width", "lag"],
    )
    effect = np.mean([look.effects for look in looks], axis=0)
    lower, upper = _interval(effect, np.concatenate([look.effects_again for look in looks]))
    columns = {
        "effect": effect,
        "lower": lower,
        "upper": upper,
        "own": np.mean([look.owns for look in looks], axis=0),
        "score": np.mean([look.scores for look in looks], axis=0),
        "p_shared_shock": np.mean([look.p_shared for look in looks], axis=0),
    }
    table = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)
    return table if lags > 1 else table.drop(index=f"1-{lags}", level="lag")


def _alternatives(looks: list[_Look], sides: tuple[str, ...]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(
        [(*pair, name) for pair in _directions(sides) for name in ALTERNATIVES], names=["by", "after", "alternative"]
    )
    return pd.DataFrame({"p_value": np.mean([look.p_values for look in looks], axis=0).ravel()}, index=index)


def _response(looks: list[_Look], sides: tuple[str, ...], within: int) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(
        [(*pair, step) for pair in _directions(sides) for step in range(1, within + 1)], names=["by", "after", "step"]
    )
    estimate = np.mean([look.response for look in looks], axis=0)
    lower, upper = _interval(estimate, np.concatenate([look.response_again for look in looks]))
    columns = {"estimate": estimate, "lower": lower, "upper": upper}
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)


def _interval(estimate: FloatArray, drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Quantiles over replicates (first axis), widened to hold the estimate: near 0 most of them lie above it."""
    lower, upper = np.quantile(drawn, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2], axis=0)
    return np.minimum(lower, estimate), np.maximum(upper, estimate)


def _short(p: float) -> str:
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
