"""Reconstruct the count series behind reported counts: tallies in, equally plausible histories out."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import DateLike, exposure, parse_date, parse_freq, period_index
from escalation.counts.schema import DRAW, quantile_frame
from escalation.counts.series import CountSeries
from escalation.errors import InputError, NotConvergedWarning
from escalation.tallies.kernels import Kernel, check_kernels, make_kernel
from escalation.tallies.posterior import THIN, WARMUP, Evidence, Posterior, atoms_from, sample_posterior
from escalation.tallies.schema import DATE_CONFIDENCE, FLAGS, check_tallies, contains

SURPRISING = 0.02
"""A tally whose surprise probability is below this is named as a contradiction."""

LONGER = 3
"""How many times longer the chains run again when they did not agree at first."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Equally plausible histories behind a set of tallies, and how far they can be trusted.

    Attributes
    ----------
    histories : pandas.DataFrame
        int64, periods x draws; each column is a possible true count series.
    daily : pandas.DataFrame
        The same draws by day.
    tallies : pandas.DataFrame
        All tallies of the series by this counter.  ``used`` says whether the histories rest on it,
        and if not, ``why``.  ``role`` is count, floor or ceiling; ``predicted_low``,
        ``predicted_median`` and ``predicted_high`` are the 90% range of what the counter would have
        reported, as the *other* tallies have it (for a bound or a range: of the true count; missing
        for a window outside the days reconstructed); ``surprise`` is the two-sided probability of
        something as far out as what was reported.
    exposure : pandas.Series
        Share of each period that lies between start and end.
    rhat, ess : float
        Largest split R-hat and smallest bulk effective sample size over all weekly and cumulative
        counts and the scale of the random walk (Vehtari et al. 2021, doi:10.1214/20-BA1221).
    converged : bool
        R-hat <= 1.02 and effective sample size >= 100.
    series, counter, place, unit : str
        What was counted, by whom, where.
    """

    histories: pd.DataFrame = field(repr=False)
    daily: pd.DataFrame = field(repr=False)
    tallies: pd.DataFrame = field(repr=False)
    exposure: pd.Series = field(repr=False)
    rhat: float
    ess: float
    converged: bool
    series: str
    counter: str
    place: str
    unit: str

    def summary_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Median and central credible interval of each period's count.

        Parameters
        ----------
        level : float
            Probability of the interval, between 0 and 1 (exclusive).

        Returns
        -------
        pandas.DataFrame
            Columns ``median``, ``lower``, ``upper``.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        return quantile_frame(self.histories, level)

    def cumulative(self, level: float = 0.9) -> pd.DataFrame:
        """Median and credible interval of the total since the first day, by day.

        Parameters
        ----------
        level : float
            Probability of the interval, between 0 and 1 (exclusive).

        Returns
        -------
        pandas.DataFrame
            Columns ``median``, ``lower``, ``upper``; one row a day.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        return quantile_frame(self.daily.cumsum(), level)

    def contradictions(self) -> pd.DataFrame:
        """Tallies that do not go together, by end of window.

        Returns
        -------
        pandas.DataFrame
            Rows of ``tallies`` with ``contradiction``: ``improbable`` where the other tallies make it so
            (surprise below 0.02), ``disputed`` where several bare numbers stand for the same window.
        """
        table = self.tallies
        improbable = table["surprise"] < SURPRISING
        bare = (table["qualifier"] == "exact") & table["surprise"].notna()
        numbers = table[bare].groupby(["place", "start", "end"])["count"].transform("nunique")
        disputed = numbers.reindex(table.index).gt(1).fillna(False).astype(bool)
        found = table.assign(contradiction=np.where(improbable, "improbable", "disputed"))[improbable | disputed]
        return found.sort_values(["end", "start", "count"], kind="stable")

    def to_count_series(self) -> CountSeries:
        """Return the histories with their exposure, unit and names, as every analysis takes them."""
        return CountSeries(
            self.histories,
            exposure=self.exposure,
            observed_until=self.last_known_day,
            unit=self.unit,
            title=self.series.replace("_", " "),
            place=self.place,
            counter=self.counter,
        )

    @property
    def last_known_day(self) -> pd.Timestamp:
        """Last day that any used tally speaks about; what comes after is extrapolated."""
        return pd.Timestamp(self.tallies.loc[self.tallies["used"], "end"].max())

    def _repr_html_(self) -> str:
        state = "converged" if self.converged else "<b>not converged</b>"
        used = int(self.tallies["used"].sum())
        head = (
            f"<b>{html.escape(self.series)}</b> as counted by {html.escape(self.counter)}, {html.escape(self.place)}: "
            f"{used} of {len(self.tallies)} tallies, {self.histories.shape[1]} histories; R-hat {self.rhat:.3f}, "
            f"effective sample size {self.ess:.0f}, {state}; 90% intervals"
        )
        return head + self.summary_frame().to_html()


def reconstruct(
    tallies: pd.DataFrame,
    *,
    series: str,
    counter: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    freq: str = "W-SUN",
    start: DateLike | None = None,
    end: DateLike | None = None,
    draws: int = 500,
    flags: Sequence[str] = ("ok",),
    kernels: pd.DataFrame | None = None,
    rng: Seed = None,
) -> Reconstruction:
    """Draw the count series that a set of overlapping, imprecise, contradictory tallies leave possible.

    Daily counts are ``Poisson(exp(x))`` with one level ``x`` a week, a walk with Student-t steps (4
    degrees of freedom: onsets are abrupt) whose scale is estimated, drawn back weakly (5% a week)
    towards the mean rate of the longest window.  Each tally sees the
    sum over its window through the reporting kernel of its qualifier.  A Markov chain samples whole
    counts and levels together.  Where no tally speaks the walk alone does, and its tails are heavy; no stretch
    of days between two edges of windows or weeks holds more than twice the largest number of any tally and 200.

    Tallies of a part of the place are lower bounds, tallies of a place that contains it upper
    bounds.  Baselines (windows before the period of interest) are not used.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Reported counts, from :func:`escalation.read_tallies` or made by hand.
    series : str
        Which series to reconstruct.
    counter : str, optional
        Who counts; needed when several do, for they count different things.
    place : str, optional
        Where; the one that contains all others (``ALL`` contains any) when left out. Needed when none does: parts
        are only lower bounds of a whole that nobody counted.
    unit : str, optional
        What is counted; needed when a counter counts several things (strikes, targets, sites).
    freq : str
        Period of the histories: ``D``, ``W-SUN`` … ``W-SAT``, or ``M``. The draws by day do not depend on it.
    start, end : date, optional
        First and last day; first and last of the windows when left out.  A tally that reaches
        beyond them still speaks about all its window.
    draws : int
        Histories wanted.
    flags : sequence of str
        Which ``flag`` values may be used.
    kernels : pandas.DataFrame, optional
        Reporting kernels in place of :func:`escalation.tallies.default_kernels`.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Reconstruction

    Raises
    ------
    InputError
        If the table or an option is at fault, the series is unknown, or several counters, units or
        places leave a choice; the message lists them.

    Warns
    -----
    NotConvergedWarning
        If the chains disagree (R-hat above 1.02) or mix slowly.

    Examples
    --------
    >>> import pandas as pd
    >>> tallies = pd.DataFrame({
    ...     "series": "attacks", "qualifier": ["exact", "exact", "nearly"], "count": [10, 0, 30],
    ...     "start": ["2024-01-01", "2024-01-15", "2024-01-01"], "end": ["2024-01-14", "2024-01-21", "2024-01-28"],
    ... })
    >>> result = reconstruct(tallies, series="attacks", rng=1)
    >>> result.histories.shape, bool(result.histories.iloc[2].median() <= 1)
    ((4, 500), True)
    """
    table = check_tallies(tallies)
    freq, kernels, rng = parse_freq(freq), check_kernels(kernels), as_generator(rng)
    if draws < 1:
        raise InputError(f"draws is {draws!r}; give a whole number of histories >= 1")
    if isinstance(flags, str) or not set(flags) <= set(FLAGS):
        raise InputError(f"flags is {flags!r}; give a list of some of {', '.join(FLAGS)}")
    chosen, place = _choose(table, series, counter, place, unit)
    sorted_out = _sort_out(chosen, place, flags, start, end)
    used = sorted_out[sorted_out["used"]]
    first = used["start"].min() if start is None else parse_date(start, "start")
    last = used["end"].max() if end is None else parse_date(end, "end", side="end")
    periods = period_index(first, last, freq)

    kernel_of = tally_kernels(sorted_out, kernels)
    evidence = atoms_from(
        used["start"].to_numpy(),
        used["end"].to_numpy(),
        [kernel_of[i] for i in used.index],
        first.to_datetime64(),
        last.to_datetime64(),
    )
    posterior = sample_posterior(evidence, draws, rng)
    if not posterior.converged:
        posterior = sample_posterior(evidence, draws, rng, warmup=LONGER * WARMUP, thin=LONGER * THIN)
    if not posterior.converged:
        warnings.warn(
            f"the reconstruction of {series} did not converge (R-hat {posterior.rhat:.3f}, effective sample size "
            f"{posterior.ess:.0f}); check its contradictions() and look for a tally in the wrong window or unit",
            NotConvergedWarning,
            stacklevel=2,
        )
    all_days = daily_histories(posterior, evidence, draws, rng)
    daily = all_days.loc[pd.Period(first, "D") : pd.Period(last, "D")]
    histories = by_period(daily, periods)
    return Reconstruction(
        histories=histories,
        daily=daily,
        tallies=sorted_out.join(_predict(sorted_out, kernel_of, all_days, posterior, rng)),
        exposure=exposure(periods, first, last),
        rhat=posterior.rhat,
        ess=posterior.ess,
        converged=posterior.converged,
        series=series,
        counter=str(used["counter"].iloc[0]),
        place=place,
        unit=str(used["unit"].iloc[0]),
    )


def _choose(
    table: pd.DataFrame, series: str, counter: str | None, place: str | None, unit: str | None
) -> tuple[pd.DataFrame, str]:
    """Rows of the one series, counter and unit, and the place."""
    rows = _pick(table, "series", series, " of the table")
    rows = _pick(rows, "counter", counter, f" of {series}")
    rows = _pick(rows, "unit", unit, f" of {series} by {rows['counter'].iloc[0]}")
    places = sorted(rows["place"].unique())
    if place is None:
        whole = [one for one in places if all(contains(one, other) for other in places)]
        if not whole:
            raise InputError(
                f"{len(places)} places of {series} lie side by side; choose one place of {', '.join(places)}"
            )
        place = whole[0]
    elif not any(contains(place, other) for other in places):
        raise InputError(f"no tally of {series} is about {place!r}; the places are {', '.join(places)}")
    return rows, place


def _pick(table: pd.DataFrame, column: str, choice: str | None, of: str) -> pd.DataFrame:
    there = sorted(table[column].unique())
    several = column if column.endswith("s") else f"{column}s"
    if choice is None:
        if len(there) > 1:
            listed = ", ".join(there)
            raise InputError(f"{len(there)} {several}{of} do not add up; choose one {column} of {listed}")
        return table
    if choice not in there:
        raise InputError(f"{column} is {choice!r}; the {several}{of} are {', '.join(there)}")
    return table[table[column] == choice]


def _role(place: str, where: str) -> str:
    """What a tally about ``where`` is to a reconstruction of ``place``."""
    if where == place:
        return "count"
    if contains(place, where):
        return "floor"
    return "ceiling" if contains(where, place) else ""


def _sort_out(
    rows: pd.DataFrame, place: str, flags: Sequence[str], start: DateLike | None, end: DateLike | None
) -> pd.DataFrame:
    """Give every row its ``role``, whether it is ``used``, and ``why`` not."""
    role = rows["place"].map(lambda where: _role(place, str(where)))
    why = pd.Series("", index=rows.index)
    if end is not None:
        why[rows["start"] > parse_date(end, "end", side="end")] = "begins after the end"
    if start is not None:
        why[rows["end"] < parse_date(start, "start")] = "ends before the start"
    flagged = ~rows["flag"].isin(list(flags))
    why[flagged] = "flag " + rows["flag"][flagged]
    why[rows["kind"] == "baseline"] = "a baseline from before the period of interest"
    why[role == ""] = f"another place than {place}"
    if (why != "").all():
        raise InputError(
            f"none of the {len(rows)} tallies of {rows['series'].iloc[0]} can be used "
            f"({'; '.join(sorted(set(why)))}); widen flags, start or end"
        )
    return rows.assign(role=role, used=why == "", why=why).reset_index(drop=True)


def tally_kernels(rows: pd.DataFrame, kernels: pd.DataFrame) -> list[Kernel]:
    """Kernel of each tally, by its qualifier, its role and the length of its window."""
    days = (rows["end"] - rows["start"]).dt.days + 1
    widen = rows["date_confidence"].map(DATE_CONFIDENCE)
    return [
        make_kernel(row, kernels, day_count, row["role"], factor)
        for (_, row), day_count, factor in zip(rows.iterrows(), days, widen, strict=True)
    ]


def daily_histories(posterior: Posterior, evidence: Evidence, draws: int, rng: Generator) -> pd.DataFrame:
    """Spread each atom's count over its days at random: all days of the evidence x draws."""
    counts = posterior.thinned(draws)
    days = np.rint(evidence.atom_days).astype(np.int64)
    by_day = np.concatenate([rng.multinomial(counts[:, a], np.full(n, 1 / n)).T for a, n in enumerate(days)])
    index = pd.period_range(pd.Timestamp(evidence.first_day), periods=len(by_day), freq="D", name="period")
    return pd.DataFrame(by_day, index=index, columns=pd.RangeIndex(draws, name=DRAW))


def by_period(daily: pd.DataFrame, periods: pd.PeriodIndex) -> pd.DataFrame:
    """Sum daily histories over the periods that hold their days."""
    return daily.groupby(pd.PeriodIndex(daily.index).asfreq(periods.freqstr)).sum().set_axis(periods)


def _predict(
    rows: pd.DataFrame, kernels: list[Kernel], all_days: pd.DataFrame, posterior: Posterior, rng: Generator
) -> pd.DataFrame:
    """Predictive range and surprise of each tally from all the others.

    What a used tally itself says is taken out again: each draw of the true count is weighted by the
    inverse of its kernel, truncated at sqrt(number of draws) times the mean weight (Ionides 2008,
    doi:10.1198/106186008X320456).
    """
    index = pd.PeriodIndex(all_days.index)
    total = np.vstack([np.zeros((1, all_days.shape[1]), np.int64), all_days.to_numpy().cumsum(axis=0)])
    found: list[tuple[float, float, float, float]] = []
    in_posterior = 0
    opens = pd.PeriodIndex(rows["start"], freq="D").asi8 - index.asi8[0]
    closes = pd.PeriodIndex(rows["end"], freq="D").asi8 - index.asi8[0]
    about = (rows["role"] != "") & (opens >= 0) & (closes < len(index))
    for i, kernel in enumerate(kernels):
        if rows["used"].iloc[i]:
            true = posterior.window_counts[:, in_posterior]
            in_posterior += 1
            weight = np.exp(-kernel.log_prob(true) + kernel.log_prob(true).min())
            weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
            true = true[rng.choice(len(true), size=len(true), p=weight / weight.sum())]
        elif about.iloc[i]:
            true = total[closes[i] + 1] - total[opens[i]]
        else:
            found.append((np.nan, np.nan, np.nan, np.nan))
            continue
        point = kernel.shape == "point"
        seen = kernel.sample(np.resize(true, len(posterior.window_counts)), rng) if point else true
        low, middle, high = np.quantile(seen, [0.05, 0.5, 0.95], method="inverted_cdf")
        # for a range or a bound this is the probability of lying on its other side
        tail = min(np.mean(seen <= kernel.high), np.mean(seen >= kernel.low))
        found.append((low, middle, high, min(1.0, 2.0 * float(tail))))
    names = ["predicted_low", "predicted_median", "predicted_high"]
    frame = pd.DataFrame(found, columns=[*names, "surprise"], index=rows.index)
    return frame.astype(dict.fromkeys(names, "Int64"))
