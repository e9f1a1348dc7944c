"""Verbs and nouns of reporting, which say who counted and when it was said, but not when it happened."""

from __future__ import annotations

import csv
import re
from functools import cache

from escalation.files.bundled import data_folder

OBJECT = r"(?:\s[\w.'-]+){1,3}"
"""Whom something was said to."""


@cache
def reporting_words(*kinds: str) -> str:
    """A pattern of the words of some kinds of ``data/reading/reporting.csv``: verb, speech, says, counts.

    Examples
    --------
    >>> "said" in reporting_words("verb") and "recorded" not in reporting_words("verb")
    True
    """
    with (data_folder() / "reading" / "reporting.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["kind"] in kinds]
    return "(?:" + "|".join(re.escape(row["word"]) + (OBJECT if row["object"] else "") for row in rows) + ")"


@cache
def speech_pattern() -> re.Pattern[str]:
    """What stands right before a day on which something was said: announced in Geneva on."""
    place = r"(?:\s(?:in|at|on|via|to|by)\s(?:an?|the|its|his|her)?\s?[\w-]+(?:\s[\w-]+)?)?"
    words = reporting_words("verb", "speech")
    return re.compile(rf"\b{words}{place}(?:\s(?:late|early|separately))?\s*(?:,\s)?$", re.IGNORECASE)


@cache
def saying_pattern() -> re.Pattern[str]:
    """A verb of saying anywhere."""
    return re.compile(rf"\b{reporting_words('verb', 'says')}\b".replace(OBJECT, ""))
