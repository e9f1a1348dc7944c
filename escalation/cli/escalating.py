"""The commands on what a rise is made of: trend and excitation."""

from __future__ import annotations

import re

import escalation
from escalation.assessment.assess import assess
from escalation.assessment.sides import check_sides, excite
from escalation.cli import screen
from escalation.cli.answering import show_answers
from escalation.cli.counting import check_targets, choose_form, count, count_sides, deliver, open_table, reading
from escalation.cli.options import Format, Selection
from escalation.counts.periods import parse_date, period_word
from escalation.counts.windows import WindowSpec

SPAN = re.compile(r"(\S+)\.\.(\S+)")


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
        assessment = assess(counted, recent=spans[0], baseline=spans[1], window=spans[2], rng=selection.seed)
        table = assessment.answers("trend")
    if form != "table":
        return deliver(table, form, output)
    show_answers(assessment, "trend")
    for sentence in assessment.sentences("trend"):
        screen.say(sentence)
    return None


def excitation(
    selection: Selection, form: Format | None, output: str | None, *, sides: list[str] | None, lags: int
) -> None:
    """Show whether attacks by one side are followed by attacks of the other."""
    form = choose_form(form, output)
    sides = list(check_sides(sides))
    check_targets(selection, output)
    with screen.progress(4) as step:
        step(reading(selection))
        both = count_sides(open_table(selection), selection, sides, step)
        step("looking who follows whom")
        found = excite(both, lags=lags, seed=selection.seed)
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
    screen.show(f"More {both.unit} by one side after one by the other", header, rows, words=(0, 1))
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
