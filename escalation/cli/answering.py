"""The commands that fit a model: report, forecast and flashpoint."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd
import typer

import escalation
from escalation.assessment import MODELS, POOL, Assessment, assess, check_question
from escalation.casualties import has_casualties
from escalation.cli import screen
from escalation.cli.assumptions import read_assumptions
from escalation.cli.counting import (
    check_by,
    check_sides,
    check_targets,
    choose_form,
    count,
    count_sides,
    deliver,
    title,
    with_dates,
)
from escalation.cli.options import Format, Selection
from escalation.periods import period_word

ASSUMING = "local_level"
"""The model of ``--what-if`` unless another is named: the pool has members that draw past counts again."""
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
    sides: list[str] | None,
    regimes: Literal["none", "hidden_markov"],
) -> None:
    """Show the answers, then draw the PDF and say where it is."""
    check_question(horizon=horizon, at_least=at_least, over=over, within=within)
    if Path(output).suffix.lower() != ".pdf":
        raise escalation.InputError(f"--output is {output!r}; a report is a PDF, so end its name in .pdf")
    if sides is not None:
        check_sides(sides)
    check_targets(selection, output)
    with screen.progress(4) as step:
        chosen = selection if sides is None or selection.series is not None else replace(selection, by=None)
        source, counted = count(chosen, step)
        if sides is not None:
            check_by(source, selection)
        step("fitting the models")
        assessment = assess(counted, horizon=horizon, at_least=at_least, over=over, within=within, rng=selection.seed)
        step("working out the severity")
        casualties = escalation.assess_casualties(assessment, rng=selection.seed) if has_casualties(counted) else None
    warn_of_failures(assessment)
    _show_answers(assessment)
    with screen.progress(4 if sides else 2) as step:
        excited = None
        if sides is not None:
            counts, unit = count_sides(source, selection, sides, step)
            excited = escalation.excitation(counts, unit=unit, rng=selection.seed)
        step("looking for growth, changes and alarms")
        found = escalation.find(assessment, regimes=regimes, excitation=excited, rng=selection.seed)
        step(f"drawing {output}")
        escalation.write_report(assessment, source, output, findings=found, seed=selection.seed, casualties=casualties)
    typer.echo(f"Report: {Path(output)}")


def forecast(
    selection: Selection,
    form: Format | None,
    output: str | None,
    *,
    horizon: int | None,
    model: str,
    save: str | None,
) -> None:
    """Show the forecast of the next periods, and keep its paths where that is wanted."""
    form = choose_form(form, output)
    check_question(horizon=horizon, model=model)
    check_targets(selection, output, save)
    with screen.progress(3) as step:
        source, counted = count(selection, step)
        step("fitting the models")
        assessment = assess(counted, horizon=horizon, model=model, models=needed_models(model), rng=selection.seed)
    warn_of_failures(assessment)
    if save is not None:
        assessment.forecast.save(save, about=_provenance(source, counted, selection.seed))
    table = assessment.forecast.summary_frame()
    if form != "table":
        return deliver(with_dates(table), form, output)
    rows = [
        [
            screen.period_text(row["period"]),
            screen.number(row["mean"]),
            screen.number(row["median"]),
            screen.span(row["obs_pi_lower"], row["obs_pi_upper"]),
        ]
        for row in table.rename_axis("period").reset_index().to_dict("records")
    ]
    header = [period_word(assessment.freq), "mean", "median", "90% prediction interval"]
    return screen.show(f"{title(counted)}; forecast by {assessment.maker()}", header, rows)


def flashpoint(
    selection: Selection,
    form: Format | None,
    output: str | None,
    *,
    horizon: int | None,
    at_least: int | None,
    over: int,
    within: int | None,
    preset: str | None,
    what_if: list[str],
    model: str,
) -> None:
    """Show the probability of the flashpoint, and by when it falls, or under assumptions beside the baseline."""
    form = choose_form(form, output)
    definition = None if preset is None else escalation.get_flashpoint(preset)
    if definition is not None and (at_least is not None or over != 1):
        raise escalation.InputError(
            f"--preset {preset} brings its own threshold and window; drop --at-least and --over"
        )
    check_question(horizon=horizon, at_least=at_least, over=over, within=within, model=model)
    for words in what_if:
        read_assumptions(words, "D")  # before anything is computed
    if what_if and model == POOL:
        model = ASSUMING
    check_targets(selection, output)
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("fitting the models")
        assessment = assess(
            counted,
            horizon=horizon,
            at_least=at_least,
            over=over,
            within=within,
            model=model,
            models=needed_models(model),
            rng=selection.seed,
        )
    warn_of_failures(assessment)
    if what_if:
        return _show_assumptions(assessment, definition, what_if, selection.seed, form, output)
    table = _passage(assessment, definition)
    if form != "table":
        return deliver(table, form, output)
    rows = [
        [
            row["by"],
            screen.chance(row["probability"]),
            f"{row['mc_error']:.2g}",
            f"{row['lower']:.2f} to {row['upper']:.2f}",
        ]
        for row in table.reset_index().to_dict("records")
    ]
    chosen = assessment.flashpoints[0]
    if definition is not None:
        chosen = escalation.flashpoint(assessment.forecast, definition, within=assessment.within)
    screen.say(chosen.sentence())
    return screen.show(title(counted), ["by", "probability", "Monte Carlo error", "90% Monte Carlo interval"], rows)


def _show_assumptions(
    assessment: Assessment,
    definition: escalation.Flashpoint | None,
    what_if: list[str],
    seed: int,
    form: Format,
    output: str | None,
) -> None:
    """Show the flashpoint's chance under each assumption beside the baseline."""
    assumed = {words: read_assumptions(words, assessment.freq) for words in what_if}
    lethal = any(
        isinstance(one, escalation.Event) and one.killed is not None for several in assumed.values() for one in several
    )
    severity = None
    if lethal:
        found = escalation.assess_casualties(assessment, rng=seed)
        severity = escalation.Severity(found.lethality, found.sizes)
    result = escalation.what_if(
        assessment.fits[assessment.model],
        assessment.within,
        assumed,
        at_least=assessment.at_least if definition is None else definition,
        over=assessment.over if definition is None else 1,
        severity=severity,
        draws=LETHAL_DRAWS if lethal else 4000,
        rng=seed,
    )
    if form != "table":
        return deliver(result.scenarios, form, output)
    rows = [
        [
            row["scenario"],
            screen.number(row["total"]),
            f"{row['lower']:,.0f} to {row['upper']:,.0f}",
            screen.chance(row["probability"]),
            f"{row['mc_error']:.2g}",
            "" if row["scenario"] == "baseline" else f"{row['probability_difference']:+.2f}",
        ]
        for row in result.scenarios.reset_index().to_dict("records")
    ]
    point = result.flashpoints["baseline"]
    screen.say(f"{point.sentence()} By {assessment.maker()}, without an assumption.")
    header = ["assumed", "total", "90% interval", "probability", "MC error", "difference"]
    screen.show(title(assessment.series), header, rows)
    if lethal:
        _show_cost(result.scenarios)
    for words in what_if:
        screen.say(f"{words}: {result.assumptions[words]}.")
    return screen.say("Scenarios are assumptions, not estimates of what such a change would do.")


def _show_cost(table: pd.DataFrame) -> None:
    """Show the chance of a lethal attack under each assumption, besides those assumed, and the killed."""
    rows = [
        [row["scenario"], screen.chance(row["lethal_probability"]), f"{row['lethal_mc_error']:.2g}"]
        + ([f"{row['killed']:,.0f}", screen.span(row["killed_lower"], row["killed_upper"])] if "killed" in row else [])
        for row in table.reset_index().to_dict("records")
    ]
    header = ["assumed", "a lethal attack", "MC error", "killed", "90% interval"][: len(rows[0])]
    more = ", and the killed with theirs" if len(rows[0]) > 3 else ""
    screen.show(f"Chance of a lethal attack besides those assumed{more}", header, rows)


def _passage(assessment: Assessment, definition: escalation.Flashpoint | None) -> pd.DataFrame:
    """The chance that the chosen threshold is reached by the end of each period, with its Monte Carlo error."""
    wanted, over = (assessment.at_least, assessment.over) if definition is None else (definition, 1)
    passage = escalation.first_passage(assessment.forecast, wanted, over).iloc[: assessment.within]
    points = [
        escalation.flashpoint(assessment.forecast, wanted, over, step)
        for step in range(1, assessment.within + 1)
        if pd.notna(passage.iloc[step - 1])
    ]
    columns = ["probability", "mc_error", "lower", "upper", "at_least", "over", "draws"]
    by = pd.Index([f"{point.last.end_time:%Y-%m-%d}" for point in points], name="by")
    return pd.DataFrame([[getattr(point, name) for name in columns] for point in points], index=by, columns=columns)


def _show_answers(assessment: Assessment) -> None:
    """Print the answers.

    The range of a flashpoint's chance is only what the number of paths leaves open, so its error is shown in place
    of an interval.
    """
    rows = [
        [
            row["question"],
            screen.chance(row["value"]) if row["unit"] == "probability" else screen.number(row["value"]),
            screen.span(row["lower"], row["upper"]),
            "" if row["unit"] == "probability" else row["unit"],
        ]
        for row in assessment.answers().reset_index().to_dict("records")
    ]
    for row, point in zip(rows[-len(assessment.flashpoints) :], assessment.flashpoints, strict=True):
        row[2] = f"± {point.mc_error:.2g}"
    header = ["", "answer", f"{assessment.level:.0%} interval", "unit"]
    screen.show(title(assessment.series), header, rows, words=(0, 3))
    screen.say("±: Monte Carlo error of the probability.")


def _provenance(source: escalation.Source, counted: escalation.CountedSeries, seed: int) -> dict[str, object]:
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


def needed_models(model: str) -> tuple[str, ...]:
    """The models that a forecast by one of them, or by their pool, needs beside itself."""
    return MODELS if model == POOL else ()


def warn_of_failures(assessment: Assessment) -> None:
    """Warn of the models that could not be fitted."""
    for name, why in assessment.failed.items():
        warnings.warn(f"{name} is left out: {why}", escalation.DataWarning, stacklevel=1)
