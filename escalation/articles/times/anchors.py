"""Days that phrases of a table stand for: since the war began."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from escalation.articles.times.expressions import Expression
from escalation.articles.words import Anchor


def anchored(
    text: str, sentence: str, times: Sequence[Expression], anchors: Sequence[Anchor], known: dt.date | None
) -> tuple[Expression, ...]:
    """The expressions of time of a sentence, with those that an anchor of the table dates.

    Parameters
    ----------
    text : str
        The whole article, in which an anchor may ask for a word.
    sentence : str
    times : sequence of Expression
        Found by the grammar.
    anchors : sequence of Anchor
        The longest phrases first.
    known : datetime.date or None
        Day of publication.
    """
    found = list(times)
    for match in re.finditer(r"\b(?:ever )?since\b", sentence, re.IGNORECASE):
        following = re.split(r"[,;]|\.(?=\s|$)(?<!ct\.)", sentence[match.end() : match.end() + 70].lower())[0]
        for anchor in anchors:
            at = following.find(anchor.words)
            if at < 0 or (known is not None and anchor.date > known) or not _named(anchor, text):
                continue
            end = match.end() + at + len(anchor.words)
            found = [one for one in found if one.end <= match.start() or one.begin >= end]
            found.append(Expression(match.start(), end, "since", (anchor.date, known or anchor.date)))
            break
    return tuple(sorted(found, key=lambda one: one.begin))


def _named(anchor: Anchor, text: str) -> bool:
    return not anchor.where or any(re.search(rf"\b{re.escape(name)}\b", text) for name in anchor.where)
