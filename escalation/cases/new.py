"""A new case: a folder made of articles, tables of reported counts or tables of incidents."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from escalation.articles.read import article_files, is_article, read_articles
from escalation.assessment.case_folder import ARTICLES, INCIDENTS, SETTINGS, TALLIES
from escalation.assessment.source import open_source
from escalation.cases.choices import by_size
from escalation.cases.differences.saved import REPORTS
from escalation.counts.periods import DateLike
from escalation.errors import FileError, InputError
from escalation.files.disk import kind_of, table_text
from escalation.tallies.schema import template_table

HEAD = """\
# What every answer about this case goes by; a line that begins with # says nothing.
title = {title}
summary = ""

[report]
{series}# start = "2024-01-01"  # first day
freq = "W-SUN"  # D for days, W-SUN for weeks to Sunday, M for months
"""
SERIES = """
[series.{name}]
# title = "..."          # what it is called in print
# counter = "..."        # whose counts are taken, where several counted
# unit = "..."           # which unit, where there are several
# at_least = 10          # the threshold that is asked about
# silence = "unknown"    # a day without a count: quiet, unknown or lower_bound, and why:
# why = "..."
"""


def new_case(
    folder: str | Path,
    sources: Sequence[str | Path] = (),
    *,
    title: str | None = None,
    published: DateLike | None = None,
) -> Path:
    """Make the folder of a new case.

    Parameters
    ----------
    folder : str or Path
        The folder to make; it must not be there yet, or be empty.
    sources : sequence of str or Path
        Articles (text or HTML) or folders of them, whose counts become drafts to review; or one table of reported
        counts; or tables of incidents.  Without any a table of reported counts with examples is made, to be filled in.
    title : str, optional
        What the case is called; the name of the folder when left out.
    published : date or str, optional
        For articles: day of publication, where a page does not say it.

    Returns
    -------
    Path
        The folder, with ``case.toml``, the tables, ``articles/`` where there are any, and ``reports/``.

    Raises
    ------
    FileError
        If a source cannot be read, or the folder cannot be made.
    InputError
        If the folder is not empty, the sources are of several kinds, or they hold nothing that can be counted.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     made = new_case(Path(place, "my-case"))
    ...     sorted(one.name for one in made.iterdir())
    ['case.toml', 'reports', 'tallies.csv']
    """
    folder, paths = Path(folder), [Path(source) for source in sources]
    _check_free(folder)
    tables, articles = _read(paths, published)
    names = by_size(tables[TALLIES]) if TALLIES in tables else []
    parent = folder.parent
    if kind_of(parent) != "directory":
        raise FileError(f"{folder}: cannot be made, for there is no directory {parent}; create that first")
    made = None
    try:
        made = Path(tempfile.mkdtemp(dir=parent, prefix=f".{folder.name}."))
        (made / REPORTS).mkdir()
        (made / SETTINGS).write_text(_settings(title or folder.name, names), encoding="utf-8")
        for name, table in tables.items():
            (made / name).write_text(table_text(table, "csv"), encoding="utf-8", newline="\n")
        if articles:
            (made / ARTICLES).mkdir()
        for article in articles:
            shutil.copyfile(article, made / ARTICLES / article.name)
        made.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        made.rename(folder)
    except OSError as error:
        raise FileError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return folder


def _check_free(folder: Path) -> None:
    kind = kind_of(folder)
    if kind == "directory" and any(folder.iterdir()):
        raise InputError(f"{folder}: holds files already; name a folder that is not there yet")
    if kind not in ("directory", "nothing"):
        raise InputError(f"{folder}: is a file; name a folder that is not there yet")


def _read(paths: Sequence[Path], published: DateLike | None) -> tuple[dict[str, pd.DataFrame], list[Path]]:
    """The tables of a new case by their names, and its articles."""
    if not paths:
        return {TALLIES: template_table()}, []
    texts = [path for path in paths if is_article(path)]
    if texts and len(texts) < len(paths):
        other = next(path for path in paths if path not in texts)
        raise InputError(f"{texts[0]} is an article and {other} is none; make a case of the articles, or of tables")
    if texts:
        files = article_files(texts)
        names = [file.name for file in files]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"two articles are called {twice}; rename one, for both go into one folder")
        tallies, _ = read_articles(files, published)
        if tallies.empty:
            raise InputError(f"{files[0]}: no count was found in it; a case needs one")
        return {TALLIES: tallies}, files
    if published is not None:
        raise InputError(f"{paths[0]} is no article, and a day of publication goes with articles; leave published out")
    source = open_source(paths)
    return {TALLIES if source.kind == "tallies" else INCIDENTS: source.table}, []


def _settings(title: str, names: Sequence[str]) -> str:
    """The text of ``case.toml``, with a table for each series to fill in."""
    quoted = json.dumps(title, ensure_ascii=False)
    series = "".join(SERIES.format(name=name if name.isidentifier() else json.dumps(name)) for name in names)
    main = f"series = {json.dumps(names[0], ensure_ascii=False)}  # the verdict is on it\n" if names else ""
    return HEAD.format(title=quoted, series=main) + series
