"""Whether a paragraph is English running text, a table, or in another language."""

from __future__ import annotations

import re

from escalation.articles.word_lists import word_set

ENGLISH = word_set(
    "the of and to was were said for on that with by from at has have had as is it its their his they an "
    "been after are he she who which but not this or over more than since when against between no one two "
    "three killed attacks"
)
OTHERS = word_set(
    "de la el los las que en por con der die das und ist nicht le les des et une du il che di não os um "
    "ve bir w na się del al para se su pour dans est von mit den dem ein eine auf im zu sich les au aux "
    "qui sur par plus ont été sont las una han fue gli della nel sono per con dei het een van zijn op met "
    "dat ja ei og av til som den det på att och för med är som på w z nie jest do że por mais foi são ao "
    "dos das em uma com desde hasta contra entre y e o ou"
) - word_set("den die on at to an as has her was in a per plus do met em par van o al e")
NUMBERS = re.compile(r"\d[\d.,]*")


def is_table(line: str) -> bool:
    """Say whether a line is a row of a table: cells parted by tabs or bars, or numbers and hardly a word.

    Examples
    --------
    >>> is_table("Kharkiv | 12 | 31 | 4"), is_table("Kharkiv 12 31 4 9"), is_table("They fired 12 rockets.")
    (True, True, False)
    """
    if line.count("\t") >= 2 or line.count("|") >= 2 or len(re.findall(r"\S {3,}\S", line)) >= 2:
        return True
    numbers, words = len(NUMBERS.findall(line)), len(re.findall(r"[^\W\d_]{2,}", line))
    return numbers >= 3 and words <= numbers


def is_english(text: str) -> bool | None:
    """Say whether a paragraph is English; None where it is too short to know.

    Examples
    --------
    >>> is_english("The army said that three were killed."), is_english("El ejército dijo que murieron tres.")
    (True, False)
    """
    letters = [mark for mark in text[:4000] if mark.isalpha()]
    if not letters:
        return None
    if sum(mark.isascii() for mark in letters) < 0.7 * len(letters):
        return False
    words = re.findall(r"[^\W\d_]+", text[:4000].lower())
    english, others = sum(word in ENGLISH for word in words), sum(word in OTHERS for word in words)
    if others > english:
        return False
    return None if len(words) < 5 or english == 0 else True
