"""The scores of one forecast: of its paths against what came."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.counts.schema import check_counts, count_matrix, is_histories
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import InputError
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.flashpoint_windows import came, threshold_of, windows
from escalation.forecasts.forecast import Forecast
from escalation.scores import cdf_pair, coverage, crps, interval_score, log_score_draws

WHOLE = 1 - 1e-9
"""Periods with a smaller exposure were covered in part."""
LEVELS = (0.5, 0.9)
"""Central intervals whose coverage is kept."""
RECENT = 4
"""Latest counts known at an origin whose mean is kept."""


def recent_level(known: pd.Series | pd.DataFrame) -> float:
    """Mean of the latest counts, or histories, that were observed; NaN where none was."""
    observed = count_matrix(known)
    latest = observed[~np.isnan(observed).all(axis=1)][-RECENT:]
    return float(np.nanmean(latest)) if len(latest) else np.nan


def score_paths(paths: NDArray[np.int64], truth: FloatArray, thresholds: tuple[int, ...]) -> dict[str, FloatArray]:
    """Score draws of several steps against what came.

    Parameters
    ----------
    paths : (draws, steps) int array
        The forecast.
    truth : (histories, steps) float array
        What came; several rows where that is not known exactly; NaN where not observed.
    thresholds : tuple of int
        Counts whose probability of being reached is kept.

    Returns
    -------
    dict of (histories, steps) float array
        NaN where not observed.
    """
    steps = np.ascontiguousarray(paths.T, dtype=np.float64)
    shape = truth.shape
    draws = np.broadcast_to(steps, (*shape, steps.shape[-1]))
    below, upto = cdf_pair(draws, truth)
    kept: dict[str, FloatArray] = {
        "crps": crps(draws, truth),
        "crps_log1p": crps(draws, truth, scale="log1p"),
        "log_score": log_score_draws(draws, truth),
        "cdf_below": below,
        "cdf": upto,
        "mean": np.broadcast_to(steps.mean(axis=1), shape),
        "median": np.broadcast_to(np.median(steps, axis=1), shape),
    }
    for level in LEVELS:
        kept[f"interval_score_{level:.0%}"] = interval_score(draws, truth, level=level)
        kept[f"inside_{level:.0%}"] = coverage(draws, truth, level=level)
    for threshold in thresholds:
        kept[f"reaches_{threshold}"] = np.broadcast_to((steps >= threshold).mean(axis=1), shape)
    return kept


def score_passages(
    forecast: Forecast | None, gap: int, past: FloatArray, truth: FloatArray, definitions: tuple[Flashpoint, ...]
) -> dict[str, FloatArray]:
    """Probability that each definition has come to pass by each step, whether it had, and the Brier score.

    Parameters
    ----------
    forecast : Forecast or None
        Of the steps, and of ``gap`` periods before the origin that were not known yet; None if there is none.
    gap : int
        How many.
    past : (histories, n) float array
        What was up to the origin, as it is known now: thresholds of what came follow from it.
    truth : (histories, steps) float array
        What came, NaN where not observed.
    definitions : tuple of Flashpoint
        Flashpoints whose probability is scored.

    Returns
    -------
    dict of (histories, steps) float array
        ``passes_<name>``, ``passed_<name>`` and ``brier_<name>``; NaN where not known.
    """
    kept: dict[str, FloatArray] = {}
    for definition in definitions:
        probability = happened = np.full(truth.shape, np.nan)
        if forecast is not None:
            freq = str(forecast.periods.freqstr)
            before, paths = forecast.series_observed, forecast.series_paths
            if gap:
                before, paths = np.concatenate([before, paths[:, :gap]], axis=1), paths[:, gap:]
            over = definition.over(freq)
            least, least_then = threshold_of(definition, before, freq), threshold_of(definition, past, freq)
            if least is not None:
                passed = np.logical_or.accumulate(windows(before, paths, least, over)[1], axis=1)
                probability = np.broadcast_to(passed.mean(axis=0), truth.shape)
            if least_then is not None:
                happened = came(past, truth, least_then, over)
        kept[f"passes_{definition.name}"], kept[f"passed_{definition.name}"] = probability, happened
        kept[f"brier_{definition.name}"] = (probability - happened) ** 2
    return kept


def score_forecast(forecast: Forecast, counts: CountsLike, *, exposure: pd.Series | None = None) -> pd.DataFrame:
    """Score a forecast against the counts that came since.

    Parameters
    ----------
    forecast : Forecast
        What was forecast, perhaps long ago; see :meth:`Forecast.load`.
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts or histories that cover at least one of its periods.
    exposure : pandas.Series, optional
        Share of each period that was covered; what the series brings, or all 1, when left out.  Periods covered in
        part are left out, because forecasts are of whole ones.

    Returns
    -------
    pandas.DataFrame
        One row for each period of the forecast that was observed since: ``step``, ``observed`` (of histories the
        median), ``mean``, ``median``, ``obs_pi_lower`` and ``obs_pi_upper`` (90%) of the forecast, and its scores as in
        :attr:`Backtest.scores`, of histories their means.

    Raises
    ------
    InputError
        If the counts have other periods, or none that was forecast.

    Examples
    --------
    >>> weeks = pd.period_range("2024-12-02", periods=2, freq="W-SUN")
    >>> forecast = Forecast.of_series(np.array([[1, 2], [3, 4]]), weeks, np.ones((2, 5)), "example")
    >>> score_forecast(forecast, pd.Series([2, 9], index=weeks))["crps"].tolist()
    [0.5, 5.5]
    """
    counts, exposure, _ = unpack_counts(counts, exposure)
    table = check_counts(counts)
    index = pd.PeriodIndex(table.index)
    if index.freqstr != forecast.periods.freqstr:
        raise InputError(
            f"the counts are by {index.freqstr}, the forecast by {forecast.periods.freqstr}; count by the same periods"
        )
    if isinstance(table, pd.DataFrame) and not is_histories(table):
        raise InputError("a forecast of one series is scored against one series or its histories; choose a unit")
    known = pd.DataFrame(table).reindex(forecast.periods)
    truth = count_matrix(known).T
    if exposure is not None:
        partly = exposure.reindex(forecast.periods).fillna(0.0).to_numpy(dtype=float) < WHOLE
        truth = np.where(partly, np.nan, truth)
    seen = ~np.isnan(truth).all(axis=0)
    if not seen.any():
        raise InputError(
            f"no whole period of the forecast, {forecast.periods[0]} to {forecast.periods[-1]}, was observed since; "
            f"the counts end with {index[-1]}"
        )
    scores = score_paths(forecast.series_paths[:, seen], truth[:, seen], ())
    frame = forecast.summary_frame()[seen].assign(
        step=1 + np.flatnonzero(seen), observed=np.median(truth[:, seen], axis=0)
    )
    names = [name for name in scores if name not in ("mean", "median")]
    return frame.assign(**{name: scores[name].mean(axis=0) for name in names})
