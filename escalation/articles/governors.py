"""The verb or noun that says what was done to the things of a number: killed 12, a wave of 40 drones."""

from __future__ import annotations

from dataclasses import dataclass

from escalation.articles.phrases import (
    ADVERBS,
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    MODALS,
    PREPOSITIONS,
    Parsed,
    Phrase,
)
from escalation.articles.word_lists import word_list, word_set
from escalation.articles.words import Unit

PARTICLES = word_set("on at off down into upon out up over in against back to")
RESULTS = word_set("killed dead wounded injured missing arrested detained kidnapped abducted hurt destroyed damaged")
NOMINALS = {
    "seizure": "seize", "seizures": "seize", "murder": "kill", "murders": "kill", "killing": "kill", "killings": "kill",
    "death": "kill", "deaths": "kill", "abduction": "abduct", "abductions": "abduct", "kidnapping": "abduct",
    "kidnappings": "abduct", "arrest": "arrest", "arrests": "arrest", "detention": "arrest", "release": "release",
    "rescue": "rescue", "launch": "launch", "firing": "launch", "sinking": "hit", "capture": "seize", "downing": "down",
    "destruction": "hit", "interception": "down", "massacre": "kill", "execution": "kill", "executions": "kill",
    "injuring": "injure", "injuries": "injure",
    "injury": "injure", "wounds": "injure", "hijacking": "seize", "loss": "lose",
    "lives": "kill", "bodies": "kill", "damage": "hit",
    "theft": "steal", "use": "launch", "shooting": "kill", "bombing": "hit", "shelling": "hit", "attack": "hit",
    "attacks": "hit", "strike": "hit", "strikes": "hit", "raid": "hit", "raids": "hit", "assault": "hit",
    "assaults": "hit",
    "wave": "launch", "barrage": "launch", "salvo": "launch", "swarm": "launch", "volley": "launch", "salvos": "launch",
    "incursion": "move", "incursions": "move", "intrusion": "move", "toll": "kill", "number": "", "total": "",
    "count": "",
}  # fmt: skip


@dataclass(frozen=True)
class Governor:
    """What a number's things are said to have done or suffered.

    Attributes
    ----------
    name : str
        Class of the verb; blank where the table has none.
    event : str
        Unit of its occasions.
    at : int
        Its token.
    side : {"left", "right"}
    link : str
        The preposition between it and the number, if there is one.
    """

    name: str
    event: str
    at: int
    side: str
    link: str = ""


def governors(parsed: Parsed, position: int) -> list[Governor]:
    """What governs a number phrase, the surer first: what was done to its things, then what they did.

    Parameters
    ----------
    parsed : Parsed
    position : int
        Of the phrase among those of the sentence.
    """
    phrase = parsed.phrases[position]
    right = _right(parsed, phrase)
    left = _left(parsed, position, 3)
    passive = right is not None and right.link != "acts"
    found = [right, left] if passive and not (left and left.link == "" and _reduced(parsed, right)) else [left, right]
    return [one for one in found if one is not None]


def _reduced(parsed: Parsed, right: Governor | None) -> bool:
    """Say whether what follows is a participle without an auxiliary, which can belong to the noun."""
    return (
        right is not None
        and right.link == "participle"
        and parsed.word(right.at) not in ("dead", "missing", "killed", "injured", "wounded")
    )


def _left(parsed: Parsed, position: int, depth: int) -> Governor | None:
    phrase = parsed.phrases[position]
    at = phrase.first - 1
    while at >= 0 and (
        parsed.word(at) in DETERMINERS or parsed.word(at) in ADVERBS or parsed.word(at) in ('"', "total")
    ):
        if parsed.word(at) in ADVERBS and parsed.word(at) in PARTICLES:
            break
        at -= 1
    word = parsed.word(at)
    if word in CONJUNCTIONS or word in (",", "but"):
        return _shared(parsed, position, at, depth)
    verb = parsed.verb(at)
    if verb is not None:
        return Governor(verb.name, verb.event, at, "left")
    if word in PARTICLES and parsed.verb(at - 1) is not None:
        verb = parsed.verb(at - 1)
        assert verb is not None
        return Governor(verb.name, verb.event, at - 1, "left", word)
    if word in ("dead", "missing", "hostage") and at:
        return Governor("kill" if word == "dead" else "missing" if word == "missing" else "seize", "", at, "left")
    if word == "including":
        return Governor("involve", "", at, "left")
    if word in PREPOSITIONS:
        return _prepositional(parsed, at)
    return None


def _shared(parsed: Parsed, position: int, at: int, depth: int) -> Governor | None:
    """The verb of the number before, of which this one is a further object: wounding five men and two women."""
    if depth == 0:
        return None
    single = _single_object(parsed, at)
    if single is not None:
        return single
    if position == 0:
        return None
    before = parsed.phrases[position - 1]
    words = [parsed.word(one) for one in range(before.last, at)]
    if any(parsed.verb(one) is not None or parsed.word(one) in AUXILIARIES for one in range(before.last, at)):
        return None
    far = len(words) > 6 or words.count(",") > 1 or {"including", ";", ":"} & set(words)
    return None if far else _left(parsed, position - 1, depth - 1)


def _single_object(parsed: Parsed, at: int) -> Governor | None:
    """The verb of an object without a number before the link: killed a policeman and two guards."""
    for one in range(at - 1, max(-1, at - 7), -1):
        word = parsed.word(one)
        if word in ("a", "an", "another", "the", "its", "their", "his"):
            verb = parsed.verb(one - 1)
            return Governor(verb.name, verb.event, one - 1, "left") if verb is not None else None
        if (
            word in PREPOSITIONS
            or word in CONJUNCTIONS
            or word in AUXILIARIES
            or not word[:1].isalpha()
            or parsed.verb(one) is not None
        ):
            return None
    return None


def _prepositional(parsed: Parsed, at: int) -> Governor | None:
    """A noun or verb that a preposition ties to the number: the murder of two, hit by two, strikes with 40."""
    link, before = parsed.word(at), at - 1
    if parsed.word(before) in NOMINALS and link in ("of", "to", "on", "against", "by", "in", "at", "with"):
        return Governor(NOMINALS[parsed.word(before)], "", before, "left", link)
    for one in range(before, max(-1, before - 9), -1):
        if parsed.word(one) in (";", ":", "."):
            break
        verb = parsed.verb(one)
        if verb is not None:
            return Governor(verb.name, verb.event, one, "left", link)
        if parsed.word(one) in NOMINALS:
            return Governor(NOMINALS[parsed.word(one)], "", one, "left", link)
    return None


def _right(parsed: Parsed, phrase: Phrase) -> Governor | None:
    """The verb of which the number is the subject: 12 were wounded, 12 killed, rockets struck."""
    at, passive, steps = phrase.last, False, 0
    inside = parsed.word(phrase.first - 1) in word_list("on at in with from by into across against to after")
    if inside and (parsed.verb(at) is None or parsed.word(at) not in RESULTS):
        return None
    starts = {other.first: other for other in parsed.phrases if other.first > phrase.first}
    while at < len(parsed.tokens) and steps < 16:
        word = parsed.word(at)
        steps += 1
        if at in starts:
            return None if passive or not _joined(parsed, phrase, at) else _after_list(parsed, starts[at])
        if word in word_list("; : . but while after when before if because"):
            return None
        if word == "since" and parsed.word(at - 1) not in AUXILIARIES:
            return None
        if word == "," and parsed.word(at + 1) in word_list(
            "including among some many most all mostly mainly at one both"
        ):
            closing = next(
                (one for one in range(at + 1, min(at + 14, len(parsed.tokens))) if parsed.word(one) == ","), None
            )
            if closing is not None and parsed.word(closing + 1) in AUXILIARIES:
                at = closing + 1
                continue
        if word == "," and parsed.word(at + 1) not in word_list("most mostly many some of including all mainly in on"):
            return None
        if word in AUXILIARIES or word in MODALS:
            passive = passive or word not in ("have", "has", "had", "having", "did", "do", "does")
        verb = parsed.verb(at)
        if (
            verb is not None
            and verb.name == "see"
            and (passive or at == phrase.last)
            and parsed.verb(at + 1) is not None
        ):
            verb = None  # were reported killed
        if verb is not None and at not in parsed.timed:
            return _read_right(parsed, phrase, at, passive)
        if word in CONJUNCTIONS and at == phrase.last and _one_more_subject(parsed, at):
            at += 2
            continue
        if word in CONJUNCTIONS and at == phrase.last and not _list_goes_on(at, starts):
            return None
        if word in CONJUNCTIONS and (passive or steps > 4):
            return None
        if word in ("they", "he", "it", "we", "she") and at > phrase.last + 1:
            return None
        if not passive and word not in AUXILIARIES and _foreign_verb(parsed, at) and at >= phrase.last:
            return None
        at += 1
    return None


def _foreign_verb(parsed: Parsed, at: int) -> bool:
    """Say whether a word is a verb that the table does not have, so that the number belongs to that."""
    word = parsed.word(at)
    return word in ("said", "says", "say") or (
        word.endswith("ed")
        and parsed.word(at - 1) not in AUXILIARIES
        and parsed.noun_at(at + 1) is None
        and parsed.word(at + 1) in DETERMINERS
    )


def _joined(parsed: Parsed, phrase: Phrase, at: int) -> bool:
    """Say whether only a link lies between a number and the next one."""
    return (
        all(parsed.word(one) in (",", "and", "or", "plus", "&") for one in range(phrase.last, at)) and at > phrase.last
    )


def _one_more_subject(parsed: Parsed, at: int) -> bool:
    """Say whether a link adds one subject to the number: three soldiers and a contractor were wounded."""
    if parsed.word(at + 1) not in ("a", "an", "another", "his", "her", "their", "its", "the"):
        return False
    after = range(at + 2, min(at + 6, len(parsed.tokens)))
    first = next((one for one in after if parsed.word(one) in AUXILIARIES or parsed.verb(one) is not None), None)
    return first is not None and parsed.word(first) in AUXILIARIES


def _list_goes_on(at: int, starts: dict[int, Phrase]) -> bool:
    return any(one in starts for one in range(at + 1, at + 3))


def _after_list(parsed: Parsed, other: Phrase) -> Governor | None:
    """The verb of the last of several subjects: 40 civilians and 11 soldiers had been killed."""
    found = _right(parsed, other)
    if found is None or found.link == "participle":
        return None
    return found


def _read_right(parsed: Parsed, phrase: Phrase, at: int, passive: bool) -> Governor | None:
    verb = parsed.verb(at)
    assert verb is not None
    word = parsed.word(at)
    if word.endswith("ing") and at == phrase.last and verb.name not in ("missing",):
        return None
    if passive or word in ("dead", "missing"):
        return Governor(verb.name, verb.event, at, "right")
    if verb.name in ("die", "surrender"):
        return Governor(verb.name, verb.event, at, "right")
    relative = any(parsed.word(one) in ("they", "he", "it", "who", "that", "which") for one in range(phrase.last, at))
    if at == phrase.last or (relative and at - phrase.last < 3):
        following = parsed.word(at + 1)
        objects = following in DETERMINERS or any(other.first == at + 1 for other in parsed.phrases)
        if not objects or verb.name in ("move", "launch", "hit", "strike"):
            return Governor(verb.name, verb.event, at, "right", "acts" if objects else "participle")
    return Governor(verb.name, verb.event, at, "right", "acts")


def clause_verb(parsed: Parsed, at: int, reach: int = 16) -> Governor | None:
    """The nearest verb before a token whose occasions have a unit: struck back eight times."""
    for one in range(at - 1, max(-1, at - 1 - reach), -1):
        word = parsed.word(one)
        if word in (";", ":"):
            return None
        if word in ("attack", "fire") and parsed.word(one - 1) in ("under", "opened"):
            return Governor("attack", "attacks" if word == "attack" else "shootings", one, "left")
        verb = parsed.verb(one)
        if (
            verb is not None
            and verb.event
            and verb.name not in ("seize", "see", "die", "kill", "injure", "release", "rescue", "arrest")
        ):
            return Governor(verb.name, verb.event, one, "left")
    return None


def noun_left(parsed: Parsed, at: int, kinds: tuple[str, ...], reach: int = 20) -> tuple[int, Unit] | None:
    """The nearest noun of some kinds before a token."""
    for one in range(at - 1, max(-1, at - 1 - reach), -1):
        found = parsed.noun_at(one)
        if found is not None and found[1].kind in kinds and found[0] <= at and one not in parsed.timed:
            first = one
            while first > 0 and (longer := parsed.noun_at(first - 1)) is not None and longer[0] == found[0]:
                first, found = first - 1, longer
            return first, found[1]
    return None
