"""Change points: when the rate of incidents changed, how surely, and whether it has just done so."""

from __future__ import annotations

import html
import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betainc, expit, gammainc

from escalation.analysis.changes.fluctuation import fluctuation
from escalation.analysis.changes.segments import Cuts, Sums, count_cuts, filter_cuts, log_constants
from escalation.analysis.changes.series import CutSeries, cut_series, log_density
from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.wording import plain, probability_text
from escalation.counts.histories import POOLED
from escalation.counts.periods import period_word
from escalation.counts.series import CountsLike, unpack_counts

MOST_SAID = 3
"""Changes that a sentence names."""
SEARCH, KEPT = 9, 12.0
"""Dispersions tried in each of three rounds, and how far below the best (in nats) the next round reaches."""
COARSE = 400
"""Places of changes while dispersions are searched for; the posterior of their final values uses all places."""
LOG_ODDS = math.log(0.6 / 0.4)
"""Prior odds, as a log, that a rate fluctuates against that it is constant between changes."""
SUREST = 1 - 1e-12
"""Where one way is all but certain, the other keeps this little, so that it can be described."""
FINAL = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
"""Dispersions of the posterior, in standard deviations of the log dispersion around its mean."""


@dataclass(frozen=True, eq=False)
class ChangePoints:
    """Posterior of the number and the dates of the changes of a rate.

    Attributes
    ----------
    changes : pandas.DataFrame
        One row a change, for the likeliest number of changes: ``date`` (the first period at the new rate: median of
        its posterior), ``earliest`` and ``latest`` (its interval), ``rate_before`` and ``rate_after`` (per full
        period, between the dates of this table: posterior medians) with ``_lower`` and ``_upper``.
    number : pandas.Series
        Probability of each number of changes.
    probability : pandas.Series
        Of each period, that a new rate begins with it.
    since : pandas.Series
        Of each period, that the rate of the last one began with it; of the first, that it is that of the whole series.
    rate : pandas.Series
        Posterior mean of the rate of each period, over all numbers and dates of changes.
    dispersion : float
        Posterior mean of alpha in ``Var = mu + alpha mu^2``; 0 for ``poisson``.
    family : str
        ``fluctuating``, ``negbin`` or ``poisson``.
    fluctuates : float
        Probability that the rate fluctuates or drifts and does not change from one period to the next; it is part of
        that of no change.  0 but for ``fluctuating``.
    expected_run_length : float
        Periods between changes, as expected beforehand.
    level : float
        Probability of the intervals.
    histories : int
        How many histories were averaged; 1 for exact counts.
    unit : str
        What is counted.
    """

    changes: pd.DataFrame
    number: pd.Series
    probability: pd.Series
    since: pd.Series
    rate: pd.Series
    dispersion: float
    family: str
    fluctuates: float
    expected_run_length: float
    level: float
    histories: int
    unit: str

    def probability_within(self, periods: int) -> float:
        """Probability that the rate changed at least once with one of the last so many periods.

        Parameters
        ----------
        periods : int
            1 or more; the first period of the series is no change.

        Returns
        -------
        float

        Raises
        ------
        InputError
            If it is not a whole number, 1 to the number of periods.
        """
        number = check_whole(periods, "periods", len(self.since))
        return float(self.since.iloc[max(len(self.since) - number, 1) :].sum())

    def table(self) -> pd.DataFrame:
        """One row a change, as in ``changes``."""
        return self.changes

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        word = period_word(pd.PeriodIndex(self.rate.index).freqstr)
        most = len(self.changes)
        some = probability_text(1 - float(self.number.iloc[0]))
        if most == 0:
            none = probability_text(float(self.number.iloc[0]))
            mean = f"its mean is some {plain(float(self.rate.mean()))} {self.unit} per {word}"
            if self.fluctuates > 0.5:
                return (
                    f"No abrupt change stands out (probability of none {none}): a rate that fluctuates or drifts "
                    f"explains the counts as well; {mean}."
                )
            return f"That the rate did not change abruptly is likeliest (probability {none}); {mean}."
        times = "once" if most == 1 else f"{most} times"
        parts = [
            f"with the {word} that starts on {row['date'].start_time.date()}{_dates(row)} from "
            f"{_rate(row, 'rate_before')} to {_rate(row, 'rate_after')}"
            for row in self.changes.tail(MOST_SAID).to_dict("records")
        ]
        said = "" if most <= MOST_SAID else f" the last {MOST_SAID}"
        return (
            f"The rate of {self.unit} per {word} most likely changed {times} (probability "
            f"{probability_text(float(self.number.iloc[most]))}; at least once: {some}),{said} {', '.join(parts)}; "
            f"with {100 * self.level:g}% intervals."
        )

    def _repr_html_(self) -> str:
        numbers = self.number[self.number >= 0.005].to_frame().T
        return (
            f"<p>{html.escape(self.sentence())}</p>"
            + table_html(self.changes.astype({"date": str, "earliest": str, "latest": str}).round(3))
            + table_html(numbers.round(3))
        )


def changepoints(
    counts: CountsLike,
    *,
    exposure: pd.Series | None = None,
    family: Literal["fluctuating", "negbin", "poisson"] = "fluctuating",
    expected_run_length: float | None = None,
    prior: tuple[float, float] | None = None,
    level: float = 0.9,
    histories: int = POOLED,
    unit: str | None = None,
) -> ChangePoints:
    r"""Find when the rate of a series changed: the exact posterior of the number and the dates of the changes.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex`` (missing periods allowed), or histories of it.
    exposure : pandas.Series, optional
        Share of each period that was covered, > 0 where it was observed; what the series brings, or all 1, when left
        out.
    family : {"fluctuating", "negbin", "poisson"}
        ``"negbin"`` has one rate between two changes, and estimates the dispersion of the counts about it;
        ``"fluctuating"`` sets beside it, as another way of no change, a rate whose neighbours are alike, for levels
        that swing are otherwise cut into pieces; ``"poisson"`` assumes that there is no dispersion, and takes every
        scatter beyond it for changes.
    expected_run_length : float, optional
        Periods between changes, as expected beforehand, above 1; the length of the series when left out, so that one
        change is expected.
    prior : (float, float), optional
        Shape and divisor of the gamma prior of a rate, whose mean is shape / divisor; ``(1, 1 / mean)`` with the mean
        of the series when left out.
    level : float
        Probability of the intervals.
    histories : int
        How many histories to use, spread evenly over all; each has the same weight.
    unit : str, optional
        What is counted, for sentences; what the series brings, or ``incidents``, when left out.

    Returns
    -------
    ChangePoints

    Raises
    ------
    InputError
        If there are fewer than 2 observed or more than 5,000 periods, the counts sum to more than 1e11, or an option
        cannot be used.

    Notes
    -----
    Each period begins a new rate with the same probability, 1 / ``expected_run_length``, and rates are independent of
    each other (a product partition model, Barry & Hartigan 1992, doi:10.1214/aos/1176348521).  The rate is integrated
    out of each run of periods in closed form, and all ways to cut the series are summed over by dynamic programming in
    O(n^2) (Fearnhead 2006, doi:10.1007/s11222-006-8450-8): no sampling, no largest number of changes.

    **poisson.** Rates are gamma, counts Poisson with mean exposure x rate.

    **negbin.** Counts are NB2 with mean :math:`\mu` and :math:`\mathrm{Var} = \mu + \alpha \mu^2`, one :math:`\alpha`
    for the whole series.  The prior of a rate is the distribution conjugate to that, :math:`\alpha \mu \sim
    \mathrm{BetaPrime}(\text{shape}, 1 + \text{divisor} / \alpha)`; it has the mean of the gamma prior and becomes it as
    :math:`\alpha \to 0`.  That is exact for given :math:`\alpha`; :math:`\sqrt\alpha` is exponential with mean 1
    beforehand, and its posterior is summed over five values.  A period covered in part counts as NB with size
    exposure / :math:`\alpha`, as if the excess scatter arose anew within the period; for full periods that is NB2.

    **fluctuating.** With prior probability 0.6 the rate is that of :class:`escalation.models.LocalLevel` with the log
    link, parameters and levels integrated out; else it is as in negbin.  Both are weighted by the probability that they
    gave to all counts.

    Where periods were not observed a change may lie in any of them, and dates spread over the gap.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=20, freq="W-SUN")
    >>> found = changepoints(pd.Series([1, 0, 2, 1, 0, 1, 3, 1, 9, 12, 8, 11, 14, 9, 10, 7, 12, 9, 8, 13], index=weeks))
    >>> found.number.round(2).tolist()[:3], str(found.changes["date"][1].start_time.date())
    ([0.0, 0.77, 0.2], '2024-02-26')
    """
    counts, exposure, unit = unpack_counts(counts, exposure, unit)
    check_level(level)
    series = cut_series(counts, exposure, family, expected_run_length, prior, histories)
    n, m = series.matrix.shape
    parts: list[_Part] = []
    evidence = np.zeros(m)
    for j, y in enumerate(series.matrix.T):
        nodes = np.zeros(1) if family == "poisson" else _search(y, series)
        found, evidence[j] = _weighted(y, nodes, series, j)
        parts += found
    smooth = fluctuation(series) if family == "fluctuating" else None
    fluctuates = np.zeros(m) if smooth is None else np.minimum(expit(smooth.log_evidence - evidence + LOG_ODDS), SUREST)
    if smooth is not None:
        parts = [part._replace(weight=part.weight * (1 - fluctuates[part.history])) for part in parts]
    share = float(fluctuates.mean())
    number = _pooled([np.pad(part.cuts.number, (0, n)) for part in parts], parts)
    number[0] += share
    number = number[: int(np.flatnonzero(number > 1e-12)[-1]) + 1]
    periods = series.periods
    change = _pooled([part.cuts.change for part in parts], parts)[:-1]
    change[0] = 0.0
    since, rate = (_pooled([getattr(part.cuts, name) for part in parts], parts) for name in ("since", "rate"))
    since[0] += share
    if smooth is not None:
        rate += fluctuates @ smooth.rates / m
    return ChangePoints(
        changes=_changes(parts, int(number.argmax()), periods, level),
        number=pd.Series(number, index=pd.RangeIndex(len(number), name="changes"), name="probability"),
        probability=pd.Series(change, index=periods, name="probability"),
        since=pd.Series(since, index=periods, name="since"),
        rate=pd.Series(rate, index=periods, name="rate"),
        dispersion=sum(part.weight * part.dispersion for part in parts) / sum(part.weight for part in parts),
        family=family,
        fluctuates=share,
        expected_run_length=series.expected_run_length,
        level=level,
        histories=m,
        unit=unit,
    )


class _Part(NamedTuple):
    """What one history says at one dispersion, and its share of the posterior."""

    dispersion: float
    weight: float
    history: int
    cuts: Cuts
    sums: Sums


def _search(y: FloatArray, series: CutSeries) -> FloatArray:
    """Dispersions (5,) that carry the posterior of one history."""
    n = len(y)
    sums = series.sums(y, thinned=-(-n // COARSE))
    seen = ~np.isnan(y)
    low, high = math.log(1e-3 / max(float(y[seen].mean()), 1.0)), math.log(1e2)
    grid, density = np.empty(0), np.empty(0)
    for _ in range(3):
        grid = np.linspace(low, high, SEARCH)
        density = log_density(grid) + [
            filter_cuts(sums, a)[0][-1] + log_constants(y, series.exposure, a).sum() for a in np.exp(grid)
        ]
        kept = np.flatnonzero(density > density.max() - KEPT)
        low, high = grid[max(kept[0] - 1, 0)], grid[min(kept[-1] + 1, SEARCH - 1)]
    share = np.exp(density - density.max())
    share /= share.sum()
    mean = share @ grid
    nodes: FloatArray = np.exp(mean + math.sqrt(share @ (grid - mean) ** 2) * FINAL)
    return nodes


def _weighted(y: FloatArray, nodes: FloatArray, series: CutSeries, history: int) -> tuple[list[_Part], float]:
    """The exact posterior of one history at each dispersion, and the log probability of its counts."""
    sums = series.sums(y)
    found, height = [], np.zeros(len(nodes))
    for k, a in enumerate(nodes):
        evidence, last = filter_cuts(sums, a)
        if a > 0:
            height[k] = evidence[-1] + log_constants(y, series.exposure, a).sum() + log_density(np.log(a))
        found.append(count_cuts(sums, last))
    weight = np.exp(height - height.max())
    apart = math.log(nodes[1] / nodes[0]) if len(nodes) > 1 else 1.0
    log_probability = float(height.max() + math.log(weight.sum() * apart))
    weight /= weight.sum() * series.matrix.shape[1]
    parts = [_Part(float(a), float(w), history, cuts, sums) for a, w, cuts in zip(nodes, weight, found, strict=True)]
    return parts, log_probability


def _pooled(values: list[FloatArray], parts: list[_Part]) -> FloatArray:
    """Mean over the posterior; arrays are cut to the shortest."""
    shortest = min(len(value) for value in values)
    total = np.zeros(shortest)
    for value, part in zip(values, parts, strict=True):
        total += part.weight * value[:shortest]
    return total


def _changes(parts: list[_Part], number: int, periods: pd.PeriodIndex, level: float) -> pd.DataFrame:
    """The table of so many changes."""
    places = [0]
    rows: list[dict[str, object]] = []
    for j in range(1, number + 1):
        pmf = np.zeros(len(periods) + 1)
        for part in parts:
            if len(part.cuts.number) > number:
                pmf += part.weight * part.cuts.before[j - 1] * part.cuts.behind[number - j + 1]
        reached = np.cumsum(pmf) / pmf.sum()
        early, middle, late = (int(np.searchsorted(reached, q)) for q in ((1 - level) / 2, 0.5, (1 + level) / 2))
        places.append(middle)
        rows.append({"date": periods[middle], "earliest": periods[early], "latest": periods[late]})
    places.append(len(periods))
    rates = list(_rates(parts, places, level))
    for row, was, now in zip(rows, rates[:-1], rates[1:], strict=True):
        for name, (lower, median, upper) in (("rate_before", was), ("rate_after", now)):
            row |= {name: median, f"{name}_lower": lower, f"{name}_upper": upper}
    columns = ["date", "earliest", "latest"]
    columns += [f"rate_{when}{limit}" for when in ("before", "after") for limit in ("", "_lower", "_upper")]
    return pd.DataFrame(rows, columns=columns, index=pd.RangeIndex(1, number + 1, name="change"))


def _rates(parts: list[_Part], places: list[int], level: float) -> Iterator[tuple[float, float, float]]:
    """Lower limit, median and upper limit of the rate between each two places."""
    a = np.array([part.dispersion for part in parts])
    weight = np.array([part.weight for part in parts])
    weight /= weight.sum()
    for begin, end in pairwise(places):
        top = np.array([part.sums.shape + part.sums.counts[end] - part.sums.counts[begin] for part in parts])
        bottom = np.array([part.sums.divisor + part.sums.covered[end] - part.sums.covered[begin] for part in parts])
        yield (
            _rate_limit(weight, a, top, bottom, (1 - level) / 2),
            _rate_limit(weight, a, top, bottom, 0.5),
            _rate_limit(weight, a, top, bottom, (1 + level) / 2),
        )


def _rate_limit(weight: FloatArray, a: FloatArray, top: FloatArray, bottom: FloatArray, q: float) -> float:
    """Quantile of a mixture of gamma distributions, or of those conjugate to NB2, by halving on the log scale."""
    centre = math.log(float((top / bottom).mean()))
    low, high = centre - 60.0, centre + 60.0
    for _ in range(60):
        middle = (low + high) / 2
        rate = math.exp(middle)
        odds = a * rate
        below = np.where(
            a == 0, gammainc(top, bottom * rate), betainc(top, 1 + bottom / np.where(a == 0, 1, a), odds / (1 + odds))
        )
        low, high = (middle, high) if weight @ below < q else (low, middle)
    return math.exp((low + high) / 2)


def _dates(row: dict[Hashable, Any]) -> str:
    """Range of the date of a change, nothing where it is that date alone."""
    if row["earliest"] == row["latest"]:
        return ""
    return f" ({row['earliest'].start_time.date()} to {row['latest'].start_time.date()})"


def _rate(row: dict[Hashable, Any], name: str) -> str:
    return f"{plain(row[name])} ({plain(row[f'{name}_lower'])} to {plain(row[f'{name}_upper'])})"
