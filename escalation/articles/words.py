"""The tables that the reader goes by: nouns and their units, verbs, hedges, anchors of time, counters.

They are in ``data/reading/``; a user can add rows, or change rows, with tables of the same names and columns.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from escalation.articles.sentences import tokenise
from escalation.errors import FileError, InputError
from escalation.files.bundled import data_folder

TABLES = {
    "units": ("word", "unit", "kind"),
    "verbs": ("class", "forms", "event"),
    "hedges": ("words", "qualifier", "place"),
    "anchors": ("words", "date", "where", "note"),
    "counters": ("words", "counter"),
}
"""The tables, and the columns that each must have."""

KINDS = ("event", "munition", "craft", "place", "area", "person", "thing", "time", "activity")
IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "policeman": "policemen", "body": "bodies",
    "policewoman": "policewomen", "serviceman": "servicemen", "servicewoman": "servicewomen", "gunman": "gunmen",
    "schoolchild": "schoolchildren", "fisherman": "fishermen", "infantryman": "infantrymen", "schoolboy": "schoolboys",
    "aircraft": "aircraft", "unmanned aircraft": "unmanned aircraft", "personnel": "personnel", "people": "people",
    "crew": "crew", "staff": "staff", "cattle": "cattle", "sheep": "sheep", "headquarters": "headquarters",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """What one of the count is, and what kind of thing: event, munition, craft, place, area, person, thing, time."""

    name: str
    kind: str


@dataclass(frozen=True)
class Verb:
    """Class of a verb, and the unit that its occasions are counted in (struck eight times: strikes)."""

    name: str
    event: str


@dataclass(frozen=True)
class Anchor:
    """A phrase that stands for a day, where the text has one of the words."""

    words: str
    date: dt.date
    where: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """The tables as the reader looks words up in them.

    Attributes
    ----------
    units : mapping of tuple of str to Unit
        By the words of the noun, singular and plural.
    plurals : frozenset of tuple of str
        Those of the plural.
    openings : frozenset of str
        First words of the nouns.
    verbs : mapping of str to Verb
        By each form.
    before, after : mapping of tuple of str to str
        Qualifiers by the words of the hedge.
    anchors : tuple of Anchor
        The longest phrases first.
    counters : mapping of str to str
        By the words of the name, the longest first.
    """

    units: Mapping[tuple[str, ...], Unit]
    plurals: frozenset[tuple[str, ...]]
    openings: frozenset[str]
    verbs: Mapping[str, Verb]
    before: Mapping[tuple[str, ...], str]
    after: Mapping[tuple[str, ...], str]
    anchors: tuple[Anchor, ...]
    counters: Mapping[str, str]


def plural_of(word: str) -> str:
    """Plural of a noun or of the last word of a compound."""
    *first, last = word.split(" ")
    if word in IRREGULAR:
        return IRREGULAR[word]
    head, _, tail = last.rpartition("-")
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif tail in IRREGULAR:
        last = f"{head}-{IRREGULAR[tail]}"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    elif last.endswith(("s", "x", "ch", "sh", "z")):
        last += "es"
    else:
        last += "s"
    return " ".join([*first, last])


def read_rules(folder: str | Path | None = None) -> Rules:
    """The bundled tables, with the rows of a user's folder added or in the place of theirs.

    Parameters
    ----------
    folder : str or Path, optional
        A folder with any of ``units.csv``, ``verbs.csv``, ``hedges.csv``, ``anchors.csv`` and ``counters.csv``, each
        with the columns of the bundled table of its name.

    Returns
    -------
    Rules

    Raises
    ------
    FileError
        If there is no such folder, or none of the tables in it.
    InputError
        If a table lacks a column, or a row has a kind, class or date that is unknown.

    Examples
    --------
    >>> rules = read_rules()
    >>> rules.units["air", "strikes"].name, rules.verbs["wounding"].name, rules.before["close", "to"]
    ('strikes', 'injure', 'nearly')
    """
    if folder is None:
        return _bundled()
    place = Path(folder)
    given = [name for name in TABLES if (place / f"{name}.csv").is_file()]
    if not given:
        listed = ", ".join(f"{name}.csv" for name in TABLES)
        raise FileError(f"{folder}: a folder with none of the tables {listed}; give one that has them")
    rows = {name: _rows(data_folder() / "reading" / f"{name}.csv", name) for name in TABLES}
    for name in given:
        rows[name] += _rows(place / f"{name}.csv", name)
    return _rules(rows)


@cache
def _bundled() -> Rules:
    return _rules({name: _rows(data_folder() / "reading" / f"{name}.csv", name) for name in TABLES})


def _rows(path: Path, name: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in table]
            columns = table.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(
            f"{path}: cannot be read as a table in UTF-8 ({type(error).__name__}); save it as CSV"
        ) from error
    missing = [column for column in TABLES[name] if column not in columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; {name}.csv needs {', '.join(TABLES[name])}")
    for number, row in enumerate(rows, 2):
        if not row[TABLES[name][0]]:
            raise InputError(f"{path}, row {number}: {TABLES[name][0]} is blank; fill it in or delete the row")
        if name == "units" and row["kind"] not in KINDS:
            raise InputError(f"{path}, row {number}: kind is {row['kind']!r}; use one of {', '.join(KINDS)}")
        if name == "anchors":
            _anchor_day(row["date"], f"{path}, row {number}")
    return rows


def _anchor_day(text: str, where: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{where}: date is {text!r}, which an anchor cannot have; write YYYY-MM-DD") from None


def words_of(text: str) -> tuple[str, ...]:
    """The words of a phrase as the reader sees them."""
    return tuple(token.lower for token in tokenise(text))


def _rules(rows: dict[str, list[dict[str, str]]]) -> Rules:
    units, plurals = {}, set()
    for row in rows["units"]:
        unit = Unit(row["unit"], row["kind"])
        many = words_of(plural_of(row["word"]))
        units[words_of(row["word"])] = units[many] = unit
        plurals.add(many)
    verbs = {form: Verb(row["class"], row["event"]) for row in rows["verbs"] for form in row["forms"].split()}
    hedges = [(words_of(row["words"]), row["qualifier"], row["place"]) for row in rows["hedges"]]
    anchors = [
        Anchor(row["words"].lower(), _anchor_day(row["date"], "anchors"), tuple(filter(None, row["where"].split(";"))))
        for row in reversed(rows["anchors"])
    ]
    counters = {words: row["counter"] for row in rows["counters"] for words in row["words"].lower().split("|")}
    return Rules(
        units=units,
        plurals=frozenset(plurals),
        openings=frozenset(words[0] for words in units),
        verbs=verbs,
        before={words: qualifier for words, qualifier, place in hedges if place != "after"},
        after={words: qualifier for words, qualifier, place in hedges if place == "after"},
        anchors=tuple(sorted(anchors, key=lambda one: (-len(one.words), not one.where))),
        counters=dict(sorted(counters.items(), key=lambda entry: -len(entry[0]))),
    )
