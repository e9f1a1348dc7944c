"""What an article has said of time so far, and which of its dates are of speaking and not of what happened."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from escalation.articles.phrases import Parsed, Phrase
from escalation.articles.reporting import saying_pattern, speech_pattern
from escalation.articles.times import calendar
from escalation.articles.times.calendar import DAY, Days
from escalation.articles.times.expressions import Expression

SHORT = 4
"""A window of at most so many days is that of an event; a longer one is a period."""
BACKGROUND = 400
"""Days before publication from which on a window is background, and dates no later sentence."""


@dataclass(frozen=True)
class Window:
    """The days that a number is of.

    Attributes
    ----------
    days : (datetime.date or None, datetime.date or None)
        None where the text does not say, or only relative to a day of publication that is not known.
    confidence : float
    rule : str
        How the window was found.
    stated : bool
        Whether the clause itself says it.
    source : Expression or None
        The expression that it is from.
    """

    days: tuple[dt.date | None, dt.date | None]
    confidence: float
    rule: str
    stated: bool = False
    source: Expression | None = None


@dataclass
class Story:
    """What the article has said of time so far: the current event and the current long period.

    Attributes
    ----------
    known : datetime.date or None
        Day of publication.
    event, period, last, lead : (datetime.date, datetime.date) or None
        The latest short window, the latest long one, that of the latest number, the first of all.
    things : dict of str to Days
        Days on which things that were mentioned happened: the truce, the strikes.
    sentence : list of Days or None
        Windows of the numbers of the sentence before.
    counted : dict of str to tuple
        Window of the latest number of each unit.
    """

    known: dt.date | None
    event: Days | None = None
    period: Days | None = None
    last: Days | None = None
    lead: Days | None = None
    things: dict[str, Days] = field(default_factory=dict)
    sentence: list[Days | None] = field(default_factory=list)
    counted: dict[str, tuple[dt.date | None, dt.date | None]] = field(default_factory=dict)

    def note(self, days: Days) -> None:
        """Take note of a window that a clause states."""
        if self.known is not None and (self.known - days[1]).days > BACKGROUND:
            return
        if (days[1] - days[0]).days < SHORT:
            self.event = days
        else:
            self.period = days
        self.lead = self.lead or days


_PASSIVE = re.compile(r"\b(?:was|were|been|be)\s(?:\w+ly\s)?(?:reported|confirmed|announced)\s(?:\w+\s){0,2}$")
"""What was reported last week is not what somebody reported last week."""


def spoken(parsed: Parsed, one: Expression) -> bool:
    """Say whether an expression dates what was said and not what happened: the ministry said on Tuesday."""
    if one.kind not in ("day", "period", "ago") or (one.days and (one.days[1] - one.days[0]).days > 31):
        return False
    before = parsed.sentence.text[: one.begin]
    return speech_pattern().search(before) is not None and not _PASSIVE.search(before)


def leads_speech(parsed: Parsed, one: Expression, phrase: Phrase) -> bool:
    """Say whether a day at the head of a sentence dates a speaker: On Friday an official said that eight ..."""
    text = parsed.sentence.text
    between = text[one.end : parsed.tokens[phrase.first].begin]
    if one.kind != "day" or one.begin > parsed.mask + 3 or not saying_pattern().search(between):
        return False
    return re.search(r"\b(?:said|says|announced|reported|claimed|confirmed)\s(?:that\s)?(?:it|they)\b", between) is None


def remember(parsed: Parsed, windows: Sequence[Window | None], story: Story) -> None:
    """Take note of what a sentence has said of time, for those that follow."""
    text = parsed.sentence.text
    spans = [window.days if window else None for window in windows]
    story.sentence = [days if days and days[0] and days[1] else None for days in spans if days]  # type: ignore[misc]
    stated = [
        window.days
        for phrase, window in zip(parsed.phrases, windows, strict=False)
        if window and window.stated and window.days[0] and window.days[1] and not compared(parsed, phrase)
    ]
    for days in stated:
        story.note(days)  # type: ignore[arg-type]
    free = [one for one in parsed.times if one.begin >= parsed.mask and not spoken(parsed, one)]
    if not stated:
        for one in free:
            if one.kind in ("day", "ago", "rolling", "since", "period") and one.days and not _says_only(text, one):
                story.note(one.days)
    stretch = [one for one in free if one.kind == "stretch"]
    if stretch and story.event:
        length = calendar.shift(dt.date(2000, 1, 1), stretch[0].number, stretch[0].unit) - dt.date(2000, 1, 1)
        story.event = (story.event[1] - length + DAY, story.event[1])
    for one in parsed.times:
        _register(parsed, one, story)
    known = [days for days in story.sentence if days]
    if known:
        story.last = (
            known[0]
            if len(known) > 1
            and len(set(known)) > 1
            and any(one.kind in ("shift", "shift_to", "previous") for one in parsed.times)
            else known[-1]
        )


def compared(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number is what another one is compared with, whose window dates nothing that follows."""
    before = parsed.sentence.text[: parsed.tokens[phrase.first].begin]
    return (
        re.search(r"\b(?:from|than|against|compared (?:with|to)|versus|vs\.?|short of|up on)\s(?:the\s)?$", before)
        is not None
    )


def _says_only(text: str, one: Expression) -> bool:
    return one.begin < 3 and saying_pattern().search(text[one.end : one.end + 60]) is not None


def _register(parsed: Parsed, one: Expression, story: Story) -> None:
    """Note on which day the things of a dated clause were: a truce on May 10, a day after an office was attacked."""
    days = one.days
    if one.kind == "reference":
        there = story.event
        if there is None:
            return
        step = -1 if parsed.sentence.text[one.begin : one.end].endswith("after") else 1
        day = calendar.shift(there[0], step * one.number, one.unit)
        days = (day, day)
        words = [token for token in parsed.tokens if one.end <= token.begin < one.end + 50]
    elif one.kind == "day" and days and not spoken(parsed, one):
        words = [token for token in parsed.tokens if one.begin - 70 <= token.begin < one.begin]
    else:
        return
    for before, token in pairwise(words):
        if before.lower in ("a", "an", "another") or token.lower in (
            "truce",
            "ceasefire",
            "strikes",
            "raid",
            "raids",
            "coup",
            "election",
            "attack",
        ):
            story.things[token.lower] = days
