"""Casualties: the answers on severity for a series that was assessed, as far as its incidents can carry them."""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass, field

import pandas as pd

from escalation.assessment import Assessment
from escalation.errors import EscalationWarning, InputError
from escalation.randomness import Seed, as_generator
from escalation.severity.compounding import Severity, Toll, toll
from escalation.severity.lethality import Lethality, count_lethal, lethality
from escalation.severity.sizes import FatalitySizes, fatality_sizes
from escalation.severity.tail import FEWEST, FatalityTail, fatality_tail
from escalation.sources import CountedSeries
from escalation.wording import share as share_text

TYPES = "event_type"
"""Column by which the share is told apart, if it has several values."""
KILLED = (1, 10, 25)
"""Fatalities of one attack whose chance is given."""
NEARLY_ALL = 0.9
"""With a greater share the list itself is in doubt."""
FEW = 5
"""With fewer lethal attacks the reader is told that the share rests on them."""


@dataclass(frozen=True, eq=False)
class Casualties:
    """What the attacks of a series do: which share kills, how many, and what the coming ones may cost.

    Attributes
    ----------
    lethality : Lethality
        The share that kills, by type where the types are known.
    sizes : FatalitySizes or None
        How many a lethal attack kills; None with fewer than 10 lethal attacks.
    tail : FatalityTail or None
        The power law of the deadliest; None with fewer than 10 lethal attacks or if all killed as many.
    toll : Toll
        Chances and fatalities within the horizon of the assessment.
    stated : Lethality
        The share among incidents that state their fatalities: the alternative where the others were taken as not
        lethal, and else the same as ``lethality``.
    unknown : int
        Incidents that do not state them.
    cautions : tuple of str
        What the reader should keep in mind.
    """

    lethality: Lethality
    sizes: FatalitySizes | None = field(repr=False)
    tail: FatalityTail | None = field(repr=False)
    toll: Toll
    stated: Lethality = field(repr=False)
    unknown: int
    cautions: tuple[str, ...]

    def sentences(self) -> list[str]:
        """The answers in plain sentences, with their ranges."""
        parts = (self.lethality, self.sizes, self.tail, self.toll)
        return [part.sentence() for part in parts if part is not None]

    def answers(self) -> pd.DataFrame:
        """The answers as a table.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``question``; columns ``value``, ``lower``, ``upper`` (interval; missing where the value does not
            exist) and ``unit``.
        """
        until, share = self.toll.end.date(), self.lethality
        rows: list[tuple[str, float | None, float | None, float | None, str]] = [
            (f"share of {share.unit} that kill", share.share, share.lower, share.upper, "probability")
        ]
        if share.new_share is not None:
            rows += [
                (f"share that kills: {name}", row["share"], row["lower"], row["upper"], "probability")
                for name, row in share.groups.iterrows()
            ]
        rows += [
            (
                f"an attack that kills {killed:,} or more by {until}",
                row["probability"],
                row["lower"],
                row["upper"],
                "probability",
            )
            for killed, row in self.toll.chances.iterrows()
        ]
        if self.tail is not None:
            tail = self.tail
            rows.append(("exponent of the tail", tail.alpha, tail.alpha_lower, tail.alpha_upper, "exponent"))
            rows.append(("threshold of the tail", tail.xmin, tail.xmin_lower, tail.xmin_upper, "killed"))
        if self.sizes is not None:
            cost = self.toll
            rows.append((f"killed by {until}, median", cost.median, cost.lower, cost.upper, "killed"))
            rows.append(
                (f"killed by {until}, expected", cost.expected, cost.expected_lower, cost.expected_upper, "killed")
            )
        frame = pd.DataFrame(rows, columns=["question", "value", "lower", "upper", "unit"])
        numbers = ["value", "lower", "upper"]
        return frame.set_index("question").astype(dict.fromkeys(numbers, float))

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in (*self.sentences(), *self.cautions))


def assess_casualties(assessment: Assessment, *, by: str | None = None, rng: Seed = None) -> Casualties:
    """Answer what the attacks of an assessed series do, from the incidents behind it or listed beside it.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`, of a count of incidents; intervals have its level.
    by : str, optional
        Column of the incidents that holds their types; ``event_type`` when left out, if it has several.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Casualties

    Raises
    ------
    InputError
        If fatalities are what was counted, no incident states them, or types are asked of tallies.

    Examples
    --------
    >>> import escalation
    >>> table = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=60, freq="3D"), "fatalities": [0, 0, 1] * 20})
    >>> counts = escalation.aggregate(table, "W-SUN", start="2024-01-01", end="2024-06-30")
    >>> whole = escalation.exposure(counts.index, "2024-01-01", "2024-06-30")
    >>> series = CountedSeries(counts, whole, "raids", "incidents", "", "", None, (), incidents=table)
    >>> assessment = escalation.assess(series, model="climatology", models=[], draws=200, rng=1)
    >>> found = assess_casualties(assessment, rng=1)
    >>> round(found.lethality.share, 2), found.tail is None
    (0.34, True)
    """
    series, generator = assessment.series, as_generator(rng)
    incidents = series.incidents
    if series.unit == "fatalities":
        raise InputError("fatalities were counted, and severity is of attacks: count incidents")
    if incidents is None:
        raise InputError("this source lists no incidents with their fatalities, so nothing tells what its attacks do")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)  # said in the cautions
        whole = count_lethal(incidents)
    unknown = int(whole["unknown"].sum())
    level = assessment.level
    stated = lethality(int(whole["lethal"].iloc[0]), int(whole["trials"].iloc[0]), level=level, unit=series.unit)
    if series.reconstruction is not None:
        if by is not None:
            raise InputError(f"by is {by!r}, but tallies do not tell the types of what they count; leave it out")
        share = lethality(stated.lethal, series.reconstruction.histories, level=level, unit=series.unit)
    else:
        share = _by_type(incidents, by, stated, generator)
    killed = incidents["fatalities"].dropna()
    killed = killed[killed > 0]
    sizes = tail = None
    if len(killed) >= FEWEST:
        sizes = fatality_sizes(killed, level=level, rng=generator)
        if "power_tail" in sizes.candidates.index:
            tail = fatality_tail(killed, level=level, rng=generator)
    ends = assessment.forecast.periods[assessment.within - 1].end_time.normalize()
    wanted = KILLED if sizes is not None else KILLED[:1]
    cost = toll(assessment.forecast, Severity(share, sizes), killed=wanted, end=ends, level=level, rng=generator)
    cautions = tuple(_cautions(series, stated, unknown, sizes))
    return Casualties(share, sizes, tail, cost, stated, unknown, cautions)


def has_casualties(series: CountedSeries) -> bool:
    """Tell whether the incidents of a series can carry a page on severity: single ones, at least one of them lethal."""
    incidents = series.incidents
    if series.unit == "fatalities" or incidents is None or incidents["fatalities"].isna().all():
        return False
    single = "events" not in incidents or bool((incidents["events"] == 1).all())
    return single and bool((incidents["fatalities"] > 0).any())


def _by_type(incidents: pd.DataFrame, by: str | None, whole: Lethality, rng: Seed) -> Lethality:
    """The share of each type, or of all where there is one type."""
    column = by if by is not None else TYPES if TYPES in incidents else None
    if column is None:
        return whole
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)  # said in the cautions
        table = count_lethal(incidents, column)
    table = table[table["trials"] > 0]
    if len(table) == 1:
        return whole
    return lethality(table["lethal"], table["trials"], level=whole.level, unit=whole.unit, rng=rng)


def _cautions(series: CountedSeries, stated: Lethality, unknown: int, sizes: FatalitySizes | None) -> list[str]:
    """What the reader should keep in mind."""
    said = []
    if series.reconstruction is not None:
        said.append(
            f"The share rests on {_lethal(stated.lethal)} among the incidents that are listed, set against all attacks "
            f"that the tallies leave possible; {unknown:,} listed incidents do not state fatalities and count as not "
            f"lethal, as do attacks that are not listed. Among those that state them it would be "
            f"{share_text(stated.share)} ({share_text(stated.lower)} to {share_text(stated.upper)}), too high if "
            "deaths are told of more often than their absence."
        )
    else:
        if stated.lethal < FEW:
            said.append(f"The share rests on {_lethal(stated.lethal)}.")
        if unknown:
            said.append(
                f"{unknown:,} incidents state no fatalities and are left out of the share, which is too high if deaths "
                "are told of more often than their absence."
            )
    if stated.share > NEARLY_ALL:
        said.append(
            "Nearly all listed incidents killed: a list that leaves out attacks without deaths, as that of UCDP does, "
            "does not tell the share."
        )
    if sizes is None:
        said.append(f"With fewer than {FEWEST} lethal attacks nothing is said of how many one kills.")
    said.append(
        "Coming attacks are taken to kill as those so far did: a change of weapon, target or defence is not in these "
        "numbers."
    )
    return said


def _lethal(number: int) -> str:
    return f"{number:,} lethal {'attack' if number == 1 else 'attacks'}"
