"""Who counted, where, and who did what to whom, as far as the clause says so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from escalation.articles.numbers import find_numbers
from escalation.articles.parties import parties_of
from escalation.articles.phrases import ADVERBS, CONJUNCTIONS, PREPOSITIONS, Parsed, Phrase
from escalation.articles.reporting import OBJECT, reporting_words
from escalation.articles.sentences import tokenise
from escalation.articles.word_lists import word_set

SAYS = reporting_words("verb", "says", "counts").replace(OBJECT, "")
_BEFORE_VERB = re.compile(
    rf"(?:^|[,;:\"]\s|\band\s|\bwhile\s|\bbut\s)(?P<who>[^,;:\"]{{2,70}}?)\s(?:has |have |had |also |then )*{SAYS}\b"
)
_ACCORDING = re.compile(
    r"\b(?:according to|as counted by|as reported by|a tally (?:kept "
    r")?by|data from|figures from|compiled by)\s(?P<who>[^,;.\"]{2,70})",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:in|at|near|on|over|off|across|around|inside|outside|throughout|along)\s(?:the\s|its\s)?"
    r"(?:(?:[a-z-]+\s){0,2}(?:district|province|region|city|town|village|county|state|governorate|port|island|valley|suburb|municipality|department)\sof\s)?"
    r"(?P<place>(?:(?:northern|southern|eastern|western|central|north-west(?:ern)?|north-east(?:ern)?|south-west(?:ern)?|south-east(?:ern)?|north|south|east|west)\s)?"
    r"[A-Z][\w'.-]+(?:\s(?:of\s(?:the\s)?|al-|de\s|el\s)?[A-Z][\w'-]+){0,3})"
)
_NO_PLACE = re.compile(
    r"^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z.]*\b|^(?:January|February|March|April|June|July|August|September|October|November|December)\b|^(?:Christmas|Easter|Ramadan|Article|Resolution|President|Telegram|Twitter|Facebook)"
)
_CAPITAL = re.compile(
    r"(?:the )?(?!(?:It|They|He|She|The|A|In|On|We|This|That|There|But|And|At|"
    r"No|Two|Three)\b)(?:[A-Z][\w'.-]+(?:\s(?:and\s|of\s)?[A-Z][\w'-]+){0,3})"
)
_LINK = (
    r"(?:by|in|at|on|of|since|from|and|this|last|his|its|as|was|has|is|were|"
    r"over|during|between|near|to|for|with|after|that|which|said|says)\b"
)
_LEADING = re.compile(
    r"^(?:(?:while|but|as|when|after|and)\s|(?:on|in|since|by)\s[A-Z]\w+(?:\s(?:morning|evening|night))?\s|"
    r"(?:the|a|an|its|his|their|another|one)\s|that\s|weekly\s|daily\s)+",
    re.IGNORECASE,
)
_NO_NAME = (PREPOSITIONS | {"it", "they"}) - {"of", "for"}
PRONOUN = word_set("he she it they who we i that which this there officials")


@dataclass(frozen=True)
class Named:
    """A name and how surely it is the one that is meant."""

    name: str
    confidence: float


def slug(text: str) -> str:
    """A name in small letters without spaces, as tables have it."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"'s\b", "", text.lower())).strip("_")


def counter_of(parsed: Parsed, phrase: Phrase, before: str) -> Named:
    """Who counted: whoever the clause or the sentence names; ``article`` where it speaks for itself.

    Parameters
    ----------
    parsed : Parsed
    phrase : Phrase
    before : str
        The counter that the sentence before named, for "it said".
    """
    text, at = parsed.sentence.text, parsed.tokens[phrase.first].begin
    text, at = text[parsed.mask :], at - parsed.mask
    found = [(_distance(text, one.start("who"), at), one["who"]) for one in _BEFORE_VERB.finditer(text)]
    found += [(_distance(text, one.start("who"), at), one["who"]) for one in _ACCORDING.finditer(text)]
    for _, who in sorted(found):
        named = _named(parsed, who, before)
        if named is not None:
            return named
    return Named("article", 0.6)


def _distance(text: str, who: int, at: int) -> int:
    """How far a name is from a number; one after it, or beyond a semicolon, is farther."""
    between = text[min(who, at) : max(who, at)]
    return len(between) + (150 if who > at else 0) + 400 * between.count(";")


def _named(parsed: Parsed, who: str, before: str) -> Named | None:
    """The counter that a phrase before a verb of reporting names; None where it names none."""
    known = _known(parsed, who)
    if known:
        return Named(known, 0.9)
    if re.search(
        r"\b(?:was|were|is|are|been|killed|nobody|no one|there|which|when|adding|saying)\b", who, re.IGNORECASE
    ):
        return None
    words = _LEADING.sub("", who.strip())
    if " the " in words and find_numbers(tokenise(words)):  # in the week of 4 November the ministry
        words = words.rpartition(" the ")[2]
    words = re.sub(
        r"\s(?:on|in|at|from|with|who|which|that|has|have|had|also)\s.*$|\s(?:also|has|have|had)$", "", words
    )
    if words.lower() in PRONOUN:
        return Named(before or "article", 0.5)
    inner = words.lower().split()
    if (
        not inner
        or find_numbers(tokenise(words))
        or inner[0] in ADVERBS
        or inner[0] in CONJUNCTIONS
        or set(inner) & _NO_NAME
    ):
        return None
    return Named(slug(words), 0.7) if len(inner) <= 5 and not re.search(r"\d", words) else None


def _known(parsed: Parsed, who: str) -> str:
    """The counter of the table whose name a phrase holds."""
    low = f" {re.sub(r'[^a-z. ]+', ' ', who.lower())} "
    for words, counter in parsed.rules.counters.items():
        if f" {words} " in low:
            return counter
    return ""


def place_of(parsed: Parsed, phrase: Phrase) -> Named:
    """Where: the first place after the number in the sentence, or one before it; ``ALL`` where none is named."""
    text, at = parsed.sentence.text, parsed.tokens[phrase.last - 1].end
    places = [
        one
        for one in _PLACE.finditer(text, parsed.mask)
        if not _NO_PLACE.match(one["place"]) and not _adjective(text, one)
    ]
    after = [one for one in places if one.start() >= at - 1]
    if (
        after
        and not re.search(r"[;]|, (?:and|while|but)\b", text[at : after[0].start()])
        and after[0].start() - at < 90
    ):
        return Named(after[0]["place"].rstrip("."), 0.75)
    before = [one for one in places if one.end() <= at]
    return Named(before[-1]["place"].rstrip("."), 0.55) if before else Named("ALL", 0.5)


def _adjective(text: str, one: re.Match[str]) -> bool:
    """Say whether a name is that of a people before a noun: in Israeli strikes."""
    if re.search(r"^U\.?S\.?$|-(?:backed|led|aligned|controlled|based|linked|held)$", one["place"]):
        return re.match(r"\s[a-z]", text[one.end() :]) is not None
    return (
        re.search(r"(?:i|an|ese|ish)$", one["place"]) is not None
        and re.match(r"\s[a-z]{4,}s\b", text[one.end() :]) is not None
    )


def series_of(parsed: Parsed, phrase: Phrase, unit: str, *, event: bool) -> Named:
    """What is counted, who on whom: attacks_on_us_forces_by_militias; the unit alone where the clause says no more."""
    text, at = parsed.sentence.text, parsed.tokens[phrase.last - 1].end
    rest = text[at : at + 90]
    on = (
        re.match(
            rf"(?:\s\w+){{0,2}}?\s(?:on|against|at)\s(?:the\s|its\s|their\s)?(?P<what>(?:(?!{_LINK})[\w'.-]+\s){{0,3}}?(?!{_LINK})[a-z'-]+s\b|{_CAPITAL.pattern})",
            rest,
        )
        if event
        else None
    )
    by = re.search(
        r"^[^,;.]{0,40}?\bby\s(?:the\s|its\s|their\s)?(?P<who>(?:[\w'-]+\s){0,2}?[\w'-]+)(?=[,.;]|\s(?:in|on|since|at|and|against|over|this|last|have|has|had|were|was)\b|$)",
        rest,
    )
    parts = [unit]
    if on and not _NO_PLACE.match(on["what"]):
        parts += ["on", on["what"]]
    if by and not re.match(r"\d|[A-Z][a-z]+ \d", by["who"]):
        parts += ["by", by["who"]]
    actor = parties_of(parsed, phrase).actor if len(parts) == 1 else ""
    return Named(slug(" ".join([*parts, *(["by", actor] if actor else [])])), 0.7 if len(parts) > 1 or actor else 0.5)
