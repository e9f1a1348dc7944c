"""The answers of an assessment as one table: a stable key each, with value, interval, unit and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from escalation.assessment.outlook import total_ahead
from escalation.assessment.withheld import Withheld
from escalation.errors import InputError
from escalation.flashpoint import FlashpointProbability
from escalation.periods import period_word
from escalation.wording import chance, number, percent, plain, share

if TYPE_CHECKING:
    from escalation.assessment.assess import Assessment

HEADLINE = ("rate", "growth", "forecast", "flashpoints")
"""Parts that are answered unless others are asked for."""
PROBABILITY, SHARE = "probability", "share"


class Answer(NamedTuple):
    """One number that answers one question.

    Attributes
    ----------
    key : str
        What the number is called everywhere, such as ``rate_now``.
    question : str
        The same in words, with its window or threshold.
    value, lower, upper : float
        The number and its interval; NaN where there is none. The interval of a flashpoint's probability is that of its
        Monte Carlo error.
    unit : str
        ``probability``, ``share`` or ``share per week`` (0.05 is 5% a week), or what is counted.
    mc_error : float
        Monte Carlo standard error of the value; NaN where it has none.
    why : str
        Why there is no value; empty where there is one.
    """

    key: str
    question: str
    value: float
    lower: float = np.nan
    upper: float = np.nan
    unit: str = PROBABILITY
    mc_error: float = np.nan
    why: str = ""

    def value_text(self) -> str:
        """Write the value."""
        return "not given" if self.why else figure(self.value, self.unit)

    def span_text(self) -> str:
        """Write the interval, or the Monte Carlo error where that is all there is."""
        if not np.isnan(self.mc_error):
            return f"± {self.mc_error:.2g}"
        if np.isnan(self.lower) or np.isnan(self.upper) or self.lower == self.upper:
            return ""
        return f"{figure(self.lower, self.unit)} to {figure(self.upper, self.unit)}"

    def unit_text(self) -> str:
        """Write the unit, where the value does not bring it."""
        return "" if self.unit in (PROBABILITY, SHARE) else self.unit.removeprefix("share ")

    def text(self) -> str:
        """Write value, interval and unit in one."""
        if self.why:
            return f"not given: {self.why}"
        span = self.span_text()
        between = f" {span}" if span.startswith("±") else f" ({span})" if span else ""
        return f"{self.value_text()}{between} {self.unit_text()}".rstrip()


def figure(value: float, unit: str) -> str:
    """Write a number of this unit."""
    if np.isnan(value):
        return ""
    if unit == PROBABILITY:
        return chance(value)
    if unit == SHARE:
        return share(value)
    if unit.startswith("share per"):
        return percent(value)
    return plain(value) if " per " in unit or unit == "times" else number(value)


def answer_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """Put answers into a table indexed by ``key``, with question, value, interval, unit and text."""
    rows = [(one.key, one.question, one.value, one.lower, one.upper, one.unit, one.text()) for one in answers]
    columns = ["key", "question", "value", "lower", "upper", "unit", "text"]
    frame = pd.DataFrame(rows, columns=columns).set_index("key")
    return frame.astype(dict.fromkeys(("value", "lower", "upper"), float))


def answers_of(assessment: Assessment, parts: Sequence[str]) -> list[Answer]:
    """Return the answers of the parts named, in their order.

    Raises
    ------
    InputError
        If there is no such part.
    """
    check_parts(parts)
    return [answer for part in parts for answer in PARTS[part](assessment)]


def check_parts(parts: Sequence[str]) -> None:
    """Refuse names that no part has.

    Raises
    ------
    InputError
        If there is no such part.
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(f"part is {part!r}; use some of {', '.join(PARTS)}")


def _rate(assessment: Assessment) -> Iterator[Answer]:
    rate, per = assessment.rate, f"{assessment.series.unit} per {period_word(assessment.freq)}"
    yield _counted(assessment)
    if isinstance(rate, Withheld):
        for key, question, unit in (
            ("rate_now", "rate now", per),
            ("rate_before", "rate before", per),
            ("rate_ratio", "ratio of rates", "times"),
            ("probability_higher", "probability that the rate rose", PROBABILITY),
        ):
            yield Answer(key, question, np.nan, unit=unit, why=rate.reason)
        return
    yield Answer("rate_now", "rate now", rate.recent.rate, rate.recent.lower, rate.recent.upper, per)
    yield Answer("rate_before", "rate before", rate.baseline.rate, rate.baseline.lower, rate.baseline.upper, per)
    yield Answer("rate_ratio", "ratio of rates", rate.ratio, rate.lower, rate.upper, "times")
    yield Answer("probability_higher", "probability that the rate rose", rate.probability_rose)


def _counted(assessment: Assessment) -> Answer:
    """How many were counted in the recent window; the interval is that of the histories."""
    periods, unit, freq = assessment.recent, assessment.series.unit, assessment.freq
    span = f"{len(periods)} {period_word(freq, len(periods))}"
    until_now = periods[-1] == assessment.series.periods[-1]
    question = f"counted in the last {span}" if until_now else f"counted in the {span} to {periods[-1].end_time.date()}"
    counted = assessment.counted()
    if isinstance(counted, Withheld):
        return Answer("count_recent", question, np.nan, unit=unit, why=counted.reason)
    return Answer("count_recent", question, *counted, unit)


def _test(assessment: Assessment) -> Iterator[Answer]:
    if assessment.rate:
        yield Answer("p_value", "p-value of equal rates", assessment.rate.p_value)


def _growth(assessment: Assessment) -> Iterator[Answer]:
    risen, word = assessment.growth, period_word(assessment.freq)
    if isinstance(risen, Withheld):
        yield Answer("growth", f"growth a {word}", np.nan, unit=f"share per {word}", why=risen.reason)
        return
    length = risen.last.ordinal - risen.first.ordinal + 1
    over = f"over {length} {period_word(assessment.freq, length)}"
    yield Answer("growth", f"growth {over}", risen.growth, risen.lower, risen.upper, f"share per {word}")


def _doubling(assessment: Assessment) -> Iterator[Answer]:
    risen, word = assessment.growth, period_word(assessment.freq, 2)
    if isinstance(risen, Withheld):
        return
    name = "doubling time" if risen.doubling_time > 0 else "halving time"
    yield Answer("doubling_time", f"{name} (negative: halving)", risen.doubling_time, unit=word)
    yield Answer("probability_rising", "probability that it was rising", risen.probability_rising)


def _growth_now(assessment: Assessment) -> Iterator[Answer]:
    now, unit = assessment.growth_now, f"share per {period_word(assessment.freq)}"
    if isinstance(now, Withheld):
        yield Answer("growth_now", "growth now (local trend)", np.nan, unit=unit, why=now.reason)
        return
    yield Answer("growth_now", "growth now (local trend)", now.growth, now.lower, now.upper, unit)
    yield Answer("probability_rising_now", "probability of rising now", now.probability_rising)


def _carrier(assessment: Assessment) -> Iterator[Answer]:
    carrier = assessment.carrier
    if isinstance(carrier, Withheld):
        return
    for place, (named, rose) in enumerate(carrier.without().items(), start=1):
        yield Answer(f"probability_higher_without_{place}", f"probability that it rose without {named}", float(rose))


def _trend(assessment: Assessment) -> Iterator[Answer]:
    for part in (_rate, _test, _growth, _doubling, _growth_now, _carrier):
        yield from part(assessment)


def _forecast(assessment: Assessment) -> Iterator[Answer]:
    unit, freq = assessment.series.unit, assessment.freq
    within, forecast = assessment.within, assessment.forecast
    question = f"forecast total, next {within} {period_word(freq, within)}"
    if isinstance(forecast, Withheld):
        yield Answer("total_ahead", question, np.nan, unit=unit, why=forecast.reason)
        return
    yield Answer("total_ahead", question, *total_ahead(forecast, within, assessment.level), unit)


def _flashpoints(assessment: Assessment) -> Iterator[Answer]:
    points = assessment.flashpoints
    if isinstance(points, Withheld):
        yield Answer("flashpoint", "a flashpoint", np.nan, why=points.reason)
        return
    for place, point in enumerate(points):
        yield _point("flashpoint" if place == 0 else f"flashpoint_{point.at_least}", point)


def _presets(assessment: Assessment) -> Iterator[Answer]:
    for name, point in assessment.presets.items():
        yield _point(f"preset_{_key(name)}", point)


def _point(key: str, point: FlashpointProbability) -> Answer:
    window, word = "a" if point.over == 1 else f"{point.over}", period_word(point.last.freqstr, point.over)
    question = f"{window} {word} of {point.at_least:,} or more by {point.last.end_time.date()}"
    if point.name:
        question += f" ({point.name})"
    return Answer(key, question, point.probability, point.lower, point.upper, PROBABILITY, point.mc_error)


def _severity(assessment: Assessment) -> Iterator[Answer]:
    found = assessment.severity
    if isinstance(found, Withheld):
        yield Answer("lethal_share", "share of attacks that kill", np.nan, unit=SHARE, why=found.reason)
        return
    rate, cost = found.lethality, found.toll
    until = cost.end.date()
    yield Answer("lethal_share", f"share of {rate.unit} that kill", rate.share, rate.lower, rate.upper, SHARE)
    if rate.new_share is not None:
        for name, row in rate.table.iterrows():
            values = (row["share"], row["lower"], row["upper"])
            yield Answer(f"lethal_share_{_key(str(name))}", f"share that kills: {name}", *values, SHARE)
    for killed, row in cost.chances.iterrows():
        question = f"an attack that kills {killed:,} or more by {until}"
        yield Answer(f"attack_kills_{killed}", question, row["probability"], row["lower"], row["upper"])
    if found.tail is not None:
        one = found.tail
        exponent, threshold = (one.alpha, one.alpha_lower, one.alpha_upper), (one.xmin, one.xmin_lower, one.xmin_upper)
        yield Answer("tail_exponent", "exponent of the tail", *exponent, "exponent")
        yield Answer("tail_threshold", "threshold of the tail", *threshold, "killed")
    if found.sizes is not None:
        median = (cost.median, cost.lower, cost.upper)
        mean = (cost.expected, cost.expected_lower, cost.expected_upper)
        yield Answer("killed_ahead", f"killed by {until}, median", *_three(median), "killed")
        yield Answer("killed_ahead_mean", f"killed by {until}, expected", *_three(mean), "killed")


def _three(values: tuple[float | None, float | None, float | None]) -> tuple[float, float, float]:
    """NaN where a value does not exist."""
    value, lower, upper = (np.nan if one is None else float(one) for one in values)
    return value, lower, upper


def _changes(assessment: Assessment) -> Iterator[Answer]:
    found = assessment.changes
    if isinstance(found, Withheld):
        yield Answer("probability_changed", "probability that the rate changed", np.nan, why=found.reason)
        return
    yield Answer("changes", "changes of the rate, likeliest number", float(len(found.changes)), unit="changes")
    yield Answer("probability_changed", "probability that the rate changed", 1 - float(found.number.iloc[0]))


def _alarms(assessment: Assessment) -> Iterator[Answer]:
    found, false = assessment.alarms, assessment.false_alarms
    if isinstance(found, Withheld):
        yield Answer("alarms", "alarms", np.nan, unit="alarms", why=found.reason)
        return
    yield Answer("alarms", f"alarms by {found.method.label}", float(len(found.periods)), unit="alarms")
    if not isinstance(false, Withheld):
        yield Answer("false_alarms", "false alarms while nothing changes", false.per_year, unit="alarms per year")


def _regimes(assessment: Assessment) -> Iterator[Answer]:
    found = assessment.regimes
    if isinstance(found, Withheld):
        yield Answer("probability_regime", "probability of the regime", np.nan, why=found.reason)
        return
    now = found.now
    yield Answer("probability_regime", f"probability that it is {now.regime} now", now.probability)


def _excitation(assessment: Assessment) -> Iterator[Answer]:
    found = assessment.excitation
    if isinstance(found, Withheld):
        yield Answer("excitation", "attacks by one side after one by the other", np.nan, why=found.reason)
        return
    first, second = found.sides
    for by, after in ((second, first), (first, second)):
        row = found.response.loc[[(by, after, found.within)]].iloc[0]
        question = f"more by {by} in {found.within} {period_word(found.freq, found.within)} after one by {after}"
        ends = (float(row["estimate"]), float(row["lower"]), float(row["upper"]))
        yield Answer(f"excitation_{_key(by)}_after_{_key(after)}", question, *ends, found.unit)


def _key(name: str) -> str:
    """Return a name as part of a key."""
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


PARTS: dict[str, Callable[[Assessment], Iterator[Answer]]] = {
    "rate": _rate,
    "growth": _growth,
    "trend": _trend,
    "forecast": _forecast,
    "flashpoints": _flashpoints,
    "presets": _presets,
    "severity": _severity,
    "changes": _changes,
    "alarms": _alarms,
    "regimes": _regimes,
    "excitation": _excitation,
}
"""What can be asked of an assessment, by name."""
