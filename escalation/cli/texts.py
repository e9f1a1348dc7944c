"""The commands that read articles and have what was read confirmed or corrected."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import typer

import escalation
from escalation.articles.read import article_files, article_text, read_articles
from escalation.articles.review import article_of, keep_reviewed, read_review, records, review_row
from escalation.articles.rows import CONFIRMED, CORRECTED, HIGH, REJECTED, UNREVIEWED
from escalation.cli import screen
from escalation.cli.counting import check_targets, deliver, keep, resolve_target
from escalation.cli.options import Target
from escalation.errors import warn
from escalation.files.disk import kind_of

WHENCE = {
    "given": "as given",
    "metadata": "by its metadata",
    "byline": "by its byline or dateline",
    "address": "by its address",
}
LONGEST = 90
"""Characters of a sentence in a table on the screen."""


def read_text(source: list[str], date: str | None, rules: str | None, ledger: str | None, target: Target) -> None:
    """Show or write the counts of articles."""
    target = resolve_target(target)
    _check_files(source, target.output, ledger)
    tallies, left_out = read_articles(source, date, rules=rules)
    if ledger is not None:
        keep(left_out, ledger)
    _say_what_is_known(tallies, left_out, days=target.output is not None or target.form == "table")
    if target.output is None:
        return _show(tallies, left_out, ledger) if target.form == "table" else deliver(tallies, target)
    kept = 0
    if target.form == "csv" and kind_of(Path(target.output)) == "file":
        old = read_review(target.output)
        kept = int((old["review"] != UNREVIEWED).sum())
        tallies = keep_reviewed(old, tallies)
    keep(tallies, target.output, target.form or "csv")
    more = f", {kept} of them reviewed before and kept" if kept else ""
    return screen.say(f"{target.output}: {_number(len(tallies), 'count')}{more}.")


def _check_files(source: list[str], output: str | None, ledger: str | None) -> None:
    """Check that what is written is none of what is read."""
    check_targets(None, output, ledger)
    read = {path.resolve() for path in article_files(source)}
    for name in filter(None, (output, ledger)):
        if Path(name).resolve() in read:
            raise escalation.InputError(f"{name} is one of the articles; name another file to write")


def _say_what_is_known(tallies: pd.DataFrame, left_out: pd.DataFrame, *, days: bool) -> None:
    """Say when each page was published, by what, and warn of days that disagree and of other languages."""
    for name, (day, source) in tallies.attrs["published"].items():
        if day and days:
            screen.say(f"{name}: published {day}, {WHENCE[source]}.")
        else:
            warn(
                f"{name}: no day of publication in it, so that windows that hang on it stay blank; give it with --date"
            )
    remarks = left_out[(left_out["column"] == "as_of") & (left_out["value"] != "")]
    for name, why in zip(remarks["file"], remarks["why"], strict=True):
        warn(f"{name}: {why}")
    foreign = left_out[left_out["why"].str.startswith("in another language")]
    for name, number in foreign["file"].value_counts(sort=False).items():
        warn(f"{name!s}: {_number(int(number), 'paragraph')} in another language not read; only English is")


def _show(tallies: pd.DataFrame, left_out: pd.DataFrame, ledger: str | None) -> None:
    title = f"{_number(len(tallies), 'count')}, unreviewed; * marks those of high confidence"
    days = [f"{_day(row['start'])} to {_day(row['end'])}" for row in records(tallies)]
    stars = ["*" if value >= HIGH else "" for value in tallies["confidence"]]
    screen.show(
        title,
        ("", stars),
        ("count", [_printed(row) for row in records(tallies)]),
        ("unit", tallies["unit"]),
        ("window", days),
        ("sentence", [_short(sentence) for sentence in tallies["sentence"]]),
        words=(0, 1, 2, 3, 4),
    )
    dropped = int((left_out["action"] == "dropped").sum())
    where = f"in {ledger}" if ledger else "listed by --ledger FILE"
    screen.say(f"{_number(dropped, 'other number')} or claims that are no counts, {where}.")


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _printed(row: dict[str, str]) -> str:
    words = row["qualifier"].replace("_", " ")
    if row["low"] and row["high"]:
        return f"{row['low']} to {row['high']}" + ("" if words == "range" else f" {words}")
    number = f"{int(row['count']):,}" if row["count"] else ""
    return number if words == "exact" else f"{words} {number}".strip()


def _day(text: str) -> str:
    return text or "?"


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 3]}..."


def review(table: str, article: str) -> None:
    """Ask of each unreviewed count whether it is right, and keep each answer at once."""
    rows = read_review(table)
    text, name = article_text(article), article_of(article, rows)
    todo = rows.index[(rows["article"] == name) & (rows["review"] == UNREVIEWED)]
    screen.say(
        f"{len(todo)} of {len(rows)} counts to review. y: right, n: no "
        "count, field=value: correct (several with ;), s: skip, q: stop."
    )
    for number, at in enumerate(todo, 1):
        _put(rows.loc[at], number, len(todo), text)
        answered = _ask(rows, at)
        if answered is None:
            break
        if answered is not rows:
            rows = answered
            keep(rows, table)
    counts = rows["review"].value_counts()
    screen.say(
        f"{table}: "
        + ", ".join(f"{int(counts.get(state, 0))} {state}" for state in (CONFIRMED, CORRECTED, REJECTED, UNREVIEWED))
        + "."
    )


def _put(row: pd.Series, number: int, of: int, text: str) -> None:
    """Show one count with its sentence, the number between marks."""
    begin, end = int(row["begin"]), int(row["end_at"])
    around = text[max(0, begin - 160) : begin], text[begin:end], text[end : end + 160]
    here = around[1].split() == str(row["printed"]).split() or "<" in text[:200]
    shown = f"... {around[0]}>>{around[1]}<<{around[2]} ..." if here and "<" not in text[:200] else str(row["sentence"])
    screen.say("")
    screen.say(f"{number} of {of}: {' '.join(shown.split())}")
    if not here:
        screen.say("The article has other words at this place: it is not the text that was read.")
    fields = ("count", "qualifier", "low", "high", "unit", "start", "end", "place", "counter", "series")
    screen.say("  ".join(f"{name}={row[name] or '-'}" for name in fields if row[name] or name not in ("low", "high")))
    screen.say(f"confidence {row['confidence']}, by {row['rule']}")


def _ask(rows: pd.DataFrame, at: int) -> pd.DataFrame | None:
    """One answer: the table after it, the same table to skip, None to stop."""
    while True:
        typer.echo("> ", nl=False)
        line = sys.stdin.readline()
        answer = line.strip()
        if not line or answer.lower() == "q":
            return None
        if answer.lower() in ("s", ""):
            return rows
        if answer.lower() in ("y", "n"):
            return review_row(rows, at, CONFIRMED if answer.lower() == "y" else REJECTED)
        try:
            return review_row(rows, at, CORRECTED, _corrections(answer))
        except escalation.InputError as error:
            screen.say(f"{error}")


def _corrections(answer: str) -> dict[str, str]:
    """Read ``count=13; end=2024-05-31``."""
    given: dict[str, str] = {}
    for part in answer.split(";"):
        name, mark, value = part.partition("=")
        if not mark:
            raise escalation.InputError(f"{answer!r} is no answer; write y, n, s, q, or field=value such as count=13")
        given[name.strip()] = value
    return given
