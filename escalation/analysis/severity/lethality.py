"""Lethality: the share of attacks that kill, by type, the types pooled as far as they are alike."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from escalation.analysis.severity.share_posterior import SharePosterior, pool_shares
from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import probability_text
from escalation.conventions.wording import share as written
from escalation.counts.histories import POOLED, spread_over
from escalation.counts.schema import DRAW, check_counts, is_histories
from escalation.counts.series import HoldsCounts, unpack_counts
from escalation.errors import InputError, warn
from escalation.incidents.schema import MAX_FATALITIES, check_incidents
from escalation.incidents.units import BLANK_UNIT
from escalation.incidents.victims import Victim, check_victims, deaths_of, victims_text

OVERALL_DRAWS = 20_000
"""Draws for the interval of the share of all groups together."""

Trials = int | Mapping[str, int] | pd.Series | pd.DataFrame | HoldsCounts


@dataclass(frozen=True, eq=False)
class Lethality:
    """The share of attacks that kill.

    Attributes
    ----------
    groups : pandas.DataFrame
        Indexed by group: ``lethal``, ``trials`` (the median over histories), ``share`` (posterior mean), ``lower`` and
        ``upper``.
    share, lower, upper : float
        Of attacks of all groups, in the mix that the trials have.
    new_share, new_lower, new_upper : float or None
        Of a group that was not seen yet; None for a single group.
    alike : float
        Probability that all groups have one share, against shares of their own, at even odds before; 1 for one group.
    trials_lower, trials_upper : int
        Interval of the number of all attacks; the same where it is known.
    level : float
        Probability of the intervals.
    unit : str
        What was tried.
    posterior : SharePosterior
        The mixture of Beta distributions behind the numbers.
    victims : tuple of str
        Whose dead were counted; empty where all were.
    """

    groups: pd.DataFrame
    share: float
    lower: float
    upper: float
    new_share: float | None
    new_lower: float | None
    new_upper: float | None
    alike: float
    trials_lower: int
    trials_upper: int
    level: float
    unit: str
    posterior: SharePosterior = field(repr=False)
    victims: tuple[Victim, ...] = ()

    @property
    def lethal(self) -> int:
        """Attacks that killed."""
        return int(self.groups["lethal"].sum())

    def table(self) -> pd.DataFrame:
        """The share of each group, as in ``groups``."""
        return self.groups

    def sentence(self) -> str:
        """Say it in plain words, with the ranges and whether groups are distinguishable."""
        many = int(self.groups["trials"].sum())
        known = f"{many:,} {self.unit}"
        if self.trials_lower < self.trials_upper:
            known += f" ({self.level:.0%} interval {self.trials_lower:,} to {self.trials_upper:,})"
        whom = f" {victims_text(self.victims)}" if self.victims else ""
        text = (
            f"{self.lethal:,} of {known} killed{whom}: the share that kills{whom and ' them'} is {written(self.share)} "
            f"({self.level:.0%} interval {written(self.lower)} to {written(self.upper)})."
        )
        if self.new_share is None or self.new_lower is None or self.new_upper is None:
            return text
        ordered = self.groups[self.groups["trials"] > 0].sort_values("share", kind="stable")
        if len(ordered) > 1:
            low, high = (
                f"{name} ({written(row['share'])}, {written(row['lower'])} to {written(row['upper'])})"
                for name, row in (next(ordered.iterrows()), next(ordered.iloc[::-1].iterrows()))
            )
            text += (
                f" It is highest for {high} and lowest for {low}; the probability that all groups have one share is "
                f"{probability_text(self.alike)}."
            )
        return (
            f"{text} For a group not seen yet it is {written(self.new_share)} ({written(self.new_lower)} to "
            f"{written(self.new_upper)})."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.groups.round(3))


def lethality(
    lethal: int | Mapping[str, int] | pd.Series,
    trials: Trials,
    *,
    between: float = 1.0,
    level: float = 0.9,
    unit: str | None = None,
    victims: Victim | Sequence[Victim] | None = None,
    rng: Seed = None,
) -> Lethality:
    r"""Estimate the share of attacks that kill, by group, the groups partially pooled.

    Parameters
    ----------
    lethal : int, mapping or Series
        Attacks that killed, of each group (type, weapon, actor, place); from :func:`count_lethal` or an own count.
    trials : int, mapping, Series, DataFrame, CountSeries or Reconstruction
        All attacks of the same groups; of one group also a CountSeries or Reconstruction, which is summed.  Where they
        are not known exactly: histories of the counts of one group (periods x draws, summed), or a table of groups x
        draws, its columns named ``draw``.  Draws with fewer attacks than killed are raised to those.
    between : float
        How far groups may differ: scale of the half-normal prior of the standard deviation of their log odds.
    level : float
        Probability of the intervals.
    unit : str, optional
        What was tried, for sentences; what the series brings, or ``attacks``, when left out.
    victims : {"own", "partner", "attacker", "civilian"} or a list of them, optional
        Whose dead the lethal attacks were counted by, for sentences; see :func:`count_lethal`.
    rng : int, Generator or None
        Seed or generator; only the interval of all groups together is drawn, all else is exact.

    Returns
    -------
    Lethality

    Raises
    ------
    InputError
        If numbers are not whole, lethal attacks outnumber trials, the groups differ, or an option is out of range.

    Notes
    -----
    With :math:`\theta_g \sim \mathrm{Beta}(a, b)` the lethal attacks of a group are beta-binomial.  ``a`` and ``b`` are
    integrated over and not plugged in: Jeffreys' prior for the mean :math:`a / (a + b)`, half-normal for the standard
    deviation of the log odds, :math:`\sqrt{\psi_1(a) + \psi_1(b)}` (Gelman, Carlin, Stern, Dunson, Vehtari & Rubin
    2013, Bayesian Data Analysis, section 5.3; Gelman 2006, doi:10.1214/06-BA117A).  A single group has Jeffreys' prior
    Beta(1/2, 1/2) (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286).

    Examples
    --------
    >>> alone = lethality(0, 40)
    >>> round(alone.share, 4), round(alone.upper, 3)
    (0.0122, 0.047)
    >>> kinds = lethality({"drone": 6, "rocket": 1, "mine": 0}, {"drone": 30, "rocket": 30, "mine": 2}, rng=1)
    >>> kinds.groups["share"].round(2).tolist()
    [0.16, 0.07, 0.12]
    """
    level = check_level(level)
    if not (isinstance(between, int | float) and 0.01 <= between <= 10.0) or isinstance(between, bool):
        raise InputError(f"between is {between!r}; give a standard deviation of log odds from 0.01 to 10, such as 1")
    trials, unit = _unpacked(trials, unit)
    names, killed, tried = _groups(lethal, trials)
    posterior = pool_shares(killed, tried, float(between))
    tail = (1 - level) / 2
    rows = [
        [int(killed[g]), int(np.median(tried[:, g])), posterior.mean(g)]
        + [posterior.quantile(g, q) for q in (tail, 1 - tail)]
        for g in range(len(names))
    ]
    columns = ["lethal", "trials", "share", "lower", "upper"]
    table = pd.DataFrame(rows, index=pd.Index(names, name="group"), columns=columns)
    one = len(names) == 1
    lower, upper = (float(table[end].iloc[0]) for end in ("lower", "upper"))
    if not one:
        drawn = posterior.draw(OVERALL_DRAWS, as_generator(rng))[:, :-1] @ posterior.mix()
        lower, upper = (float(value) for value in np.quantile(drawn, [tail, 1 - tail]))
    spread = np.quantile(tried.sum(axis=1), [tail, 1 - tail], method="inverted_cdf")
    return Lethality(
        groups=table,
        share=float(posterior.mix() @ table["share"]),
        lower=lower,
        upper=upper,
        new_share=None if one else posterior.mean(None),
        new_lower=None if one else posterior.quantile(None, tail),
        new_upper=None if one else posterior.quantile(None, 1 - tail),
        alike=posterior.alike,
        trials_lower=int(spread[0]),
        trials_upper=int(spread[1]),
        level=level,
        unit=unit,
        posterior=posterior,
        victims=() if victims is None else check_victims(victims),
    )


def _unpacked(trials: Trials, unit: str | None) -> tuple[int | Mapping[str, int] | pd.Series | pd.DataFrame, str]:
    """Trials as numbers or tables, and their unit; exact counts of a series are summed."""
    if not isinstance(trials, HoldsCounts):
        return trials, "attacks" if unit is None else unit
    counts, _, unit = unpack_counts(trials, unit=unit)
    return (int(counts.sum()) if isinstance(counts, pd.Series) else counts), unit


def _groups(
    lethal: int | Mapping[str, int] | pd.Series, trials: int | Mapping[str, int] | pd.Series | pd.DataFrame
) -> tuple[list[str], IntArray, IntArray]:
    """Names of the groups, lethal attacks (groups,) and trials (draws, groups), checked."""
    several = isinstance(lethal, Mapping | pd.Series)
    killed = pd.Series(lethal) if several else pd.Series({"all": lethal})
    if killed.empty or not killed.index.is_unique:
        raise InputError("lethal has no groups, or two of one name; give one number a group")
    if isinstance(trials, pd.DataFrame):
        tried = _drawn(trials, killed.index)
    elif several != isinstance(trials, Mapping | pd.Series):
        raise InputError(f"lethal is a {type(lethal).__name__} and trials a {type(trials).__name__}; give both alike")
    else:
        tried = (pd.Series(trials) if several else pd.Series({"all": trials})).to_frame()
    if not (tried.index.is_unique and set(tried.index) == set(killed.index)):
        raise InputError(
            f"lethal is of the groups {', '.join(map(str, killed.index))} and trials of "
            f"{', '.join(map(str, tried.index))}; give both of the same"
        )
    numbers, table = _whole(killed, "lethal"), _whole(tried.reindex(killed.index), "trials")
    if table.shape[1] > 1:
        table = np.maximum(table, numbers[:, None])
    over = numbers[:, None] > table
    if over.any():
        at = int(np.argmax(over.any(axis=1)))
        raise InputError(
            f"group {killed.index[at]!r} has {numbers[at]:,} lethal of {table[at, 0]:,} attacks; correct one of them"
        )
    if table.sum(axis=0).min() == 0:
        raise InputError("trials are 0 in all groups; a share needs at least one attack")
    if len(numbers) > 1:
        table = table[:, spread_over(table.shape[1], min(POOLED, table.shape[1]))]
    return [str(name) for name in killed.index], numbers, table.T


def _drawn(trials: pd.DataFrame, groups: pd.Index) -> pd.DataFrame:
    """Trials of each group (rows) in each draw."""
    if trials.columns.name != DRAW:
        raise InputError(
            f"trials has columns named {trials.columns.name!r}; name those of equally plausible draws 'draw'"
        )
    if isinstance(trials.index, pd.PeriodIndex) and is_histories(trials):
        if len(groups) > 1:
            raise InputError(
                f"trials are histories of one series, and lethal is of {len(groups)} groups; give groups x draws"
            )
        checked = check_counts(trials, "trials")
        assert isinstance(checked, pd.DataFrame)
        return checked.sum().to_frame().T.set_axis(groups)
    return trials


def _whole(table: pd.Series | pd.DataFrame, name: str) -> IntArray:
    """Whole numbers >= 0 as int64."""
    try:
        values = table.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds values that are not numbers of attacks; give whole numbers >= 0") from None
    bad = ~np.isfinite(values) | (values < 0) | (values != np.floor(values)) | (values > MAX_FATALITIES)
    if bad.any():
        raise InputError(f"{name} holds {values[bad][0]:g}; give whole numbers of attacks from 0 to {MAX_FATALITIES:,}")
    return values.astype(np.int64)


def count_lethal(
    incidents: pd.DataFrame,
    by: str | None = None,
    *,
    victims: Victim | Sequence[Victim] | None = None,
    figures: Literal["best", "low", "high"] = "best",
    unknown: Literal["leave_out", "not_lethal"] = "leave_out",
) -> pd.DataFrame:
    """Count incidents that killed, and all of them, by group.

    Parameters
    ----------
    incidents : pandas.DataFrame
        One row an incident, as :func:`escalation.read_incidents` gives them.
    by : str, optional
        Column of the groups, such as ``event_type``, ``actor`` or ``country``; one group when left out.
    victims : {"own", "partner", "attacker", "civilian"} or a list of them, optional
        Whose dead make an incident lethal: those of the side attacked, of its partners, of the attackers or civilians,
        by the columns ``killed_own`` and so on; all dead when left out.
    figures : {"best", "low", "high"}
        Which of the fatality figures decides; a bound that is not known is the best figure.
    unknown : {"leave_out", "not_lethal"}
        Incidents whose fatalities are not stated: left out of both numbers, or taken as not lethal, which is the lower
        end of what they can be.

    Returns
    -------
    pandas.DataFrame
        Indexed by group: ``lethal``, ``trials`` and ``unknown``, the number of incidents without a figure.

    Raises
    ------
    InputError
        If the table or an option cannot be used, a row stands for several incidents, or no incident has a figure.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "date": pd.to_datetime(["2024-01-28", "2024-02-05", "2024-02-09", "2024-03-01"]),
    ...     "event_type": ["drone", "drone", "rocket", "rocket"], "fatalities": [3, 5, 0, 0],
    ... })
    >>> count_lethal(table, "event_type")["lethal"].to_dict()
    {'drone': 2, 'rocket': 0}
    """
    table = check_incidents(incidents) if victims is None else deaths_of(incidents, victims)
    if figures not in ("best", "low", "high") or unknown not in ("leave_out", "not_lethal"):
        raise InputError(
            f"figures is {figures!r} and unknown {unknown!r}; use 'best', 'low' or 'high', and 'leave_out' or "
            "'not_lethal'"
        )
    if "events" in table and (table["events"] != 1).any():
        raise InputError("some rows stand for several incidents, of which it is not known which ones killed; drop them")
    if by is not None and by not in table:
        raise InputError(f"by is {by!r}; the groups are in a column: {', '.join(map(str, table.columns))}")
    best = table["fatalities"]
    killed = best if figures == "best" else table[f"fatalities_{figures}"].fillna(best)
    missing = killed.isna().to_numpy()
    whose = "" if victims is None else f" of {victims_text(check_victims(victims))}"
    if missing.all():
        raise InputError(
            f"no incident states its fatalities{whose}, so there is no share of lethal ones; name their column as "
            "fatalities"
        )
    if missing.any() and unknown == "leave_out":
        warn(
            f"{missing.sum():,} of {len(table):,} incidents state no fatalities{whose} and are left out of the share; "
            "unknown='not_lethal' counts them as not lethal"
        )
    group = pd.Series("all", index=table.index) if by is None else table[by].astype(object)
    group = group.where(group.notna() & (group != ""), BLANK_UNIT).astype(str)
    counted = pd.DataFrame(
        {
            "lethal": (killed.fillna(0) > 0).to_numpy(dtype=np.int64),
            "trials": np.where(missing & (unknown == "leave_out"), 0, 1),
            "unknown": missing.astype(np.int64),
        }
    )
    return counted.groupby(group.to_numpy()).sum().rename_axis("group")
