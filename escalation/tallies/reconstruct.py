"""Reconstruct the count series behind reported counts: tallies in, equally plausible histories out."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.notebook import table_html
from escalation.conventions.progress import Progress, Tick, reporter
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import DateLike, exposure, parse_date, parse_freq, period_index
from escalation.counts.schema import quantile_frame
from escalation.counts.series import CountSeries, Silence
from escalation.errors import InputError, NotConvergedWarning
from escalation.tallies.choosing import JOINED, Choice, choose_rows, read_choice, several, sort_out
from escalation.tallies.daily import by_period, daily_histories
from escalation.tallies.evidence import Evidence, atoms_from
from escalation.tallies.kernels import NOTHING, check_kernels, make_kernel
from escalation.tallies.layers import WHOLE, plan_layers
from escalation.tallies.posterior import Posterior, least_seconds, sample_posterior
from escalation.tallies.prediction import improbable, predict
from escalation.tallies.reliability import ALONE, NAMED, SHARES, Tallied
from escalation.tallies.running import counted_anew
from escalation.tallies.schema import DATE_CONFIDENCE, FLAGS, check_tallies
from escalation.tallies.silence import (
    SilenceFrom,
    alone,
    choose_silence,
    days_between,
    event_windows,
    says_a_rate,
    silent_runs,
    spoken_days,
    spoken_sentence,
)
from escalation.tallies.together import CounterRatios, Together, draw_together


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Equally plausible histories behind a set of tallies, and how far they can be trusted.

    Attributes
    ----------
    histories : pandas.DataFrame
        Whole numbers, periods x draws; each column is a possible true count series.  Where silence is unknown and no
        tally speaks of more than single days on which something happened, periods that none speaks of are missing.
    daily : pandas.DataFrame
        The same draws by day; 0 on days of which nothing at all is known.
    tallies : pandas.DataFrame
        All tallies of the series by this counter.  ``used`` says whether the histories rest on it,
        and if not, ``why``.  ``role`` is count, floor or ceiling; ``predicted_low``,
        ``predicted_median`` and ``predicted_high`` are the 90% range of what the counter would have
        reported, as the *other* tallies have it (for a bound or a range: of the true count; missing
        for a window outside the days reconstructed); ``surprise`` is the two-sided probability of
        something as far out as what was reported, ``reliability`` the probability that it is what its qualifier says,
        or a little looser, and not an old total, another counter's or a slip; ``reads_like`` is the number that it
        would be without a slip of the pen, where that fits.
    exposure : pandas.Series
        Share of each period that lies between start and end.
    spoken : pandas.Series
        Whether the window of some used tally holds each day.
    silence : {"quiet", "unknown", "lower_bound"}
        What a day means of which no tally speaks.
    silence_from : {"stated", "case", "inferred"}
        Who says so.
    rhat, ess : float
        Largest split R-hat and smallest bulk effective sample size over all weekly and cumulative
        counts (Vehtari et al. 2021, doi:10.1214/20-BA1221).
    converged : bool
        R-hat <= 1.02 and effective sample size >= 100.
    series, counter, place, unit : str
        What was counted, by whom, where; names that were read together are joined by ``+``.
    together : Together, optional
        Where several counters or places were read together: the draws of all of them (:meth:`of`, :attr:`ratios`).
    """

    histories: pd.DataFrame = field(repr=False)
    daily: pd.DataFrame = field(repr=False)
    tallies: pd.DataFrame = field(repr=False)
    exposure: pd.Series = field(repr=False)
    spoken: pd.Series = field(repr=False)
    silence: Silence
    silence_from: SilenceFrom
    rhat: float
    ess: float
    converged: bool
    series: str
    counter: str
    place: str
    unit: str
    together: Together | None = field(default=None, repr=False)

    @property
    def ratios(self) -> CounterRatios | None:
        """How much each counter counts of what the first one does; nothing where one counter was read."""
        if self.together is None or len(self.together.layers.counters) == 1:
            return None
        return self.together.ratios(self.tallies)

    def of(self, counter: str | None = None, place: str | None = None) -> Reconstruction:
        """Return what one of the counters would count, or what there was in one of the places.

        Parameters
        ----------
        counter : str, optional
            One of the counters that were read together; the whole of them when left out.
        place : str, optional
            One of the places; all of them when left out.

        Returns
        -------
        Reconstruction
            With the tallies of that counter and place.  Days are those that any of the tallies speaks of.

        Raises
        ------
        InputError
            If they were not read together, or the counter says nothing of the place.
        """
        if self.together is None:
            raise InputError(
                f"{self.series} was reconstructed from one counter and place; give reconstruct(..., counter='all') or "
                "place='all' to read several together"
            )
        layers, rows = self.together.layers, self.tallies
        places = [self.place, *layers.places]
        if (counter is not None and counter not in layers.counters) or (place is not None and place not in places):
            raise InputError(
                f"no answer for {counter or place!r}; the counters are {', '.join(layers.counters)}, the places "
                f"{', '.join(places)}"
            )
        key = WHOLE if place in (None, self.place) else str(place)
        daily = self.together.daily(counter, key).loc[self.daily.index[0] : self.daily.index[-1]]
        if self.silence != "unknown" or not says_a_rate(rows[rows["used"]]):
            daily = daily.mul(self.spoken.astype("int64"), axis=0)
        histories = by_period(daily, pd.PeriodIndex(self.histories.index)).where(self.histories.notna())
        own = rows if counter is None else rows[rows["counter"] == counter]
        where = self.together.where(counter) if counter else ""
        own = own if key == WHOLE else own[own["part"] == key]
        if key != WHOLE or where in layers.places:  # what was a part is now the whole
            own = own.assign(part=WHOLE)
        return replace(
            self,
            histories=histories if histories.isna().any(axis=None) else histories.astype("int64"),
            daily=daily,
            tallies=own.reset_index(drop=True),
            counter=counter or self.counter,
            place=place or where or self.place,
        )

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

        Days of which nothing at all is known count as 0: what is known is the least there was.

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
            (surprise below 0.02 and reliability below 0.9), ``disputed`` where several bare numbers stand for the same
            window.
        """
        table = self.tallies
        odd = improbable(table)
        bare = (table["qualifier"] == "exact") & table["surprise"].notna()
        numbers = table[bare].groupby(["counter", "place", "start", "end"], dropna=False)["count"].transform("nunique")
        disputed = numbers.reindex(table.index).gt(1).fillna(False).astype(bool)
        found = table.assign(contradiction=np.where(odd, "improbable", "disputed"))[odd | disputed]
        return found.sort_values(["end", "start", "count"], kind="stable")

    @property
    def observed_share(self) -> pd.Series:
        """Share of the days of each period that some used tally speaks of."""
        periods = pd.PeriodIndex(self.histories.index)
        days = (periods.end_time.normalize() - periods.start_time.normalize()).days + 1
        said = by_period(self.spoken.astype(int).to_frame(), periods).iloc[:, 0]
        return pd.Series(said.to_numpy() / np.asarray(days), index=periods, name="observed_share")

    def spoken_sentence(self) -> str:
        """Say how many days are spoken of, and what the others are taken to mean."""
        return spoken_sentence(self.spoken, self.silence, self.silence_from)

    def under(self, silence: Silence) -> CountSeries:
        """Return the histories as they would be if silence had another meaning.

        Parameters
        ----------
        silence : {"quiet", "unknown", "lower_bound"}
            ``unknown`` leaves them as they are; otherwise no incident falls on a day that no tally speaks of.
        """
        if silence == "unknown":
            return replace(self.to_count_series(), silence=silence)
        daily = self.daily.mul(self.spoken.astype("int64"), axis=0)
        counts = by_period(daily, pd.PeriodIndex(self.histories.index))
        return replace(self.to_count_series(), counts=counts, silence=silence)

    def to_count_series(self) -> CountSeries:
        """Return the histories with their exposure, unit and names, as every analysis takes them."""
        return CountSeries(
            self.histories,
            exposure=self.exposure,
            observed_share=self.observed_share,
            observed_until=self.last_known_day,
            silence=self.silence,
            unit=self.unit,
            title=self.series.replace("_", " "),
            place=self.place,
            counter=self.counter,
        )

    @property
    def last_known_day(self) -> pd.Timestamp:
        """Last day that any used tally speaks about; what comes after is extrapolated."""
        said = self.spoken.index[self.spoken.to_numpy()]
        return pd.Timestamp(said[-1].start_time if len(said) else self.spoken.index[0].start_time)

    def _repr_html_(self) -> str:
        state = "converged" if self.converged else "<b>not converged</b>"
        used = int(self.tallies["used"].sum())
        head = (
            f"<b>{html.escape(self.series)}</b> as counted by {html.escape(self.counter)}, {html.escape(self.place)}: "
            f"{used} of {len(self.tallies)} tallies, {self.histories.shape[1]} histories; R-hat {self.rhat:.3f}, "
            f"effective sample size {self.ess:.0f}, {state}; {html.escape(self.spoken_sentence())} 90% intervals"
        )
        return head + table_html(self.summary_frame())


def reconstruct(
    tallies: pd.DataFrame,
    *,
    series: str,
    counter: Choice = None,
    place: Choice = None,
    unit: str | None = None,
    freq: str = "W-SUN",
    start: DateLike | None = None,
    end: DateLike | None = None,
    draws: int = 500,
    flags: Sequence[str] = ("ok",),
    silence: Silence | None = None,
    kernels: pd.DataFrame | None = None,
    progress: Progress = True,
    rng: Seed = None,
) -> Reconstruction:
    """Draw the count series that a set of overlapping, imprecise, contradictory tallies leave possible.

    Days cluster: their counts are negative binomial, with one rate ``exp(x)`` a week and a dispersion that is
    estimated.  The levels ``x`` are a walk with Student-t steps (4 degrees of freedom: onsets are abrupt) whose scale
    is estimated, drawn back weakly (5% a week) towards the mean rate; above what was ever seen they are held back.
    Each tally sees the sum over its window through the reporting kernel of its qualifier, or, with a probability that
    is learnt from all of them, through a wider one: printed late, an old total, another counter's, a slipped zero.  A
    Markov chain samples whole counts, levels and dispersion together.

    A count of one or two days was printed because something happened.  It says how many there were then and
    nothing of the days around it, unless its counter prints zeros of such days too.  Days that no tally speaks of are
    what ``silence`` says; by default that is ``unknown``, or ``quiet`` where zero windows and totals bear it out.

    Tallies of a part of the place are lower bounds, tallies of a place that contains it upper
    bounds.  Baselines (windows before the period of interest) are not used.

    Parameters
    ----------
    tallies : pandas.DataFrame
        Reported counts, from :func:`escalation.read_tallies` or made by hand.
    series : str
        Which series to reconstruct.
    counter : str or sequence of str, optional
        Who counts; needed when several do, for they count different things.  Several (a list, or one text with commas),
        or ``"all"``, are read together: each incident is counted by each of them with a probability of its own (a ratio
        to the others, which may drift, and is lower in some weeks), so that one bounds what another is silent about.
        The histories are then what a counter of a middling definition would count (before anything is known the ratios
        lie around 1, 0.44 to 2.3 at 90%); those of each counter are ``.of(counter)``, the ratios ``.ratios``.
    place : str or sequence of str, optional
        Where; the one that contains all others (``ALL`` contains any) when left out. Needed when none does: parts
        are only lower bounds of a whole that nobody counted.  Several, or ``"all"``, are added up: each incident is in
        one of them.
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
    silence : {"quiet", "unknown", "lower_bound"}, optional
        What a day means that no tally speaks of: no incident; not known; or that the counts are the least there was.
        What the column ``silence`` says, or else inferred, when left out.
    kernels : pandas.DataFrame, optional
        Reporting kernels in place of :func:`escalation.tallies.default_kernels`.
    progress : bool or callable
        Whether to show how far it is: a bar in a notebook, elsewhere lines on stderr if it takes 20 s or more, by an
        estimate that is said beforehand.  A function is given the number of finished sweeps of each chain
        and the most that there may be; they end where the chains agree, and begin anew where larger tables are needed.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Reconstruction

    Raises
    ------
    InputError
        If the table or an option is at fault, the series is unknown, several counters, units or
        places leave a choice (the message lists them), or the tallies leave the counts without an upper end.

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
    counter, place = read_choice(counter, table["counter"]), read_choice(place, table["place"])
    read_together = several(counter) or several(place)
    told = counter if isinstance(counter, str) else None
    chosen, place = choose_rows(table, series, counter, place, unit)
    chosen = counted_anew(chosen)
    sorted_out = sort_out(chosen, place, flags, start, end, together=read_together)
    used = sorted_out[sorted_out["used"]]
    first = used["start"].min() if start is None else parse_date(start, "start")
    last = used["end"].max() if end is None else parse_date(end, "end", side="end")
    periods = period_index(first, last, freq)
    days = days_between(first, last)
    spoken = spoken_days(used, days)
    meaning, said_by = choose_silence(chosen, used, silence)

    evidence = _evidence(used, tally_kernels(used, kernels), spoken, meaning, place)
    cost = least_seconds(evidence, draws)
    with reporter(progress, f"reconstructing {series}", terminal=False, seconds=cost) as tick:
        posterior = _sample(evidence, draws, rng, series, tick)
    tallied = tally_kernels(sorted_out, kernels, _learnt(posterior))
    together = None
    if evidence.layers is None:
        all_days = daily_histories(posterior, evidence, draws, rng)
        predicted = predict(sorted_out, tallied, lambda _: all_days, posterior.window_counts, rng)
    else:
        together = draw_together(posterior, evidence, draws, rng)
        all_days = together.daily(None, WHOLE)
        days_of = cache(together.daily)  # rows of one counter and place share them
        predicted = predict(
            sorted_out, tallied, lambda row: days_of(*together.key_of(row)), posterior.window_counts, rng
        )
    daily = all_days.loc[days[0] : days[-1]]
    if meaning != "unknown" or not says_a_rate(used):
        daily = daily.mul(spoken.astype("int64"), axis=0)
    histories = by_period(daily, periods)
    if meaning == "unknown" and not says_a_rate(used):
        heard = by_period(spoken.to_frame(), periods).iloc[:, 0] > 0
        histories = histories if heard.all() else histories.astype("Int64").where(heard)
    return Reconstruction(
        histories=histories,
        daily=daily,
        tallies=sorted_out.join(predicted),
        exposure=exposure(periods, first, last),
        spoken=spoken,
        silence=meaning,
        silence_from=said_by,
        rhat=posterior.rhat,
        ess=posterior.ess,
        converged=posterior.converged,
        series=series,
        counter=told or JOINED.join(sorted(used["counter"].unique())),
        place=place,
        unit=str(used["unit"].iloc[0]),
        together=together,
    )


def _evidence(used: pd.DataFrame, tallied: list[Tallied], spoken: pd.Series, silence: Silence, place: str) -> Evidence:
    """What the tallies say; where silence means so, that nothing happened on days without a word too."""
    # where nothing is known of the days between, they are left out later, and take no time now
    runs = silent_runs(spoken) if silence == "quiet" or not says_a_rate(used) else []
    starts, ends = ([run[side] for run in runs] for side in (0, 1))
    days = pd.PeriodIndex(spoken.index).to_timestamp().to_numpy()
    layers = plan_layers(used["counter"].tolist(), used["part"].tolist(), elsewhere=JOINED not in place)
    layer = None
    if layers is not None:
        own = [layers.of(*one) for one in zip(used["counter"], used["part"], strict=True)]
        layer = np.array([*own, *([0] * len(runs))], np.int64)
    events = pd.Series(False, index=used.index)
    for _, rows in used.groupby("counter"):  # each prints zeros of such days or does not
        events[rows.index] = event_windows(rows)
    return atoms_from(
        np.concatenate([used["start"].to_numpy(), np.array(starts, "datetime64[s]")]),
        np.concatenate([used["end"].to_numpy(), np.array(ends, "datetime64[s]")]),
        [*tallied, *([NOTHING] * len(runs))],
        days[0],
        days[-1],
        np.concatenate([events.to_numpy(), np.zeros(len(runs), bool)]),
        layers,
        layer,
    )


def _sample(evidence: Evidence, draws: int, rng: Generator, series: str, tick: Tick) -> Posterior:
    """Run the chains, in larger tables where counts lie at their edge.

    Raises
    ------
    InputError
        If counts lie at the edge of larger tables too.
    """
    posterior = sample_posterior(evidence, draws, rng, tick=tick)
    if posterior.at_edge:
        evidence = evidence.larger()
        posterior = sample_posterior(evidence, draws, rng, tick=tick)
    if posterior.at_edge:
        raise InputError(
            f"the tallies of {series} leave its counts without an upper end: they run up to the edge of the tables, "
            f"{evidence.log_kernel.shape[1]:,}; add a total or a ceiling (at_most, up_to) of the days in question"
        )
    if not posterior.converged:
        warnings.warn(
            f"the reconstruction of {series} did not converge (R-hat {posterior.rhat:.3f}, effective sample size "
            f"{posterior.ess:.0f}): its tallies leave more than one course possible, or contradict each other; see its "
            "contradictions()",
            NotConvergedWarning,
            stacklevel=3,
        )
    return posterior


def _learnt(posterior: Posterior) -> tuple[float, ...]:
    """Shares of the kinds of tallies that the chains learnt."""
    learnt = [one.shares for one in posterior.kernels if isinstance(one, Tallied) and not one.named]
    return learnt[0] if learnt else SHARES


def tally_kernels(rows: pd.DataFrame, kernels: pd.DataFrame, shares: Sequence[float] = SHARES) -> list[Tallied]:
    """What printed each tally: its kernel, by its qualifier, role and the length of its window, or something else."""
    days = (rows["end"] - rows["start"]).dt.days + 1
    widen = rows["date_confidence"].map(DATE_CONFIDENCE)
    made = []
    for (_, row), day_count, factor, only in zip(rows.iterrows(), days, widen, alone(rows), strict=True):
        named = row["exactness"] == "named"
        kernel = make_kernel(row, kernels, day_count, row["role"], 1e-2 if named else factor)
        own = NAMED if named else ALONE if only else tuple(shares)
        made.append(Tallied(kernel, own, named or only))
    return made
