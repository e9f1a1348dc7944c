"""The pages on growth, changes of the rate, alarms and regimes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from escalation.analysis.alarms.alarms import Alarms
from escalation.analysis.trend.influence import Carrier
from escalation.analysis.trend.rate_change import SAID
from escalation.assessment.result import Assessment
from escalation.assessment.watching import ALARM, ALARM_DRAWS
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import capital, percent, probability_text
from escalation.counts.periods import period_word
from escalation.plots.growth_charts import draw_growth
from escalation.plots.text import day_text, period_text
from escalation.plots.trend_charts import figure_text, total_text
from escalation.plots.watching_charts import draw_alarms, draw_change_probability, draw_levels, draw_regimes
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import interval_cells, plain_dates

SHOWN_ALARMS = 8
"""The last alarms of a table."""
BIC_SAYS_LITTLE = 2.0
"""Smaller differences of BIC distinguish nothing (Kass & Raftery 1995, doi:10.1080/01621459.1995.10476572)."""


def set_growth(paper: Paper, assessment: Assessment) -> None:
    """Set the growth over the last periods, where it is known, and what carries the change of the rate."""
    risen, carrier, word = assessment.growth, assessment.carrier, period_word(assessment.freq)
    if isinstance(risen, Withheld):
        return
    paper.new_page()
    paper.heading("How fast is it growing?")
    paper.paragraph(plain_dates(risen.sentence()))
    draw_growth(assessment.series.counts, risen, paper.axes(270.0), unit=assessment.series.unit)
    rows = [
        [
            f"Growth per {word}",
            f"{percent(risen.growth)} ({risen.level:.0%} interval {percent(risen.lower)} to {percent(risen.upper)})",
        ],
        ["Doubling or halving", risen.doubling()],
        ["Probability that the rate rises", probability_text(risen.probability_rising)],
        [f"{capital(assessment.series.unit)} counted", f"{total_text(risen.total)} in {risen.observed:,} {word}s"],
        ["Dispersion (variance = mean + dispersion x mean squared)", figure_text(risen.dispersion)],
    ]
    columns = [TableColumn("Over the window"), TableColumn("", 270.0)]
    paper.table(columns, rows)
    said = max(risen.probability_rising, 1 - risen.probability_rising) >= SAID
    if carrier or said:
        paper.heading("Could it be a single bulletin or day?", size=10.0)
    if isinstance(carrier, Carrier):
        paper.paragraph(plain_dates(carrier.sentence()) + ("" if carrier.left_out.empty else _how(carrier.kind)))
        _set_without(paper, carrier)
    if risen.carried_by is not None and risen.probability_without is not None:
        paper.paragraph(
            f"The growth hangs on a single {word}, {period_text(risen.carried_by)}: without it the probability of a "
            f"rise is {probability_text(risen.probability_without)}."
        )
    elif said:
        paper.paragraph(f"The growth hangs on no single {word}: it keeps its direction when any one is left out.")
    paper.paragraph(
        "The growth is the slope of a line through the logs of the underlying rates over the window, which are those "
        "of the model that forecasts. A line through a step or a single peak has a slope too; the page on changes is "
        f"about steps. {assessment.growth_now.sentence()}"
    )


def _how(kind: str) -> str:
    if kind == "day":
        return " A day that is left out counts as not covered."
    return (
        " The histories were drawn again without what was printed of that window, by shorter chains; a late bulletin "
        "that catches up is not a surge."
    )


def _set_without(paper: Paper, carrier: Carrier) -> None:
    if carrier.left_out.empty:
        return
    what = "Tally left out" if carrier.kind == "tally" else "Day left out"
    unusual, higher = (
        carrier.left_out[name].map(lambda one: "" if np.isnan(one) else probability_text(one))
        for name in ("probability_unusual", "probability_higher")
    )
    paper.table(
        [
            TableColumn(what, cells=map(plain_dates, carrier.without())),
            number_column("Ratio without it", 60.0, carrier.left_out["ratio"].map(figure_text)),
            number_column("Probability of an unusual rise", 90.0, unusual),
            number_column("of a higher rate", 60.0, higher),
        ]
    )


def set_changes(paper: Paper, assessment: Assessment) -> None:
    """Set when the rate changed, and how many changes counts without dispersion would be said to have."""
    found, other = assessment.changes, assessment.poisson_changes
    if isinstance(found, Withheld) or isinstance(other, Withheld):
        return
    paper.new_page()
    paper.heading("When did the rate change?")
    paper.paragraph(plain_dates(found.sentence()))
    draw_levels(assessment.series.counts, found, paper.axes(240.0))
    draw_change_probability(found, paper.axes(140.0))
    table, word = found.changes, period_word(assessment.freq)
    if len(table):
        spans = zip(table["earliest"], table["latest"], strict=True)
        dates = [_first(one) if one == other else f"{_first(one)} to {_first(other)}" for one, other in spans]
        ends = interval_cells(table, "rate_after_lower", "rate_after_upper")
        paper.table(
            [
                TableColumn(f"New rate from the {word} of", cells=table["date"].map(_first)),
                TableColumn(f"{found.level:.0%} interval of the date", 130.0, cells=dates),
                number_column(f"Rate per {word} before", 70.0, table["rate_before"].map(figure_text)),
                number_column("after", 50.0, table["rate_after"].map(figure_text)),
                number_column(f"{found.level:.0%} interval", 80.0, ends),
            ]
        )
    numbers = ", ".join(
        f"{number}: {probability_text(float(probability))}"
        for number, probability in found.number.items()
        if probability >= 0.01
    )
    paper.paragraph(f"Probability of each number of changes: {numbers}.")
    paper.paragraph(
        f"Could it be scatter alone? Without overdispersion (Poisson counts) {len(other.changes)} "
        f"{'change is' if len(other.changes) == 1 else 'changes are'} likeliest; with it (dispersion "
        f"{figure_text(found.dispersion)}) {len(found.changes)}, and none at all has probability "
        f"{probability_text(float(found.number.iloc[0]))}. Rates are taken as constant between changes; that the rate "
        "fluctuates or drifts, neighbouring periods being alike, is the alternative without a change, with probability "
        f"{probability_text(found.fluctuates)}. The sum over all numbers and places of changes is exact."
    )


def _first(period: pd.Period) -> str:
    return day_text(period.start_time)


def set_alarms(paper: Paper, assessment: Assessment) -> None:
    """Set the alarms of a surveillance method, and what it raises while nothing changes."""
    found, word = assessment.alarms, period_word(assessment.freq)
    if isinstance(found, Withheld):
        return
    paper.new_page()
    paper.heading(f"Which {word}s stand out?")
    paper.paragraph(plain_dates(found.sentence()))
    draw_alarms(found, paper.axes(280.0), assessment.series.counts, level=assessment.level)
    raised = found.judged[found.judged["alarm"] >= 0.5].tail(SHOWN_ALARMS)
    if len(raised):
        probabilities = [probability_text(one) if found.histories > 1 else "certain" for one in raised["alarm"]]
        paper.table(
            [
                TableColumn(capital(word), cells=map(period_text, pd.PeriodIndex(raised.index))),
                number_column("Counted (mean)", 80.0, raised["observed"].map(figure_text)),
                number_column("Expected", 70.0, raised["expected"].map(figure_text)),
                number_column("Bound", 70.0, raised["upper"].map(figure_text)),
                number_column("Probability of an alarm", 110.0, probabilities),
            ]
        )
    for text in _false(assessment, found):
        paper.paragraph(text)


def _false(assessment: Assessment, found: Alarms) -> Iterator[str]:
    """Say what the method raises while nothing changes, and how it judges."""
    cost, word = assessment.false_alarms, period_word(assessment.freq)
    ahead = (
        f"An alarm says that the count of one {word} is unusual beside those before it, not that the underlying rate "
        "is higher, or will stay high."
    )
    if isinstance(cost, Withheld):
        yield f"{cost.sentence()} {ahead}"
        return
    judged = int(found.judged["alarm"].notna().sum())
    expected = cost.per_year * judged / {"D": 365, "W": 52, "M": 12}[assessment.freq[0]]
    yield (
        f"Could they be false? {cost.sentence()} In {judged} judged {word}s that is {figure_text(expected)}, against "
        f"{len(found.periods)} seen. {ahead}"
    )
    judges = f"{found.method.label} judges each {word} by the seven before the last two; t"
    yield (
        f"{judges if assessment.options.alarm == ALARM else 'T'}he false alarms were counted in {ALARM_DRAWS} series "
        "drawn from a constant rate with the scatter of this one."
    )


def set_regime(paper: Paper, assessment: Assessment) -> None:
    """Set the regime of the last period, those of all periods, and whether one rate would say it as well."""
    found = assessment.regimes
    if isinstance(found, Withheld):
        return
    numbers = found.numbers
    paper.new_page()
    paper.heading("Which regime is it in?")
    paper.paragraph(plain_dates(found.sentence()))
    series = assessment.series
    draw_regimes(
        series.counts,
        found.probabilities,
        paper.axes(230.0),
        paper.axes(130.0),
        unit=series.unit,
        level=assessment.level,
    )
    paper.table(
        [
            TableColumn("Regimes", cells=map(str, numbers.index)),
            TableColumn(f"Rates per {period_word(assessment.freq)}", 130.0, cells=numbers["rates"]),
            number_column("Log-likelihood", 80.0, numbers["log_likelihood"].map("{:.1f}".format)),
            number_column("Parameters", 70.0, numbers["parameters"].map(str)),
            number_column("BIC", 60.0, numbers["bic"].map("{:.1f}".format)),
        ]
    )
    paper.paragraph(f"Could it be one rate? {_one_rate(numbers, found.drifting_bic)}")
    paper.paragraph(
        "A regime is a name for a rate that lasts, found in the counts and nowhere else. The smaller BIC the better: a "
        "difference below 2 says little, one above 10 much (Kass & Raftery 1995), and for the number of regimes it "
        "errs towards too few."
    )


def _one_rate(numbers: pd.DataFrame, drifting: float | None) -> str:
    """Hold two regimes against one rate with scatter, and against one that drifts."""
    one, two = (float(numbers["bic"].loc[states]) for states in (1, 2))
    best = int(numbers.index[int(numbers["bic"].argmin())])
    said = [f"One constant rate with scatter has a BIC {_beside(one, two)} that of two regimes."]
    if drifting is not None:
        said.append(f"One rate that drifts (a local level) has a BIC {_beside(drifting, two)} it.")
    rivals = [one] if drifting is None else [one, drifting]
    if min(rivals) <= two:
        said.append("The counts do not need regimes: read the probability above as if there were two.")
    elif min(rivals) - two < BIC_SAYS_LITTLE:
        said.append("Regimes and one rate are not distinguishable.")
    if best not in (1, 2):
        said.append(f"By BIC {best} regimes describe the counts best; the page shows two.")
    return " ".join(said)


def _beside(bic: float, other: float) -> str:
    return f"{abs(bic - other):.1f} {'above' if bic >= other else 'below'}"
