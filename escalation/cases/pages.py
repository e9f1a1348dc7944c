"""The four pages of a brief: verdict, all series, flashpoints, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from escalation.assessment.answer import keys_of
from escalation.assessment.outlook import effects_of_calendars, times_reached
from escalation.assessment.result import Assessment
from escalation.assessment.withheld import Withheld
from escalation.cases.answered import SeriesAnswers
from escalation.cases.blocks import Block, Gallery, Grid, Page, Picture, Text
from escalation.cases.glossary import glosses
from escalation.cases.questions.scorecard import Scorecard
from escalation.cases.verdict import Statement
from escalation.conventions.wording import number, probability_text, spaced
from escalation.counts.periods import date_span, period_word
from escalation.counts.schema import quantile_frame
from escalation.forecasts.forecast import Forecast
from escalation.models.registry import DEFAULT
from escalation.plots.flashpoint_charts import draw_first_passage
from escalation.plots.forecast_charts import draw_forecast
from escalation.plots.small_charts import PAST, draw_small
from escalation.plots.tally_charts import draw_counts, seen_frame

SHOWN = 4
"""Cautions on the first page; the others stand on the last."""
SMALL_HEIGHT = 104.0
"""Points that a small chart takes on paper."""
SHOWN_DATES = 6
"""Dates in the table of flashpoints."""


def first_page(
    title: str, main: SeriesAnswers, since: Sequence[str], said: Sequence[Statement], cautions: Sequence[str]
) -> Page:
    """What changed since the last report, the verdict, one chart, and the cautions that could overturn it."""
    found = given(main)
    blocks: list[Block] = [Text(" ".join(since))] if since else []
    blocks += [Text(one.text, "numbered") for one in said]
    blocks.append(main_chart(main))
    if cautions:
        blocks.append(Text("What could overturn this", "heading"))
        blocks += [Text(caution, "bullet") for caution in cautions[:SHOWN]]
        if len(cautions) > SHOWN:
            blocks.append(Text(f"{len(cautions) - SHOWN} more on the last page.", "small"))
    terms = glosses([*since, *(one.text for one in said)])
    if terms:
        blocks.append(Text("; ".join(f"{term}: {meaning}" for term, meaning in terms) + ".", "small"))
    counter = main.counted_by()
    about = f"{main.title}{f', as counted by {counter}' if counter else ''}, up to {main.until()}."
    if found.series.place and found.series.place != "ALL":
        about = f"{about[:-1]}, in {found.series.place}."
    return Page("verdict", title, [Text(about, "small"), *blocks])


def series_page(all_series: Sequence[SeriesAnswers]) -> Page:
    """Every series: a small chart each, and a table of now, before, rising, next and how much is observed."""
    pictures = [small_chart(one) for one in all_series if isinstance(one.assessment, Assessment)]
    rows = [series_row(one) for one in all_series]
    headers = ["Series", "To", "Now", "Before", "Unusual / higher", "Next", "Observed"]
    table = Grid(headers, rows, (0, 1, 2, 3, 4, 5), (0.0, 50.0, 58.0, 56.0, 46.0, 84.0, 46.0))
    blocks: list[Block] = [Gallery(pictures), table]
    blocks += [Text(f"{one.title}: {one.why_not()}.", "bullet") for one in all_series if one.why_not()]
    unused = [f"{one.left_out} of {one.title}" for one in all_series if one.left_out]
    if unused:
        blocks.append(Text(f"Counts by other counters or of other units are not in it: {', '.join(unused)}.", "small"))
    blocks.append(
        Text(
            "Now and before: mean underlying rate a period of the recent and of the earlier window, with its interval. "
            "Unusual / higher: the probability of a rise beyond the usual fluctuation, and of a higher rate at all. "
            "Next: the total of the periods ahead; for a handful of announced events, the probability of one of the "
            "size asked about. Observed: share of the recent days that some source speaks of.",
            "small",
        )
    )
    return Page("series", "Every series of the case", blocks)


def series_row(one: SeriesAnswers) -> list[str]:
    """Now, before, rising, next and observed of one series."""
    who = one.counter()
    name = f"{one.title}{f' ({who})' if who else ''}"
    observed = "" if np.isnan(one.observed()) else f"{one.observed():.0%}"
    if one.rare is not None and one.handful is not None:
        events = one.handful.events
        last, by = events.iloc[-1], one.rare.probability
        word, likely = "event" if len(events) == 1 else "events", probability_text(float(by["probability"].iloc[-1]))
        now = f"{len(events)} {word}; last {last['start'].date()}: {last['size']:,}"
        ahead = f"{one.rare.at_least:,} or more by {by.index[-1]}: {likely}"
        return [name, one.until(), now, "-", "-", ahead, observed]
    found = one.assessment
    if isinstance(found, Withheld):
        return [name, one.until(), one.printed or "not given", "-", "-", "-", observed]
    answers = {answer.key: answer for answer in found.answer_list("rate", "forecast")}
    word, unit = period_word(found.freq), spaced(one.unit)
    now, before = (_rate(answers[key].value, answers[key].span_text()) for key in ("rate_now", "rate_before"))
    sure = [answers.get(key) for key in ("probability_unusual", "probability_higher")]
    rising = " / ".join("-" if part is None or part.why else part.value_text() for part in sure)
    total = answers["total_ahead"]
    ahead = "not given" if total.why else f"{total.value_text()} ({total.span_text()}) {unit} in {found.within} {word}s"
    return [name, one.until(), now, before, rising, ahead, observed]


def _rate(value: float, span: str) -> str:
    return "not given" if np.isnan(value) else f"{number(value)} ({span})" if span else number(value)


def flashpoint_page(main: SeriesAnswers, others: Sequence[SeriesAnswers]) -> Page:
    """Thresholds by date, rare big events, what attacks do, and who follows whom."""
    found = given(main)
    blocks: list[Block] = []
    thresholds = found.thresholds
    if isinstance(thresholds, Withheld):
        blocks.append(Text(thresholds.sentence()))
    else:
        blocks.append(Text(found.sentences("flashpoints")[0]))
        blocks += [_passage_chart(found), _passage_grid(found)]
    events = [one for one in (main, *others) if one.rare is not None]
    if events:
        blocks.append(Text("Rare big events", "heading"))
        for one in events:
            assert one.rare is not None and one.handful is not None
            blocks.append(Text(f"{one.title}. {one.handful.sentence()} {one.rare.sentence()}", "bullet"))
    if found.severity:
        blocks.append(Text("What the attacks do", "heading"))
        blocks += [Text(sentence, "bullet") for sentence in found.severity.sentences()]
    if found.effect:
        blocks += _effect_blocks(found)
    blocks.append(Text("Who follows whom", "heading"))
    blocks.append(Text(found.excitation.sentence()))
    return Page("flashpoints", "How likely is a flashpoint?", blocks)


def _effect_blocks(found: Assessment) -> Iterator[Block]:
    """What the action that the case names was followed by; placebos, shock and power are in ``escalation effect``."""
    source, done = found.source, found.effect
    assert source is not None and source.case is not None and source.case.action is not None
    assert not isinstance(done, Withheld)
    title = source.case.action.title
    yield Text("What the last big action was followed by", "heading")
    said = done.sentences()
    yield Text(" ".join([*([f"{title}."] if title else []), *said[:2], said[-1]]))


def trust_page(
    main: SeriesAnswers,
    others: Sequence[SeriesAnswers],
    cautions: Sequence[str],
    same: str,
    acting: str,
    asked: Sequence[str],
    method: Sequence[str],
) -> Page:
    """What the data carry, what carries the result, the record, what cannot be said, method and sources."""
    found = given(main)
    blocks: list[Block] = [Text("What the data can carry", "heading"), Text(_coverage(main))]
    blocks += [Text(caution, "bullet") for caution in cautions[SHOWN:]]
    blocks += [Text("What carries the result", "heading"), Text(found.carrier.sentence())]
    blocks += [Text(same)] if same else []
    blocks += [Text("The record of such forecasts", "heading"), Text(_record(found))]
    if acting:
        blocks += [Text("When to act", "heading"), Text(acting)]
    if asked:
        blocks += [Text("The questions that were asked", "heading"), *map(Text, asked)]
    blocks.append(Text("How the numbers were made, and what they cannot say", "heading"))
    blocks += [Text(line, "bullet") for line in method]
    rows = list(_sources([main, *others]))
    if rows:
        blocks.append(Grid(["Counts of", "from so many rows", "of so many sources"], rows, (0,), (0.0, 110.0, 110.0)))
    terms = glosses(_texts(blocks))
    if terms:
        blocks.append(Text("Words", "heading"))
        blocks.append(Text("; ".join(f"{term}: {meaning}" for term, meaning in terms) + ".", "small"))
    return Page("trust", "How far can it be trusted?", blocks)


def questions_lines(questions: Scorecard | Withheld | None) -> list[str]:
    """What became of the questions asked of the case, with the head of their ledger; nothing where none were."""
    if questions is None:
        return []
    if isinstance(questions, Withheld):
        return [f"The ledger of questions is damaged, and nothing is said of its record: {questions.reason}."]
    return [" ".join(questions.sentences()[:-1]), f"{questions.ledger.head_sentence()} {questions.limits()}"]


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Text):
            yield block.text


def given(main: SeriesAnswers) -> Assessment:
    """The assessment of the main series, which a brief always has."""
    assert isinstance(main.assessment, Assessment)
    return main.assessment


def main_chart(main: SeriesAnswers) -> Picture:
    """The counts of the main series with their forecast."""
    found = given(main)
    forecast, counts, level = found.forecast, found.series.counts, found.level
    if isinstance(forecast, Withheld):
        return Picture(
            "counts",
            f"{main.title} by {period_word(found.freq)}.",
            lambda ax: draw_counts(counts, ax, unit=found.series.unit, level=level, exposure=found.series.exposure),
            _numbers(counts, None, level),
            220.0,
        )
    ahead: Forecast = forecast
    return Picture(
        "counts-and-forecast",
        f"{main.title} by {period_word(found.freq)}, and the forecast: {found.sentences('forecast')[0]}",
        lambda ax: draw_forecast(ahead, ax, counts, level=level, past=min(len(counts), PAST)),
        _numbers(counts, ahead, level),
        220.0,
    )


def small_chart(one: SeriesAnswers) -> Picture:
    """The counts of one series with their forecast, small."""
    found = one.assessment
    assert isinstance(found, Assessment)
    forecast = None if isinstance(found.forecast, Withheld) or one.handful is not None else found.forecast
    counts, level = found.series.counts, found.level
    name = keys_of([one.name])[0].replace("_", "-")
    return Picture(
        f"series-{name}",
        f"{one.title}: {spaced(one.unit)} by {period_word(found.freq)}.",
        lambda ax: draw_small(counts, ax, one.title, forecast, level=level),
        _numbers(counts, forecast, level),
        SMALL_HEIGHT,
    )


def _numbers(counts: pd.Series | pd.DataFrame, forecast: Forecast | None, level: float) -> Grid:
    """The last counts and the forecast as a table."""
    seen = seen_frame(counts.iloc[-PAST:], level)
    figures = seen[["median", "lower", "upper"]].to_numpy(dtype=float, na_value=np.nan)
    spans = [date_span(period) for period in pd.PeriodIndex(seen.index)]
    rows = [[span, *map(number, row)] for span, row in zip(spans, figures, strict=True)]
    if forecast is not None:
        ahead = quantile_frame(pd.DataFrame(forecast.series_paths.T, index=forecast.periods), level)
        figures = ahead[["median", "lower", "upper"]].to_numpy(dtype=float)
        spans = [f"{date_span(period)} (forecast)" for period in forecast.periods]
        rows += [[span, *map(number, row)] for span, row in zip(spans, figures, strict=True)]
    return Grid([period_word(pd.PeriodIndex(counts.index).freqstr), "median", "lower", "upper"], rows)


def _passage_chart(found: Assessment) -> Picture:
    thresholds = found.thresholds
    assert not isinstance(thresholds, Withheld)
    passage = thresholds.passage.iloc[: found.within]
    return Picture(
        "flashpoints",
        f"Probability that {spaced(found.series.unit)} reach each threshold, by date.",
        lambda ax: draw_first_passage(passage, ax, thresholds.points),
        _passage_grid(found),
        175.0,
    )


def _passage_grid(found: Assessment) -> Grid:
    """The probability of each threshold by some dates, and how often it was reached so far."""
    thresholds = found.thresholds
    assert not isinstance(thresholds, Withheld)
    passage = thresholds.passage.iloc[: found.within]
    step = max(1, -(-len(passage) // SHOWN_DATES))
    shown = list(range((len(passage) - 1) % step, len(passage), step))
    over = thresholds.points[0].over
    window = "a" if over == 1 else f"{over}"
    past = times_reached(found.series, thresholds, over)
    rows = []
    for point in sorted(thresholds.points, key=lambda one: one.at_least):
        probabilities = passage[point.at_least].iloc[shown]
        cells = ["-" if np.isnan(one) else probability_text(float(one)) for one in probabilities]
        reached = past.loc[point.at_least]
        error = f"{point.mc_error:.2g}"
        rows.append([f"{point.at_least:,} or more", f"{reached['reached']:,} of {reached['windows']:,}", *cells, error])
    ends = [str(pd.PeriodIndex(passage.index)[at].end_time.date()) for at in shown]
    headers = [f"{window} {period_word(found.freq, over)} of", "so far", *(f"by {end}" for end in ends), "MC error"]
    return Grid(headers, rows, (0,), (0.0, 52.0, *[50.0] * len(ends), 40.0))


def _coverage(main: SeriesAnswers) -> str:
    """How much is spoken of, or how good the table is."""
    found = given(main)
    if found.reconstruction is not None:
        return found.reconstruction.spoken_sentence()
    if found.source is not None and found.source.quality is not None:
        return found.source.quality.sentence()
    return f"The counts were given as they are, {len(found.series.counts)} periods of them."


ELSEWHERE = (
    "Twelve months ahead: of 136 totals of 52 weeks, in 20 real series of conflict events, 90% intervals of this model "
    "held 92% (90% interval 89% to 95%); they are as wide as such totals are uncertain."
)
"""What ``benchmarks/year_ahead.py`` measured."""


def _record(found: Assessment) -> str:
    """How past forecasts of this series fared, by lead, and those of other series twelve months ahead."""
    alike = found.year and found.freq.startswith("W") and found.options.model == DEFAULT
    return " ".join([_own_record(found), *([ELSEWHERE] if alike else [])])


def _own_record(found: Assessment) -> str:
    record = found.record
    if isinstance(record, Withheld):
        return f"There is none: {record.reason}; escalation backtest makes one."
    table, name = record.table(), found.options.model
    origins = record.scores["origin"].nunique()
    if name not in table.index:
        return f"{origins} past dates were scored, but not the {spaced(name)} model, which answers here."
    own, most = table.loc[name].to_dict(), int(record.scores["step"].max())
    text = (
        f"From {origins} past dates, 1 to {most} {period_word(found.freq, most)} ahead, its 90% intervals held "
        f"{own['coverage_90%']:.0%} of what came; CRPS {number(own['crps'])}."
    )
    if "climatology" not in table.index or origins < 8:
        return text
    row = record.compare("climatology", rng=0).loc[name]
    return (
        f"{text} Less that of climatology (draws from the past) the CRPS is {row['difference']:+.2g} (95% interval "
        f"{row['lower']:+.2g} to {row['upper']:+.2g}): {row['verdict']}."
    )


def _sources(series: Sequence[SeriesAnswers]) -> Iterator[list[str]]:
    for one in series:
        found = one.assessment
        if isinstance(found, Withheld) or found.reconstruction is None:
            continue
        used = found.reconstruction.tallies[found.reconstruction.tallies["used"]]
        yield [one.title, f"{len(used):,}", f"{used['source'].nunique():,}"]


METHOD = (
    "Reported counts are taken together: each allows for its hedge, and what they leave open becomes many equally "
    "plausible histories, over all of which every number is computed.",
    "The rate may be steady, grow, drift, jump or return to a usual level; some two hundred such structures are "
    "weighed by how well they predict the counts, and none is chosen.",
    "A probability is the share of simulated futures in which it comes to pass; each future is followed as a whole.",
    "They say how often, not why: a change after an event is no evidence that the event caused it.",
    "Forecasts carry on what was seen. A ceasefire, an election or a war that is not in the counts is not in them, and "
    "no interval allows for the model itself being wrong.",
    "They are totals over wide areas, and no basis for decisions about the safety of a person or a place.",
)
"""Method and limits."""


def method_lines(main: SeriesAnswers) -> list[str]:
    """Method and limits, as far as they are of this case, and what was found of the calendars that were asked for."""
    found = given(main)
    effects = [one.sentence() for one in effects_of_calendars(found.outlook, found.options)]
    other = "" if isinstance(found.outlook, Withheld) else found.outlook.other_model()
    return [*(METHOD if found.reconstruction is not None else METHOD[1:]), *([other] if other else []), *effects]
