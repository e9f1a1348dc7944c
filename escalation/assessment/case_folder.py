"""The folder of a case: its tables and articles, and what case.toml says of its series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from escalation.articles.read import article_files, is_article
from escalation.assessment.texts import Opened, is_reviewed, open_reviewed, open_text
from escalation.counts.periods import parse_date, parse_freq
from escalation.counts.series import Silence
from escalation.errors import InputError
from escalation.files.bundled import data_folder
from escalation.files.disk import kind_of
from escalation.files.read import column_names, read_table
from escalation.files.settings import check_keys, no_text, read_toml
from escalation.tallies.read import read_tallies

DEFAULT_CASE = "militia-attacks-2023-2024"
SETTINGS, TALLIES, INCIDENTS, ARTICLES = "case.toml", "tallies.csv", "incidents.csv", "articles"
"""Names of the files of a case."""
RECORD = "backtest.csv"
"""Name of the table of scored forecasts in the folder of a case."""
LISTED = ("series", "date", "date_end", "country", "place", "fatalities")
"""Columns of a list of incidents beside tallies: some of those that the tallies count, and of which series each is."""


@dataclass(frozen=True, kw_only=True)
class SeriesSettings:
    """What ``case.toml`` says of one series.

    Attributes
    ----------
    title : str or None
        What the series is called in print.
    counter, unit, place, start, end, freq : str or None
        Which tallies are taken, and on which days and periods, as in :func:`escalation.count_series`.
    silence : {"quiet", "unknown", "lower_bound"} or None
        What a day means that no tally of the series speaks of.
    why : str
        Why silence means that.
    at_least : int or None
        The threshold that is asked about: in a period, or of one event in a series that is a handful of them.
    """

    title: str | None = None
    counter: str | None = None
    unit: str | None = None
    place: str | None = None
    start: str | None = None
    end: str | None = None
    freq: str | None = None
    silence: Silence | None = None
    why: str = ""
    at_least: int | None = None


@dataclass(frozen=True, kw_only=True)
class CaseAction:
    """A dated action that the case names, whose effect is asked for; see :func:`escalation.analysis.effect`.

    Attributes
    ----------
    date : str
        Its day.
    title : str
        What was done, in a few words.
    """

    date: str
    title: str = ""


@dataclass(frozen=True, eq=False)
class CaseFolder:
    """A folder with ``case.toml`` and the tables of one case.

    Attributes
    ----------
    name, title, summary : str
        What it is called and about.
    folder : Path
        Where it lies.
    tallies : pandas.DataFrame or None
        Reported counts; see the codebook.
    incidents : pandas.DataFrame or None
        Dated incidents that are listed beside tallies (a convenience sample: never to be summed to a total).
    sources : pandas.DataFrame
        Columns ``source``, ``url``, ``rows``: the pages behind the tallies and incidents.
    defaults : dict
        Options that a report takes for this case: series, counter, start, end, freq.
    series : dict of str to SeriesSettings
        What ``case.toml`` says of single series, in its order.
    sides : tuple of str
        Two series that may answer each other, or none.
    action : CaseAction or None
        The action whose effect is asked for, where the case names one.
    unreviewed : tuple of int
        Of tallies that were read from text: labels of the rows that no person has reviewed.
    ledger : pandas.DataFrame
        What the reader dropped, merged or changed.
    """

    name: str
    title: str
    summary: str
    folder: Path = field(repr=False)
    tallies: pd.DataFrame | None = field(repr=False)
    incidents: pd.DataFrame | None = field(repr=False)
    sources: pd.DataFrame = field(repr=False)
    defaults: dict[str, str]
    series: dict[str, SeriesSettings]
    sides: tuple[str, ...] = ()
    action: CaseAction | None = None
    unreviewed: tuple[int, ...] = ()
    ledger: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def silence(self) -> dict[str, Silence]:
        """What a day means that no tally of a series speaks of, where somebody looked into it."""
        return {name: one.silence for name, one in self.series.items() if one.silence is not None}

    @property
    def table(self) -> Path | None:
        """The table of incidents that is the case's own source, where it has no tallies."""
        path = self.folder / INCIDENTS
        return path if self.tallies is None and path.is_file() else None

    @property
    def record(self) -> Path | None:
        """File of the scores of past forecasts of the series of the report, where there is one."""
        path = self.folder / RECORD
        return path if path.is_file() else None


def case_names() -> list[str]:
    """Names of the bundled case studies, sorted."""
    return sorted(file.parent.name for file in data_folder().glob(f"*/{SETTINGS}"))


def find_folder(source: str | Path) -> Path | None:
    """The folder of a case, by the name of a bundled one or by its path; None where it is neither."""
    if str(source) in case_names():
        return data_folder() / str(source)
    path = Path(source)
    return path if kind_of(path) == "directory" and (path / SETTINGS).is_file() else None


def read_folder(source: str | Path) -> CaseFolder:
    """Read the folder of a case.

    Parameters
    ----------
    source : str or Path
        Name of a bundled case, or path of a folder with ``case.toml``.

    Returns
    -------
    CaseFolder

    Raises
    ------
    FileError
        If a file of it cannot be read.
    InputError
        If there is no such case, or a file of it cannot be used.
    """
    folder = find_folder(source)
    if folder is None:
        raise InputError(
            f"case is {str(source)!r}, neither a folder with {SETTINGS} nor a bundled case; those are "
            f"{', '.join(case_names())}"
        )
    about = _settings(folder / SETTINGS)
    opened = _tallies(folder)
    tallies, ledger, unreviewed = opened if opened is not None else (None, None, ())
    incidents = None if tallies is None else _listed(folder / INCIDENTS)
    if tallies is None and not (folder / INCIDENTS).is_file():
        raise InputError(f"{folder}: holds no {TALLIES}, no {INCIDENTS} and no {ARTICLES}; add one of them")
    series = {name: _series(one, name, folder / SETTINGS) for name, one in about.get("series", {}).items()}
    sides = tuple(about.get("sides", ()))
    _check_names(folder / SETTINGS, tallies, about["report"], series, sides)
    return CaseFolder(
        name=folder.name,
        title=about["title"],
        summary=about["summary"],
        folder=folder,
        tallies=tallies,
        incidents=incidents,
        sources=_sources(tallies, incidents),
        defaults=about["report"],
        series=series,
        sides=sides,
        action=_action(about.get("action"), folder / SETTINGS),
        unreviewed=unreviewed,
        ledger=None if folder.parent == data_folder() else ledger,
    )


def _tallies(folder: Path) -> Opened | None:
    """The tallies of a case: its table, or else what its articles say; None where it has neither."""
    path = folder / TALLIES
    if path.is_file():
        if is_reviewed(path, None, None):
            return open_reviewed(path)
        tallies, ledger = read_tallies(path)
        return tallies, ledger, ()
    articles = folder / ARTICLES
    if kind_of(articles) == "directory" and is_article(articles) and article_files([articles]):
        return open_text([articles], None)
    return None


REPORT = ("series", "counter", "start", "end", "freq")
"""Keys of ``[report]``."""


def _settings(path: Path) -> dict[str, Any]:
    """Read ``case.toml``, every key of which must be known."""
    keys = ("title", "summary", "report", "series", "sides", "action")
    about = read_toml(path, keys, "compare it with the case.toml of a bundled case")
    report = about.get("report", {})
    for name in ("title", "summary"):
        if not isinstance(about.setdefault(name, path.parent.name if name == "title" else ""), str):
            raise no_text(about[name], name, str(path))
    for name, table in (("report", report), ("series", about.get("series", {}))):
        if not isinstance(table, dict):
            raise InputError(f"{path}: {name} is {table!r}; write a table [{name}] with one key a line")
    check_keys(report, REPORT, f"{path}, [report]")
    about["report"] = {name: _text(value, name, f"{path}, [report]") for name, value in report.items()}
    sides = about.get("sides", [])
    if sides and not (isinstance(sides, list) and len(sides) == 2 and all(isinstance(one, str) for one in sides)):
        raise InputError(f'{path}: sides is {sides!r}; name two series, as in sides = ["raids", "air_strikes"]')
    return about


def _series(given: object, name: str, path: Path) -> SeriesSettings:
    """The settings of one series, checked."""
    where = f"{path}, [series.{name}]"
    if not isinstance(given, dict):
        raise InputError(f"{where}: is {given!r}; write a table with one key a line")
    known = [one.name for one in fields(SeriesSettings)]
    check_keys(given, known, where)
    values = {key: _text(value, key, where) for key, value in given.items() if key != "at_least"}
    if "silence" in values and values["silence"] not in get_args(Silence):
        raise InputError(f"{where}: silence is {values['silence']!r}; use one of {', '.join(get_args(Silence))}")
    at_least = given.get("at_least")
    if at_least is not None and (isinstance(at_least, bool) or not isinstance(at_least, int) or at_least < 1):
        raise InputError(f"{where}: at_least is {at_least!r}; write a whole number from 1")
    return SeriesSettings(**values, at_least=at_least)  # type: ignore[arg-type]


def _action(given: object, path: Path) -> CaseAction | None:
    """The action that a case names, checked."""
    if given is None:
        return None
    where = f"{path}, [action]"
    if not isinstance(given, dict) or "date" not in given:
        raise InputError(f"{where}: is {given!r}; write a table with the key date, and what was done as title")
    check_keys(given, [one.name for one in fields(CaseAction)], where)
    return CaseAction(**{key: _text(value, key, where) for key, value in given.items()})


def _text(value: object, key: str, where: str) -> str:
    """A text, or a date that TOML knows as one; days and periods are checked here, where their place can be named."""
    text = value if isinstance(value, str) else str(value) if hasattr(value, "isoformat") else None
    if text is None:
        raise no_text(value, key, where)
    try:
        if key in ("start", "end", "date"):
            parse_date(text, key)
        elif key == "freq":
            parse_freq(text)
    except InputError as error:
        raise InputError(f"{where}: no such day or period: {error}") from error
    return text


def _check_names(
    path: Path,
    tallies: pd.DataFrame | None,
    report: Mapping[str, str],
    series: Mapping[str, SeriesSettings],
    sides: Sequence[str],
) -> None:
    """Refuse series that the tallies do not have, but for those of which nothing is said: a review may rename them."""
    if tallies is None:
        return
    there = sorted(tallies["series"].unique())
    said = [name for name, settings in series.items() if settings != SeriesSettings()]
    for name in (*filter(None, [report.get("series")]), *said, *sides):
        if name not in there:
            raise InputError(
                f"{path}: names the series {name!r}, but the tallies hold {', '.join(there)}; rename it there, or take "
                "out what is said of it"
            )


def _listed(path: Path) -> pd.DataFrame | None:
    """The incidents that are listed beside tallies, where the table says of which series each is.

    Raises
    ------
    InputError
        If the table is there without the columns that say so: it would be left out without a word.
    """
    if not path.is_file():
        return None
    missing = [name for name in LISTED if name not in column_names(path)]
    if missing:
        raise InputError(
            f"{path}: lacks {', '.join(missing)}; beside tallies a list of incidents says of which series each is, as "
            "in the codebook; a table that is counted by itself is a case of its own"
        )
    table = read_table(path).reset_index(drop=True)
    for name in ("date", "date_end"):
        table[name] = _days(table[name], name, path)
    for name in (one for one in table.columns if one in ("fatalities", "wounded") or one.startswith("killed_")):
        table[name] = _whole(table[name], name, path)
    return table


def _days(column: pd.Series, name: str, path: Path) -> pd.Series:
    days = pd.to_datetime(column, format="%Y-%m-%d", errors="coerce")
    _refuse(column[days.isna()], name, path, "a day as YYYY-MM-DD")
    return days


def _whole(column: pd.Series, name: str, path: Path) -> pd.Series:
    number = pd.to_numeric(column, errors="coerce")
    _refuse(column[(number.isna() & (column.str.strip() != "")) | (number % 1 > 0)], name, path, "a whole number")
    return number.astype("Int64")


def _refuse(odd: pd.Series, name: str, path: Path, wanted: str) -> None:
    if len(odd):
        raise InputError(f"{path}, row {odd.index[0] + 2}: {name} is {odd.iloc[0]!r}; write {wanted}")


def _sources(*tables: pd.DataFrame | None) -> pd.DataFrame:
    given = [table[["source", "url"]] for table in tables if table is not None and {"source", "url"} <= set(table)]
    if not given:
        return pd.DataFrame({"source": [], "url": [], "rows": []})
    rows = pd.concat(given)
    rows["source"] = rows["source"].where(rows["source"] != "", "unnamed")
    return rows.groupby(["source", "url"]).size().rename("rows").reset_index()
