"""The commands on what a rise is made of: trend and excitation."""

from __future__ import annotations

import re

import pandas as pd

import escalation
from escalation.cli import screen
from escalation.cli.counting import (
    check_sides,
    check_targets,
    choose_form,
    count,
    count_sides,
    deliver,
    open_table,
    reading,
    title,
)
from escalation.cli.options import Format, Selection
from escalation.periods import parse_date, period_word
from escalation.window_growth import percent
from escalation.windows import WindowSpec

SPAN = re.compile(r"(\S+)\.\.(\S+)")
DOUBLING = "doubling time"


def trend(
    selection: Selection,
    form: Format | None,
    output: str | None,
    *,
    recent: str | None,
    baseline: str | None,
    window: str | None,
) -> None:
    """Show whether the rate is rising, how fast, and what carries it."""
    form = choose_form(form, output)
    spans = [_window(text, name) for name, text in (("recent", recent), ("baseline", baseline), ("window", window))]
    check_targets(selection, output)
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("reading the trend")
        reading = escalation.read_trend(
            counted, recent=spans[0], baseline=spans[1], window=spans[2], rng=selection.seed
        )
    table = reading.table()
    if form != "table":
        return deliver(table, form, output)
    rows = [
        [
            _halving(row["measure"], row["value"]),
            _figure(abs(row["value"]) if row["measure"].startswith(DOUBLING) else row["value"], row["unit"]),
            ""
            if pd.isna(row["lower"])
            else f"{_figure(row['lower'], row['unit'])} to {_figure(row['upper'], row['unit'])}",
            "" if row["unit"] == "probability" else row["unit"].removeprefix("share "),
        ]
        for row in table.reset_index().to_dict("records")
    ]
    screen.show(title(counted), ["", "answer", f"{reading.level:.0%} interval", "unit"], rows, words=(0, 3))
    for sentence in reading.sentences():
        screen.say(sentence)
    return None


def excitation(
    selection: Selection, form: Format | None, output: str | None, *, sides: list[str] | None, lags: int
) -> None:
    """Show whether attacks by one side are followed by attacks of the other."""
    form = choose_form(form, output)
    sides = check_sides(sides)
    check_targets(selection, output)
    with screen.progress(4) as step:
        step(reading(selection))
        counts, unit = count_sides(open_table(selection), selection, sides, step)
        step("looking who follows whom")
        found = escalation.excitation(counts, lags=lags, unit=unit, rng=selection.seed)
    table = found.effects.reset_index()
    if form != "table":
        return deliver(table.set_index("by"), form, output)
    word = period_word(found.freq)
    rows = [
        [
            row["by"],
            row["after"],
            str(row["width"]),
            str(row["lag"]),
            f"{row['effect']:.2f}",
            f"{row['lower']:.2f} to {row['upper']:.2f}",
            f"{row['p_shared_shock']:.3f}",
        ]
        for row in table.to_dict("records")
    ]
    header = ["by", "after", f"{word}s a bin", "bins back", "more", "90% interval", "p shared shock"]
    screen.show(f"More {unit} by one side after one by the other", header, rows, words=(0, 1))
    tests = [
        [row["by"], row["after"], row["alternative"], f"{row['p_value']:.3f}"]
        for row in found.alternatives.reset_index().to_dict("records")
    ]
    screen.show("Could it be something else?", ["by", "after", "alternative", "p-value"], tests, words=(0, 1, 2))
    return screen.say(found.sentence())


def _window(text: str | None, name: str) -> WindowSpec | None:
    """Read a window: a number of periods, or its first and last date."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and 0 < len(text) < 9:
        return int(text)
    found = SPAN.fullmatch(text.strip())
    if found is None:
        raise escalation.InputError(
            f"--{name} is {text!r}; write a number of periods such as 8, or first..last day such as "
            "2024-01-01..2024-03-31"
        )
    first, last = found.groups()
    return (parse_date(first, f"--{name}"), parse_date(last, f"--{name}", side="end"))


def _halving(measure: str, value: float) -> str:
    """Call a doubling time that is negative what it is on the screen."""
    return measure.replace(DOUBLING, "halving time", 1) if value < 0 else measure


def _figure(value: float, unit: str) -> str:
    if unit == "probability":
        return screen.chance(value)
    if unit.startswith("share "):
        return percent(value)
    return f"-{screen.number(-value)}" if value < 0 else screen.number(value)
