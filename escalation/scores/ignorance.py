"""Ignorance score of draws in bins, as the VIEWS Prediction Challenge computes it."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError, ResampledDrawsWarning
from escalation.scores.arrays import as_given, as_numbers, as_rows

VIEWS_BINS = (0.0, 0.5, 2.5, 5.5, 10.5, 25.5, 50.5, 100.5, 250.5, 500.5, 1000.5)
"""Where the challenge's bins begin: 0, 1-2, 3-5, 6-10, 11-25, 26-50, 51-100, 101-250, 251-500, 501-1000, more."""
VIEWS_DRAWS = 1000
"""How many draws the challenge scores."""


def ignorance(draws: ArrayLike, y: ArrayLike, *, bins: ArrayLike = VIEWS_BINS, resample: str = "none") -> FloatArray:
    r"""Ignorance score: how surprising the observed bin was, in bits.

    .. math:: \text{IGN} = -\log_2 \frac{c_{b(y)} + 1}{S + B}

    with :math:`c_{b(y)}` the draws in the bin of y, S draws and B bins: one draw more in each bin, so that an
    empty one is not impossible.

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis, at or above the first bin's beginning.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.
    bins : (B,) array
        Where the bins begin, in rising order; each reaches up to the next, which it leaves out, the last
        one to infinity.  By default the eleven of the challenge.
    resample : {"none", "fft"}
        ``none`` scores the draws as they are, however many.  ``fft`` does what the challenge's program
        does to a forecast that has not 1,000 draws: ``scipy.signal.resample`` to 1,000 along the draws,
        negative values set to 0.  It is here to reproduce the challenge's figures, and warns.

    Returns
    -------
    (...) float array
        Scores > 0 in bits, smaller is better: with 1,000 draws and eleven bins from 0.0143 (all in the right
        bin) to 9.98 (none).  NaN where y or any draw is NaN.

    Raises
    ------
    InputError
        If bins do not rise, a value is below the first one, shapes do not belong together, or an option is unknown.

    Warns
    -----
    ResampledDrawsWarning
        If draws were resampled.

    Notes
    -----
    The added draw weighs more the fewer draws there are: IGN of forecasts is comparable at the same S alone.
    Definition: Hegre et al. 2025 (doi:10.1177/00223433241300862); ignorance: Roulston & Smith 2002
    (doi:10.1175/1520-0493(2002)130<1653:EPFUIT>2.0.CO;2).

    Examples
    --------
    >>> draws = np.zeros((2, 1000))
    >>> ignorance(draws, [0, 30]).round(4).tolist()  # 1001 of 1011, and 1 of 1011
    [0.0143, 9.9816]
    """
    rows, seen, shape = as_rows(draws, y)
    starts = as_numbers(bins, "bins")
    if starts.ndim != 1 or len(starts) == 0 or not (np.diff(starts) > 0).all():
        raise InputError("bins do not rise; give the beginning of each bin, lowest first")
    if resample not in ("none", "fft"):
        raise InputError(f"resample is {resample!r}; give 'none' or 'fft'")
    if (rows < starts[0]).any() or (seen < starts[0]).any():
        raise InputError(f"a draw or observation is below the first bin, which begins at {starts[0]:g}; add a bin")
    if resample == "fft" and rows.shape[1] != VIEWS_DRAWS:
        warnings.warn(
            f"{rows.shape[1]} draws are resampled to {VIEWS_DRAWS:,} by Fourier series, which takes them for a "
            "periodic signal: values overshoot to counts that no draw has, and the score depends on the order of "
            "the draws; score them as they are with resample='none'",
            ResampledDrawsWarning,
            stacklevel=2,
        )
        rows = _resampled(rows)
    place = np.maximum(np.searchsorted(starts, seen, side="right") - 1, 0)
    lower, upper = starts[place], np.append(starts[1:], np.inf)[place]
    within = ((rows >= lower[:, None]) & (rows < upper[:, None])).sum(axis=1)
    scores = -np.log2((within + 1) / (rows.shape[1] + len(starts)))
    scores[np.isnan(seen) | np.isnan(rows).any(axis=1)] = np.nan
    return as_given(scores, shape)


def _resampled(rows: FloatArray) -> FloatArray:
    """Draws (n, 1000) as the challenge makes them out of fewer or more."""
    from scipy.signal import resample

    made: FloatArray = np.maximum(resample(rows, VIEWS_DRAWS, axis=1), 0.0)
    return made
