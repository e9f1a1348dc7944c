"""The command that says what the latest periods will have held once late reports are in: nowcast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

import escalation
from escalation.cli import screen
from escalation.cli.counting import deliver, open_table, reading, resolve_target, with_dates
from escalation.cli.options import Table, Target
from escalation.counts.periods import DateLike, parse_date, period_word
from escalation.errors import warn
from escalation.incidents.nowcasts.reports import Known

LAST_CHANGED = ("timestamp", "last_updated")
"""Columns that say when a row was last changed, which may be long after it was first reported."""
SHOWN_DELAYS = 12
KNOWN = 0.995
"""Delays by which more than this share of the reports has come are not shown."""
CAUTION = (
    "Reports are taken to come as late as they did so far: of a source that fell silent or is watched less, "
    "too much is expected."
)


def nowcast(
    table: Table,
    target: Target,
    *,
    snapshots: Sequence[str] | None,
    by: str | None,
    series: str | None,
    freq: str,
    start: str | None,
    max_delay: int | None,
    change: str | None,
    seed: int,
) -> None:
    """Show the recent periods as counted so far and as expected once late reports are in, and how late they come."""
    if (by is None) != (series is None):
        raise escalation.InputError("--by and --series go together: --by country --series Syria counts Syria's rows")
    files = _read_snapshots(snapshots or ())
    if bool(files) == bool(table.source):
        raise escalation.InputError(
            "a nowcast needs a table of incidents that says when each was reported, or two or more --snapshot DATE=FILE"
        )
    if files and table.ledger is not None:
        raise escalation.InputError("--ledger is of one table; read each snapshot by itself: escalation read FILE")
    target = resolve_target(target, replace(table, source=list(files.values())) if files else table)
    with screen.progress(2) as step:
        step(f"reading {len(files)} snapshots" if files else reading(table))
        reports = _open_snapshots(table, files, by, series) if files else _open_list(table, by, series)
        step("learning how late reports come")
        found = escalation.incidents.nowcast(
            reports, freq, start=start, now=table.as_of, max_delay=max_delay, change=change, rng=seed
        )
    return _show(found, series, target)


def _read_snapshots(snapshots: Sequence[str]) -> dict[str, str]:
    """Read which file was saved on which day."""
    files: dict[str, str] = {}
    for entry in snapshots:
        day, mark, file = (part.strip() for part in entry.partition("="))
        if not (mark and day and file):
            raise escalation.InputError(f"--snapshot is {entry!r}; write DATE=FILE, such as 2024-05-01=may.csv")
        parse_date(day, "--snapshot")
        if day in files:
            raise escalation.InputError(
                f"--snapshot gives {day} twice, {files[day]!r} and {file!r}; keep the later one"
            )
        files[day] = file
    return files


def _open_list(table: Table, by: str | None, series: str | None) -> pd.DataFrame:
    """Incidents with the day on which each was reported."""
    rows = _open_incidents(table, by, series)
    if "as_of" not in rows:
        raise escalation.InputError(
            f"{', '.join(table.source or ())} does not say when its rows were reported; name the column, as in "
            "--column as_of=Reported, or give two or more --snapshot DATE=FILE"
        )
    read_from = {names.get("as_of") for names in rows.attrs.get("columns", {}).values()}
    for name in sorted(read_from.intersection(LAST_CHANGED)):
        warn(
            f"column {name!r} says when a row was last changed: one that was revised counts as reported then, so "
            "that delays look longer than they are; snapshots of several days show them better"
        )
    undated = rows["as_of"].isna()
    if undated.any():
        warn(f"{int(undated.sum()):,} of {len(rows):,} incidents do not say when they were reported and are left out")
    return rows[~undated]


def _open_snapshots(
    table: Table, files: Mapping[str, str], by: str | None, series: str | None
) -> dict[DateLike, Known]:
    """The table as it was on each day."""
    parts = {day: replace(table, source=[file], as_of=None, ledger=None) for day, file in files.items()}
    return {day: _open_incidents(part, by, series) for day, part in parts.items()}


def _open_incidents(table: Table, by: str | None, series: str | None) -> pd.DataFrame:
    """Incidents of a source, or those of one value of a column."""
    source = open_table(table)
    rows = source.table
    if source.kind != "incidents":
        raise escalation.InputError(f"{source.name} holds reported counts; a nowcast is of incidents, one a row")
    if source.quality is not None and not source.quality.findings.empty:
        warn(source.quality.sentence())
    if "events" in rows and (rows["events"] != 1).any():
        raise escalation.InputError(
            f"{source.name} has rows that stand for several incidents (events); a nowcast needs one row an incident"
        )
    if by is not None:
        if by not in rows:
            raise escalation.InputError(f"--by is {by!r}; {source.name} is read with {', '.join(rows.columns)}")
        names = rows[by].astype(str)
        if series not in set(names):
            frequent = ", ".join(names.value_counts().index[:8])
            raise escalation.InputError(f"--series is {series!r}, no value of {by}; the most frequent are {frequent}")
        rows = rows[names == series]
    spread = int((rows["date"] != rows["date_end"]).sum())
    if spread:
        warn(f"{spread:,} of {len(rows):,} incidents are dated to several days and count on the first of them")
    return rows


def _show(found: escalation.incidents.Nowcast, series: str | None, target: Target) -> None:
    table = _with_shares(found)
    if target.form != "table":
        return deliver(with_dates(table), target)
    word = period_word(pd.PeriodIndex(table.index).freqstr)
    screen.say(CAUTION)
    screen.show(
        f"{series or found.unit.capitalize()}, as reported by {found.now:%Y-%m-%d}",
        (word, screen.periods(table)),
        ("so far", table["reported"].map(screen.number)),
        ("share in", table["known_share"].map("{:.0%}".format)),
        ("expected", table["median"].map(screen.number)),
        (f"{found.level:.0%} interval", screen.spans(table)),
    )
    _show_delays(found, word)
    return screen.say(found.sentence())


def _with_shares(found: escalation.incidents.Nowcast) -> pd.DataFrame:
    """The periods that may still rise, with the share of their reports that is in."""
    table = found.table()
    last = pd.Period(found.now, pd.PeriodIndex(table.index).freqstr)
    delays = [min((last - period).n, found.max_delay) for period in table.index]
    return table.assign(known_share=found.delays["known_by"].iloc[delays].to_numpy())


def _show_delays(found: escalation.incidents.Nowcast, word: str) -> None:
    """Show how late reports come, to the delay by which nearly all have."""
    unsure = found.delays["known_by"] < KNOWN
    shown = found.delays.iloc[: min(int(unsure.sum()) + 1, SHOWN_DELAYS)]
    write = "{:.0%}".format
    screen.show(
        "How late reports come",
        (f"{word}s late", map(str, shown.index)),
        ("come then", shown["probability"].map(write)),
        ("known by then", shown["known_by"].map(write)),
        (f"{found.level:.0%} interval", screen.spans(shown, "known_by_lower", "known_by_upper", write=write)),
        words=(),
    )
