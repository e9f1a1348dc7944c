"""What stands around a number: its hedge, its noun, and the verb that it goes with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from escalation.articles.numbers import Number, find_numbers
from escalation.articles.sentences import Sentence, Token
from escalation.articles.times.expressions import Expression
from escalation.articles.word_lists import word_set
from escalation.articles.words import Rules, Unit, Verb

AUXILIARIES = word_set(
    "is are was were be been being am has have had having do does did 's 're 've get gets got gotten"
)
MODALS = word_set("will would could can may might should must shall cannot ca won't wouldn't couldn't can't")
PREPOSITIONS = word_set(
    "in on at by for from with to into onto over under of off near around across against between among "
    "amongst along during within without since until till after before about through throughout toward "
    "towards upon via per despite inside outside behind beyond above below beside besides including like "
    "than as amid amidst because while when where who whom whose which that if unless though although but "
    "nor so yet"
)
PRONOUNS = word_set("it they he she we i you them him her us this these those its their his our there here what")
CONJUNCTIONS = frozenset(("and", "or", "plus", "&"))
ADVERBS = word_set(
    "also again alone already altogether apart back daily weekly monthly early ever far first further "
    "just last late later least more most much nearly never not now often once only overall so still then "
    "too twice up down out away forward overnight respectively separately simultaneously together today "
    "yesterday tonight home each every either else even instead meanwhile otherwise soon recently "
    "previously earlier afterwards ago successfully reportedly allegedly slightly seriously badly fatally "
    "critically deliberately mistakenly jointly directly all both"
)
DETERMINERS = word_set("the a an its their his her our these those this that such another all each every any some")
MODELS = {
    "mig": "aircraft", "su": "aircraft", "f": "aircraft", "tu": "aircraft", "il": "aircraft", "mi": "aircraft",
    "ka": "aircraft", "j": "aircraft", "h": "aircraft", "shahed": "drones", "geran": "drones", "mq": "drones",
    "kh": "missiles", "iskander": "missiles", "s": "missiles", "kn": "missiles", "orlan": "drones", "c": "aircraft",
    "b": "aircraft", "a": "aircraft", "tb": "drones", "lancet": "drones",
}  # fmt: skip
LONGEST_NOUN = 4
BARE = frozenset(["more", "other", "others", "further", "additional", "such", "dead", "missing", "extra"])
"""Words that stand in the place of a noun."""


@dataclass(frozen=True)
class Phrase:
    """A number with its hedge and noun.

    Attributes
    ----------
    number : Number
    first, last : int
        Its tokens from the hedge to the end of the noun, the last excluded.
    qualifier : str
        What the hedge means; ``exact`` without one.
    hedged : bool
        Whether there is a hedge.
    noun : Unit or None
        Of its head, where the table has it.
    head : str
        The noun as it is written, of more than one word where the table has such; blank without one.
    of : str
        ``them`` (three of them), ``base`` (three of the 25), or blank.
    """

    number: Number
    first: int
    last: int
    qualifier: str
    hedged: bool
    noun: Unit | None = None
    head: str = ""
    of: str = ""


@dataclass(frozen=True)
class Parsed:
    """A sentence with what its tokens are.

    Attributes
    ----------
    sentence : Sentence
    rules : Rules
    times : tuple of Expression
    mask : int
        Characters at the beginning that are a dateline and not part of what is said.
    nouns : dict
        Nouns of the table that were looked up, by the token where they begin.
    """

    sentence: Sentence
    rules: Rules
    times: tuple[Expression, ...]
    mask: int = 0
    nouns: dict[int, tuple[int, Unit] | None] = field(default_factory=dict, repr=False)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Tokens of the sentence."""
        return self.sentence.tokens

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The tokens in small letters."""
        return tuple(token.lower for token in self.sentence.tokens)

    def word(self, at: int) -> str:
        """A token in small letters, blank outside the sentence."""
        return self.words[at] if 0 <= at < len(self.words) else ""

    def between(self, first: int, last: int) -> str:
        """The text of some tokens."""
        if first >= last:
            return ""
        return self.sentence.text[self.tokens[first].begin : self.tokens[last - 1].end]

    @cached_property
    def timed(self) -> frozenset[int]:
        """Tokens inside an expression of time."""
        return frozenset(
            at for at, token in enumerate(self.tokens) if any(one.begin <= token.begin < one.end for one in self.times)
        )

    def verb(self, at: int) -> Verb | None:
        """The verb that a token is, unless it is a noun of the table or part of one."""
        found = self.rules.verbs.get(self.word(at))
        if found is None:
            return None
        if found.name == "shoot" and self.word(at + 1) == "down":
            return Verb("down", "intercepted")
        ambiguous = (self.word(at),) in self.rules.units
        if ambiguous and not self._acts(at):
            return None
        return found

    def _acts(self, at: int) -> bool:
        """Say whether a word that may be noun or verb is a verb here: after to, a pronoun or an auxiliary."""
        before, after = self.word(at - 1), self.word(at + 1)
        if self.word(at).endswith("ing"):
            return before == "," or after in DETERMINERS or after[:1].isdigit() or self._numbered(at + 1)
        if before in AUXILIARIES and (self.word(at),) not in self.rules.plurals:
            return True
        return before in ("to", "they", "who", "we") or before in MODALS

    def _numbered(self, at: int) -> bool:
        """Say whether a number, or a hedge of one, begins at a token."""
        if any(one.first == at for one in find_numbers(self.tokens[: at + 6])):
            return True
        return any(tuple(self.word(one) for one in range(at, at + size)) in self.rules.before for size in (1, 2, 3))

    @cached_property
    def phrases(self) -> tuple[Phrase, ...]:
        """Every number that is not part of an expression of time, with its hedge and noun."""
        found = find_numbers(self.tokens)
        starts = {one.first for one in found if not self._glued(one.first)}
        return tuple(
            self._phrase(one, starts)
            for one in found
            if self.tokens[one.first].begin >= self.mask and not set(range(one.first, one.last)) <= self.timed
        )

    def _glued(self, at: int) -> bool:
        """Say whether a number belongs to a name before it: Kh-22."""
        return (
            at > 1
            and self.word(at - 1) == "-"
            and self.tokens[at - 1].end == self.tokens[at].begin
            and self.word(at - 2).isalpha()
        )

    def _phrase(self, number: Number, starts: set[int]) -> Phrase:
        first, qualifier = self._hedge(number)
        if (number.word and number.kind == "word") or (number.word and qualifier == "exact"):
            qualifier = number.word
        if number.low is not None:
            qualifier = "range"
        noun, head, last, of = self._noun(number, starts)
        after = self._hedge_after(last if head else number.last) or self._hedge_after(number.last)
        if after and qualifier == "exact":
            qualifier = after
        hedged = qualifier not in ("exact", "range") and number.kind != "word"
        return Phrase(number, first, last, qualifier, hedged, noun, head, of)

    def _hedge(self, number: Number) -> tuple[int, str]:
        """The first token of the words before a number that hedge it, and what they mean."""
        first, qualifier = number.first, "exact"
        if number.low is not None and self.word(first - 1) in ("between", "from"):
            first -= 1
        for _ in range(3):
            for size in (5, 4, 3, 2, 1):
                words = tuple(self.word(at) for at in range(first - size, first)) if first >= size else ()
                found = self.rules.before.get(words)
                if found is None or (words == ("under",) and self.word(first - 2) in ("come", "came", "been")):
                    continue
                first -= size
                qualifier = found if qualifier == "exact" else qualifier
                if words[0] in DETERMINERS and words[0] not in ("a", "an", "another"):
                    return first, qualifier
                break
            else:
                return first, qualifier
        return first, qualifier

    def _hedge_after(self, at: int) -> str:
        for size in (3, 2, 1):
            found = self.rules.after.get(tuple(self.word(one) for one in range(at, at + size)))
            if found:
                return found
        return ""

    def _noun(self, number: Number, starts: set[int]) -> tuple[Unit | None, str, int, str]:
        """Noun of a number, how it is written, the token after it, and whether it is a part of something."""
        at, of = number.last, ""
        if self.word(at) == "out" and self.word(at + 1) == "of":
            return None, "", at + 2, "base"
        if self.word(at) == "of" and at + 1 in self.timed:
            return None, "", at, ""
        if self.word(at) == "of":
            at, of = self._partitive(at, starts)
            if of:
                return None, "", at, of
        found: tuple[Unit, int, int] | None = None
        begin = at
        while at < len(self.tokens) and at - begin < 9:
            match = self.noun_at(at)
            if match is not None:
                found = (match[1], at, match[0])
                at = match[0]
                continue
            adjectives = found is None and at > begin and self.word(at) in CONJUNCTIONS
            if adjectives and (self.noun_at(at + 1) or self.noun_at(at + 2)):
                at += 1
                continue
            plural = found is not None and (not self.singular(found[1], found[2]) or number.count == 1)
            if self._stops(at, starts, plural or number.kind == "ordinal"):
                break
            at += 1
        if found is None:
            model = self._model(begin, at)
            if model is not None:
                return model
            head = self.word(at - 1) if at > begin and self.word(at - 1).isalpha() else ""
            if head in BARE:
                return None, "", at, ""
            return None, head, at, ""
        unit, first, last = found
        if last < at and self.singular(first, last) and number.count != 1 and number.kind != "ordinal":
            return None, self.word(at - 1), at, ""  # two drone operators
        return unit, self.between(first, last).lower(), last, ""

    def _partitive(self, at: int, starts: set[int]) -> tuple[int, str]:
        """What follows ``of`` after a number: nothing counted again, or the whole that it is a part of."""
        after = self.word(at + 1)
        if after in ("them", "which", "whom", "those", "these", "us", "it") and self.tokens[at + 1].text != "US":
            return at + 2, "them"
        if after in ("the", "its", "their", "his", "her", "all") or at + 1 in starts:
            return at + 1, "base"
        return at + 1, ""

    def noun_at(self, at: int) -> tuple[int, Unit] | None:
        """The longest noun of the table that begins at a token: the token after it and its unit."""
        if at not in self.nouns:
            self.nouns[at] = self._find_noun(at) if self.word(at) in self.rules.openings else None
        return self.nouns[at]

    def _find_noun(self, at: int) -> tuple[int, Unit] | None:
        for size in range(min(LONGEST_NOUN, len(self.words) - at), 0, -1):
            unit = self.rules.units.get(self.words[at : at + size])
            if unit is not None:
                return at + size, unit
        return None

    def singular(self, first: int, last: int) -> bool:
        """Say whether a noun of the table stands there in the singular only."""
        return tuple(self.word(one) for one in range(first, last)) not in self.rules.plurals

    def _stops(self, at: int, starts: set[int], named: bool) -> bool:
        """Say whether the noun of a number cannot go on with this token."""
        word = self.word(at)
        if at in self.timed or at in starts or word in PREPOSITIONS or word in CONJUNCTIONS:
            return True
        if word in PRONOUNS and self.tokens[at].text != "US":
            return True
        if word in AUXILIARIES or word in MODALS or (word in DETERMINERS and word not in ("such", "other")):
            return True
        if word in ADVERBS:
            return named or word not in ("more", "further", "first", "most", "all")
        if not word[:1].isalnum():
            return word not in ('"', "'", "-", "/")
        if named and word.endswith("ing"):
            return True
        if word in self.rules.verbs or (word.endswith("ed") and len(word) > 4):
            return named or not self._noun_follows(at)
        return False

    def _noun_follows(self, at: int) -> bool:
        """Say whether a participle stands before a noun of the table: 15 abducted students."""
        for one in range(at + 1, at + 4):
            if one in self.timed or self.word(one) in PREPOSITIONS or self.word(one) in DETERMINERS:
                return False
            if self.word(one) in AUXILIARIES or not self.word(one)[:1].isalpha():
                return False
            if self.noun_at(one) is not None:
                return True
        return False

    def _model(self, begin: int, end: int) -> tuple[Unit, str, int, str] | None:
        """A craft or weapon that is called by its model: MiG-31s, Shahed-136."""
        text = self.sentence.text
        for at in range(begin, min(end + 1, len(self.tokens))):
            kind = MODELS.get(self.word(at))
            token = self.tokens[at]
            if kind and re.match(r"-?\d+\w*", text[token.end :]) and token.text[0].isupper():
                last = at + 1
                while (
                    last < len(self.tokens)
                    and self.tokens[last].begin == self.tokens[last - 1].end
                    and self.word(last) not in ",.;"
                ):
                    last += 1
                unit = Unit(kind, "craft" if kind == "aircraft" else "munition")
                return unit, self.between(at, last).lower(), last, ""
        return None
