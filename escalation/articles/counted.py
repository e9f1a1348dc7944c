"""What a number counts: its unit, or why it is no count of what happened."""

from __future__ import annotations

from collections.abc import Sequence

from escalation.articles.by_verb import PEOPLE, by_verb, verb_near
from escalation.articles.decisions import Antecedent, Decision, no
from escalation.articles.governors import clause_verb, noun_left
from escalation.articles.phrases import AUXILIARIES, Parsed, Phrase
from escalation.articles.traps import format_trap, stocked, supposed, taken_back
from escalation.articles.unnamed import unnamed
from escalation.articles.word_lists import word_list
from escalation.articles.words import Unit


def decide(parsed: Parsed, position: int, before: Sequence[Decision], antecedent: Antecedent | None) -> Decision:
    """Say what one number of a sentence counts.

    Parameters
    ----------
    parsed : Parsed
        The sentence.
    position : int
        Which of its numbers.
    before : sequence of Decision
        What became of the numbers before it in the sentence.
    antecedent : Antecedent or None
        What the number before the sentence counted.
    """
    phrase = parsed.phrases[position]
    trap = format_trap(parsed, phrase)
    if trap:
        return no(trap)
    if _whole(parsed, position):
        return no("the whole of which a part is counted")
    if phrase.number.word == "thousands":
        return no("thousands, a word too wide for a count")
    unsaid = supposed(parsed, phrase) or taken_back(parsed, phrase)
    if unsaid:
        return no(unsaid)
    bracket = _bracketed(parsed, position, antecedent)
    if bracket is not None:
        return bracket
    if phrase.number.kind == "ordinal":
        return _rank(parsed, position, antecedent)
    if phrase.number.kind == "zero":
        return _zero(parsed, position, before)
    if phrase.number.kind == "times" or phrase.head in ("times", "occasions"):
        return _occasions(parsed, phrase)
    if phrase.noun is not None:
        return _named(parsed, position, phrase.noun)
    return unnamed(parsed, position, before, antecedent)


def _bracketed(parsed: Parsed, position: int, antecedent: Antecedent | None) -> Decision | None:
    """Counts in brackets after what they count or where: violations (491), Delta (35)."""
    phrase = parsed.phrases[position]
    if parsed.word(phrase.first - 1) != "(" or parsed.word(phrase.last) != ")" or phrase.number.kind != "cardinal":
        return None
    if phrase.noun is not None:
        return None
    left = noun_left(parsed, phrase.first - 1, ("event",), 4)
    ends = left is not None and (found := parsed.noun_at(left[0])) is not None and found[0] == phrase.first - 1
    if left is not None and ends:
        return Decision(left[1].name, "event", 0.85, "count in brackets")
    if not parsed.tokens[phrase.first - 2].text[:1].isupper():
        return None
    several = sum(parsed.word(other.first - 1) == "(" for other in parsed.phrases) > 1
    events = [
        noun[1]
        for at in range(len(parsed.tokens))
        if (noun := parsed.noun_at(at)) is not None and noun[1].kind == "event"
    ]
    if several and events:
        return Decision(events[-1].name, "event", 0.7, "list of counts in brackets")
    if several and antecedent is not None and antecedent.kind == "event":
        return Decision(antecedent.unit, "event", 0.6, "list of counts in brackets", ellipsis=True)
    return no("a number in brackets, an age perhaps")


def _whole(parsed: Parsed, position: int) -> bool:
    """Say whether a number is the whole in "four of its 25 crew", and no verb of its own says what happened to it."""
    phrase = parsed.phrases[position]
    if phrase.noun is not None and phrase.noun.kind == "event":
        return False
    if (
        position == 0
        or parsed.phrases[position - 1].of != "base"
        or phrase.first > parsed.phrases[position - 1].last + 1
    ):
        return False
    following = [parsed.word(at) for at in range(phrase.last, phrase.last + 3)]
    return (
        not {"they", "who", "that", "it", "he", "she", "whom", "which"} & set(following)
        and verb_near(parsed, phrase.last) is None
    ) or parsed.word(phrase.last) in AUXILIARIES


def _occasions(parsed: Parsed, phrase: Phrase) -> Decision:
    """Struck back eight times, was hit twice."""
    if phrase.number.kind == "times" and phrase.number.count == 1:
        return no("once, which counts nothing by itself")
    verb = clause_verb(parsed, phrase.first)
    if verb is None:
        return no("times that no verb of the table says what of")
    truce = {token.lower for token in parsed.tokens} & {"truce", "ceasefire", "cease-fire", "airspace", "armistice"}
    unit = "violations" if truce and verb.name in ("hit", "violate") else verb.event
    return Decision(unit, "event", 0.9, "verb and times")


def _rank(parsed: Parsed, position: int, antecedent: Antecedent | None) -> Decision:
    """The 13th attack since June 1: so many from the start of the window on."""
    phrase = parsed.phrases[position]
    if phrase.number.count is None or phrase.number.count < 2:
        return no("a rank")
    following = [other for other in parsed.phrases[position + 1 :] if other.first <= phrase.last + 2]
    if following and following[0].number.kind == "ordinal" and parsed.word(phrase.number.last) in ("and", ","):
        return no("a rank that a later one goes beyond")
    end = parsed.tokens[phrase.last - 1].end
    begin = parsed.tokens[phrase.first].begin
    if not any(
        one.kind in ("since", "within", "rolling", "since_then", "same", "period") and one.begin >= begin
        for one in parsed.times
        if one.begin < end + 160
    ):
        return no("a rank without a window")
    if phrase.noun is None:
        left = noun_left(parsed, phrase.first, ("event",))
        if phrase.head and left is None:
            return no("a rank of what no table has")
        if left is not None and left[1].kind == "event":
            return Decision(left[1].name, "event", 0.75, "rank of the subject")
        if antecedent is not None and antecedent.event:
            return Decision(antecedent.event, "event", 0.7, "rank of what was counted before", ellipsis=True)
        return no("a rank of what no table has")
    if phrase.noun.kind == "event":
        return Decision(phrase.noun.name, "event", 0.9, "rank of an event")
    found = by_verb(parsed, position, phrase.noun, wide=True)
    return found if found is not None else no("a rank of what is not said to have been hit")


def _zero(parsed: Parsed, position: int, before: Sequence[Decision]) -> Decision:
    """No attack since Feb. 4, not one abduction, none in November."""
    phrase = parsed.phrases[position]
    if phrase.noun is None and not phrase.head and before and before[-1].unit:
        last = before[-1]
        return Decision(last.unit, last.kind, 0.85, "zero in a list", ellipsis=True)
    if phrase.noun is None:
        return no("nothing of what no table has")
    if not any(one.kind != "skip" and one.kind != "asof" for one in parsed.times):
        return no("a zero without a window")
    if phrase.noun.kind == "event":
        return Decision(phrase.noun.name, "event", 0.85, "no event")
    if phrase.noun.kind == "person" and not any(one.kind in WINDOWS for one in parsed.times):
        return no("a zero of one event")
    found = by_verb(parsed, position, phrase.noun)
    return found if found is not None else no("nothing that is said to have been hit")


WINDOWS = word_list("since since_then rolling period same without within before until_then ends_before")


def _named(parsed: Parsed, position: int, noun: Unit) -> Decision:
    phrase = parsed.phrases[position]
    if noun.kind == "time":
        return no("a length of time")
    if noun.kind == "activity":
        return no(f"{phrase.head}, which are no incidents")
    if noun.kind == "event":
        return _event(parsed, position, noun)
    found_dead = {parsed.word(at) for at in range(phrase.last, phrase.last + 5)} & {
        "recovered",
        "found",
        "retrieved",
        "exhumed",
    }
    if phrase.head in ("bodies", "corpses") and found_dead:
        return Decision("killed", "person", 0.8, "bodies")
    if phrase.head in ("bodies", "corpses") and parsed.word(phrase.first - 1) in (
        "recovered",
        "found",
        "exhumed",
        "retrieved",
        "discovered",
        "pulled",
    ):
        return Decision("killed", "person", 0.8, "bodies")
    found = by_verb(parsed, position, noun)
    if found is not None:
        return found
    if noun.kind == "person":
        inside = [verb for at in range(phrase.number.last, phrase.last) if (verb := parsed.verb(at)) is not None]
        if inside and PEOPLE.get(inside[0].name) and inside[0].name not in ("release", "seize", "lose", "shoot"):
            return Decision(PEOPLE[inside[0].name], "person", 0.75, "people and a participle")
    return no(
        {"person": "people or forces", "area": "areas", "place": "places"}.get(
            noun.kind, "a stock, or things that nothing happened to"
        )
    )


def _event(parsed: Parsed, position: int, noun: Unit) -> Decision:
    phrase = parsed.phrases[position]
    if stocked(parsed, phrase) and parsed.word(phrase.first - 1) in ("need", "buy", "order", "sell", "sold"):
        return no("a stock")
    if phrase.number.count == 1 and parsed.word(phrase.number.first) == "one" and phrase.first == 0:
        return Decision(noun.name, "event", 0.5, "one event")
    return Decision(noun.name, "event", 0.95, "event noun")
