"""Numbers whose noun no table has, or that have none: by the verb, by what is called a number or toll, or by a list."""

from __future__ import annotations

from collections.abc import Sequence

from escalation.articles.by_verb import PEOPLE, person_unit, unit_by, verb_near
from escalation.articles.decisions import Antecedent, Decision, no
from escalation.articles.governors import Governor, governors
from escalation.articles.left_out import left_out
from escalation.articles.phrases import PREPOSITIONS, Parsed, Phrase

CALLED = ("number", "numbers", "count", "tally", "total")
RECORDS = frozenset(["recorded", "documented", "logged", "registered", "counted", "tallied", "verified"])


def unnamed(parsed: Parsed, position: int, before: Sequence[Decision], antecedent: Antecedent | None) -> Decision:
    """A number whose noun no table has, or that has none: by the verb, by "number of" or "toll", or by a list."""
    phrase = parsed.phrases[position]
    around = governors(parsed, position)
    called = _called(parsed, phrase)
    if called is not None:
        return called
    if phrase.head and not phrase.of:
        known = _unknown(parsed, phrase, around)
        of_which = {parsed.word(at) for at in range(phrase.first - 6, phrase.first)} & {"which", "whom"}
        if known.unit or not (of_which and before and before[-1].unit):
            return known
        return Decision(before[-1].unit, before[-1].kind, 0.6, "of which", ellipsis=True)
    if phrase.of == "base":
        return _part_of(parsed, position, around)
    for one in around:
        unit = PEOPLE.get(one.name, "")
        strict = one.side == "right" or one.link in ("", "of")
        if (
            unit
            and strict
            and one.link != "acts"
            and not (one.name in ("seize", "release", "lose", "abduct") and _craft_before(before))
        ):
            if one.name in ("release", "seize", "lose", "rescue") and person_unit(parsed, phrase, one) == "":
                continue
            if one.name == "seize" and antecedent is not None and antecedent.kind == "craft":
                continue
            return Decision(unit, "person", 0.85, "verb without a noun")
    return left_out(parsed, position, around, before, antecedent)


def _craft_before(before: Sequence[Decision]) -> bool:
    return any(one.kind in ("craft", "munition", "place") for one in before)


def _unknown(parsed: Parsed, phrase: Phrase, around: Sequence[Governor]) -> Decision:
    """A noun that no table has: people where they were killed, a target where it was hit."""
    for one in around:
        unit = PEOPLE.get(one.name, "") and person_unit(parsed, phrase, one)
        if unit and one.name not in ("seize", "release", "lose") and one.link in ("", "participle", "of"):
            return Decision(unit, "person", 0.7, "unknown noun and verb")
        if (
            one.name == "see"
            and one.side == "left"
            and not one.link
            and phrase.head.endswith("s")
            and parsed.word(one.at) in RECORDS
        ):
            return Decision(phrase.head.replace("-", "_"), "event", 0.6, "unknown noun that was recorded")
        plural = phrase.head.endswith("s") or phrase.number.count == 1
        if one.name in ("hit", "strike", "shell", "attack", "raid") and one.link in ("", "participle") and plural:
            return Decision("targets", "place", 0.6, "unknown noun and verb")
    what = f"what no table has: {phrase.head}"
    return no(f"one thing, {what}" if phrase.number.count == 1 else what)


def _called(parsed: Parsed, phrase: Phrase) -> Decision | None:
    """The number of attacks at 56, the dead at 29, a death toll of 45; bringing to 47 the number of attacks."""
    if phrase.noun is not None or (phrase.head and not phrase.of):
        return None
    after = [parsed.word(phrase.last + step) for step in range(3)]
    if parsed.word(phrase.first - 1) == "to" and after[0] == "the" and after[1] in CALLED and after[2] == "of":
        return _called_noun(parsed, phrase, phrase.last + 3, len(parsed.tokens))
    at = phrase.first - 1
    while at >= 0 and phrase.first - at < 14:
        word = parsed.word(at)
        if word in (";", ":") or (word in PREPOSITIONS and word in ("that", "which", "who", "when", "while")):
            return None
        if (
            word == "figure"
            and parsed.word(phrase.last) == "for"
            and parsed.word(phrase.last + 1) in ("those", "people")
        ):
            verb = parsed.verb(phrase.last + 2)
            unit = PEOPLE.get(verb.name, "") if verb is not None else ""
            return Decision(unit, "person", 0.8, "figure for those") if unit else None
        if word == "toll":
            wounded = "injur" in parsed.word(at - 1)
            return Decision("injured" if wounded else "killed", "person", 0.88, "toll")
        if word in ("dead", "wounded", "injured", "missing") and parsed.word(at - 1) == "the":
            unit = {"dead": "killed", "missing": "missing"}.get(word, "injured")
            return Decision(unit, "person", 0.88, "the dead or wounded")
        if word in CALLED and parsed.word(at + 1) == "of":
            return _called_noun(parsed, phrase, at + 2, phrase.first)
        if (
            word == "of"
            and parsed.word(at - 1) in ("and", ",")
            and parsed.noun_at(at + 1) is not None
            and parsed.word(phrase.first - 1) in ("at", "to")
        ):
            return _called_noun(parsed, phrase, at + 1, phrase.first)
        at -= 1
    return None


def _called_noun(parsed: Parsed, phrase: Phrase, at: int, end: int) -> Decision:
    for one in range(at, min(at + 5, end)):
        found = parsed.noun_at(one)
        if found is None and parsed.verb(one) is not None and parsed.verb(one).name in PEOPLE:  # type: ignore[union-attr]
            return Decision(PEOPLE[parsed.verb(one).name], "person", 0.88, "number of")  # type: ignore[union-attr]
        if found is None:
            continue
        unit = found[1]
        if unit.kind == "event":
            return Decision(unit.name, "event", 0.9, "number of")
        for later in range(found[0], end):
            verb = parsed.verb(later)
            if verb is not None:
                name = unit_by(parsed, phrase, unit, Governor(verb.name, verb.event, later, "right"))
                return (
                    Decision(name, unit.kind, 0.88, "number of") if name else no("a number of what nothing happened to")
                )
        return no("a number of what nothing happened to")
    return no("a number of what no table has")


def _part_of(parsed: Parsed, position: int, around: Sequence[Governor]) -> Decision:
    """Four of its 25 crew are dead; of the 61 people they seized, the 61 too where a verb says so."""
    phrase = parsed.phrases[position]
    at = phrase.last
    nouns = [found for one in range(at, min(at + 7, len(parsed.tokens))) if (found := parsed.noun_at(one)) is not None]
    if not nouns:
        return no("a part of what no table has")
    end, noun = nouns[0]
    for one in [*around, *([near] if (near := verb_near(parsed, end)) else [])]:
        unit = unit_by(parsed, phrase, noun, one)
        if unit:
            return Decision(unit, noun.kind, 0.88, "part and verb")
    if noun.kind == "event":
        return Decision(noun.name, "event", 0.7, "part of events")
    return no("a part of people or things that nothing is said to have happened to")
