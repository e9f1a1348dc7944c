"""The command that reads a table and says what became of it, before anything is counted."""

from __future__ import annotations

import escalation
from escalation.cli import screen
from escalation.cli.counting import check_targets, choose_form, deliver, open_table, reading
from escalation.cli.options import Format, Table
from escalation.files.ledger import rows_lost

MOST_REASONS = 12


def read(table: Table, form: Format | None, output: str | None) -> None:
    """Show which column was taken for what, which rows were not used as they are, and how good the data are."""
    form = choose_form(form, output)
    check_targets(table, output)
    with screen.progress(1) as step:
        step(reading(table))
        source = open_table(table)
    if form != "table":
        days = source.table.select_dtypes("datetime").apply(lambda column: column.dt.strftime("%Y-%m-%d"))
        return deliver(source.table.assign(**dict(days.items())), form, output)
    lost = rows_lost(source.ledger)
    screen.say(f"{source.name}: {len(source.table):,} {source.kind} out of {len(source.table) + lost:,} rows.")
    for file, names in source.table.attrs.get("columns", {}).items():
        screen.show(f"Columns of {file}", ["column", "read from"], sorted(names.items()), words=(0, 1))
    if len(source.ledger):
        _show_ledger(source)
    if source.kind == "tallies":
        _show_series(source)
    if source.quality is not None:
        screen.say(source.quality.sentence())
        for sentence in source.quality.sentences():
            screen.say(f"- {sentence}")
    return None


def _show_ledger(source: escalation.assessment.Source) -> None:
    """Reasons that differ in their figures only are one row."""
    ledger = source.ledger.assign(kind=source.ledger["why"].str.replace(r"\d[\d.,]*", "#", regex=True))
    same = ledger.groupby(["action", "kind"], sort=False).agg(
        why=("why", "first"), rows=("row", "nunique"), first=("row", "first")
    )
    same = same.sort_values("rows", ascending=False, kind="stable").reset_index()
    shown = same.head(MOST_REASONS).to_dict("records")
    rows = [[row["action"], row["why"], f"{row['rows']:,}", f"{row['first']:,}"] for row in shown]
    screen.show("Rows that were not taken as they are", ["", "why", "rows", "first"], rows, words=(0, 1))
    if len(same) > MOST_REASONS:
        screen.say(f"{len(same) - MOST_REASONS} rarer reasons are left out here; --ledger FILE lists all.")


def _show_series(source: escalation.assessment.Source) -> None:
    each = source.table.groupby("series").agg(
        tallies=("count", "size"), counters=("counter", "nunique"), first=("start", "min"), last=("end", "max")
    )
    rows = [
        [
            str(series),
            f"{row['tallies']:,}",
            f"{row['counters']:,}",
            f"{row['first']:%Y-%m-%d}",
            f"{row['last']:%Y-%m-%d}",
        ]
        for series, row in each.to_dict("index").items()
    ]
    screen.show("Series", ["series", "tallies", "counters", "first day", "last day"], rows)
