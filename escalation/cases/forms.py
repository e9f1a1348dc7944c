"""The forms that a brief is written in."""

from __future__ import annotations

from pathlib import Path

from escalation.errors import FileError, InputError

FORMS = (".pdf", ".html", ".json")
"""How names of reports end."""


def check_form(path: str | Path, *, full: bool = False) -> None:
    """Refuse a name that says no format, and further pages in a format that has none.

    Raises
    ------
    FileError
        If the name does not end in .pdf, .html or .json.
    InputError
        If the further pages are asked for in a page of HTML.
    """
    form = Path(path).suffix.lower()
    if form not in FORMS:
        raise FileError(f"{path}: a report is a PDF, a page or JSON; end its name in .pdf, .html or .json")
    if full and form == ".html":
        raise InputError(f"{path}: a page holds the brief alone; end its name in .pdf or .json, or leave full out")
