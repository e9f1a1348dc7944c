"""Origins of a backtest: the periods after which a forecast is made, with nothing later known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arguments import check_whole
from escalation.counts.periods import MAX_PERIODS
from escalation.errors import InputError

Origins: TypeAlias = int | Sequence[str | pd.Period] | pd.PeriodIndex


def place_origins(origins: Origins, index: pd.PeriodIndex, last_step: int, every: int) -> NDArray[np.int64]:
    """Places in ``index`` of the last period known at each origin.

    Parameters
    ----------
    origins : int or sequence of periods
        How many, the last so late that all steps have come to pass; or the periods themselves.
    index : pandas.PeriodIndex
        Periods of the counts.
    last_step : int
        The farthest step that is scored.
    every : int
        Periods between two origins, where ``origins`` is a number.

    Raises
    ------
    InputError
        If there are none, they are not in the index, or the series is too short for so many.
    """
    every = check_whole(every, "every", MAX_PERIODS)
    if isinstance(origins, int | np.integer):
        count = check_whole(origins, "origins", MAX_PERIODS)
        latest = len(index) - 1 - last_step
        earliest = latest - (count - 1) * every
        if earliest < 0:
            most = max(0, latest // every + 1)
            raise InputError(
                f"{count} origins every {every} periods and {last_step} steps need more than {len(index)} periods; "
                f"ask for {f'up to {most} origins, or ' if most else ''}fewer steps"
            )
        return np.arange(earliest, latest + 1, every)
    if not len(origins):
        raise InputError("origins is empty; name at least one period")
    try:
        periods = pd.PeriodIndex([pd.Period(one, freq=index.freqstr) for one in origins])
    except (ValueError, TypeError) as error:
        raise InputError(f"origins cannot be read as periods of {index.freqstr}: {error}") from None
    places = np.asarray(index.get_indexer(periods), dtype=np.int64)
    if (places < 0).any():
        missing = periods[int((places < 0).argmax())]
        raise InputError(f"origin {missing} is not among the periods {index[0]} to {index[-1]}; name one of them")
    if int(places.max()) == len(index) - 1:
        raise InputError(f"origin {index[-1]} is the last period, after which nothing is known; leave it out")
    if len(set(places.tolist())) < len(places):
        raise InputError("origins names one period twice; name each only once")
    return np.sort(places)
