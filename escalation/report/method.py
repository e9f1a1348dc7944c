"""The page on how the numbers were made, where they come from and what they cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

import escalation
from escalation.assessment import POOL, Assessment, pool_weights
from escalation.findings import ALARMS_NEED, CHANGES_NEED, INCIDENTS_NEED, Findings
from escalation.models.base import CountFit
from escalation.periods import period_word
from escalation.plots.text import MISSING, lacks_characters
from escalation.report.paper import Paper, TableColumn
from escalation.report.words import counter_text, name_of, plain_dates, spaced
from escalation.sources import Source
from escalation.tallies.reconstruct import Reconstruction
from escalation.window_growth import FEWEST

MODELS = {
    "local_level": (
        "counts scatter, more than chance alone would, about a level that drifts from period to period and is pulled "
        "back to its long-run value as strongly as the counts suggest; its steps multiply the rate while it is low and "
        "add to it while it is high; the forecast starts from the last level"
    ),
    "negative_binomial": (
        "one rate for the whole series, about which counts scatter more than chance alone would; it does not know "
        "what happened last"
    ),
    "climatology": (
        "each future repeats counts drawn at random from the last ones observed; it has no trend and no memory of "
        "order, and is the benchmark that forecasts of conflict often fail to beat"
    ),
}
"""The models in plain words; of any other, its documentation's first line is printed."""


def set_method(paper: Paper, assessment: Assessment, source: Source, findings: Findings, seed: int | None) -> None:
    """Set the method in plain words, the parameters, the provenance and the limits."""
    paper.heading("How the numbers were made")
    for text in _steps(assessment, source):
        paper.paragraph(text)
    paper.paragraph(_further(findings))
    _set_parameters(paper, assessment)
    paper.heading("Where they come from")
    paper.table([TableColumn("", 110.0), TableColumn("")], list(_provenance(assessment, source, seed)))
    if source.quality is not None:
        paper.heading("How good the data are")
        paper.paragraph(plain_dates(source.quality.sentence()))
        for text in source.quality.sentences():
            paper.paragraph(plain_dates(text), bullet="•")
    paper.heading("What they cannot say")
    for text in _limits(assessment):
        paper.paragraph(text, bullet="•")


def _steps(assessment: Assessment, source: Source) -> Iterator[str]:
    reconstruction = assessment.series.reconstruction
    if reconstruction is None:
        yield (
            f"Counts: the {len(source.table):,} incidents of the table, or those asked for, were counted by period, "
            f"each once, on {_counting_day(assessment)}. A covered period without an incident counts 0."
        )
    else:
        yield _reconstructing(reconstruction)
    yield (
        "Trend: the counts of both windows are taken as negative binomial, with a rate for each window and one "
        "dispersion, by Bayes' rule with weak priors."
    )
    for name, fit in assessment.fits.items():
        pooled = f" Fitted to {len(fit.estimates)} histories and pooled." if len(fit.estimates) > 1 else ""
        used = " The answers use it." if name == assessment.model else ""
        yield f"Model {spaced(name)}: {_described(name, fit)}.{pooled}{used}"
    if assessment.model == POOL:
        yield (
            f"The answers use {assessment.maker()}: {_parts(assessment)}. It keeps what each model thinks possible. "
            "The local level has the largest part because on simulated series an equal pool was too sure of itself."
        )


def _parts(assessment: Assessment) -> str:
    """How many of a hundred futures of the pool are each model's."""
    shares = zip(assessment.fits, pool_weights(list(assessment.fits)), strict=True)
    return "of a hundred futures " + ", ".join(f"{100 * share:.0f} by the {spaced(name)}" for name, share in shares)


def _further(findings: Findings) -> str:
    """Say what the further pages need, and why some are not there."""
    left_out = "; ".join(f"{page} ({why})" for page, why in findings.left_out.items())
    return (
        f"Further pages need counts that carry them: growth {FEWEST} observed periods, changes {CHANGES_NEED}, alarms "
        f"{ALARMS_NEED}, each with {INCIDENTS_NEED} incidents in them; excitation two sides."
        + (f" Left out here: {left_out}." if left_out else "")
    )


def _counting_day(assessment: Assessment) -> str:
    counts = assessment.series.counts
    if isinstance(counts, pd.Series):
        return "the last day of the window that holds it"
    return f"any one day of the window that holds it, in {counts.shape[1]:,} equally plausible histories"


def _reconstructing(reconstruction: Reconstruction) -> str:
    used = int(reconstruction.tallies["used"].sum())
    return (
        f"Counts: {used} of {len(reconstruction.tallies)} tallies of the series by this counter were used together. "
        "Each says how many there were in a window of days, through a kernel that allows for its qualifier: 'nearly "
        "200' is a little above the truth, and even a bare number may be off by the hour at which counting stopped. "
        "Daily counts are taken as Poisson, with a level that walks from week to week, may step abruptly and is weakly "
        f"drawn back to its usual height. A Markov chain drew {reconstruction.histories.shape[1]:,} histories that fit "
        "all used tallies at once; what follows is done for many of them and pooled, so that what the tallies leave "
        "open is in every interval. Tallies of a part of the area are lower bounds."
    )


def _described(name: str, fit: CountFit) -> str:
    if name in MODELS:
        return MODELS[name]
    first = (type(fit.model).__doc__ or name).strip().split("\n\n")[0].replace("`", "")
    return " ".join(first.split()).rstrip(".")


def _set_parameters(paper: Paper, assessment: Assessment) -> None:
    rows = [
        [
            spaced(name),
            str(parameter),
            f"{row['estimate']:,.3f}",
            f"{row['std_error']:,.3f}",
            f"{row['lower']:,.3f} to {row['upper']:,.3f}",
        ]
        for name, fit in assessment.fits.items()
        for parameter, row in fit.table().iterrows()
    ]
    columns = [TableColumn("Model", 110.0), TableColumn("Parameter")]
    columns += [TableColumn(head, 96.0, right=True) for head in ("Estimate", "Standard error", "95% interval")]
    paper.table(columns, rows)


def _provenance(assessment: Assessment, source: Source, seed: int | None) -> Iterator[list[str]]:
    forecast, reconstruction = assessment.forecast, assessment.series.reconstruction
    steps = f"{forecast.steps:,} {period_word(assessment.freq, forecast.steps)}"
    yield ["Source", f"{name_of(source)}: {source.title} ({source.kind}, {len(source.table):,} rows)"]
    yield ["SHA-256 of its content", source.sha256]
    yield ["Package", f"escalation {escalation.__version__}"]
    yield ["Seed", "not given; another run differs within Monte Carlo error" if seed is None else str(seed)]
    yield ["Forecast", f"{forecast.draws:,} joint paths of {steps}"]
    if reconstruction is not None:
        settled = "settled" if reconstruction.converged else "not settled"
        yield [
            "Reconstruction",
            f"{reconstruction.histories.shape[1]:,} histories; largest R-hat {reconstruction.rhat:.3f}, smallest "
            f"effective sample size {reconstruction.ess:,.0f}: {settled}",
        ]
    if lacks_characters(_names(assessment, source)):
        yield ["Characters", f"{MISSING} stands for a character of the source that the font of this report lacks"]


def _names(assessment: Assessment, source: Source) -> Iterable[object]:
    """Return what the report prints of the source's own words."""
    series = assessment.series
    yield from (source.name, source.title, series.title, series.unit, series.counter, series.place)
    if series.reconstruction is not None:
        yield from series.reconstruction.tallies[["place", "source", "url", "note"]].to_numpy().ravel()


def _limits(assessment: Assessment) -> Iterator[str]:
    series = assessment.series
    if series.reconstruction is None:
        yield (
            "They count what the source lists. What it missed, listed late or listed twice cannot be known from it, "
            "and a quiet period in the table need not have been quiet."
        )
    else:
        yield (
            f"They count what {counter_text(series.counter)} counts as {series.unit}. Other counters define, see and "
            "count differently; their numbers are not mixed in, and may be far apart."
        )
        yield (
            "Where few tallies were printed only the total of a stretch is known, and its course is the smoothest "
            "guess. Counters may withhold, revise or repeat old figures."
        )
        yield (
            "How far 'about' or 'at least' lies from the truth is assumed, not estimated; other kernels give other "
            "ranges."
        )
    yield "They say how often, not why. A change after an event is no evidence that the event caused it."
    yield (
        "Forecasts carry on what was seen. A ceasefire, an election or a war that is not in the counts is not in the "
        "forecast, and no interval allows for the model itself being wrong."
    )
    yield "They are totals over wide areas, and no basis for decisions about the safety of a person or a place."
