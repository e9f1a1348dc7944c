"""What puts an assessment into context: cautions, the other models, how often a threshold was reached."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.assessment import Assessment
from escalation.counts import count_matrix
from escalation.periods import period_word
from escalation.tallies.reconstruct import Reconstruction

FEW_TALLIES = 5
"""With so few tallies, or so few that end in the recent window, the reader is told."""

SAID_HERE = ("did not settle (R-hat", "pass exposure=")
"""Notes for who calls the functions; this module says the same to who reads the answers."""


def cautions(assessment: Assessment) -> list[str]:
    """Say what the reader of an assessment should keep in mind, in plain sentences.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`.

    Returns
    -------
    list of str
        What the readers warned of, days after the last tally, a thin or unsettled reconstruction, a direction that
        hangs on one period, periods covered in part, and models that failed or did not settle.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> days = pd.period_range("2024-01-01", periods=8, freq="D")
    >>> counts, shares = pd.Series([1, 0, 2, 1, 0, 1, 3, 0], index=days), pd.Series(1.0, index=days)
    >>> series = escalation.CountedSeries(counts, shares, "raids", "raids", "", "", None, ("Two rows have no date",))
    >>> cautions(escalation.assess(series, models=[], model="climatology", rng=1))
    ['Two rows have no date.']
    """
    series = assessment.series
    said = [_sentence(note) for note in series.notes if not any(known in note for known in SAID_HERE)]
    if series.reconstruction is not None:
        said += _about_reconstruction(series.reconstruction, assessment)
    said += _about_change(assessment) + _about_coverage(series.exposure) + _about_models(assessment)
    return list(dict.fromkeys(said))


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith(".") else ".")


def _about_reconstruction(reconstruction: Reconstruction, assessment: Assessment) -> list[str]:
    said = []
    used = reconstruction.tallies[reconstruction.tallies["used"]]
    recent = assessment.change.recent
    ending = int(used["end"].between(recent.first.start_time, recent.last.end_time).sum())
    if len(used) <= FEW_TALLIES:
        said.append(f"The counts rest on {_tallies(len(used))}.")
    elif ending <= FEW_TALLIES:
        few = (
            "No tally ends"
            if ending == 0
            else f"Only {ending} of {len(used)} tallies {'ends' if ending == 1 else 'end'}"
        )
        said.append(f"{few} in {recent.span()}, so the counts of that window are uncertain.")
    last, end = reconstruction.last_known_day, pd.Timestamp(reconstruction.daily.index[-1].start_time)
    days = (end - last).days
    if days > 0:
        said.append(
            f"No tally speaks of the {days} {period_word('D', days)} after {last.date()}; the counts from then to "
            f"{end.date()} are extrapolated."
        )
    if not reconstruction.converged:
        said.append(
            f"The reconstruction did not settle (R-hat {reconstruction.rhat:.3f}, effective sample size "
            f"{reconstruction.ess:.0f}): its intervals may be too narrow or too wide."
        )
    return said


def _tallies(number: int) -> str:
    return f"{number} {'tally' if number == 1 else 'tallies'}"


def _about_change(assessment: Assessment) -> list[str]:
    change = assessment.change
    if change.carried_by is None:
        return []
    word = period_word(assessment.freq)
    return [f"The direction of the rate hangs on a single {word}, {_days(change.carried_by)}."]


def _days(period: pd.Period) -> str:
    first, last = period.start_time.date(), period.end_time.date()
    return f"{first}" if first == last else f"{first} to {last}"


def _about_coverage(exposure: pd.Series) -> list[str]:
    part = exposure[(exposure > 0) & (exposure < 1)]
    listed = ", ".join(
        f"{_days(period)} ({share:.0%})" for period, share in zip(pd.PeriodIndex(part.index), part, strict=True)
    )
    if part.empty:
        return []
    word = period_word(pd.PeriodIndex(part.index).freqstr, len(part))
    return [f"Covered in part: the {word} {listed}; rates and forecasts allow for it."]


def _about_models(assessment: Assessment) -> list[str]:
    said = [f"{_called(name)} was not fitted: {why}." for name, why in assessment.failed.items()]
    unsettled = [name for name, fit in assessment.fits.items() if not fit.converged]
    return said + [f"{_called(name)} did not settle: treat its forecast with care." for name in unsettled]


def _called(name: str) -> str:
    return f"The model {name.replace('_', ' ')}"


def model_totals(assessment: Assessment) -> pd.DataFrame:
    """What each model expects in the first period, and in all up to the chosen horizon.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`.

    Returns
    -------
    pandas.DataFrame
        Indexed by model; columns ``first``, ``first_lower``, ``first_upper``, ``total``, ``total_lower`` and
        ``total_upper``: medians and prediction intervals at the assessment's level.
    """
    probs = [0.5, (1 - assessment.level) / 2, (1 + assessment.level) / 2]
    rows = {}
    for name, forecast in assessment.forecasts.items():
        paths = forecast.series_paths
        first, total = paths[:, 0], paths[:, : assessment.within].sum(axis=1)
        rows[name] = np.concatenate([np.quantile(paths, probs, method="inverted_cdf") for paths in (first, total)])
    columns = ["first", "first_lower", "first_upper", "total", "total_lower", "total_upper"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(np.int64).rename_axis("model")


def times_reached(assessment: Assessment) -> pd.DataFrame:
    """How many windows so far reached each threshold.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`.

    Returns
    -------
    pandas.DataFrame
        Indexed by threshold, as ``assessment.passage``; ``windows`` of ``over`` observed periods there were, and
        ``reached`` of them (the median over the histories).
    """
    table = pd.DataFrame(count_matrix(assessment.series.counts)).rolling(assessment.over).sum()
    windows = int(table.iloc[:, 0].notna().sum())
    reached = {at_least: int(np.median((table >= at_least).sum())) for at_least in assessment.passage.columns}
    frame = pd.DataFrame({"windows": windows, "reached": pd.Series(reached)})
    return frame.rename_axis("at_least")
