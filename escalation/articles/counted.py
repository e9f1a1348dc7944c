"""What a number counts: its unit, or why it is no count of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from escalation.articles.governors import Governor, clause_verb, governors, noun_left
from escalation.articles.phrases import AUXILIARIES, PREPOSITIONS, Parsed, Phrase
from escalation.articles.traps import format_trap, stocked, supposed
from escalation.articles.words import Unit

PEOPLE = {
    "kill": "killed", "injure": "injured", "abduct": "kidnapped", "seize": "kidnapped", "arrest": "arrests", "release": "released",
    "shoot": "injured", "rescue": "rescued", "missing": "missing", "surrender": "surrendered", "lose": "killed",
}  # fmt: skip
"""Units of people by the class of the verb."""
HARM = ("hit", "strike", "shell", "attack", "raid", "shoot", "seize", "board", "abduct")
USE = ("launch", "down", "move", "hit", "strike", "see", "kill", "attack", "shoot", "abduct", "seize", "raid")
COUNTING = frozenset(
    "be is are was were been 's there counted count counts recorded records record reported reports registered logged documented "
    "tallied had has have saw seen see put puts claimed claims claim cited listed compares numbered number totalled totaled reached list lists "
    "figure tally toll total average compared against versus from than to at with noted verified confirmed followed "
    "said says say gives gave puts estimated monitored happened occurred took place ended came comprised".split()
)
LINKS = frozenset(": when while whereas though for twice double triple half , and or but from than to against with by compared of at including versus nor plus ; for only just in ( after".split())


RECORDS = frozenset("recorded documented logged registered counted tallied verified".split())


@dataclass(frozen=True)
class Decision:
    """What became of one number.

    Attributes
    ----------
    unit : str
        Blank where it is no count.
    kind : str
        Kind of the thing counted.
    confidence : float
        That it is a count of this unit.
    rule : str
        Which rule decided.
    reason : str
        Why it is no count.
    ellipsis : bool
        Whether the noun was taken from another number.
    """

    unit: str = ""
    kind: str = ""
    confidence: float = 0.0
    rule: str = ""
    reason: str = ""
    ellipsis: bool = False


def no(reason: str) -> Decision:
    """A number that counts nothing that happened."""
    return Decision(reason=reason)


@dataclass(frozen=True)
class Antecedent:
    """The noun that a number without one may stand for, from a number before it."""

    unit: str
    kind: str
    counted: bool


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
    plan = supposed(parsed, phrase)
    if plan:
        return no(plan)
    bracket = _bracketed(parsed, position, before, antecedent)
    if bracket is not None:
        return bracket
    if phrase.number.kind == "ordinal":
        return _rank(parsed, position, before, antecedent)
    if phrase.number.kind == "zero":
        return _zero(parsed, position, before, antecedent)
    if phrase.number.kind == "times" or parsed.word(phrase.number.last) in ("times", "occasions"):
        return _occasions(parsed, phrase)
    if phrase.noun is not None and not (phrase.noun.kind == "person" and phrase.head in ("other", "others") and False):
        return _named(parsed, position, phrase.noun)
    return _unnamed(parsed, position, before, antecedent)


def _bracketed(parsed: Parsed, position: int, before: Sequence[Decision], antecedent: Antecedent | None) -> Decision | None:
    """Counts in brackets after what they count or where: violations (491), Delta (35)."""
    phrase = parsed.phrases[position]
    if parsed.word(phrase.first - 1) != "(" or parsed.word(phrase.last) != ")" or phrase.number.kind != "cardinal":
        return None
    left = noun_left(parsed, phrase.first - 1, ("event",), 4)
    ends = left is not None and (found := parsed.noun_at(left[0])) is not None and found[0] == phrase.first - 1
    if left is not None and ends:
        return Decision(left[1].name, "event", 0.85, "count in brackets")
    if not parsed.tokens[phrase.first - 2].text[:1].isupper():
        return None
    several = sum(parsed.word(other.first - 1) == "(" for other in parsed.phrases) > 1
    events = [noun[1] for at in range(len(parsed.tokens)) if (noun := parsed.noun_at(at)) is not None and noun[1].kind == "event"]
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
    if position == 0 or parsed.phrases[position - 1].of != "base" or phrase.first > parsed.phrases[position - 1].last + 1:
        return False
    following = [parsed.word(at) for at in range(phrase.last, phrase.last + 3)]
    return not {"they", "who", "that", "it", "he", "she", "whom", "which"} & set(following) and _anywhere_near(parsed, phrase.last) is None or parsed.word(phrase.last) in AUXILIARIES


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


def _rank(parsed: Parsed, position: int, before: Sequence[Decision], antecedent: Antecedent | None) -> Decision:
    """The 13th attack since June 1: so many from the start of the window on."""
    phrase = parsed.phrases[position]
    if phrase.number.count is None or phrase.number.count < 2:
        return no("a rank")
    end = parsed.tokens[phrase.last - 1].end
    begin = parsed.tokens[phrase.first].begin
    if not any(one.kind in ("since", "within", "rolling", "since_then", "same", "period") and one.begin >= begin for one in parsed.times if one.begin < end + 160):
        return no("a rank without a window")
    if phrase.noun is None:
        left = noun_left(parsed, phrase.first, ("event",))
        if phrase.head and left is None:
            return no("a rank of what no table has")
        if left is not None and left[1].kind == "event":
            return Decision(left[1].name, "event", 0.75, "rank of the subject")
        if antecedent is not None and antecedent.kind == "event":
            return Decision(antecedent.unit, "event", 0.7, "rank of what was counted before", ellipsis=True)
        return no("a rank of what no table has")
    if phrase.noun.kind == "event":
        return Decision(phrase.noun.name, "event", 0.9, "rank of an event")
    found = _by_verb(parsed, position, phrase.noun, wide=True)
    return found if found is not None else no("a rank of what is not said to have been hit")


def _zero(parsed: Parsed, position: int, before: Sequence[Decision], antecedent: Antecedent | None) -> Decision:
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
    found = _by_verb(parsed, position, phrase.noun)
    return found if found is not None else no("nothing that is said to have been hit")


WINDOWS = ("since", "since_then", "rolling", "period", "same", "without", "within", "before", "until_then", "ends_before")


def _named(parsed: Parsed, position: int, noun: Unit) -> Decision:
    phrase = parsed.phrases[position]
    if noun.kind == "time":
        return no("a length of time")
    if noun.kind == "activity":
        return no(f"{phrase.head}, which are no incidents")
    if noun.kind == "event":
        return _event(parsed, position, noun)
    if phrase.head in ("bodies", "corpses") and parsed.word(phrase.first - 1) in ("recovered", "found", "exhumed", "retrieved", "discovered", "pulled"):
        return Decision("killed", "person", 0.8, "bodies")
    found = _by_verb(parsed, position, noun)
    if found is not None:
        return found
    return no({"person": "people or forces", "area": "areas", "place": "places"}.get(noun.kind, "a stock, or things that nothing happened to"))


def _event(parsed: Parsed, position: int, noun: Unit) -> Decision:
    phrase = parsed.phrases[position]
    if stocked(parsed, phrase) and parsed.word(phrase.first - 1) in ("need", "buy", "order", "sell", "sold"):
        return no("a stock")
    if phrase.number.count == 1 and parsed.word(phrase.number.first) == "one" and phrase.first == 0:
        return Decision(noun.name, "event", 0.5, "one event")
    return Decision(noun.name, "event", 0.95, "event noun")


def _by_verb(parsed: Parsed, position: int, noun: Unit, wide: bool = False) -> Decision | None:
    """Unit of people, craft, places or munitions by what is said to have happened to them."""
    phrase = parsed.phrases[position]
    for one in governors(parsed, position) + ([one for one in (_anywhere(parsed, phrase),) if one] if wide or phrase.number.kind == "zero" else []):
        unit = _unit_by(parsed, phrase, noun, one)
        if unit:
            sure = 0.93 if not one.link or one.side == "right" else 0.85
            return Decision(unit, noun.kind, sure, f"{noun.kind} and verb")
    return None


def _anywhere(parsed: Parsed, phrase: Phrase) -> Governor | None:
    """The nearest verb of the table after a phrase, within its clause or not."""
    for at in range(phrase.last, min(phrase.last + 25, len(parsed.tokens))):
        verb = parsed.verb(at)
        if verb is not None and at not in parsed.timed:
            return Governor(verb.name, verb.event, at, "right")
    return None


def _unit_by(parsed: Parsed, phrase: Phrase, noun: Unit, verb: Governor) -> str:
    if noun.kind == "person":
        return _person_unit(parsed, phrase, verb)
    if verb.name == "involve":
        alike = any(other.noun is not None and other.noun.kind == noun.kind for other in parsed.phrases if other.last <= verb.at)
        known = alike or noun_left(parsed, verb.at, ("event",)) is not None or "round" in [parsed.word(at) for at in range(verb.at)]
        return noun.name if known and (noun.kind in ("munition", "craft") or _site(phrase)) else ""
    if noun.kind == "munition":
        if stocked(parsed, phrase) and verb.side == "left":
            return ""
        ok = verb.name in USE and (verb.link in ("", "participle", "acts", "with", "of", "by", "down", "at", "on", "off") or verb.side == "right")
        return noun.name if ok else ""
    if noun.kind == "craft":
        ok = verb.name in (*HARM, "move", "see", "down", "scramble", "launch", "kill") and verb.link in ("", "participle", "acts", "on", "at", "by", "against", "down", "of", "to")
        return noun.name if ok else ""
    if noun.kind == "place":
        links = ("", "participle", "acts", "on", "against", "to", "of", "into") + (("at", "in", "across") if noun.name in ("targets", "sites") and _site(phrase) else ())
        if _site(phrase) and verb.name in USE and verb.link in ("at", "in", "across"):
            return noun.name
        return noun.name if verb.name in HARM + ("launch",) and verb.link in links and (verb.name != "launch" or verb.link) else ""
    if noun.kind == "thing":
        return noun.name if verb.name in ("hit", "strike", "down", "steal", "seize") and not verb.link else ""
    return ""


def _site(phrase: Phrase) -> bool:
    return phrase.head.split(" ")[-1] in ("targets", "sites", "locations", "facilities", "places", "positions", "installations", "spots", "bases", "camps")


def _person_unit(parsed: Parsed, phrase: Phrase, verb: Governor) -> str:
    unit = PEOPLE.get(verb.name, "")
    if phrase.head in ("bodies", "body", "corpses", "corpse"):
        return "killed" if verb.side == "left" and not verb.link else ""
    if verb.name == "seize" and parsed.word(verb.at) in ("take", "took", "taken", "taking"):
        near = {parsed.word(at) for at in range(verb.at - 2, verb.at + 12)}
        if not near & {"hostage", "hostages", "captive", "captives", "prisoner", "prisoners", "away", "from"} or "part" in near:
            return ""
        if "hospital" in near or "hospitals" in near:
            return "injured"
    if verb.name == "shoot":
        near = {parsed.word(at) for at in range(verb.at + 1, verb.at + 4)}
        return "" if verb.link in ("at", "acts", "by", "with") else "killed" if near & {"dead", "killed"} else "injured"
    if verb.name == "lose" and ({parsed.word(verb.at + 1), parsed.word(verb.at + 2)} & {"their", "his", "contact"}):
        return ""
    if verb.link in ("in", "at", "from", "with", "to", "against", "acts") and verb.name not in ("missing",):
        return ""
    if verb.link == "by" or (verb.link == "on" and verb.name != "kill"):
        return ""
    if verb.name == "arrest" or unit:
        return unit
    return ""


def _unnamed(parsed: Parsed, position: int, before: Sequence[Decision], antecedent: Antecedent | None) -> Decision:
    """A number whose noun no table has, or that has none: by the verb, by what is called a number or toll, or by a list."""
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
        strict = one.side == "right" or not one.link
        if unit and strict and one.link != "acts" and not (one.name in ("seize", "release", "lose", "abduct") and _craft_before(before)):
            if one.name in ("release", "seize", "lose", "rescue") and _person_unit(parsed, phrase, one) == "":
                continue
            if one.name == "seize" and antecedent is not None and antecedent.kind == "craft":
                continue
            return Decision(unit, "person", 0.85, "verb without a noun")
    return _left_out(parsed, position, around, before, antecedent)


def _craft_before(before: Sequence[Decision]) -> bool:
    return any(one.kind in ("craft", "munition", "place") for one in before)


def _unknown(parsed: Parsed, phrase: Phrase, around: Sequence[Governor]) -> Decision:
    """A noun that no table has: people where they were killed, a target where it was hit."""
    for one in around:
        unit = PEOPLE.get(one.name, "")
        if unit and one.name not in ("seize", "release", "lose") and one.link in ("", "participle", "of"):
            return Decision(unit, "person", 0.7, "unknown noun and verb")
        if one.name == "see" and one.side == "left" and not one.link and phrase.head.endswith("s") and parsed.word(one.at) in RECORDS:
            return Decision(phrase.head.replace("-", "_"), "event", 0.6, "unknown noun that was recorded")
        plural = phrase.head.endswith("s") or phrase.number.count == 1
        if one.name in ("hit", "strike", "shell", "attack", "raid") and one.link in ("", "participle") and plural:
            return Decision("targets", "place", 0.6, "unknown noun and verb")
    what = f"what no table has: {phrase.head}"
    return no(f"one thing, {what}" if phrase.number.count == 1 else what)


def _called(parsed: Parsed, phrase: Phrase) -> Decision | None:
    """The number of attacks at 56, the dead at 29, a death toll of 45."""
    if phrase.noun is not None or (phrase.head and not phrase.of):
        return None
    at = phrase.first - 1
    while at >= 0 and phrase.first - at < 14:
        word = parsed.word(at)
        if word in (";", ":") or (word in PREPOSITIONS and word in ("that", "which", "who", "when", "while")):
            return None
        if word == "figure" and parsed.word(phrase.last) == "for" and parsed.word(phrase.last + 1) in ("those", "people"):
            verb = parsed.verb(phrase.last + 2)
            unit = PEOPLE.get(verb.name, "") if verb is not None else ""
            return Decision(unit, "person", 0.8, "figure for those") if unit else None
        if word == "toll":
            wounded = "injur" in parsed.word(at - 1)
            return Decision("injured" if wounded else "killed", "person", 0.88, "toll")
        if word in ("dead", "wounded", "injured", "missing") and parsed.word(at - 1) == "the":
            unit = {"dead": "killed", "missing": "missing"}.get(word, "injured")
            return Decision(unit, "person", 0.88, "the dead or wounded")
        if word in ("number", "numbers", "count", "tally", "total") and parsed.word(at + 1) == "of":
            return _called_noun(parsed, phrase, at + 2)
        if word == "of" and parsed.word(at - 1) in ("and", ",") and parsed.noun_at(at + 1) is not None and parsed.word(phrase.first - 1) in ("at", "to"):
            return _called_noun(parsed, phrase, at + 1)
        at -= 1
    return None


def _called_noun(parsed: Parsed, phrase: Phrase, at: int) -> Decision | None:
    for one in range(at, min(at + 5, phrase.first)):
        found = parsed.noun_at(one)
        if found is None and parsed.verb(one) is not None and parsed.verb(one).name in PEOPLE:  # type: ignore[union-attr]
            return Decision(PEOPLE[parsed.verb(one).name], "person", 0.88, "number of")  # type: ignore[union-attr]
        if found is None:
            continue
        unit = found[1]
        if unit.kind == "event":
            return Decision(unit.name, "event", 0.9, "number of")
        for later in range(found[0], phrase.first):
            verb = parsed.verb(later)
            if verb is not None:
                name = _unit_by(parsed, phrase, unit, Governor(verb.name, verb.event, later, "right"))
                return Decision(name, unit.kind, 0.88, "number of") if name else None
        return None
    return None


def _part_of(parsed: Parsed, position: int, around: Sequence[Governor]) -> Decision:
    """Four of its 25 crew are dead; of the 61 people they seized, the 61 too where a verb says so."""
    phrase = parsed.phrases[position]
    at = phrase.last
    nouns = [found for one in range(at, min(at + 7, len(parsed.tokens))) if (found := parsed.noun_at(one)) is not None]
    if not nouns:
        return no("a part of what no table has")
    end, noun = nouns[0]
    for one in [*around, *([found] if (found := _anywhere_near(parsed, end)) else [])]:
        unit = _unit_by(parsed, phrase, noun, one)
        if unit:
            return Decision(unit, noun.kind, 0.88, "part and verb")
    if noun.kind == "event":
        return Decision(noun.name, "event", 0.7, "part of events")
    return no("a part of people or things that nothing is said to have happened to")


def _anywhere_near(parsed: Parsed, at: int) -> Governor | None:
    for one in range(at, min(at + 4, len(parsed.tokens))):
        if parsed.word(one) in (",", ";", "and"):
            return None
        verb = parsed.verb(one)
        if verb is not None:
            return Governor(verb.name, verb.event, one, "right")
    return None


def _left_out(parsed: Parsed, position: int, around: Sequence[Governor], before: Sequence[Decision], antecedent: Antecedent | None) -> Decision:
    """A noun left out in a list or comparison: that of the number before, in this sentence or the one before."""
    phrase = parsed.phrases[position]
    if phrase.of == "them" and not share_named(parsed, phrase) and antecedent is not None and all(_trapped(one) or one.reason.startswith("one thing") for one in before):
        return Decision(antecedent.unit, antecedent.kind, 0.8, "of those counted before", ellipsis=True)
    share = phrase.of == "them" and parsed.noun_at(phrase.last) is not None
    if share:
        return no("a share of those counted before")
    parallel = _parallel_list(parsed, position, before)
    if parallel is not None:
        return parallel
    usable = [one for one in before if one.unit or not (_trapped(one) or one.reason.startswith(("what no table", "one thing", "no counted", "nothing", "times", "areas")))]
    if usable and _listed(parsed, phrase):
        last = usable[-1]
        if not last.unit:
            return no(f"as the number before it: {last.reason}")
        if last.kind == "person" and phrase.of != "them" and not _parallel(parsed, phrase):
            return no("people, as no verb says what happened to them")
        return Decision(last.unit, last.kind, 0.82, "noun left out in a list", ellipsis=True)
    if before and before[-1].unit and {parsed.word(at) for at in range(phrase.first - 4, phrase.first)} & {"which", "whom"}:
        return Decision(before[-1].unit, before[-1].kind, 0.75, "of which", ellipsis=True)
    noun = noun_left(parsed, phrase.first, ("event", "munition", "craft"), 14)
    if noun is not None and any(one.name in (*USE, *HARM) and one.side == "right" for one in around):
        return Decision(noun[1].name, noun[1].kind, 0.75, "subject left out", ellipsis=True)
    if noun is not None and noun[1].kind == "event" and _listed(parsed, phrase) and (_more(parsed, phrase) or _plural(parsed, noun[0])):
        return Decision(noun[1].name, "event", 0.75, "subject counted")
    if antecedent is not None and antecedent.counted and _compares(parsed, phrase):
        return Decision(antecedent.unit, antecedent.kind, 0.72, "noun of the sentence before", ellipsis=True)
    return no("no counted noun")


def _parallel_list(parsed: Parsed, position: int, before: Sequence[Decision]) -> Decision | None:
    """Units of a list that is compared with one before it, in its order: 38 killed and 26 wounded, against 22 and 30."""
    bare = [at for at in range(len(parsed.phrases)) if parsed.phrases[at].noun is None and not parsed.phrases[at].head]
    first = position
    while first - 1 in bare and parsed.between(parsed.phrases[first - 1].last, parsed.phrases[first].first) in (",", "and", ", and"):
        first -= 1
    last = position
    while last + 1 in bare and parsed.between(parsed.phrases[last].last, parsed.phrases[last + 1].first) in (",", "and", ", and"):
        last += 1
    size = last - first + 1
    link = parsed.word(parsed.phrases[first].first - 1)
    if size < 2 or first < size or link not in ("to", "with", "from", "against", "than"):
        return None
    model = before[first - size + position - first]
    units = {one.unit for one in before[first - size : first]}
    return Decision(model.unit, model.kind, 0.8, "parallel list", ellipsis=True) if model.unit and len(units) == size else None


def share_named(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether "five of them" goes on with who they were."""
    return parsed.noun_at(phrase.last) is not None


def _more(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number counts others of the same."""
    return "other" in parsed.word(phrase.last) or parsed.word(phrase.number.last) in ("others", "more", "other") or parsed.word(phrase.first - 1) == "another"


def _plural(parsed: Parsed, at: int) -> bool:
    found = parsed.noun_at(at)
    return found is not None and not parsed.singular(at, found[0])


def _trapped(one: Decision) -> bool:
    return one.reason in ("money", "a percentage", "an age", "a measure", "a length of time", "a rank", "a name", "a name with a number", "a time of day", "a year", "a share", "a ratio")


def _listed(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number without a noun stands where a list or a comparison goes on."""
    after = parsed.word(phrase.last)
    if after[:1].isalpha() and not (after in PREPOSITIONS or after in AUXILIARIES or phrase.last in parsed.timed or after in COUNTING or after.endswith("ed") or after in ("and", "or", "of", "respectively", "alone", "over", "the", "so", "more", "worldwide", "nationwide", "overall") or parsed.verb(phrase.last)):
        return False
    word = parsed.word(phrase.first - 1)
    return word in LINKS or word in COUNTING or parsed.verb(phrase.first - 1) is not None or word == "then" or phrase.first == 0 or (phrase.first - 1) in parsed.timed


def _parallel(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number of people goes on a list or a comparison of such numbers."""
    return parsed.word(phrase.first - 1) in (",", ":", "and", "or", "from", "than", "to", "against", "with", "compared", "had", "in", "then")


def _compares(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a sentence goes on counting what the one before it counted."""
    if not _listed(parsed, phrase):
        return False
    near = [parsed.word(at) for at in range(max(0, phrase.first - 8), phrase.first)]
    return any(word in COUNTING and word not in LINKS for word in near)
