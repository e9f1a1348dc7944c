"""Rates in words: almost daily, 120 times a day, two or three a week, once a fortnight, a daily average of 74."""

from __future__ import annotations

import re
from dataclasses import dataclass

from escalation.articles.governors import clause_verb, noun_left
from escalation.articles.phrases import Parsed, Phrase
from escalation.articles.word_lists import word_list
from escalation.articles.words import Unit

EVERY = {"day": "daily", "night": "daily", "week": "weekly", "month": "monthly"}
PER = (
    r"\s+(?:a|an|per|each|every)\s+(?:single\s+)?(?P<unit>day|night|week|fortnight|"
    r"month|year|hour)\b(?!\s(?:ago|earlier|before|later|after|and a half))"
)
_AFTER = re.compile(rf"(?:\s+(?:times|occasions|[a-z-]+(?:\s[a-z-]+)?))?(?:\s+on average)?{PER}")
_BEFORE = re.compile(
    r"\b(?:(?P<word>daily|weekly|monthly)\s+(?:average|mean|rate)s?\s+of|"
    r"averag\w+(?:\s(?:about|some|around|nearly|almost|more than|over))?(?P<open>))\s*$"
)
ALMOST = r"(?:almost|near|nearly|virtually|practically|close to)"
_WORDS = re.compile(
    rf"\b(?:(?P<near1>{ALMOST})[ -])?(?P<word>daily|weekly|monthly|nightly)\b(?!\s(?:newspaper|"
    r"paper|briefing|report|magazine|average|press|news|update|life|wage|basis of))"
    rf"|\b(?:(?P<near2>{ALMOST})\s)?(?:every|each)\s(?:single\s)?(?P<unit>day|night|week|month)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rate:
    """A rate: so many a day, week or month.

    Attributes
    ----------
    qualifier : str
        ``daily``, ``weekly``, ``monthly``, or one of them with ``almost_``.
    times : int
        By how much its number is to be multiplied.
    begin, end : int
        Characters of its words.
    """

    qualifier: str
    times: int
    begin: int
    end: int


def rate_of(parsed: Parsed, phrase: Phrase) -> Rate | None:
    """The rate that a number is of; None where it is none."""
    text = parsed.sentence.text
    for last in (phrase.number.last, phrase.last):
        at = parsed.tokens[last - 1].end
        found = _AFTER.match(text, at)
        if found and not re.search(
            r"\b(?:and|or|in|on|for|of|to|by|with|were|was|within|over|during|since|than|at)\b",
            found[0][: found.start("unit") - at - 2],
        ):
            unit = found["unit"]
            if unit in ("year", "hour"):
                return Rate("", 1, at, found.end())
            return Rate(
                "monthly" if unit == "fortnight" else EVERY[unit], 2 if unit == "fortnight" else 1, at, found.end()
            )
    found = _BEFORE.search(text[: parsed.tokens[phrase.first].begin])
    if found and found["word"]:
        return Rate(found["word"], 1, found.start(), found.end())
    return None


def rated_unit(parsed: Parsed, phrase: Phrase) -> Unit | None:
    """What the occasions of a rate are."""
    if phrase.noun is not None and phrase.noun.kind == "event":
        return phrase.noun
    left = noun_left(parsed, phrase.first, ("event",), 25)
    verb = clause_verb(parsed, phrase.first)
    if left is not None and (verb is None or verb.at < left[0] or parsed.word(left[0]) in ("raids", "attacks")):
        return left[1]
    if verb is not None:
        return Unit(verb.event, "event")
    if parsed.word(phrase.number.last) in ("times", "occasions"):
        return Unit("incidents", "event")
    return None


@dataclass(frozen=True)
class WordRate:
    """A rate without a number: its qualifier, what it is of, and its characters."""

    qualifier: str
    unit: Unit
    begin: int
    end: int


def word_rates(parsed: Parsed) -> list[WordRate]:
    """Rates that are words and no number: almost-weekly strikes, struck almost every day, on a near-monthly basis."""
    found = []
    text = parsed.sentence.text
    for one in _WORDS.finditer(text):
        if one.start() < parsed.mask:
            continue
        at = next((place for place, token in enumerate(parsed.tokens) if token.end > one.start()), 0)
        if re.search(
            r"(?:\d|times|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|times on|eight hours) $|\bof $",
            text[: one.start()],
        ):
            continue
        end = next((place for place, token in enumerate(parsed.tokens) if token.begin >= one.end()), len(parsed.tokens))
        unit = _unit_beside(parsed, at, end)
        if unit is None:
            continue
        word = (
            EVERY[one["unit"].lower()]
            if one["unit"]
            else {"nightly": "daily"}.get(one["word"].lower(), one["word"].lower())
        )
        near = one["near1"] or one["near2"]
        found.append(WordRate(f"almost_{word}" if near else word, unit, one.start(), one.end()))
    return found


def _unit_beside(parsed: Parsed, at: int, end: int) -> Unit | None:
    """The event noun that a rate stands before, or the noun or verb of its clause."""
    for one in range(end, min(end + 3, len(parsed.tokens))):
        noun = parsed.noun_at(one)
        if noun is not None and noun[1].kind == "event":
            return noun[1]
    left = noun_left(parsed, at, ("event",), 14)
    verb = clause_verb(parsed, at, 14)
    adjective = parsed.word(end - 1) in ("daily", "weekly", "monthly") or "-" in parsed.word(at)
    if (
        adjective
        and parsed.word(end)
        and parsed.word(end) not in word_list("basis . , ;  on in and over near across from against along")
    ):
        return None
    if verb is not None and (left is None or verb.at > left[0]):
        return Unit(verb.event, "event")
    return left[1] if left is not None else None
