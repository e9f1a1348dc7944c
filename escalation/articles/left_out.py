"""Nouns left out in lists and comparisons: that of a number before, in this sentence or the one before."""

from __future__ import annotations

from collections.abc import Sequence

from escalation.articles.by_verb import HARM, USE
from escalation.articles.decisions import Antecedent, Decision, no
from escalation.articles.governors import Governor, noun_left
from escalation.articles.phrases import AUXILIARIES, PREPOSITIONS, Parsed, Phrase
from escalation.articles.word_lists import word_list, word_set
from escalation.articles.words import Unit

COUNTING = word_set(
    "be is are was were been 's there counted count counts recorded records record reported reports "
    "registered logged documented tallied had has have saw seen see put puts claimed claims claim cited "
    "listed compares numbered number totalled totaled reached list lists figure tally toll total average "
    "compared against versus from than to at with noted verified confirmed followed said says say gives "
    "gave puts estimated monitored happened occurred took place ended came comprised"
)


LINKS = word_set(
    ": when while whereas though for twice double triple half , and or but from than to against with by "
    "compared of at including versus nor plus ; for only just in ( after"
)


def left_out(
    parsed: Parsed, position: int, around: Sequence[Governor], before: Sequence[Decision], antecedent: Antecedent | None
) -> Decision:
    """A noun left out in a list or comparison: that of the number before, in this sentence or the one before."""
    phrase = parsed.phrases[position]
    if (
        phrase.of == "them"
        and not share_named(parsed, phrase)
        and antecedent is not None
        and antecedent.counted
        and all(is_trapped(one) or one.reason.startswith("one thing") for one in before)
    ):
        return Decision(antecedent.unit, antecedent.kind, 0.8, "of those counted before", ellipsis=True)
    share = phrase.of == "them" and parsed.noun_at(phrase.last) is not None
    if share:
        return no("a share of those counted before")
    parallel = _parallel_list(parsed, position, before)
    if parallel is not None:
        return parallel
    usable = [
        one
        for one in before
        if one.unit
        or not (
            is_trapped(one)
            or one.reason.startswith(("what no table", "one thing", "no counted", "nothing", "times", "areas"))
        )
    ]
    if usable and _listed(parsed, phrase):
        last = usable[-1]
        if not last.unit:
            return no(f"as the number before it: {last.reason}")
        if last.kind == "person" and phrase.of != "them" and not _parallel(parsed, phrase):
            return no("people, as no verb says what happened to them")
        return Decision(last.unit, last.kind, 0.82, "noun left out in a list", ellipsis=True)
    if (
        before
        and before[-1].unit
        and {parsed.word(at) for at in range(phrase.first - 4, phrase.first)} & {"which", "whom"}
    ):
        return Decision(before[-1].unit, before[-1].kind, 0.75, "of which", ellipsis=True)
    noun = noun_left(parsed, phrase.first, ("event", "munition", "craft"), 14)
    if noun is not None and any(one.name in (*USE, *HARM) and one.side == "right" for one in around):
        return Decision(noun[1].name, noun[1].kind, 0.75, "subject left out", ellipsis=True)
    noun = _subject(parsed, noun)
    if (
        noun is not None
        and noun[1].kind == "event"
        and _listed(parsed, phrase)
        and (_more(parsed, phrase) or _plural(parsed, noun[0]))
    ):
        return Decision(noun[1].name, "event", 0.75, "subject counted")
    thing = antecedent is not None and antecedent.kind in ("munition", "craft", "place")
    acted = any(one.name in (*USE, *HARM) and one.side == "right" for one in around)
    if antecedent is not None and antecedent.counted and thing and acted and phrase.first == 0 and not phrase.head:
        return Decision(antecedent.unit, antecedent.kind, 0.72, "subject of the sentence before", ellipsis=True)
    if antecedent is not None and antecedent.counted and _compares(parsed, phrase):
        return Decision(antecedent.unit, antecedent.kind, 0.72, "noun of the sentence before", ellipsis=True)
    return no("no counted noun")


def _parallel_list(parsed: Parsed, position: int, before: Sequence[Decision]) -> Decision | None:
    """Units of a list that is compared with one before it: 38 killed and 26 wounded, against 22 and 30."""
    bare = [at for at in range(len(parsed.phrases)) if parsed.phrases[at].noun is None and not parsed.phrases[at].head]
    first = position
    while first - 1 in bare and parsed.between(parsed.phrases[first - 1].last, parsed.phrases[first].first) in (
        ",",
        "and",
        ", and",
    ):
        first -= 1
    last = position
    while last + 1 in bare and parsed.between(parsed.phrases[last].last, parsed.phrases[last + 1].first) in (
        ",",
        "and",
        ", and",
    ):
        last += 1
    size = last - first + 1
    link = parsed.word(parsed.phrases[first].first - 1)
    if size < 2 or first < size or link not in ("to", "with", "from", "against", "than"):
        return None
    model = before[first - size + position - first]
    units = {one.unit for one in before[first - size : first]}
    return (
        Decision(model.unit, model.kind, 0.8, "parallel list", ellipsis=True)
        if model.unit and len(units) == size
        else None
    )


def _subject(parsed: Parsed, noun: tuple[int, Unit] | None) -> tuple[int, Unit] | None:
    """The noun that a number of a sentence is of: not the one after a preposition, where one stands before it."""
    if noun is None:
        return None
    lead = {parsed.word(at) for at in range(noun[0] - 2, noun[0])}
    if not lead & {"from", "in", "on", "by", "of", "against"}:
        return noun
    further = noun_left(parsed, noun[0], ("event",), 8)
    return further if further is not None and further[1].kind == "event" else noun


def share_named(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether "five of them" goes on with who they were."""
    return parsed.noun_at(phrase.last) is not None


def _more(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number counts others of the same."""
    return (
        "other" in parsed.word(phrase.last)
        or parsed.word(phrase.number.last) in ("others", "more", "other")
        or parsed.word(phrase.first - 1) == "another"
    )


def _plural(parsed: Parsed, at: int) -> bool:
    found = parsed.noun_at(at)
    return found is not None and not parsed.singular(at, found[0])


def is_trapped(one: Decision) -> bool:
    """Say whether a number was no count by its form, so that no noun of its own stands for later ones."""
    return one.reason in (
        "money",
        "a percentage",
        "an age",
        "a measure",
        "a length of time",
        "a rank",
        "a name",
        "a name with a number",
        "a time of day",
        "a year",
        "a share",
        "a ratio",
    )


def _listed(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number without a noun stands where a list or a comparison goes on."""
    after = parsed.word(phrase.last)
    if after[:1].isalpha() and not (
        after in PREPOSITIONS
        or after in AUXILIARIES
        or phrase.last in parsed.timed
        or after in COUNTING
        or after in word_list("and or of respectively alone over the so more worldwide nationwide overall")
        or parsed.verb(phrase.last)
    ):
        return False
    word = parsed.word(phrase.first - 1)
    if word in ("on", "at") and parsed.verb(phrase.first - 2) is not None:
        return True
    return (
        word in LINKS
        or word in COUNTING
        or parsed.verb(phrase.first - 1) is not None
        or word == "then"
        or phrase.first == 0
        or (phrase.first - 1) in parsed.timed
    )


def _parallel(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a number of people goes on a list or a comparison of such numbers."""
    return parsed.word(phrase.first - 1) in word_list(", : and or from than to against with compared had in then")


def _compares(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a sentence goes on counting what the one before it counted."""
    if not _listed(parsed, phrase):
        return False
    near = [parsed.word(at) for at in range(max(0, phrase.first - 8), phrase.first)]
    return any(word in COUNTING and word not in LINKS for word in near)
