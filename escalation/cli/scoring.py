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
from escalation.counts.periods import MAX_PERIODS, period_word
from escalation.errors import warn
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
    baseline: str,
    store: str | None,
) -> None:
    """Show how well models would have forecast the series."""
    target = resolve_target(target, selection)
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
        exposure=counted.exposure if source.kind == "incidents" else None,
        as_of=vintages,
        store=store,
        rng=selection.seed,
    )
    table = _summary(result, baseline)
    sizes = result.coverage_by_size() if len(table) else pd.DataFrame()
    if target.form != "table":
        return deliver(_with_sizes(table, sizes) if target.form == "json" else table, target)
    word = period_word(pd.PeriodIndex(counted.counts.index).freqstr, steps)
    ahead = f"1 {word}" if steps == 1 else f"1 to {steps} {word}"
    what = f"{full_title(counted)}; {result.scores['origin'].nunique()} past origins, {ahead} ahead"
    skill, verdict = (table.get(name, pd.Series(index=table.index)) for name in ("skill", "verdict"))
    screen.show(
        what,
        ("model", [str(model).replace("_", " ") for model in table.index]),
        ("CRPS", table["crps"].map(screen.number)),
        ("log score", table["log_score"].map("{:.2f}".format)),
        *((f"in {level}", table[f"coverage_{level}"].map("{:.0%}".format)) for level in ("50%", "90%")),
        (f"skill over {baseline}", ["" if pd.isna(one) else f"{one:+.0%}" for one in skill]),
        ("verdict", ["" if pd.isna(one) else str(one) for one in verdict]),
    )
    if "verdict" not in table and len(chosen) > 1:
        screen.say(f"{origins} origins are too few to distinguish models; with {ENOUGH} or more there is a verdict.")
    if len(table):
        _show_sizes(str(table.index[0]), sizes.loc[table.index[0]])
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


def _summary(result: Backtest, baseline: str) -> pd.DataFrame:
    """Mean scores, coverage, and the difference to the baseline."""
    table = result.table()
    enough = max(result.scores["origin"].nunique(), result.scores["unit"].nunique()) >= ENOUGH
    if len(result.models) > 1 and enough:
        table = table.join(result.compare(baseline, rng=0)[["skill", "difference", "lower", "upper", "verdict"]])
    return table


def _with_sizes(table: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Put the coverage by recent counts beside the scores of each model, as records."""
    records = [sizes.loc[model].reset_index().to_dict("records") for model in table.index]
    return table.assign(coverage_by_size=pd.Series(records, index=table.index, dtype=object))


def _show_sizes(model: str, own: pd.DataFrame) -> None:
    """Show where intervals of the model with the smallest CRPS hold what they state."""
    screen.show(
        f"{model.replace('_', ' ')}: what came and its 90% intervals, by the mean of the last four counts before",
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
        "Intervals of whole numbers hold more than they state; with their ends randomised right ones hold 90% in "
        "each row."
    )
