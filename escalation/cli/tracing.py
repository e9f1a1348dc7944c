"""The command that says what a number of a report rests on."""

from __future__ import annotations

from pathlib import Path

import escalation
from escalation.assessment.behind import REST
from escalation.cases.differences.saved import read_content
from escalation.cli import screen
from escalation.cli.counting import deliver, resolve_target
from escalation.cli.options import Target


def trace(report: str, key: str, target: Target) -> None:
    """Show the lines of files and the sentences behind one answer."""
    target = resolve_target(target)
    held = read_content(report)
    if not held:
        raise escalation.InputError(f"{report}: holds no report; write one with escalation report -o report.json")
    table = escalation.assessment.trace(held, key)
    if target.form != "table":
        return deliver(table, target)
    lines = [
        f"{first:,}" if first == last else f"{first:,} to {last:,}"
        for first, last in zip(table["line"], table["last_line"], strict=True)
    ]
    windows = [f"{start} to {end}" if start else "" for start, end in zip(table["start"], table["end"], strict=True)]
    said = [
        sentence or source or url
        for sentence, source, url in zip(table["sentence"], table["source"], table["url"], strict=True)
    ]
    columns: list[screen.Column] = [("part", table["part"]), ("file", [Path(one).name for one in table["file"]])]
    columns += [("line", lines)]
    if any(windows):
        columns += [("window", windows), ("printed", table["printed"]), ("says", said)]
    number = int((table["last_line"] - table["line"] + 1).sum())
    screen.show(f"{key} rests on {number:,} rows", *columns, words=(0, 1, 3, 4, 5))
    if (table["part"] == REST).any() and (table["part"] != REST).any():
        screen.say("Rows of the rest of the series bear on it through the model, which is fitted to the whole series.")
    return None
