"""What watch.toml says: which case is watched, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from escalation.assessment.case_folder import case_names
from escalation.conventions.arguments import check_whole
from escalation.counts.periods import parse_freq
from escalation.counts.schema import LARGEST
from escalation.errors import InputError
from escalation.files.settings import check_keys, no_text, read_toml
from escalation.models.contract.estimate import MAX_STEPS

LONGEST = 3_650
"""Days of a cool-down: more would be never."""
MOST_ALARMS = 365.0
PROBABILITIES = ("probability", "flashpoint")
"""What keys of answers begin with that are probabilities."""
EXAMPLE = 'case = "my-case" and a table [[rule]] with name and false_alarms, or name, answer and at_least'


@dataclass(frozen=True, kw_only=True)
class WatchRule:
    """One thing that is looked at.

    Attributes
    ----------
    name : str
        What it is called in lines and in the ledger.
    false_alarms : float or None
        So many alarms a year at most while nothing happens; the bound of the newest count follows from it.
    answer : str or None
        Key of an answer of the report, in place of the count.
    at_least, at_most : float or None
        The values from which, or down to which, the answer is worth a line.
    flashpoint, within : int or None
        Threshold and horizon of the flashpoint that answers are about.
    series, counter, unit, by, freq : str or None
        Which counts, as in :func:`escalation.count_series`; the main series where left out.
    cool_down : int
        Days after a line in which the same rule says nothing.
    """

    name: str
    false_alarms: float | None = None
    answer: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    flashpoint: int | None = None
    within: int | None = None
    series: str | None = None
    counter: str | None = None
    unit: str | None = None
    by: str | None = None
    freq: str | None = None
    cool_down: int = 28


@dataclass(frozen=True, kw_only=True)
class WatchSettings:
    """What is watched.

    Attributes
    ----------
    case : str
        The case or table.
    rules : tuple of WatchRule
        In their order.
    ledger : Path
        File of what was judged so far.
    seed : int
        Seed of the answers.
    """

    case: str
    rules: tuple[WatchRule, ...]
    ledger: Path
    seed: int


def read_settings(path: str | Path) -> WatchSettings:
    """Read what is watched; files are looked for beside the one that names them.

    Parameters
    ----------
    path : str or Path
        A TOML file: ``case``, perhaps ``seed``, and a table ``[[rule]]`` for each rule.

    Raises
    ------
    FileError
        If it cannot be read.
    InputError
        If it is no TOML, or a key is unknown or cannot be meant; the message says which.
    """
    path = Path(path)
    given = read_toml(path, ("case", "seed", "rule"), f"write {EXAMPLE}")
    case, seed, rules = given.get("case"), given.get("seed", 1), given.get("rule")
    if not isinstance(case, str) or not case:
        raise InputError(f"{path}: case is {case!r}; name the folder of a case or a table, in quotes")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"{path}: seed is {seed!r}; write a whole number from 0")
    if not isinstance(rules, list) or not rules:
        raise InputError(f"{path}: has no rule; write {EXAMPLE}")
    made = tuple(_rule(one, number, path) for number, one in enumerate(rules, start=1))
    names = [one.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two rules are called {twice!r}; rename one, for the ledger goes by their names")
    where = case if case in case_names() else str(path.parent / case)
    return WatchSettings(case=where, rules=made, ledger=path.with_suffix(".jsonl"), seed=seed)


def _rule(given: object, number: int, path: Path) -> WatchRule:
    """One rule, checked."""
    where = f"{path}, rule {number}"
    if not isinstance(given, dict):
        raise InputError(f"{where}: is {given!r}; write a table [[rule]] with one key a line")
    check_keys(given, [one.name for one in fields(WatchRule)], where)
    for key in ("name", "answer", "series", "counter", "unit", "by", "freq"):
        if key in given and (not isinstance(given[key], str) or not given[key]):
            raise no_text(given[key], key, where)
    for key in ("false_alarms", "at_least", "at_most"):
        if key in given and (isinstance(given[key], bool) or not isinstance(given[key], int | float)):
            raise InputError(f"{where}: {key} is {given[key]!r}; write a number")
    if "name" not in given:
        raise InputError(f"{where}: has no name; give it one, by which its lines are known")
    rule = WatchRule(**given)
    try:
        _check_values(rule)
    except InputError as error:
        raise InputError(f"{where}: cannot be used: {error}") from None
    return rule


def _check_values(rule: WatchRule) -> None:
    limits = [one for one in (rule.at_least, rule.at_most) if one is not None]
    if (rule.false_alarms is None) == (rule.answer is None):
        raise InputError("give either false_alarms, so many a year, or an answer with at_least or at_most")
    if rule.answer is not None and rule.answer.startswith(PROBABILITIES) and limits and not 0 <= limits[0] <= 1:
        raise InputError(f"{rule.answer} is a probability, and {limits[0]:g} is none; give a limit from 0 to 1")
    if rule.answer is not None and len(limits) != 1:
        raise InputError(f"answer is {rule.answer!r}; give one of at_least and at_most beside it")
    if rule.answer is None and (limits or rule.flashpoint is not None or rule.within is not None):
        raise InputError("at_least, at_most, flashpoint and within go with an answer, and false_alarms stands alone")
    if rule.false_alarms is not None and not 0 < rule.false_alarms <= MOST_ALARMS:
        raise InputError(f"false_alarms is {rule.false_alarms!r}; give a number a year, above 0, such as 1.0")
    if isinstance(rule.cool_down, bool) or not isinstance(rule.cool_down, int) or not 0 <= rule.cool_down <= LONGEST:
        raise InputError(f"cool_down is {rule.cool_down!r}; give a whole number of days from 0 to {LONGEST:,}")
    for name, most in (("flashpoint", LARGEST), ("within", MAX_STEPS)):
        value = getattr(rule, name)
        if value is not None:
            check_whole(value, name, most)
    if rule.freq is not None:
        parse_freq(rule.freq)
