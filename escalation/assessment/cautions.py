"""What the reader of an assessment should keep in mind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.analysis.trend.influence import Carrier
from escalation.analysis.trend.rate_change import RateChange
from escalation.assessment.gate import HALF, recent_share
from escalation.assessment.outlook import Outlook, far_beyond
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld
from escalation.counts.periods import date_span, period_word
from escalation.counts.series import CountSeries
from escalation.tallies.printed import least_known
from escalation.tallies.reconstruct import Reconstruction

FEW_TALLIES = 5
"""With so few tallies, or so few that end in the recent window, the reader is warned."""

SAID_HERE = ("(R-hat", "rates and fits allow for it")
"""Notes for who calls the functions; this module says the same to who reads the answers."""
CEILINGS, FLOORS = ("at_most", "up_to"), ("at_least", "more_than")
"""Qualifiers of counts that bound what there was from one side."""
WIDE = 0.25
"""Width of the 90% interval of a total, relative to its median, from which on tallies leave it open."""


def find_cautions(
    series: CountSeries,
    recent: pd.PeriodIndex,
    rate: RateChange | Withheld,
    carrier: Carrier | Withheld,
    outlook: Outlook | Withheld,
    within: int,
) -> tuple[str, ...]:
    """Say what the reader of an assessment should keep in mind, in plain sentences.

    What the readers warned of, a direction that hangs on one tally, day or period, days after the last tally, a thin
    reconstruction or one that did not converge, periods covered in part, and models that failed or did not converge.
    """
    reconstruction = series.reconstruction if isinstance(series, SourceSeries) else None
    said = _about_bounds(reconstruction) + _about_baseline(series, rate)
    said += [] if isinstance(carrier, Withheld) or carrier.carried_by is None else [carrier.sentence()]
    notes = series.notes if isinstance(series, SourceSeries) else ()
    said += [_sentence(note) for note in notes if not any(known in note for known in SAID_HERE)]
    if reconstruction is not None:
        span = rate.recent.span() if isinstance(rate, RateChange) else date_span(recent[0], recent[-1])
        said += _about_reconstruction(reconstruction, recent, span)
    said += _about_rate(rate) + _about_coverage(series.exposure) + _about_models(outlook, within)
    return tuple(dict.fromkeys(said))


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith(".") else ".")


def _about_reconstruction(reconstruction: Reconstruction, recent: pd.PeriodIndex, span: str) -> list[str]:
    said = []
    used = reconstruction.tallies[reconstruction.tallies["used"]]
    ending = int(used["end"].between(recent[0].start_time, recent[-1].end_time).sum())
    if len(used) <= FEW_TALLIES:
        said.append(f"The counts rest on {_tallies(len(used))}.")
    elif ending <= FEW_TALLIES and _is_wide(reconstruction, recent):
        few = (
            "No tally ends"
            if ending == 0
            else f"Only {ending} of {len(used)} tallies {'ends' if ending == 1 else 'end'}"
        )
        said.append(f"{few} in {span}, so the counts of that window are uncertain.")
    last, end = reconstruction.last_known_day, pd.Timestamp(reconstruction.daily.index[-1].start_time)
    days = (end - last).days
    if days > 0:
        said.append(
            f"No tally speaks of the {days} {period_word('D', days)} after {last.date()}; the counts from then to "
            f"{end.date()} are extrapolated."
        )
    weak = least_known(reconstruction)
    if weak and (not reconstruction.converged or (ending <= FEW_TALLIES and _is_wide(reconstruction, recent))):
        said.append(weak)
    if not reconstruction.converged:
        said.append(
            f"The reconstruction did not converge (R-hat {reconstruction.rhat:.3f}, effective sample size "
            f"{reconstruction.ess:.0f}): its intervals may be too narrow or too wide."
        )
    return said


def _about_bounds(reconstruction: Reconstruction | None) -> list[str]:
    """What counts mean of which only floors, or only ceilings, were printed."""
    if reconstruction is None:
        return []
    used = reconstruction.tallies.loc[reconstruction.tallies["used"], "qualifier"]
    if used.isin(CEILINGS).all():
        return [
            "Only ceilings speak of these days: there may have been none at all, and how far below the ceilings the "
            "counts lie is assumed, not known."
        ]
    if used.isin(FLOORS).all():
        return [
            "Only floors speak of these days (at least so many): the counts are the least that there was, and how far "
            "above the floors they lie is assumed, not known."
        ]
    return []


def _about_baseline(series: CountSeries, rate: RateChange | Withheld) -> list[str]:
    """That the earlier window was hardly reported on, so that its rate comes from the days around what is known."""
    if isinstance(rate, Withheld):
        return []
    window = rate.baseline
    share = recent_share(series, pd.period_range(window.first, window.last, freq=series.freq))
    if share >= HALF:
        return []
    return [
        f"Of the earlier window ({window.span()}) {share:.0%} of the days are spoken of: its rate, and so the change "
        "since then, is mostly interpolated."
    ]


def _is_wide(reconstruction: Reconstruction, recent: pd.PeriodIndex) -> bool:
    """Whether the tallies leave the total of the recent window open."""
    histories = reconstruction.histories
    totals = histories.loc[histories.index.intersection(recent)].sum().to_numpy(dtype=float)
    low, middle, high = np.quantile(totals, [0.05, 0.5, 0.95])
    return bool(high - low > max(2.0, WIDE * middle))


def _tallies(number: int) -> str:
    return f"{number} {'tally' if number == 1 else 'tallies'}"


def _about_rate(rate: RateChange | Withheld) -> list[str]:
    if isinstance(rate, Withheld):
        return [f"The rates are not compared: {rate.reason}."]
    if rate.carried_by is None:
        return []
    word = period_word(rate.carried_by.freqstr)
    return [f"The direction of the rate hangs on a single {word}, {date_span(rate.carried_by)}."]


def _about_coverage(exposure: pd.Series) -> list[str]:
    part = exposure[(exposure > 0) & (exposure < 1)]
    listed = ", ".join(
        f"{date_span(period)} ({share:.0%})" for period, share in zip(pd.PeriodIndex(part.index), part, strict=True)
    )
    if part.empty:
        return []
    word = period_word(pd.PeriodIndex(part.index).freqstr, len(part))
    return [f"Covered in part: the {word} {listed}; rates and forecasts allow for it."]


def _about_models(outlook: Outlook | Withheld, within: int) -> list[str]:
    if isinstance(outlook, Withheld):
        return [f"There is no forecast: {outlook.reason}."]
    beyond = far_beyond(outlook.forecast, within).removeprefix("Caution: ")
    said = [beyond[:1].upper() + beyond[1:]] if beyond else []
    said += [outlook.other_model()] if outlook.other_model() else []
    said += [f"{_called(name)} was not fitted: {why}." for name, why in outlook.failed.items()]
    not_converged = [name for name, fit in outlook.fits.items() if not fit.converged]
    return said + [f"{_called(name)} did not converge: treat its forecast with care." for name in not_converged]


def _called(name: str) -> str:
    return f"The model {name.replace('_', ' ')}"
