"""Which counts a question is about: the series that its words name, its counter and its unit."""

from __future__ import annotations

from dataclasses import dataclass

from escalation.articles.sentences import tokenise
from escalation.articles.word_lists import word_set
from escalation.assessment.source import Source
from escalation.assessment.usual import usable, usual_choice
from escalation.cases.choices import series_names
from escalation.cases.questions.sentence import Asked
from escalation.conventions.wording import singular, spaced
from escalation.errors import InputError
from escalation.tallies.choosing import is_chosen

EMPTY = word_set("on in of the a an and or at least more than over to by from with against forces there will be any")
"""Words that name no series."""
GENERAL = ("incidents", "events")
"""Units that say nothing of which series is meant."""
ANY = ("incidents", "events", "attacks", "")
"""Units that rows of a table of incidents may be called by."""


@dataclass(frozen=True)
class Subject:
    """Series, counter and unit, None where the defaults of the source hold."""

    series: str | None
    counter: str | None
    unit: str | None


def find_subject(
    source: Source,
    asked: Asked,
    *,
    series: str | None = None,
    counter: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    find_in: str | None = None,
) -> Subject:
    """Find the counts that a question is about.

    Parameters
    ----------
    source : Source
        Tallies or incidents.
    asked : Asked
        The question.
    series, counter, place, unit, find_in : str, optional
        What was said beside it, which comes first.

    Returns
    -------
    Subject

    Raises
    ------
    InputError
        If its words name several series or none, or count what the series does not.
    """
    if source.kind == "incidents":
        if counter is not None or place is not None or unit is not None:
            raise InputError("counter, place and unit go with tallies; this source holds incidents")
        if (find_in is None) != (series is None):
            raise InputError(
                f"find_in is {find_in!r} and series {series!r}, which go together for incidents: a column and a value"
            )
        if asked.unit not in ANY and asked.noun not in ANY and not _counts_events(asked):
            raise InputError(f"the question is about {asked.noun or asked.unit}, and rows of the table are incidents")
        return Subject(series, None, None)
    if find_in is not None:
        raise InputError("find_in goes with incidents; this source holds tallies")
    name = series or _named(source, asked)
    usual, usual_unit, _ = usual_choice(source, name)
    chosen = unit or usual_unit
    if unit is None and asked.unit:
        rows = usable(source.table, name)
        rows = rows[is_chosen(rows["counter"], counter)]
        there = sorted(rows["unit"].unique())
        if asked.unit in there:
            chosen = asked.unit
        elif asked.unit not in GENERAL and (chosen is None or not _same_thing(asked, chosen, name)):
            raise InputError(
                f"the question is about {asked.noun or asked.unit}, and {name} counts {', '.join(there)}; name one of "
                "them, or another series"
            )
    return Subject(name, counter or usual, chosen)


def _counts_events(asked: Asked) -> bool:
    return asked.unit.endswith(("attacks", "strikes", "raids", "events", "incidents", "operations", "clashes"))


def _same_thing(asked: Asked, unit: str, name: str) -> bool:
    """Whether a series or its unit holds the noun: claimed attacks are attacks, and so are incidents of attacks."""
    held = {singular(word) for word in f"{spaced(unit)} {spaced(name)}".lower().split()}
    return bool(held & {singular(asked.unit), singular(asked.noun)})


def _named(source: Source, asked: Asked) -> str:
    """The series whose title or name has most of the question's words; the main one where none stands out."""
    names = series_names(source)
    words = {singular(word) for word in asked.words} - EMPTY
    found = {name: len(words & _title_words(source, name)) for name in names}
    most = max(found.values())
    best = [name for name in names if found[name] == most]
    if most == 0 and asked.noun and asked.unit not in GENERAL:
        raise InputError(f"no series is about {asked.noun}; the series are {', '.join(names)}")
    if names[0] in best:
        return names[0]
    if len(best) > 1:
        raise InputError(f"the question may be about {' or '.join(best)}; name the series")
    return best[0]


def _title_words(source: Source, name: str) -> set[str]:
    title = source.settings(name).title or ""
    rows = usable(source.table, name)
    units = " ".join(spaced(str(unit)) for unit in rows["unit"].unique())
    text = f"{title} {spaced(name)} {units}"
    return {singular(token.lower) for token in tokenise(text)} - EMPTY
