"""Bundled case studies: tallies, dated incidents and where they come from."""

from __future__ import annotations

import html
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from escalation.counts.series import Silence
from escalation.errors import InputError
from escalation.files.bundled import data_folder
from escalation.files.read import read_table
from escalation.tallies.read import read_tallies

KILLED = ("fatalities", "killed_own", "killed_partner", "killed_attacker", "killed_civilian")
"""Columns of incidents that count the dead, all of them and those of each side."""
DEFAULT_CASE = "militia-attacks-2023-2024"


@dataclass(frozen=True, eq=False)
class Case:
    """A bundled case study.

    Attributes
    ----------
    name, title, summary : str
        What it is called and about.
    tallies : pandas.DataFrame
        Reported counts; see the codebook.
    incidents : pandas.DataFrame or None
        Dated incidents (a convenience sample: never to be summed to a total).
    sources : pandas.DataFrame
        Columns ``source``, ``url``, ``rows``: the pages behind the tallies and incidents.
    report : dict
        Options that ``escalation report`` takes for this case: series, counter, start, end, freq.
    silence : dict
        What a day means that no tally of a series speaks of, by series, where somebody looked into it; the reasons are
        in the codebook.
    """

    name: str
    title: str
    summary: str
    tallies: pd.DataFrame = field(repr=False)
    incidents: pd.DataFrame | None = field(repr=False)
    sources: pd.DataFrame = field(repr=False)
    report: dict[str, str]
    silence: dict[str, Silence]

    def _repr_html_(self) -> str:
        lines = [f"<b>{html.escape(self.title)}</b><br>{html.escape(self.summary)}"]
        lines.append(self.tallies.groupby(["series", "counter", "unit"]).size().rename("tallies").to_frame().to_html())
        return "".join(lines)


def list_cases() -> pd.DataFrame:
    """List the bundled case studies.

    Returns
    -------
    pandas.DataFrame
        Indexed by name; columns ``title``, ``tallies`` and ``incidents`` (numbers of rows).

    Examples
    --------
    >>> list_cases().index.tolist()
    ['militia-attacks-2023-2024', 'november-2024-article']
    """
    cases = [open_case(name) for name in case_names()]
    return pd.DataFrame(
        {
            "title": [case.title for case in cases],
            "tallies": [len(case.tallies) for case in cases],
            "incidents": [0 if case.incidents is None else len(case.incidents) for case in cases],
        },
        index=pd.Index([case.name for case in cases], name="case"),
    )


def open_case(name: str) -> Case:
    """Load a bundled case study.

    Parameters
    ----------
    name : str
        One of ``list_cases().index``.

    Returns
    -------
    Case

    Raises
    ------
    InputError
        If there is no such case; the message lists those there are.

    Examples
    --------
    >>> case = open_case("militia-attacks-2023-2024")
    >>> len(case.tallies), len(case.incidents)
    (297, 149)
    """
    if name not in case_names():
        raise InputError(f"case is {name!r}; the bundled cases are {', '.join(case_names())}")
    folder = data_folder() / name
    about = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    tallies, _ = read_tallies(folder / "tallies.csv")
    incidents = _incidents(folder / "incidents.csv")
    report: dict[str, Any] = about["report"]
    silence = {series: said["is"] for series, said in about.get("silence", {}).items()}
    sources = _sources(tallies, incidents)
    return Case(name, about["title"], about["summary"], tallies, incidents, sources, report, silence)


def case_names() -> list[str]:
    """Names of the bundled case studies, sorted."""
    return sorted(file.parent.name for file in data_folder().glob("*/case.toml"))


def _incidents(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    table = read_table(path).reset_index(drop=True)
    for name in ("date", "date_end"):
        table[name] = pd.to_datetime(table[name], format="%Y-%m-%d")
    for name in (*KILLED, "wounded"):
        table[name] = pd.to_numeric(table[name]).astype("Int64")
    return table


def _sources(tallies: pd.DataFrame, incidents: pd.DataFrame | None) -> pd.DataFrame:
    tables = [tallies] if incidents is None else [tallies, incidents]
    rows = pd.concat([table[["source", "url"]] for table in tables])
    rows["source"] = rows["source"].where(rows["source"] != "", "unnamed")
    return rows.groupby(["source", "url"]).size().rename("rows").reset_index()
