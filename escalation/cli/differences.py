"""The command that says what changed between two reports: diff."""

from __future__ import annotations

import pandas as pd

import escalation
from escalation.assessment.answer import PROBABILITY, figure
from escalation.cases.differences.result import SETTINGS
from escalation.cases.differences.saved import is_saved, read_saved
from escalation.cases.differences.states import CAUSES
from escalation.cli import screen
from escalation.cli.counting import check_order, check_targets, deliver, keep, resolve_target
from escalation.cli.options import Target
from escalation.counts.periods import parse_date, parse_freq
from escalation.errors import warn
from escalation.files.disk import check_target
from escalation.models.registry import DEFAULT, get_model

STEPS = 16
"""Steps where all causes are present."""
SHOWN_ROWS = 12
"""Rows that differ which the screen shows."""
SHORT = {"events": "new events", "late": "late", "revised": "revised", "time": "time", SETTINGS: "model, seed"}


def diff(
    target: Target,
    *,
    old: str,
    new: str | None,
    since: str | None,
    as_of: str | None,
    series: str | None,
    counter: str | None,
    place: str | None,
    unit: str | None,
    by: str | None,
    freq: str | None,
    at_least: int | None,
    model: str,
    old_model: str | None,
    seed: int,
    old_seed: int | None,
    rows: str | None,
) -> None:
    """Show how each answer moved between two reports, and what moved it."""
    target = resolve_target(target)
    check_targets(None, target.output, rows)
    if is_saved(old) or (new is not None and is_saved(new)):
        given: dict[str, object] = {"since": since, "as-of": as_of, "series": series, "counter": counter}
        given |= {"place": place, "unit": unit, "by": by, "freq": freq, "at-least": at_least, "old-model": old_model}
        given |= {"model": None if model == DEFAULT else model, "seed": None if seed == 1 else seed}
        given |= {"old-seed": old_seed, "rows": rows}
        return _show_saved(old, new, [name for name, one in given.items() if one is not None], target)
    _check(old, new, since, as_of, freq, model, old_model)
    if rows is not None:
        check_target(rows)
    with screen.progress(STEPS) as step:
        step(f"reading {old}")
        before = escalation.open_source(old, as_of=since)
        step(f"reading {new or old}")
        after = escalation.open_source(new or old, as_of=as_of)
        found = escalation.cases.what_changed(
            before,
            after,
            series=series,
            counter=counter,
            place=place,
            unit=unit,
            by=by,
            freq=freq,
            at_least=at_least,
            old_model=old_model or model,
            model=model,
            old_rng=seed if old_seed is None else old_seed,
            rng=seed,
            step=step,
        )
    for source in (before, after):
        if len(source.ledger) and source.case is None:
            warn(f"{source.name}: {len(source.ledger):,} rows are in the ledger; escalation read shows them")
    if rows is not None:
        keep(found.rows, rows)
    if target.form != "table":
        return deliver(found.table(), target)
    for sentence in found.sentences():
        screen.say(sentence)
    _show(found)
    return None


def _show_saved(old: str, new: str | None, given: list[str], target: Target) -> None:
    """Show by how much each answer moved between two reports that were saved as JSON."""
    if given:
        raise escalation.InputError(
            f"--{given[0]} goes with cases and tables, and reports that were saved hold none; leave it out"
        )
    if new is None or not (is_saved(old) and is_saved(new)):
        saved, other = (old, new) if is_saved(old) else (new, old)
        day = read_saved(str(saved)).until
        which = "a second one" if other is None else f"a second one in place of {other}"
        raise escalation.InputError(
            f"{saved} is a saved report; name {which}, or the case alone with --since {day}, the day of that report"
        )
    found = escalation.cases.what_moved(old, new)
    if target.form != "table":
        return deliver(found.table(), target)
    for sentence in found.sentences():
        screen.say(sentence)
    table = found.table().dropna(subset=["old", "new"], how="all")
    units = list(table["unit"])
    columns = []
    for name, heading in (("old", "before"), ("new", "now")):
        columns.append((heading, [figure(one, unit) for one, unit in zip(table[name], units, strict=True)]))
        limits = zip(table[f"{name}_lower"], table[f"{name}_upper"], units, strict=True)
        columns.append(("90% interval", [_limits(lower, upper, unit) for lower, upper, unit in limits]))
    names = [
        f"{key.rpartition('/')[0].replace('_', ' ')}: {question}" if "/" in key else question
        for key, question in zip(map(str, table.index), table["question"], strict=True)
    ]
    return screen.show("How each answer moved", ("", names), *columns)


def _limits(lower: float, upper: float, unit: str) -> str:
    if unit == PROBABILITY or pd.isna(lower) or pd.isna(upper) or lower == upper:
        return ""
    return f"{figure(lower, unit)} to {figure(upper, unit)}"


def _check(
    old: str, new: str | None, since: str | None, as_of: str | None, freq: str | None, model: str, old_model: str | None
) -> None:
    """Refuse what cannot be meant, before anything is read."""
    if new is None and since is None:
        raise escalation.InputError(
            f"there is only {old}; give the day of the old report as --since YYYY-MM-DD, or a second case or table"
        )
    for name, given in (("since", since), ("as-of", as_of)):
        if given is not None:
            parse_date(given, f"--{name}")
    if new is None:
        check_order(since, as_of)
    parse_freq(freq or "D")
    for name in (model, old_model or model):
        get_model(name)


def _show(found: escalation.cases.Changed) -> None:
    """Show each answer with the share of each cause, and the first of the rows that differ."""
    table = found.table()
    causes = [name for name in (*reversed(CAUSES), SETTINGS) if name in found.shares.columns]
    if SETTINGS in causes and (found.shares[SETTINGS].fillna(0.0) == 0).all():
        causes.remove(SETTINGS)
    units = list(table["unit"])
    old, now = (
        [figure(value, unit) for value, unit in zip(table[name], units, strict=True)] for name in ("old", "new")
    )
    shares = [(SHORT[name], [_share(value) for value in table[name]]) for name in causes]
    screen.show("What moved each answer", ("", table["question"]), ("before", old), ("now", now), *shares)
    differing = found.rows
    if len(differing):
        names = [
            name for name in ("start", "end", "count", "qualifier", "date", "date_end", "source") if name in differing
        ]
        shown = differing.head(SHOWN_ROWS)
        cells = [(name, [_cell(cell) for cell in shown[name]]) for name in names]
        more = f", the first {SHOWN_ROWS}" if len(differing) > SHOWN_ROWS else ""
        screen.show(f"{len(differing):,} rows that differ{more}", ("", shown["cause"]), *cells, words=(0, 4, 5))


def _share(value: float) -> str:
    return "-" if pd.isna(value) else "0" if abs(value) < 5e-4 else f"{value:+.2g}"


def _cell(cell: object) -> str:
    if pd.isna(cell):  # type: ignore[call-overload]
        return ""
    return f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else str(cell)
