"""The last pages: every tally, used or left out, and the addresses of the pages they were read on."""

from __future__ import annotations

import textwrap
from functools import partial
from urllib.parse import urlsplit

import pandas as pd

from escalation.conventions.wording import capital, spaced
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import range_text, window_text
from escalation.tallies.printed import printed_count
from escalation.tallies.reconstruct import Reconstruction

SHOWN_NOTE = 160
"""Characters of a note; the whole of it is in the source."""


def set_tallies(paper: Paper, reconstruction: Reconstruction) -> None:
    """Set the tallies used, those left out and why, and the addresses."""
    table = reconstruction.tallies.sort_values(["end", "start", "count"], kind="stable")
    windows = map(partial(window_text, usual=reconstruction.place), table["start"], table["end"], table["place"])
    table = table.assign(
        window=list(windows),
        printed=[printed_count(tally) for _, tally in table.iterrows()],
        publisher=list(map(_publisher, table["source"], table["url"])),
    )
    addresses = list(dict.fromkeys(url for url in table["url"] if url))
    number = {url: str(position) for position, url in enumerate(addresses, start=1)} | {"": ""}
    _set_used(paper, table[table["used"]], number)
    if not table["used"].all():
        _set_left_out(paper, table[~table["used"]], number)
    if addresses:
        paper.heading("Addresses of the pages")
        columns = [TableColumn("No.", 24.0, right=True), TableColumn("Address")]
        paper.table(columns, [[number[url], url] for url in addresses], links=[_link(url) for url in addresses])


def _set_used(paper: Paper, table: pd.DataFrame, number: dict[str, str]) -> None:
    paper.heading(f"Tallies used: {len(table)}")
    paper.paragraph(
        "By the end of their windows. Expected: the 90% range of what would be printed if the tally itself were not "
        "known; for a range or a part of the area, of the true count of the whole. Address: number in the list of "
        "addresses."
    )
    paper.table(
        [
            TableColumn("Window", 120.0, cells=table["window"]),
            TableColumn("Printed", 66.0, cells=table["printed"]),
            TableColumn("Expected", 58.0, cells=map(range_text, table["predicted_low"], table["predicted_high"])),
            TableColumn("Source", cells=table["publisher"]),
            number_column("Address", 38.0, table["url"].map(number)),
        ]
    )


def _set_left_out(paper: Paper, table: pd.DataFrame, number: dict[str, str]) -> None:
    paper.heading(f"Tallies left out, and why: {len(table)}")
    paper.table(
        [
            TableColumn("Window", 116.0, cells=table["window"]),
            TableColumn("Printed", 60.0, cells=table["printed"]),
            TableColumn("Source", 112.0, cells=table["publisher"]),
            TableColumn("Why", cells=map(_reason, table["why"], table["note"])),
            number_column("Address", 38.0, table["url"].map(number)),
        ]
    )


def _reason(why: str, note: str) -> str:
    """Why a tally is left out, with its note, the end of which is cut where it is long."""
    reason = capital(spaced(why.removeprefix("flag ")))
    return f"{reason}. {textwrap.shorten(note, SHOWN_NOTE, placeholder=' …')}" if note else reason


def _publisher(source: str, url: str) -> str:
    """The source as named, and the host of its page."""
    return " · ".join(part for part in (source, _host(url)) if part) or "not stated"


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # an address that is none
        return ""


def _link(url: str) -> str:
    """The address, if it is one that a reader may safely follow."""
    return url if url.startswith(("https://", "http://")) and _host(url) and url.isascii() and " " not in url else ""
