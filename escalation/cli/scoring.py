"""The commands that show how good forecasts are: backtest and score."""

from __future__ import annotations

import pandas as pd

import escalation
from escalation.assessment.naming import full_title
from escalation.assessment.source import SourceSeries
from escalation.cli import screen
from escalation.cli.counting import count, deliver, resolve_target, with_dates
from escalation.cli.options import Selection, Target
from escalation.conventions.arguments import check_whole
from escalation.conventions.wording import spaced
from escalation.counts.periods import MAX_PERIODS, period_word
from escalation.errors import InputError, warn
from escalation.evaluation.comparison import ENOUGH
from escalation.evaluation.result import Backtest
from escalation.evaluation.store import check_store
from escalation.models.contract.estimate import MAX_STEPS
from escalation.models.registry import DEFAULT, get_model
from escalation.tallies.vintages import Vintages

MODELS = ("climatology", "last_value", "negative_binomial", "local_level", DEFAULT)
"""Compared unless asked otherwise."""
BASELINE = "climatology"


def backtest(
    selection: Selection,
    target: Target,
    *,
    models: str | None,
    origins: int,
    every: int,
    steps: int,
    leads: str | None,
    at_least: int | None,
    baseline: str,
    store: str | None,
) -> None:
    """Show how well models would have forecast the series."""
    target = resolve_target(target, selection)
    scored = _read_leads(leads)
    steps = max(scored, default=steps)
    names = [name.strip() for name in models.split(",")] if models else list(MODELS)
    chosen = {name: get_model(name) for name in dict.fromkeys([*names, baseline])}
    limits = {"--origins": (origins, MAX_PERIODS), "--every": (every, MAX_PERIODS), "--steps": (steps, MAX_STEPS)}
    for option, (value, most) in limits.items():
        check_whole(value, option, most)
    if store is not None:
        check_store(store)
    with screen.progress(2) as step:
        source, counted = count(selection, step)
    vintages = _vintages(source, counted, selection.seed)
    result = escalation.backtest(
        chosen,
        counted.counts,
        origins=origins,
        every=every,
        horizon=steps,
        leads=scored or None,
        thresholds=() if at_least is None else (at_least,),
        exposure=counted.exposure if source.kind == "incidents" else None,
        as_of=vintages,
        store=store,
        rng=selection.seed,
    )
    table = _summary(result, baseline, selection.seed)
    sizes = result.coverage_by_size() if len(table) else pd.DataFrame()
    curve = None if at_least is None else result.reliability(at_least)
    if target.form != "table":
        return deliver(_with_more(result, table, sizes, curve) if target.form == "json" else table, target)
    freq = pd.PeriodIndex(counted.counts.index).freqstr
    one, word = period_word(freq), period_word(freq, steps)
    ahead = f"1 {word}" if steps == 1 else f"{leads.replace(',', ', ') if leads else f'1 to {steps}'} {word}"
    what = f"{full_title(counted)}; {result.scores['origin'].nunique()} past origins, {ahead} ahead"
    screen.show(
        what,
        ("model", [spaced(str(model)) for model in table.index]),
        ("CRPS", table["crps"].map(screen.number)),
        ("log score", table["log_score"].map("{:.2f}".format)),
        *((f"in {level}", table[f"coverage_{level}"].map("{:.0%}".format)) for level in ("50%", "90%")),
        (f"skill over {spaced(baseline)}", ["" if pd.isna(one) else f"{one:+.0%}" for one in table["skill"]]),
        ("verdict", ["" if pd.isna(one) else str(one) for one in table["verdict"]]),
    )
    if table["verdict"].notna().any():
        _say_differences(table, baseline)
    elif len(chosen) > 1:
        screen.say(f"{origins} origins are too few to distinguish models; with {ENOUGH} or more there is a verdict.")
    _say_failures(result)
    if scored:
        _show_leads(result, list(table.index), word)
    if len(table):
        _show_sizes(str(table.index[0]), sizes.loc[table.index[0]])
    if curve is not None and len(table):
        _show_reliability(str(table.index[0]), curve, f"{at_least:,} or more in a {one}")
    if vintages is not None:
        screen.say(
            "At each origin only the tallies printed by then were known; those without a date of print were not."
        )
    elif source.kind == "tallies":
        screen.say(
            "The tallies do not say when they were printed (as_of), so every origin knew what was printed later about "
            "the periods before it."
        )
    return None


def score(selection: Selection, target: Target, *, forecast: str) -> None:
    """Show how a saved forecast fared."""
    target = resolve_target(target, selection)
    saved, about = escalation.Forecast.load(forecast)
    if selection.freq is None:
        selection = selection.with_freq(saved.periods.freqstr)
    with screen.progress(2) as step:
        _, counted = count(selection, step)
    _check_same(saved, about, counted)
    table = escalation.score_forecast(saved, counted.counts, exposure=counted.exposure)
    if target.form != "table":
        return deliver(with_dates(table), target)
    made = f", made {about['made']}" if "made" in about else ""
    screen.show(
        f"Forecast of {saved.unit} by {saved.model} after {saved.origin}{made}",
        (period_word(saved.periods.freqstr), screen.periods(table)),
        *((name, table[name].map(screen.number)) for name in ("observed", "median")),
        ("90% interval", screen.spans(table, "obs_pi_lower", "obs_pi_upper")),
        ("CRPS", table["crps"].map(screen.number)),
    )
    inside = table[["inside_50%", "inside_90%"]].mean()
    over = ", averaged over the histories" if isinstance(counted.counts, pd.DataFrame) else ""
    screen.say(
        f"{len(table)} of {saved.steps} periods are known; {inside['inside_50%']:.0%} of them fell into the 50% "
        f"interval, {inside['inside_90%']:.0%} into the 90% interval{over}."
    )
    return None


def _check_same(saved: escalation.Forecast, about: dict[str, object], counted: SourceSeries) -> None:
    """Refuse to score a forecast by counts of something else.

    Raises
    ------
    InputError
        If unit, place or counter differ.
    """
    for what, was, now in (
        ("unit", saved.unit, counted.unit),
        ("place", about.get("place", counted.place), counted.place),
        ("counter", about.get("counter", counted.counter), counted.counter),
    ):
        if was != now:
            raise escalation.InputError(
                f"the forecast is of the {what} {was or 'none'}, these counts are of {now or 'none'}; choose the same"
            )
    series = about.get("series", counted.title)
    if series != counted.title:
        warn(f"the forecast is of {series}, these counts are called {counted.title}; make sure that they are the same")


def _vintages(source: escalation.assessment.Source, counted: SourceSeries, seed: int) -> Vintages | None:
    """What was known at earlier dates, for tallies that say when they were printed."""
    if source.kind != "tallies" or source.table["as_of"].isna().all():
        return None
    made = counted.reconstruction
    assert made is not None
    start = made.daily.index[0].start_time
    return Vintages(source.table, made.series, made.counter, made.place, made.unit, start=start, rng=seed)


def _read_leads(leads: str | None) -> list[int]:
    """Periods ahead as they are written in a list.

    Raises
    ------
    InputError
        If one is no whole number from 1.
    """
    parts = [] if leads is None else [part.strip() for part in leads.split(",")]
    for part in parts:
        if not (part.isascii() and part.isdecimal() and 1 <= int(part) <= MAX_STEPS):
            raise InputError(f"--leads holds {part!r}; give periods ahead from 1 to {MAX_STEPS:,}, such as 1,4,8")
    return sorted({int(part) for part in parts})


def _summary(result: Backtest, baseline: str, seed: int) -> pd.DataFrame:
    """Mean scores, coverage, and the difference to the baseline."""
    table, names = result.table(), ["skill", "difference", "lower", "upper", "verdict"]
    enough = max(result.scores["origin"].nunique(), result.scores["unit"].nunique()) >= ENOUGH
    if len(result.models) > 1 and enough:
        return table.join(result.compare(baseline, rng=seed)[names])
    return table.assign(**dict.fromkeys(names))


def _say_differences(table: pd.DataFrame, baseline: str) -> None:
    """Say each difference with the interval that its verdict stands on."""
    parts = [
        f"{spaced(str(model))} {row['difference']:+.2g} ({row['lower']:.2g} to {row['upper']:.2g})"
        for model, row in table.dropna(subset=["difference"]).iterrows()
    ]
    made_of = f" ({get_model(baseline)!r})" if baseline == BASELINE else ""
    if parts:
        screen.say(
            f"CRPS less that of {spaced(baseline)}{made_of}, with its 95% paired interval, of the forecasts that all "
            f"models made: {', '.join(parts)}."
        )


def _say_failures(result: Backtest) -> None:
    """Say which models could not be fitted at which share of the origins, and why at first."""
    total = result.scores["origin"].nunique()
    for model, own in result.failures.groupby("model", sort=True):
        screen.say(
            f"{spaced(str(model))} gave no forecast at {own['origin'].nunique()} of {total} origins "
            f"({own['error'].iloc[0]}); its scores are of the others."
        )


def _with_more(result: Backtest, table: pd.DataFrame, sizes: pd.DataFrame, curve: pd.DataFrame | None) -> pd.DataFrame:
    """Put what has rows of its own for each model beside its scores, as records."""
    steps = result.by_step()
    more = {
        "crps_by_step": [steps[model].rename("crps").reset_index().to_dict("records") for model in table.index],
        "coverage_by_size": [sizes.loc[model].reset_index().to_dict("records") for model in table.index],
    }
    if curve is not None:
        more["reliability"] = [curve.loc[model].reset_index(drop=True).to_dict("records") for model in table.index]
    return table.assign(**{name: pd.Series(rows, index=table.index, dtype=object) for name, rows in more.items()})


def _show_leads(result: Backtest, models: list[str], word: str) -> None:
    """Show the mean CRPS of each model by lead."""
    steps = result.by_step()
    columns = [(f"{step} ahead", [screen.number(steps.loc[step, model]) for model in models]) for step in steps.index]
    screen.show(f"CRPS by {word} ahead", ("model", [spaced(str(model)) for model in models]), *columns)


def _show_reliability(model: str, curve: pd.DataFrame, what: str) -> None:
    """Show how often what was forecast with some probability came."""
    own = curve.xs(model)
    assert isinstance(own, pd.DataFrame)
    screen.show(
        f"{spaced(str(model))}: probabilities of {what}, and how often it came",
        ("probability", [f"{a:.0%} to {b:.0%}" for a, b in zip(own["above"], own["upto"], strict=True)]),
        ("forecasts", own["forecasts"].map("{:,}".format)),
        ("mean probability", own["probability"].map("{:.2f}".format)),
        ("share that came", own["frequency"].map("{:.2f}".format)),
        ("95% interval", screen.spans(own, write="{:.2f}".format)),
    )


def _show_sizes(model: str, own: pd.DataFrame) -> None:
    """Show where intervals of the model with the smallest CRPS hold what they state."""
    screen.show(
        f"{spaced(str(model))}: what came and its 90% intervals, by the mean of the last four counts before",
        ("recent count", list(own.index)),
        ("forecasts", own["forecasts"].map("{:,}".format)),
        ("in 90%", own["inside"].map("{:.0%}".format)),
        ("ends randomised", own["mass"].map("{:.0%}".format)),
        (
            "95% interval",
            [f"{lower:.0%} to {upper:.0%}" for lower, upper in zip(own["lower"], own["upper"], strict=True)],
        ),
    )
    screen.say(
        "A 90% interval of whole numbers holds somewhat more than 90%. Where its ends are counted by the share of "
        "their probability that belongs to it (ends randomised), a right one holds 90% in each row."
    )
