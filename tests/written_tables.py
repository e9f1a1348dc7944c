"""Tables written for tests, and the counts that are read from them."""

from __future__ import annotations

import io
from collections import Counter

from openpyxl import Workbook

from escalation.incidents.formats.read import read_incidents

LIST = ["2024-01-05", "2024-01-05", "2024-01-19"]
LISTED = {"2024-01-05": 2, "2024-01-19": 1}


def lines(header, *columns, sign=","):
    """A text table of columns."""
    rows = ["" if header is None else header, *(sign.join(map(str, row)) for row in zip(*columns, strict=True))]
    return "\n".join(rows) + "\n"


def xlsx(**sheets):
    """A workbook of sheets, each a list of rows."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(folder, content, name="", **options):
    path = folder / (name or ("table.xlsx" if isinstance(content, bytes) and content[:2] == b"PK" else "table.csv"))
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_incidents(path, **options)


def counted(incidents):
    """Counts by window, a day as its date and a longer one as ``first..last``."""
    numbers = incidents["events"] if "events" in incidents else [1] * len(incidents)
    found = Counter()
    for first, last, number in zip(incidents["date"], incidents["date_end"], numbers, strict=True):
        found[f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d}..{last:%Y-%m-%d}"] += int(number)
    return {window: number for window, number in found.items() if number}
