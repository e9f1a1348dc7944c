"""The verdict of a brief: six sentences that can be printed, each with the answers that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from escalation.analysis.severity.compounding import Toll
from escalation.assessment.cautions import FEW_TALLIES
from escalation.assessment.gate import HALF, recent_share
from escalation.assessment.outlook import total_ahead, window_text
from escalation.assessment.result import Assessment
from escalation.assessment.severity import AttackSeverity
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld
from escalation.cases.answered import SeriesAnswers
from escalation.conventions.wording import number, plain, probability_text, singular, spaced
from escalation.counts.periods import date_span, period_word
from escalation.counts.series import CountSeries
from escalation.forecasts.flashpoint import FlashpointProbability
from escalation.incidents.victims import ON_WHOM, Victim, sides_killed


@dataclass(frozen=True)
class Statement:
    """A sentence of the verdict.

    Attributes
    ----------
    key : str
        Which of the six it is: ``now``, ``rising``, ``two_months``, ``twelve_months``, ``severity`` or ``trust``.
    text : str
        The sentence, of at most thirty words.
    answers : tuple of str
        Keys of the answers that its numbers are.
    """

    key: str
    text: str
    answers: tuple[str, ...] = ()


def verdict(main: SeriesAnswers, others: Sequence[SeriesAnswers], cautions: int) -> tuple[Statement, ...]:
    """The six sentences: now, rising, the horizon, twelve months, lethal attacks and big responses, trust."""
    found = main.assessment
    assert isinstance(found, Assessment)
    return (
        _now(found),
        _rising(found),
        _horizon(found),
        _year(found),
        _severity(found, (main, *others)),
        _trust(found, cautions),
    )


def _now(found: Assessment) -> Statement:
    """How many now."""
    counted, quiet, unit = found.counted(), found.if_quiet, spaced(found.series.unit)
    number_of = len(found.recent)
    # a sentence that names days which nobody has counted yet would be read as if they were quiet
    last = min(found.recent[-1].end_time.normalize(), found.series.observed_until)
    span = f"in the {number_of} {period_word(found.freq, number_of)} to {last.date()}"
    if last < found.recent[-1].end_time.normalize():  # fewer days than so many weeks back from then
        span = f"from {found.recent[0].start_time.date()} to {last.date()}"
    if isinstance(counted, Withheld):
        return Statement("now", f"How many {unit} there are now is not known: {_short(counted)}.", ("count_recent",))
    text = f"{_with_interval(counted, found.level, unit)} fell {span}"
    if isinstance(quiet, Assessment):
        other = quiet.counted()
        if not isinstance(other, Withheld):
            text += f"; {number(other[0])} if days without a report were quiet"
    elif not isinstance(found.rate, Withheld) and not found.series.exact:
        text += f", an underlying rate of {plain(found.rate.recent.rate)} a {period_word(found.freq)}"
        return Statement("now", f"{text}.", ("count_recent", "rate_now"))
    return Statement("now", f"{text}.", ("count_recent",))


def _rising(found: Assessment) -> Statement:
    """Whether it rises, beyond its usual fluctuation or not, and how sure that is."""
    rate, unit = found.rate, spaced(found.series.unit)
    keys = ("probability_unusual", "probability_higher")
    if isinstance(rate, Withheld):
        return Statement("rising", f"Whether {unit} are rising is not known: {_short(rate)}.", keys)
    sign, before = rate.direction(), f"than before ({date_span(rate.baseline.first, rate.baseline.last)})"
    higher = f"a higher rate {before} has probability {probability_text(rate.probability_higher)}"
    if np.isnan(rate.probability_unusual):
        return Statement("rising", f"{_direction(sign, unit, beyond=False)}: {higher}.", keys[1:])
    unusual = rate.probability_unusual if sign >= 0 else 1 - rate.probability_unusual
    way = "fall" if sign < 0 else "rise"
    beyond = f"a {way} beyond the usual fluctuation has probability {probability_text(unusual)}"
    text = f"{_direction(sign, unit, beyond='beyond' in rate.verdict())}: {beyond}, {higher}"
    return Statement("rising", f"{text}.", keys)


def _direction(sign: int, unit: str, *, beyond: bool) -> str:
    if sign == 0:
        return f"Whether {unit} are rising is open"
    way = "rose" if sign > 0 else "fell"
    return f"{unit[:1].upper()}{unit[1:]} {way}" if beyond else f"{unit[:1].upper()}{unit[1:]} probably {way}"


def _horizon(found: Assessment) -> Statement:
    """What the horizon brings: two months of weeks."""
    forecast, keys = found.forecast, ("total_ahead", "flashpoint")
    if isinstance(forecast, Withheld):
        return Statement("two_months", f"What comes next is not known: {_short(forecast)}.", keys)
    ahead = total_ahead(forecast, found.within, found.level)
    total = _with_interval(ahead, found.level, spaced(forecast.unit))
    steps = f"{found.within} {period_word(found.freq, found.within)}"
    text = f"The next {steps} should bring {total}"
    if isinstance(found.flashpoints, Withheld):
        return Statement("two_months", f"{text}.", keys[:1])
    return Statement("two_months", f"{text}; {_reached(found.flashpoints[0])}.", keys)


def _year(found: Assessment) -> Statement:
    """What twelve months bring, and whether such forecasts have a record."""
    year, keys = found.year, ("total_year", "flashpoint_year")
    if isinstance(year, Withheld):
        return Statement("twelve_months", f"What twelve months bring is not known: {_short(year)}.", keys)
    total = _with_interval(year.total(), found.level, spaced(year.forecast.unit))
    steps = f"{year.forecast.steps} {period_word(found.freq, year.forecast.steps)}"
    reached = _reached(year.flashpoint, by=False)
    text = f"The next {steps} may bring {total}, and {reached}; {_record_so_far_ahead(found)}"
    return Statement("twelve_months", f"{text}.", keys)


def _record_so_far_ahead(found: Assessment) -> str:
    record = found.record
    if isinstance(record, Withheld):
        return "such forecasts have no record here"
    most = int(record.scores["step"].max())
    return f"the record ends {most} {period_word(found.freq, most)} ahead"


def _reached(point: FlashpointProbability, *, by: bool = True) -> str:
    until = f" by {point.last.end_time.date()}" if by else ""
    return f"{window_text(point)}{until} has probability {probability_text(point.probability)}"


def _severity(found: Assessment, series: Sequence[SeriesAnswers]) -> Statement:
    """A lethal attack, and a big response."""
    parts, keys = [], []
    if isinstance(found.severity, AttackSeverity):
        text, named = _lethal(found.severity, found.series)
        parts.append(text)
        keys += ["attack_kills_1", *named]
    for one in series:
        if one.rare is not None and len(parts) < MOST_EVENTS:
            last = one.rare.probability.iloc[-1]
            said = probability_text(float(last["probability"]))
            text = f"{_event(one)} has {'' if parts else 'probability '}{said}"
            if len(", ".join([*parts, text]).split()) > WORDS:
                break
            parts.append(text)
            keys.append(f"event_{one.name}")
    if not parts:
        why = "no incident with its deaths, and no handful of announced events, is listed"
        return Statement("severity", f"On lethal and rare big events nothing is said: {why}.")
    text = ", ".join(parts)
    return Statement("severity", f"{text[:1].upper()}{text[1:]}.", tuple(keys))


MOST_EVENTS = 3
"""So many lethal or big events are named in one sentence."""
WORDS = 30
"""So many words a sentence has at most."""


def _lethal(severity: AttackSeverity, series: CountSeries) -> tuple[str, list[str]]:
    """How likely a lethal attack is, and on whom as far as the list says, with the keys of the answers on sides."""
    named = _on_whom(series)
    whom = f" on {' or '.join(ON_WHOM[one] for one in named)}" if named else ""
    until, likely = severity.toll.end.date(), _likely(severity.toll)
    text = f"a lethal attack{whom} by {until} has probability {likely}"
    if severity.sides:
        sides = ", ".join(f"{ON_WHOM[side]} {_likely(one)}" for side, one in severity.sides.items())
        return f"{text} (on {sides})", [f"attack_kills_1_{side}" for side in severity.sides]
    return (text if whom else f"{text}, whoever is killed"), []


def _on_whom(series: CountSeries) -> tuple[Victim, ...]:
    """Whose dead they are: those asked for, or the one side of which all the dead of the list are."""
    if not isinstance(series, SourceSeries) or series.incidents is None or series.victims:
        return series.victims if isinstance(series, SourceSeries) else ()
    killed = sides_killed(series.incidents)
    lethal = int(series.incidents["fatalities"].gt(0).sum())
    return tuple(killed) if len(killed) == 1 and sum(killed.values()) == lethal else ()


def _likely(cost: Toll) -> str:
    return probability_text(float(cost.probabilities["probability"].iloc[0]))


def _event(one: SeriesAnswers) -> str:
    """An event of the size asked about, in words."""
    assert one.handful is not None and one.rare is not None
    units = " or ".join(spaced(unit) for unit in sorted(set(one.handful.events["unit"])))
    return f"one of {one.rare.at_least:,} or more {units} ({one.title})"


def _trust(found: Assessment, cautions: int) -> Statement:
    """How far to trust it."""
    rests, thin = f"it rests on {_rests_on(found)}", not _converged(found)
    if found.reconstruction is not None:
        spoken, used = recent_share(found.series, found.recent), int(found.reconstruction.tallies["used"].sum())
        verb = "s" if used == 1 else ""
        rests += f" that speak{verb} of {spoken:.0%} of the recent days"
        thin |= spoken < HALF or used <= FEW_TALLIES
    elif found.source is not None and found.source.quality is not None:
        rests += f", a table called {found.source.quality.verdict}"
    record = "its record is on the last page" if found.record else "no past forecast was scored"
    follow = "caution follows" if cautions == 1 or not cautions else "cautions follow"
    lead = "Trust this little" if thin else "How far to trust it"
    return Statement("trust", f"{lead}: {rests}; {record}; {cautions or 'no'} {follow}.")


def _rests_on(found: Assessment) -> str:
    """What the answers rest on."""
    if found.reconstruction is not None:
        used = found.reconstruction.tallies[found.reconstruction.tallies["used"]]
        new = () if found.source is None else set(used.index) & set(found.source.unreviewed)
        word = "count" if len(used) == 1 else "counts"
        if new and len(new) == len(used):
            return f"{len(used):,} unreviewed {word}"
        return f"{len(used):,} {word}{f' ({len(new):,} unreviewed)' if new else ''}"
    if found.source is not None:
        table = found.source.table
        if "events" in table:
            return f"{len(table):,} rows that stand for {int(table['events'].sum()):,} incidents"
        return f"{len(table):,} listed incidents"
    number_of = len(found.series.counts)
    return f"{number_of:,} {period_word(found.freq, number_of)} of counts as given"


def _converged(found: Assessment) -> bool:
    return found.reconstruction is None or found.reconstruction.converged


def _short(part: Withheld) -> str:
    """Why a part is not given, without what to do about it."""
    return part.reason.partition(";")[0].removesuffix(".")


def _with_interval(values: tuple[float, float, float], level: float, unit: str) -> str:
    value, lower, upper = values
    between = "" if lower == upper else f" ({level:.0%} interval {lower:,.0f} to {upper:,.0f})"
    return f"{value:,.0f} {singular(unit) if value == 1 else unit}{between}"
