"""Nowcast: correct the counts of the latest periods for reports that are still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import DateLike, parse_date, parse_freq, period_word
from escalation.counts.schema import DRAW, quantile_frame
from escalation.errors import FitError, InputError, warn
from escalation.incidents.nowcasts.delays import (
    Trials,
    draw_plug_in,
    draw_untruncated,
    known_share,
    make_trials,
    reporting_rhythm,
    reverse_hazards,
    sample_delays,
)
from escalation.incidents.nowcasts.levels import (
    draw_levels,
    draw_of_reported,
    draw_parameters,
    draw_unreported,
    draw_with_fixed_prior,
    filter_levels,
)
from escalation.incidents.nowcasts.reports import Known, Reports, read_reports
from escalation.incidents.nowcasts.result import Nowcast

METHODS = ("bayes.trunc", "bayes.notrunc", "lawless")
COMPLETE = 0.99
"""A share of the reports that is as good as all, where ``max_delay`` is left out."""
LONGEST_SOUGHT = 366
"""``max_delay`` is not sought among longer delays than this."""
LATER = 0.02
"""A share of reports later than ``max_delay`` that is worth a warning."""
MOST_DRAWS = 100_000
LEAST_SHARE = 1e-12
"""Shares known are not below this, so that their logarithms are numbers."""
BATCHED = 3.0
"""Variance of the reports from one period to the next over that of delays alone, from which they count as batches."""
UNEVEN = 1.5
"""Ratio of reports on a weekday to those expected, or its inverse, from which the weekday is named."""


def nowcast(
    reports: pd.DataFrame | Mapping[DateLike, Known],
    freq: str,
    *,
    start: DateLike | None = None,
    now: DateLike | None = None,
    max_delay: int | None = None,
    method: Literal["bayes.trunc", "bayes.notrunc", "lawless"] = "bayes.trunc",
    prior: tuple[float, float] | None = None,
    delay_prior: float = 0.1,
    window: int | None = None,
    change: DateLike | None = None,
    draws: int = 1000,
    level: float = 0.9,
    event: str = "date",
    reported: str = "as_of",
    unit: str = "incidents",
    rng: Seed = None,
) -> Nowcast:
    r"""Correct the counts of the latest periods for reports that are still to come.

    Parameters
    ----------
    reports : pandas.DataFrame or mapping
        Either a line list, one row an incident, with the day it happened and the day it was reported; or at least two
        snapshots by their dates: a mapping of date to counts (Series on a ``PeriodIndex``, ``freq`` as below) or to
        tables of incidents, or a DataFrame of counts on a ``PeriodIndex`` with one column a snapshot date. Incidents
        are known again by ``incident_id``, and count where and as the last snapshot has them. Snapshots taken at ends
        of periods say most; each may begin later than the one before.
    freq : str
        ``"D"``, ``"W"`` (weeks that end on Sunday), ``"W-SUN"`` to ``"W-SAT"``, or ``"M"``. Delays are counted in
        periods, 0 being the same one. Sums of daily histories by week are a nowcast of weeks, too.
    start : date or str, optional
        First covered day; the first with an incident when left out.
    now : date or str, optional
        Last day whose reports are taken to be in; that of the last report or snapshot when left out, which is too
        early if nothing was reported since.
    max_delay : int, optional
        Periods after which a count is taken to be complete, less than there are periods. Later reports count as of
        this delay. When left out, the smallest by which 99% of the reports have come, as far as half of the periods
        (at most 366) show.
    method : {"bayes.trunc", "bayes.notrunc", "lawless"}
        As R surveillance names them. ``bayes.trunc`` allows for the reports that are not in yet when it
        estimates delays; ``bayes.notrunc`` does not, and so corrects too little; ``lawless`` rests on the reported
        counts alone, and so says 0 where nothing has been reported.
    prior : (float, float), optional
        Mean and variance of every count before its reports are seen, as in surveillance. When left out, counts follow
        a level that moves, estimated with its mean, size and persistence from all periods. Not for ``lawless``.
    delay_prior : float
        Dirichlet weight of each delay before reports are seen, > 0.
    window : int, optional
        How many of the last periods the delays are estimated from; all when left out.
    change : date or str, optional
        First day of another way of reporting: the reverse-time hazards of reports since then have odds that are
        a common multiple of those before. Only for ``bayes.trunc``.
    draws : int
        How many histories.
    level : float
        Probability of the intervals, between 0 and 1.
    event, reported : str
        Columns of the line list with the days; ``event`` of incident tables, too (such as ``"date_end"``).
    unit : str
        What is counted.
    rng : int, Generator or None
        Seed.

    Returns
    -------
    Nowcast
        With ``histories`` for ``fit``.

    Raises
    ------
    InputError
        If a table, date or option cannot be used, a report is dated before its incident, or there are too few periods
        or snapshots.
    FitError
        If ``lawless`` finds that no report at all comes as early as those of the latest periods.

    Warns
    -----
    PartialPeriodWarning
        If ``now`` lies within a period of a line list; its reports are left out.
    DataWarning
        If reports come in batches (on some weekdays, in bulletins), more than 2% come later than ``max_delay``, some
        delays were never at risk, or later snapshots took incidents back.

    Notes
    -----
    The share known by a delay is a product of reverse-time hazards, :math:`F(x) = \prod_{y > x} (1 - g_y)`, of which
    each is a binomial share of what is known by its delay, whatever is still to come (Lawless 1994,
    doi:10.2307/3315826.n1). With symmetric Dirichlet weights the posterior is a generalised Dirichlet distribution,
    drawn without a chain (Höhle & an der Heiden 2014, doi:10.1111/biom.12194). Snapshots further apart than a period
    give a span for each delay, which a Gibbs sampler splits.

    The delays are learnt from the delays alone, never from a count that looks low. With a fixed ``prior`` the count
    still to come is negative binomial given the reported one, as in surveillance. Without, it is Poisson about the
    unreported share of a level, and levels are drawn together, backwards
    (``escalation/incidents/nowcasts/levels.py``). One draw of the delays holds for all periods of a history, so that
    sums over periods have their right spread.

    ``lawless`` draws hazards with the variance of his equation 2.15 and unreported counts as negative binomial, whose
    mean and variance are his 2.12 and 2.16. (The ``lawless`` of surveillance leaves the first term of 2.16 out.)

    Examples
    --------
    >>> import escalation
    >>> days = pd.Series(pd.date_range("2024-01-01", "2024-06-30"))
    >>> late = pd.to_timedelta(np.arange(len(days)) * 5 % 17, unit="D")
    >>> raids = pd.DataFrame({"date": days, "as_of": days + late})
    >>> made = escalation.incidents.nowcast(raids, "W", now="2024-06-30", unit="raids", rng=1)
    >>> made.incomplete["reported"].tolist()
    [7, 5, 1]
    >>> made.delays["known_by"].round(1).tolist()
    [0.2, 0.6, 1.0, 1.0]
    >>> forecast = escalation.LocalLevel().fit(made.histories, unit="raids").forecast(4, rng=1)
    >>> forecast.steps
    4
    """
    freq = parse_freq(freq)
    check_level(level)
    draws = check_whole(draws, "draws", MOST_DRAWS)
    _check_options(method, prior, delay_prior, change)
    generator = as_generator(rng)
    source = read_reports(reports, freq, start=start, now=now, event=event, reported=reported)
    periods = len(source.index)
    if periods < 3:
        raise InputError(f"reports are of {periods} whole periods; at least 3 are needed to see delays")
    window = None if window is None else check_whole(window, "window", periods)
    changed = None if change is None else _change_place(change, source)
    if max_delay is None:
        max_delay = _enough_delay(source, window, delay_prior, generator)
    most = check_whole(max_delay, "max_delay", periods - 1)
    known = source.by_delay(most)
    trials = make_trials(known, window)
    _check_trials(trials, method, source)
    _warn_later(source, most)
    _warn_batches(trials, source.index)
    hazards, shift = _draw_delays(method, trials, known, delay_prior, draws, generator, changed)
    latest = Latest.of(known)
    unreported = _draw_counts(method, latest, hazards, prior, generator)
    return _as_nowcast(source, latest, unreported, hazards, shift, method, level, unit)


@dataclass(frozen=True, eq=False)
class Latest:
    """Reported counts and the delays by which they are known.

    Attributes
    ----------
    counts : (periods,) float array
    seen : (periods,) int64 array
        ``most`` where the count is complete.
    most : int
    """

    counts: FloatArray
    seen: IntArray
    most: int

    @staticmethod
    def of(known: FloatArray) -> Latest:
        """Take the last figure of each period."""
        width = known.shape[1]
        seen = width - 1 - np.argmax(~np.isnan(known)[:, ::-1], axis=1)
        return Latest(known[np.arange(len(known)), seen], seen, width - 1)

    @property
    def open(self) -> int:
        """How many of the last periods are not complete."""
        return int((self.seen < self.most).sum())

    def shares(self, hazards: FloatArray) -> FloatArray:
        """Share known of each period, shape (draws, periods)."""
        return np.maximum(known_share(hazards)[:, self.seen], LEAST_SHARE)


def _check_options(method: str, prior: tuple[float, float] | None, delay_prior: float, change: object) -> None:
    if method not in METHODS:
        raise InputError(f"method is {method!r}; use {', '.join(METHODS)}")
    if not 0.0 < delay_prior < np.inf:
        raise InputError(f"delay_prior is {delay_prior!r}; give a weight > 0, such as 0.1")
    if change is not None and method != "bayes.trunc":
        raise InputError(f"method {method!r} knows no change of the delays; use bayes.trunc or a window")
    if prior is None:
        return
    if method == "lawless":
        raise InputError("method 'lawless' has no prior of the counts; leave prior out")
    if not (isinstance(prior, tuple) and len(prior) == 2 and 0.0 < prior[0] < prior[1] < np.inf):
        raise InputError(f"prior is {prior!r}; give the mean and the variance of the counts, 0 < mean < variance")


def _change_place(change: DateLike, source: Reports) -> int:
    """Position of the first period of reporting since the change."""
    place = int(pd.Period(parse_date(change, "change"), source.index.freqstr).ordinal - source.index.asi8[0])
    if not 0 < place < len(source.index):
        raise InputError(
            f"change is {change}, and the periods are {source.index[0]} to {source.index[-1]}; move it inside"
        )
    return place


def _enough_delay(source: Reports, window: int | None, delay_prior: float, rng: Generator) -> int:
    """Smallest delay by which as good as all reports have come."""
    most = min((len(source.index) - 1) // 2, LONGEST_SOUGHT)
    trials = make_trials(source.by_delay(most), window)
    if trials.exact:
        share = known_share(reverse_hazards(trials))
    else:
        share = known_share(sample_delays(trials, delay_prior, 200, rng)[0]).mean(axis=0)
    return max(int(np.argmax(share >= COMPLETE)), 1)


def _check_trials(trials: Trials, method: str, source: Reports) -> None:
    if method == "bayes.notrunc" and not source.dated:
        raise InputError("method 'bayes.notrunc' needs the date of each report, not snapshots; use bayes.trunc")
    if method == "lawless" and not trials.exact:
        raise InputError("method 'lawless' needs snapshots of every period, or report dates; use bayes.trunc")
    at_risk = np.bincount(trials.high, weights=trials.total, minlength=trials.most + 1)
    at_risk += np.bincount(trials.low, weights=trials.total, minlength=trials.most + 1)
    never = np.flatnonzero(at_risk[1:] == 0) + 1 if trials.exact else np.array([], dtype=int)
    if len(trials.total) == 0 or trials.total.sum() == 0:
        raise InputError("nothing is known at two delays of one period, so delays cannot be seen; give more periods")
    if len(never):
        warn(
            f"no period shows delay {', '.join(str(delay) for delay in never[:5])}"
            f"{' ...' if len(never) > 5 else ''}; what is said of it is the prior: choose a smaller max_delay"
        )


def _warn_later(source: Reports, most: int) -> None:
    """Warn of reports that come later than the longest delay."""
    later = int(source.count[source.delay > most].sum()) if source.dated else 0
    total = int(source.count.sum())
    if later > LATER * total:
        warn(
            f"{later:,} of {total:,} reports came more than {most} {period_word(source.index.freqstr, most)} late "
            "and are taken as if they had come then; choose a larger max_delay"
        )


def _warn_batches(trials: Trials, index: pd.PeriodIndex) -> None:
    """Warn when reports come on some weekdays, or many at once after none."""
    came, expected, variance = reporting_rhythm(trials, len(index))
    word = period_word(index.freqstr)
    uneven = []
    if word == "day":
        weekday = index.day_of_week.to_numpy()
        sums = [np.bincount(weekday, weights=values, minlength=7) for values in (came, expected, variance)]
        far = np.abs(sums[0] - sums[1]) > 4 * np.sqrt(sums[2])
        ratio = (sums[0] + 0.5) / (sums[1] + 0.5)
        names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        uneven = [
            f"{names[day]} ({ratio[day]:.1f} times what the delays let expect)"
            for day in np.flatnonzero(far & (np.maximum(ratio, 1 / ratio) > UNEVEN))
        ]
    enough = variance > 0.5
    apart = np.diff(((came - expected)[enough]) / np.sqrt(variance[enough]))
    # from one period to the next, so that a lasting change of the delays is not taken for batches
    spread = float((apart**2).mean() / 2) if len(apart) >= 5 else 0.0
    if uneven:
        what = f"reports come unevenly by weekday: {', '.join(uneven)}"
    elif spread > BATCHED:
        what = (
            f"reports come in batches: from {word} to {word} their number varies {spread:.1f} times as much as delays "
            "explain"
        )
    else:
        return
    longer = {"day": "freq='W'", "week": "freq='M'", "month": "a window without the batches"}[word]
    warn(f"{what}; the intervals do not allow for that and are too narrow: try {longer}")


def _draw_delays(
    method: str,
    trials: Trials,
    known: FloatArray,
    delay_prior: float,
    draws: int,
    rng: Generator,
    changed: int | None,
) -> tuple[FloatArray, FloatArray | None]:
    """Draw the hazards that hold now, and the log odds by which a change moved them."""
    if method == "lawless":
        return draw_plug_in(*trials.sums(), draws, rng), None
    if method == "bayes.notrunc":
        return draw_untruncated(known, trials, delay_prior, draws, rng), None
    return sample_delays(trials, delay_prior, draws, rng, changed)


def _draw_counts(
    method: str,
    latest: Latest,
    hazards: FloatArray,
    prior: tuple[float, float] | None,
    rng: Generator,
) -> IntArray:
    """Draw the counts still to come of the open periods, shape (draws, open)."""
    share = latest.shares(hazards)
    part = slice(len(latest.counts) - latest.open, None)
    counts = latest.counts[part]
    if method == "lawless":
        if (share[:, part][:, counts > 0] <= LEAST_SHARE).any():
            raise FitError(
                "lawless: no older period has reports as early as the latest ones; use bayes.trunc, or a longer window"
            )
        return draw_of_reported(counts, share[:, part], rng)
    if prior is not None:
        return draw_with_fixed_prior(counts, share[:, part], *prior, rng)
    theta = draw_parameters(latest.counts, share.mean(axis=0), len(hazards), rng)
    shape, rate = filter_levels(latest.counts, share, theta, latest.open)[1:]
    levels = draw_levels(shape, rate, theta, rng)
    return draw_unreported(levels, share[:, part], rng)


def _as_nowcast(
    source: Reports,
    latest: Latest,
    unreported: IntArray,
    hazards: FloatArray,
    shift: FloatArray | None,
    method: str,
    level: float,
    unit: str,
) -> Nowcast:
    counts = np.repeat(latest.counts.astype(np.int64)[:, None], len(unreported), axis=1)
    first = len(counts) - latest.open
    counts[first:] += unreported.T
    columns = pd.RangeIndex(len(unreported), name=DRAW)
    histories = pd.DataFrame(counts, index=source.index, columns=columns)
    reported = pd.Series(latest.counts[first:].astype(np.int64), index=source.index[first:], name="reported")
    table = pd.concat([reported, quantile_frame(histories.iloc[first:], level)], axis=1)
    share = known_share(hazards)
    delays = pd.concat(
        [
            _delay_frame(np.diff(share, axis=1, prepend=0.0), "probability", level),
            _delay_frame(share, "known_by", level),
        ],
        axis=1,
    )
    return Nowcast(
        incomplete=table,
        histories=histories,
        delays=delays,
        now=source.now,
        max_delay=latest.most,
        method=method,
        level=level,
        change=None if shift is None else _limits(np.exp(shift), level),
        unit=unit,
    )


def _delay_frame(values: FloatArray, name: str, level: float) -> pd.DataFrame:
    """Mean and limits over the draws, by delay."""
    lower, upper = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    index = pd.RangeIndex(values.shape[1], name="delay")
    return pd.DataFrame({name: values.mean(axis=0), f"{name}_lower": lower, f"{name}_upper": upper}, index=index)


def _limits(values: FloatArray, level: float) -> pd.Series:
    """Median and limits of draws."""
    limits = np.quantile(values, [0.5, (1 - level) / 2, (1 + level) / 2])
    return pd.Series(limits, index=["median", "lower", "upper"])
