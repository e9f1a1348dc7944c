"""Sentences of a text and their tokens, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from escalation.articles.word_lists import word_list, word_set

TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?:[A-Z]\.){2,}|[^\W\d_]+(?:['\-][^\W\d_]+)*|[^\w\s]"
)
ABBREVIATIONS = word_set(
    "jan feb mar apr jun jul aug sep sept oct nov dec mr mrs ms dr prof sen rep gov gen lt col maj capt "
    "sgt cpl pvt adm brig cmdr st mt no nos vs approx est al inc ltd co corp fig vol dept rev hon pres "
    "min km hr ft u.s u.k u.n e.g i.e cf"
)
LONGEST = 600
"""Characters of a sentence; what is longer is cut there, for it is no sentence."""


@dataclass(frozen=True)
class Token:
    """A word, a number in figures or a mark, with its place in the sentence."""

    text: str
    begin: int
    end: int
    lower: str


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes
    ----------
    text : str
        As normalised: plain spaces, hyphens and quotes.
    begin : int
        Where it begins in the normalised text.
    role : {"text", "title"}
        Whether it stands in the article or above it.
    paragraph : int
        Number of its paragraph.
    tokens : tuple of Token
        Its words, figures and marks.
    stamp : str
        The date that its paragraph begins with, of an entry of a list or live page.
    """

    text: str
    begin: int
    role: str = "text"
    paragraph: int = 0
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    stamp: str = ""


def tokenise(text: str) -> tuple[Token, ...]:
    """Words, figures and marks of a sentence.

    Examples
    --------
    >>> [token.text for token in tokenise("2,289 U.S.-made drones, 41-year-old")]
    ['2,289', 'U.S.', '-', 'made', 'drones', ',', '41', '-', 'year-old']
    """
    found = TOKEN.finditer(text)
    return tuple(Token(one[0], one.start(), one.end(), one[0].lower()) for one in found)


def sentences(text: str, begin: int = 0, role: str = "text", paragraph: int = 0) -> list[Sentence]:
    """Cut one paragraph into sentences.

    Parameters
    ----------
    text : str
        Normalised text without line breaks that matter.
    begin : int
        Where the paragraph begins in the whole text.
    role, paragraph : str, int
        What each sentence is said to belong to.

    Examples
    --------
    >>> [one.text for one in sentences("No attack since Feb. 4, he said. The U.S. struck back.")]
    ['No attack since Feb. 4, he said.', 'The U.S. struck back.']
    """
    cuts, start = [], 0
    for mark in re.finditer(r"[.!?]+[\"')\]]*(?=\s|$)", text):
        if _ends(text, mark, start):
            cuts.append((start, mark.end()))
            start = mark.end()
    cuts.append((start, len(text)))
    return [
        Sentence(piece, begin + first, role, paragraph, tokenise(piece))
        for low, high in cuts
        for first, piece in _pieces(text, low, high)
    ]


def _pieces(text: str, low: int, high: int) -> list[tuple[int, str]]:
    """A sentence without the spaces around it, in several pieces where it is too long to be one."""
    found = []
    for first in range(low, high, LONGEST):
        last = min(first + LONGEST, high)
        piece = text[first:last]
        stripped = piece.strip()
        if stripped:
            found.append((first + len(piece) - len(piece.lstrip()), stripped))
    return found


def _ends(text: str, mark: re.Match[str], start: int) -> bool:
    """Say whether a mark ends a sentence, or belongs to an abbreviation, an initial or a number."""
    after = text[mark.end() :].lstrip()[:1]
    if not after:
        return True
    if after.islower() or (mark[0].startswith((".", "!", "?")) and after in ",;:-"):
        return False
    if mark[0][0] != ".":
        return True
    word = re.search(r"[^\s(\[\"']*$", text[max(start, mark.start() - 40) : mark.start()])
    last = word[0].lower() if word else ""
    if after.isdigit():
        return last not in ABBREVIATIONS
    known = last.rstrip(".") in ABBREVIATIONS or re.fullmatch(r"[a-z](\.[a-z])*", last) is not None
    if last in ("a.m", "p.m"):
        return after.isupper() or after in "\"'"
    months = word_list("jan feb mar apr jun jul aug sep sept oct nov dec")
    return not known or last in months
