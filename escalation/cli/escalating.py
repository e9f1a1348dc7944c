"""The commands on what a rise is made of: trend and excitation."""

from __future__ import annotations

import re

import pandas as pd

import escalation
from escalation.analysis.excitation.excitation import MOST_LAGS
from escalation.assessment.options import Season, check_question
from escalation.assessment.sides import check_sides
from escalation.assessment.watching import excite
from escalation.cli import screen
from escalation.cli.answering import show_answers
from escalation.cli.counting import check_by, count, count_sides, deliver, open_table, reading, resolve_target
from escalation.cli.options import Selection, Target
from escalation.conventions.arguments import check_whole
from escalation.counts.periods import parse_date, period_word
from escalation.counts.windows import WindowSpec, check_window

SPAN = re.compile(r"(\S+)\.\.(\S+)")


def trend(
    selection: Selection,
    target: Target,
    *,
    recent: str | None,
    baseline: str | None,
    window: str | None,
    season: Season,
    calendar: list[str] | None,
) -> None:
    """Show whether the rate is rising, how fast, and what carries it."""
    target = resolve_target(target, selection)
    check_question(calendars=calendar or ())
    spans = [_window(text, name) for name, text in (("recent", recent), ("baseline", baseline), ("window", window))]
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("reading the trend")
        assessment = escalation.assess(
            counted,
            recent=spans[0],
            baseline=spans[1],
            window=spans[2],
            season=season,
            calendars=calendar or (),
            rng=selection.seed,
        )
        table = assessment.answers("trend")
    if target.form != "table":
        return deliver(table, target)
    show_answers(assessment, "trend")
    for sentence in assessment.sentences("trend"):
        screen.say(sentence)
    return None


def excitation(selection: Selection, target: Target, *, sides: list[str] | None, lags: int) -> None:
    """Show whether attacks by one side are followed by attacks of the other."""
    target = resolve_target(target, selection)
    sides = list(check_sides(sides))
    lags = check_whole(lags, "--lags", MOST_LAGS)
    with screen.progress(4) as step:
        step(reading(selection))
        source = open_table(selection)
        check_by(source, selection, sides)
        both = count_sides(source, selection, sides, step)
        step("looking who follows whom")
        found = excite(both, lags=lags, seed=selection.seed)
    table, tests = found.effects.reset_index(), found.alternatives.reset_index()
    if target.form != "table":
        return deliver(table.set_index("by"), target)
    for by, after in dict.fromkeys(zip(table["by"], table["after"], strict=True)):
        effects, others = (one[(one["by"] == by) & (one["after"] == after)] for one in (table, tests))
        _show_direction(f"More {both.unit} by {by} after one by {after}", effects, others, period_word(found.freq))
    return screen.say(found.sentence())


def _show_direction(title: str, effects: pd.DataFrame, tests: pd.DataFrame, word: str) -> None:
    """Show how many more attacks one side's are followed by, and what else could be behind it."""
    screen.show(
        title,
        ("bin", [f"{width} {word}{'' if width == 1 else 's'}" for width in effects["width"]]),
        ("bins back", effects["lag"].map(str)),
        ("more", effects["effect"].map("{:.2f}".format)),
        ("90% interval", screen.spans(effects, write="{:.2f}".format)),
        ("p shared shock", effects["p_shared_shock"].map("{:.3f}".format)),
    )
    screen.show(
        "Could it be something else?",
        ("alternative", tests["alternative"]),
        ("p-value", tests["p_value"].map("{:.3f}".format)),
    )


def _window(text: str | None, name: str) -> WindowSpec | None:
    """Read a window: a number of periods, or its first and last date."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and 0 < len(text) < 9:
        return check_window(int(text), f"--{name}")
    found = SPAN.fullmatch(text.strip())
    if found is None:
        raise escalation.InputError(
            f"--{name} is {text!r}; write a number of periods such as 8, or first..last day such as "
            "2024-01-01..2024-03-31"
        )
    first, last = found.groups()
    return check_window((parse_date(first, f"--{name}"), parse_date(last, f"--{name}", side="end")), f"--{name}")
