"""Scores of point forecasts that conflict forecasters report."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_given, as_numbers, as_one_shape, as_scale

TADDA_EPSILON = 0.048
"""Changes of ln(1 + fatalities) up to this (5%) are none to TADDA."""


def msle(forecast: ArrayLike, y: ArrayLike) -> FloatArray:
    r"""Squared error on the log scale, :math:`(\ln(1 + f) - \ln(1 + y))^2`; its mean is the MSLE.

    Parameters
    ----------
    forecast : (...) array
        Point forecasts, >= 0.  The one that is best here is exp(E ln(1 + Y)) - 1, not the mean.
    y : (...) array
        What was observed, >= 0.

    Returns
    -------
    (...) float array
        Scores >= 0, smaller is better; NaN where a value is NaN.

    Raises
    ------
    InputError
        If a value is negative or shapes do not belong together.

    Examples
    --------
    >>> msle([0, 9], [0, 99]).round(4).tolist()  # ln(10)^2
    [0.0, 5.3019]
    """
    (expected, seen), shape = as_one_shape(
        as_scale(as_numbers(forecast, "forecast"), "log1p", "forecast"), as_scale(as_numbers(y, "y"), "log1p", "y")
    )
    return as_given((expected - seen) ** 2, shape)


def mean_calibration_ratio(forecast: ArrayLike, y: ArrayLike) -> float:
    """Mean forecast by mean observation (MCR of VIEWS) over the cells that were observed.

    Parameters
    ----------
    forecast : (...) array
        Mean forecasts.
    y : (...) array
        What was observed; a cell whose y is NaN is left out.

    Returns
    -------
    float
        1 where forecasts are right on average, above 1 where they are too high; NaN where all observations are 0
        or NaN, or an observed cell has no forecast.

    Raises
    ------
    InputError
        If shapes do not belong together or a value is infinite.

    Examples
    --------
    >>> mean_calibration_ratio([2, 4], [1, 3])
    1.5
    """
    (expected, seen), _ = as_one_shape(as_numbers(forecast, "forecast"), as_numbers(y, "y"))
    known = ~np.isnan(seen)
    total = seen[known].sum()
    return float(expected[known].sum() / total) if total != 0 else float("nan")


def tadda1(forecast: ArrayLike, y: ArrayLike, *, epsilon: float = TADDA_EPSILON) -> FloatArray:
    r"""Targeted absolute distance with direction augmentation, first form.

    .. math:: \text{TADDA1} = |y - f| + \begin{cases}
       |f - \epsilon| & y < -\epsilon, f > \epsilon \\ |f + \epsilon| & y > \epsilon, f < -\epsilon \\ 0 & \text{else}
       \end{cases}

    **Do not optimise it, nor rank forecasts by it.**  It is not proper: it rewards forecasts that are pulled
    towards no change, and no change beat every entry of the VIEWS competition of 2020/21 under it (Bracher et al.
    2023, doi:10.1080/03050629.2023.2255923).  It is here to compare with published figures; for a decision take the
    CRPS of draws of the change and the Brier score of P(change > 0).

    Parameters
    ----------
    forecast : (...) array
        Point forecasts f of the change of ln(1 + fatalities) since the last observed month.
    y : (...) array
        The change that was observed.
    epsilon : float
        Changes up to this are none, >= 0; VIEWS has 0.048.

    Returns
    -------
    (...) float array
        Scores >= 0, smaller is better; NaN where a value is NaN.

    Raises
    ------
    InputError
        If epsilon is negative or shapes do not belong together.

    Notes
    -----
    Vesco et al. 2022 (doi:10.1080/03050629.2022.2029856).

    Examples
    --------
    A rise forecast as a fall of 0.5 costs the distance of 1.5 and another 0.452.

    >>> tadda1([0.5, -0.5], [1, 1]).round(3).tolist()
    [0.5, 1.952]
    """
    (f, seen), shape = _changes(forecast, y, epsilon)
    fall, rise = seen < -epsilon, seen > epsilon
    extra = np.where(fall & (f > epsilon), np.abs(f - epsilon), 0.0)
    extra += np.where(rise & (f < -epsilon), np.abs(f + epsilon), 0.0)
    return as_given(np.abs(seen - f) + extra, shape)


def tadda2(forecast: ArrayLike, y: ArrayLike, *, epsilon: float = TADDA_EPSILON) -> FloatArray:
    r"""Targeted absolute distance with direction augmentation, second form: no change is a direction of its own.

    .. math:: \text{TADDA2} = |y - f| + \begin{cases}
       |f + \epsilon| & y < -\epsilon, f \ge -\epsilon \\ |f + \epsilon| & |y| \le \epsilon, f < -\epsilon \\
       |f - \epsilon| & |y| \le \epsilon, f > \epsilon \\ |f - \epsilon| & y > \epsilon, f \le \epsilon \\
       0 & \text{else} \end{cases}

    **Do not optimise it, nor rank forecasts by it**: see :func:`tadda1`.

    Parameters
    ----------
    forecast : (...) array
        Point forecasts f of the change of ln(1 + fatalities) since the last observed month.
    y : (...) array
        The change that was observed.
    epsilon : float
        Changes up to this are none, >= 0; VIEWS has 0.048.

    Returns
    -------
    (...) float array
        Scores >= 0, smaller is better; NaN where a value is NaN.

    Raises
    ------
    InputError
        As :func:`tadda1`.

    Notes
    -----
    Vesco et al. 2022 (doi:10.1080/03050629.2022.2029856).

    Examples
    --------
    >>> tadda2([0.5, 0, 0.5], [1, 1, 0]).round(3).tolist()
    [0.5, 1.048, 0.952]
    """
    (f, seen), shape = _changes(forecast, y, epsilon)
    fall, rise = seen < -epsilon, seen > epsilon
    none = np.abs(seen) <= epsilon
    above = (none & (f > epsilon)) | (rise & (f <= epsilon))
    below = (fall & (f >= -epsilon)) | (none & (f < -epsilon))
    extra = np.where(above, np.abs(f - epsilon), 0.0) + np.where(below, np.abs(f + epsilon), 0.0)
    return as_given(np.abs(seen - f) + extra, shape)


def _changes(forecast: ArrayLike, y: ArrayLike, epsilon: float) -> tuple[list[FloatArray], tuple[int, ...]]:
    """Forecast and observed changes in one shape."""
    if not epsilon >= 0:
        raise InputError(f"epsilon is {epsilon!r}; give the size >= 0 up to which a change is none")
    return as_one_shape(as_numbers(forecast, "forecast"), as_numbers(y, "y"))
