"""Repeats of one count: in headline, deck and text of one page, and across the wires that carried it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from escalation.articles.extract import Found

DEFAULTED = 0.5
"""A window of less confidence was not stated, and speaks against no other."""


@dataclass(frozen=True)
class Merged:
    """One count with all the sentences, in one article or several, that give it.

    Attributes
    ----------
    found : Found
        Its fullest mention.
    others : tuple of Found
        Its other mentions.
    sources : tuple of str
        Articles that give it.
    article : int
        Which of the articles the fullest mention is in.
    """

    found: Found
    article: int = 0
    others: tuple[Found, ...] = ()
    sources: tuple[str, ...] = ()


def merge_repeats(found: Sequence[Found]) -> list[Merged]:
    """Put the mentions of one count in one article together.

    Two mentions are one count where number, hedge, unit and window agree, they stand in different sentences, and
    neither the noun nor the place of one speaks against the other. A headline needs no window of its own.
    """
    kept: list[Merged] = []
    for one in sorted(found, key=lambda each: each.sentence.role == "title"):
        at = next((place for place, other in enumerate(kept) if _repeats(other.found, one)), None)
        if at is None:
            kept.append(Merged(one))
            continue
        first = kept[at]
        better = one.window.confidence > first.found.window.confidence and one.sentence.role != "title"
        found_first = replace(first.found, window=one.window) if better else first.found
        kept[at] = Merged(found_first, first.article, (*first.others, one))
    return sorted(kept, key=lambda each: (each.found.sentence.begin, each.found.begin))


def _repeats(first: Found, one: Found) -> bool:
    if first.sentence is one.sentence or not _same_number(first, one) or first.unit != one.unit:
        return False
    if one.sentence.role == "title":
        return not one.window.stated or _near(first, one)
    if first.ellipsis or one.ellipsis or not _same_noun(first, one):
        return False
    if min(first.window.confidence, one.window.confidence) < DEFAULTED and (first.count or 0) > 4:
        return True
    if first.count is not None and first.count < 3 and not (first.window.stated and one.window.stated):
        return _near(first, one) and _same_place(first, one) and first.place.name == one.place.name
    return _near(first, one) and _same_place(first, one)


def _same_noun(first: Found, one: Found) -> bool:
    """Say whether two mentions have one noun; people are the same as villagers."""
    heads = {head.split(" ")[-1] for head in (first.head, one.head)}
    return len(heads) == 1 or (first.kind == one.kind == "person" and bool(heads & {"people", "persons", "bodies"}))


def _same_number(first: Found, one: Found) -> bool:
    if (first.count, first.low, first.high) != (one.count, one.low, one.high):
        return False
    return first.qualifier == one.qualifier or (first.count is not None and "exact" in (first.qualifier, one.qualifier))


def _near(first: Found, one: Found) -> bool:
    """Say whether two windows are the same to a day."""
    return all(_close(a, b) for a, b in zip(first.window.days, one.window.days, strict=True))


def _close(first: dt.date | None, one: dt.date | None) -> bool:
    return first is None or one is None or abs((first - one).days) <= 1


def _same_place(first: Found, one: Found) -> bool:
    return first.place.name == one.place.name or "ALL" in (first.place.name, one.place.name)


def merge_articles(each: Sequence[tuple[str, Sequence[Merged]]]) -> list[Merged]:
    """Put together what several articles repeat, with the names of all; what contradicts stays.

    Parameters
    ----------
    each : sequence of (str, sequence of Merged)
        Name and counts of each article.
    """
    kept: list[Merged] = []
    for number, (name, counts) in enumerate(each):
        for one in counts:
            at = next(
                (
                    place
                    for place, other in enumerate(kept)
                    if name not in other.sources and _same_across(other.found, one.found)
                ),
                None,
            )
            if at is None:
                kept.append(Merged(one.found, number, one.others, (name,)))
            else:
                first = kept[at]
                kept[at] = Merged(
                    first.found, first.article, (*first.others, one.found, *one.others), (*first.sources, name)
                )
    return kept


def _same_across(first: Found, one: Found) -> bool:
    """Say whether two articles give one count: also the window must be stated or the event be the same to a day."""
    if not _same_number(first, one) or first.unit != one.unit or not _near(first, one) or not _same_place(first, one):
        return False
    known = all(days[0] is not None and days[1] is not None for days in (first.window.days, one.window.days))
    named = {first.counter.name, one.counter.name} - {"article"}
    return known and len(named) < 2
