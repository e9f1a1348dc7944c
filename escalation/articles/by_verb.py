"""Units of people, craft, places and munitions, which count only where something happened to them."""

from __future__ import annotations

from escalation.articles.decisions import Decision
from escalation.articles.governors import Governor, governors, noun_left
from escalation.articles.phrases import Parsed, Phrase
from escalation.articles.traps import stocked
from escalation.articles.word_lists import word_list
from escalation.articles.words import Unit

PEOPLE = {
    "kill": "killed", "die": "killed",
    "injure": "injured", "abduct": "kidnapped", "seize": "kidnapped", "arrest": "arrests",
    "release": "released",
    "shoot": "injured", "rescue": "rescued", "missing": "missing", "surrender": "surrendered", "lose": "killed",
}  # fmt: skip
"""Units of people by the class of the verb."""


HARM = ("hit", "strike", "shell", "attack", "raid", "shoot", "seize", "board", "abduct")


USE = word_list("launch down move hit strike see kill attack shoot abduct seize raid")


DIRECT = ("", "participle", "acts")
DONE = {
    "munition": (USE, word_list("with of by down at on off against")),
    "craft": ((*HARM, *word_list("move see down scramble launch kill")), word_list("on at by against down of to")),
    "place": ((*HARM, "launch"), word_list("on against to of into")),
    "thing": (word_list("hit strike down steal seize"), ()),
}
"""By the kind of a thing, the verbs that count it, and the prepositions that may lie between."""


def by_verb(parsed: Parsed, position: int, noun: Unit, *, wide: bool = False) -> Decision | None:
    """Unit of people, craft, places or munitions by what is said to have happened to them."""
    phrase = parsed.phrases[position]
    if noun.kind == "person" and phrase.number.kind != "zero":
        if _speaks(parsed, phrase):
            return None
        if _suffers(parsed, phrase):
            return Decision("injured", "person", 0.9, "people and injuries")
    for one in governors(parsed, position) + (
        [one for one in (verb_after(parsed, phrase),) if one] if wide or phrase.number.kind == "zero" else []
    ):
        unit = unit_by(parsed, phrase, noun, one)
        if unit:
            sure = 0.93 if not one.link or one.side == "right" else 0.85
            return Decision(unit, noun.kind, sure, f"{noun.kind} and verb")
    return None


def verb_after(parsed: Parsed, phrase: Phrase) -> Governor | None:
    """The nearest verb of the table after a phrase, within its clause or not."""
    for at in range(phrase.last, min(phrase.last + 25, len(parsed.tokens))):
        verb = parsed.verb(at)
        if verb is not None and at not in parsed.timed:
            return Governor(verb.name, verb.event, at, "right")
    return None


def unit_by(parsed: Parsed, phrase: Phrase, noun: Unit, verb: Governor) -> str:
    """Unit of a noun that a verb governs; blank where the verb makes no count of it."""
    if noun.kind == "person":
        return person_unit(parsed, phrase, verb)
    if verb.name == "involve":
        alike = any(
            other.noun is not None and other.noun.kind == noun.kind for other in parsed.phrases if other.last <= verb.at
        )
        known = (
            alike
            or noun_left(parsed, verb.at, ("event",)) is not None
            or "round" in [parsed.word(at) for at in range(verb.at)]
        )
        return noun.name if known and (noun.kind in ("munition", "craft") or _site(phrase)) else ""
    if noun.kind == "munition" and stocked(parsed, phrase) and verb.side == "left":
        return ""
    if noun.kind == "place" and _site(phrase) and verb.name in USE and verb.link in ("at", "in", "across"):
        return noun.name
    verbs, links = DONE.get(noun.kind, ((), ()))
    linked = verb.link in (*DIRECT, *links) or (noun.kind == "munition" and verb.side == "right")
    if noun.kind == "place" and verb.name == "launch" and not verb.link:
        return ""
    return noun.name if verb.name in verbs and linked else ""


def _site(phrase: Phrase) -> bool:
    return phrase.head.split(" ")[-1] in word_list(
        "targets sites locations facilities places positions installations spots bases camps"
    )


def person_unit(parsed: Parsed, phrase: Phrase, verb: Governor) -> str:
    """What happened to people, by the verb that governs them; blank where nothing did."""
    unit = PEOPLE.get(verb.name, "")
    if phrase.head in ("bodies", "body", "corpses", "corpse"):
        return "killed" if verb.side == "left" and not verb.link else ""
    if verb.name == "seize" and parsed.word(verb.at) in ("take", "took", "taken", "taking"):
        near = {parsed.word(at) for at in range(verb.at - 2, verb.at + 12)}
        if (
            not near & {"hostage", "hostages", "captive", "captives", "prisoner", "prisoners", "away", "from"}
            or "part" in near
        ):
            return ""
        if "hospital" in near or "hospitals" in near:
            return "injured"
    if verb.name in ("kill", "injure") and _killed_or_injured(parsed, verb.at):
        return "casualties"
    if verb.name == "shoot":
        near = {parsed.word(at) for at in range(verb.at + 1, verb.at + 4)}
        return "" if verb.link in ("at", "acts", "by", "with") else "killed" if near & {"dead", "killed"} else "injured"
    if verb.name == "lose" and ({parsed.word(verb.at + 1), parsed.word(verb.at + 2)} & {"their", "his", "contact"}):
        return ""
    hurt = verb.name == "injure" and verb.link == "to"  # injuries to dozens of troops
    if verb.link in ("in", "at", "from", "with", "to", "against", "acts") and verb.name != "missing" and not hurt:
        return ""
    if verb.link == "by" or (verb.link == "on" and verb.name != "kill"):
        return ""
    if verb.name == "arrest" or unit:
        return unit
    return ""


def _speaks(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether the people are those who say something: three residents maintained that ..."""
    for at in range(phrase.last, min(phrase.last + 9, len(parsed.tokens))):
        word = parsed.word(at)
        if word in ("said", "say", "says", "maintained", "claimed", "added", "confirmed"):
            return True
        if not word[:1].isalnum() or parsed.verb(at) is not None or word in ("and", "were", "was", "had", "have"):
            return False
    return False


def _suffers(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether people sustained injuries."""
    words = [parsed.word(at) for at in range(phrase.last, phrase.last + 8)]
    had = [at for at, word in enumerate(words[:4]) if word in ("sustained", "suffered", "received")]
    return bool(had) and any(word.startswith(("injur", "wound", "burn")) for word in words[had[0] :])


def _killed_or_injured(parsed: Parsed, at: int) -> bool:
    """Say whether one number is of the killed and the injured together: killed or injured 2,505 people."""
    for first, last in ((at - 2, at), (at, at + 2)):
        names = {verb.name for one in (first, last) if (verb := parsed.verb(one)) is not None}
        if names == {"kill", "injure"} and parsed.word(first + 1) in ("or", "and"):
            return True
    return False


def verb_near(parsed: Parsed, at: int) -> Governor | None:
    """The verb of the table within four words from a token on, in the same item of a list."""
    for one in range(at, min(at + 4, len(parsed.tokens))):
        if parsed.word(one) in (",", ";", "and"):
            return None
        verb = parsed.verb(one)
        if verb is not None:
            return Governor(verb.name, verb.event, one, "right")
    return None
