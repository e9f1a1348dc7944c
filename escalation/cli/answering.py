"""The commands that fit a model: report, forecast and flashpoint."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd

import escalation
from escalation.assessment.handful import Handful, find_handful
from escalation.assessment.naming import full_title
from escalation.assessment.options import MODELS, Season, check_question
from escalation.assessment.result import Assessment
from escalation.assessment.sides import check_sides
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld
from escalation.cases.choices import check_cost, main_options
from escalation.cases.forms import check_form
from escalation.cli import screen
from escalation.cli.assumptions import read_assumptions
from escalation.cli.counting import (
    check_by,
    check_order,
    check_targets,
    count,
    count_from,
    count_sides,
    deliver,
    open_table,
    reading,
    resolve_target,
    with_dates,
)
from escalation.cli.options import Selection, Target
from escalation.cli.streams import write
from escalation.counts.periods import parse_date, parse_freq, period_word
from escalation.errors import EscalationWarning, warn
from escalation.files.disk import kind_of
from escalation.models.registry import DEFAULT
from escalation.plots.backend import check_matplotlib

Part = TypeVar("Part")
STEPS = 16
"""Steps of a report on a case, of which the bar shows how many are done."""
LETHAL_DRAWS = 40_000
"""Paths where a lethal attack is assumed, which few of them have."""


def report(
    selection: Selection,
    output: str,
    *,
    horizon: int | None,
    at_least: int | None,
    over: int,
    within: int | None,
    model: str,
    season: Season,
    calendar: list[str] | None,
    sides: list[str] | None,
    regimes: Literal["none", "hidden_markov"],
    full: bool,
    figures: str | None,
    cost: float | None,
    loss: float | None,
    since: str | None,
) -> None:
    """Show the verdict and the answers, then write the brief as PDF, HTML or JSON, and say where it is."""
    calendars = calendar or ()
    check_question(horizon=horizon, at_least=at_least, over=over, within=within, model=model, calendars=calendars)
    check_form(output, full=full)
    if sides is not None:
        check_sides(sides)
    check_targets(selection, output)
    if figures is not None and kind_of(Path(figures)) not in ("nothing", "directory"):
        raise escalation.FileError(f"{figures}: is no folder; name one for the charts")
    check_cost(cost, loss)
    before = None if since is None else _before(since, selection.as_of)
    if isinstance(before, pd.Timestamp):
        _refuse_beside_a_day(selection, {"calendar": bool(calendars), "model": model != DEFAULT})
    check_matplotlib()
    with screen.progress(STEPS) as step:
        step(reading(selection))
        source = open_table(selection)
        if sides is not None:
            check_by(source, selection, sides)
        otherwise = any(getattr(selection, name) is not None for name in ("counter", "place", "unit", "by"))
        alone = otherwise or selection.series is not None
        chosen = selection if otherwise else selection.of_series(*main_options(source, selection.series))
        counted = count_from(source, chosen if sides is None or selection.series else replace(chosen, by=None), step)
        both = None
        if sides is not None:
            both = count_sides(source, selection, sides, step)
        step("fitting the models")
        assessment = escalation.assess(
            counted,
            horizon=horizon,
            at_least=at_least,
            over=over,
            within=within,
            model=model,
            season=season,
            calendars=calendars,
            models=MODELS if full else (),
            regimes=regimes,
            sides=both,
            rng=selection.seed,
        )
        asked = (["excitation"] if sides is not None else []) + (["regimes"] if regimes != "none" else [])
        warn_of_failures(assessment, *asked)
        earlier = _changed(selection, source, assessment, before, step) if isinstance(before, pd.Timestamp) else before
        made = escalation.brief(assessment, others=not alone, cost=cost, loss=loss, since=earlier, step=step)
    show_brief(made)
    with screen.progress(1) as step:
        step(f"writing {output}")
        escalation.write_report(made, output, full=full, figures=figures)
    beside = made.kept_beside(Path(output))
    write(f"Report: {Path(output)}{'' if beside is None else f', its numbers: {beside}'}\n")


def _before(since: str, as_of: str | None) -> escalation.cases.SavedReport | pd.Timestamp:
    """The report before this one: its JSON file, or the day on which it was made."""
    if since.lower().endswith(".json"):
        return escalation.cases.read_saved(since)
    day = parse_date(since, "--since")
    check_order(since, as_of)
    return day


def _refuse_beside_a_day(selection: Selection, given: dict[str, bool]) -> None:
    """Refuse options that the counts of an earlier day cannot be made with.

    Raises
    ------
    InputError
        If one of them was given.
    """
    for name in ("measure", "victims", "coverage", "draws", "start", "end", "silence", "flags"):
        given |= {name: getattr(selection, name) != getattr(Selection(), name)}
    for name, there in given.items():
        if there:
            raise escalation.InputError(
                f"--{name} and --since with a day do not go together; give the JSON file of the report before"
            )


def _changed(
    selection: Selection,
    source: escalation.assessment.Source,
    assessment: Assessment,
    day: pd.Timestamp,
    step: Callable[[str], None],
) -> escalation.cases.Changed:
    """What changed in the counts of a report since a day, by cause."""
    options = assessment.options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)  # what is new since then is what the answer is about
        before = open_table(replace(selection, as_of=str(day.date()), ledger=None))
    return escalation.cases.what_changed(
        before,
        source,
        series=selection.series,
        counter=selection.counter,
        place=selection.place,
        unit=selection.unit,
        by=selection.by,
        freq=selection.freq,
        at_least=options.at_least if isinstance(options.at_least, int) else None,
        over=options.over,
        within=options.within,
        horizon=options.horizon,
        season=options.season,
        rng=selection.seed,
        step=step,
    )


def show_brief(made: escalation.Brief) -> None:
    """Print the verdict with its cautions, the answers about the main series, and every other series in a row."""
    for sentence in made.opening():
        screen.say(sentence)
    for number, sentence in enumerate(made.sentences(), start=1):
        screen.say(f"{number}. {sentence}")
    if made.cautions:
        screen.say("What could overturn this:")
    for caution in made.cautions:
        screen.say(f"- {caution}")
    acting = made.acting_sentence()
    if acting:
        screen.say(acting)
    show_answers(made.assessment)
    if made.others:
        table = made.table()
        columns = [(name.capitalize(), table[name]) for name in ("now", "before", "rising", "next")]
        screen.show("Every series", ("Series", table.index), *columns, words=(0, 1, 2, 3, 4))
        for one in made.others:
            if one.why_not():
                screen.say(f"{one.title}: {one.why_not()}.")
    for line in made.questions_lines():
        screen.say(line)


def forecast(
    selection: Selection,
    target: Target,
    *,
    horizon: int | None,
    model: str,
    season: Season,
    calendar: list[str] | None,
    save: str | None,
) -> None:
    """Show the forecast of the next periods, and keep its paths where that is wanted."""
    target = resolve_target(target, selection, save)
    check_question(horizon=horizon, model=model, calendars=calendar or ())
    with screen.progress(3) as step:
        source, counted = count(selection, step)
        step("fitting the models")
        assessment = escalation.assess(
            counted,
            horizon=horizon,
            model=model,
            season=season,
            calendars=calendar or (),
            models=(),
            rng=selection.seed,
        )
        assessment = readable(assessment)
        ahead, outlook = given(assessment.forecast), given(assessment.outlook)
    warn_of_failures(assessment)
    if save is not None:
        ahead.save(save, about=_provenance(source, counted, selection.seed))
        if target.form == "table" or target.output is not None:
            write(f"All paths: {Path(save)}\n")
    table = ahead.summary_frame()
    if target.form != "table":
        return deliver(with_dates(table), target)
    for sentence in assessment.sentences("forecast"):
        screen.say(sentence)
    return screen.show(
        f"{full_title(counted)}; forecast by {outlook.maker()}",
        (period_word(assessment.freq), screen.periods(table)),
        *((name, table[name].map(screen.number)) for name in ("mean", "median")),
        ("90% prediction interval", screen.spans(table, "obs_pi_lower", "obs_pi_upper")),
    )


def flashpoint(
    selection: Selection,
    target: Target,
    *,
    horizon: int | None,
    at_least: int | None,
    over: int,
    within: int | None,
    preset: str | None,
    what_if: list[str] | None,
    model: str,
    season: Season,
    calendar: list[str] | None,
) -> None:
    """Show the probability of the flashpoint, and by when it falls, or under assumptions beside the baseline."""
    target = resolve_target(target, selection)
    definition = None if preset is None else escalation.forecasts.get_flashpoint(preset)
    if definition is not None and (at_least is not None or over != 1):
        raise escalation.InputError(
            f"--preset {preset} brings its own threshold and window; drop --at-least and --over"
        )
    calendars = calendar or ()
    check_question(horizon=horizon, at_least=at_least, over=over, within=within, model=model, calendars=calendars)
    if definition is not None:
        definition.check_freq(parse_freq(selection.freq or "D"))
    for words in what_if or ():
        read_assumptions(words, "D")  # before anything is computed
    with screen.progress(3) as step:
        step(reading(selection))
        source = open_table(selection)
        if definition is not None:
            _check_units(source, selection, definition)
        handful = None
        if at_least is not None and definition is None and not what_if and over == 1:
            options = ("counter", "place", "unit", "start", "end", "silence")
            chosen = {name: getattr(selection, name) for name in options}
            handful = find_handful(source, selection.series, **chosen, flags=selection.flag_list())
        if handful is not None and at_least is not None:
            return _show_rare(handful, at_least, within or horizon, selection, target)
        counted = count_from(source, selection, step)
        if definition is not None:
            definition.check_unit(counted.unit)
        step("fitting the models")
        assessment = escalation.assess(
            counted,
            horizon=horizon,
            at_least=at_least if definition is None else definition,
            over=over,
            within=within,
            model=model,
            season=season,
            calendars=calendar or (),
            models=(),
            rng=selection.seed,
        )
        other = assessment.if_quiet if assessment.outlook else assessment  # said beside, where both can be
        assessment = readable(assessment)
        points = given(assessment.flashpoints)
    warn_of_failures(assessment)
    if what_if:
        return _show_assumptions(assessment, what_if, selection.seed, target)
    table = _passage(assessment)
    if target.form != "table":
        return deliver(table, target)
    screen.say(points[0].sentence())
    if isinstance(other, Assessment) and other is not assessment and other.flashpoints:
        screen.say(f"If the days that no tally speaks of were quiet: {given(other.flashpoints)[0].sentence()}")
    return screen.show(
        full_title(counted),
        ("by", table.index),
        ("probability", table["probability"].map(screen.probability_text)),
        ("Monte Carlo error", table["mc_error"].map("{:.2g}".format)),
        ("90% Monte Carlo interval", screen.spans(table, write="{:.2f}".format)),
    )


def _check_units(source: escalation.assessment.Source, selection: Selection, definition: escalation.Flashpoint) -> None:
    """Refuse a definition that is about nothing that can be counted here, before it is counted."""
    if source.kind == "incidents":
        return definition.check_unit(selection.measure)
    series = selection.series or source.defaults.get("series")
    rows = source.table if series is None else source.table[source.table["series"] == series]
    units = [selection.unit] if selection.unit is not None else rows["unit"].unique().tolist()
    if not any(definition.is_about(unit) for unit in units):
        definition.check_unit(units[0])
    return None


def _show_rare(handful: Handful, at_least: int, within: int | None, selection: Selection, target: Target) -> None:
    """Show the probability of an event of a size, where the series is a handful of announced ones."""
    found = handful.reaching(at_least, within, selection.freq or "W-SUN", selection.seed)
    table = found.probability
    if target.form != "table":
        return deliver(table.assign(at_least=found.at_least, events=found.events, days=found.days), target)
    screen.say(handful.sentence())
    screen.say(found.sentence())
    return screen.show(
        f"{(selection.series or '').replace('_', ' ').capitalize()}: one of at least {found.at_least:,}",
        ("by", table.index),
        ("probability", table["probability"].map(screen.probability_text)),
        ("90% interval", screen.spans(table, write="{:.2f}".format)),
    )


def _show_assumptions(assessment: Assessment, what_if: list[str], seed: int, target: Target) -> None:
    """Show the flashpoint's probability under each assumption beside the baseline."""
    assumed = {words: read_assumptions(words, assessment.freq) for words in what_if}
    lethal = any(
        isinstance(one, escalation.analysis.Event) and one.killed is not None
        for several in assumed.values()
        for one in several
    )
    severity = None
    if lethal:
        found = given(assessment.severity)
        severity = escalation.analysis.Severity(found.lethality, found.sizes)
    result = escalation.what_if(
        assessment.fits[assessment.options.model],
        assessment.within,
        assumed,
        at_least=_wanted(assessment),
        over=assessment.options.over,
        severity=severity,
        draws=LETHAL_DRAWS if lethal else 4000,
        rng=seed,
    )
    table = result.scenarios
    if target.form != "table":
        return deliver(table, target)
    point = result.flashpoints["baseline"]
    screen.say(f"{point.sentence()} By {given(assessment.outlook).maker()}, without an assumption.")
    screen.show(
        full_title(assessment.series),
        ("assumed", table.index),
        ("total", table["total"].map(screen.number)),
        ("90% interval", screen.spans(table, write="{:,.0f}".format)),
        ("probability", table["probability"].map(screen.probability_text)),
        ("MC error", table["mc_error"].map("{:.2g}".format)),
        ("difference", table["probability_difference"].map("{:+.2f}".format).where(table.index != "baseline", "")),
    )
    if lethal:
        _show_cost(table)
    for words in what_if:
        screen.say(f"{words}: {result.assumptions[words]}.")
    return screen.say("Scenarios are assumptions, not estimates of what such a change would do.")


def _show_cost(table: pd.DataFrame) -> None:
    """Show the probability of a lethal attack under each assumption, besides those assumed, and the killed."""
    columns: list[screen.Column] = [
        ("assumed", table.index),
        ("a lethal attack", table["lethal_probability"].map(screen.probability_text)),
        ("MC error", table["lethal_mc_error"].map("{:.2g}".format)),
    ]
    if "killed" in table:
        columns.append(("killed", table["killed"].map("{:,.0f}".format)))
        columns.append(("90% interval", screen.spans(table, "killed_lower", "killed_upper")))
    more = ", and the killed with theirs" if "killed" in table else ""
    screen.show(f"Probability of a lethal attack besides those assumed{more}", *columns)


def _wanted(assessment: Assessment) -> int | escalation.Flashpoint:
    """The chosen flashpoint: its definition, or its threshold."""
    asked = assessment.options.at_least
    return asked if isinstance(asked, escalation.Flashpoint) else given(assessment.flashpoints)[0].at_least


def _passage(assessment: Assessment) -> pd.DataFrame:
    """The probability that the chosen threshold is reached by the end of each period, with its Monte Carlo error."""
    forecast, wanted, over = given(assessment.forecast), _wanted(assessment), assessment.options.over
    passage = given(assessment.thresholds).passage.iloc[: assessment.within, 0]
    points = [
        escalation.flashpoint(forecast, wanted, over, step)
        for step in range(1, assessment.within + 1)
        if pd.notna(passage.iloc[step - 1])
    ]
    columns = ["probability", "mc_error", "lower", "upper", "at_least", "over", "draws"]
    by = pd.Index([f"{point.last.end_time:%Y-%m-%d}" for point in points], name="by")
    return pd.DataFrame([[getattr(point, name) for name in columns] for point in points], index=by, columns=columns)


def show_answers(assessment: Assessment, *parts: str) -> None:
    """Print the answers of the parts named, each with its interval or Monte Carlo error, and why some are missing."""
    answers = assessment.answer_list(*parts)
    quiet = assessment.if_quiet
    values = ("if silence is not known" if quiet else "answer", [one.value_text() for one in answers])
    columns = [values, (f"{assessment.level:.0%} interval", [one.span_text() for one in answers])]
    if quiet:
        other = {one.key: one for one in quiet.answer_list(*parts)}
        both = [other.get(one.key) for one in answers]
        columns.append(("if quiet", [one.value_text() if one else "" for one in both]))
        columns.append((f"{assessment.level:.0%} interval", [one.span_text() if one else "" for one in both]))
    screen.show(
        full_title(assessment.series),
        ("", [one.question for one in answers]),
        *columns,
        ("unit", [one.unit_text() for one in answers]),
        words=(0, 1 + len(columns)),
    )
    if quiet:
        screen.say(assessment.cautions[0])
    if any(one.span_text().startswith("±") for one in answers):
        screen.say("±: Monte Carlo error of the probability.")
    for why in dict.fromkeys(one.why for one in answers if one.why):
        named = ", ".join(one.question for one in answers if one.why == why)
        screen.say(f"Not given: {named} ({why}).")


def readable(assessment: Assessment) -> Assessment:
    """The reading of a series that a forecast can be made of: as it stands, or else as if silence were quiet.

    Where both can be, who reads is warned that they differ.
    """
    quiet = assessment.if_quiet
    if isinstance(quiet, Withheld):
        return assessment
    if isinstance(assessment.outlook, Withheld):
        warn(f"what follows assumes that silence is quiet; otherwise nothing is known ({assessment.outlook.reason})")
        return quiet
    warn(assessment.cautions[0])
    return assessment


def given(part: Part | Withheld) -> Part:
    """Return a part of an assessment that the whole command is about.

    Raises
    ------
    InputError
        If the data cannot carry it; the message says why.
    """
    if isinstance(part, Withheld):
        raise escalation.InputError(f"no {part.part.replace('_', ' ')} can be given: {part.reason}")
    return part


def _provenance(source: escalation.assessment.Source, counted: SourceSeries, seed: int) -> dict[str, object]:
    """What a saved forecast says of where it came from."""
    return {
        "made": dt.datetime.now(dt.UTC).date().isoformat(),
        "version": escalation.__version__,
        "source": source.name,
        "sha256": source.sha256,
        "series": counted.title,
        "place": counted.place,
        "counter": counted.counter,
        "seed": seed,
    }


def warn_of_failures(assessment: Assessment, *asked: str) -> None:
    """Warn of the models that could not be fitted, and of parts that were asked for and are not given."""
    parts = [getattr(assessment, name) for name in asked]
    withheld = {part.part: part.reason for part in parts if isinstance(part, Withheld)}
    for name, why in (assessment.failed | withheld).items():
        warn(f"{name} is left out: {why}")
