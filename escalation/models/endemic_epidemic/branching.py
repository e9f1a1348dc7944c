"""What past counts bring about in an endemic-epidemic fit: its parts, branching ratio and responses to one count."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, as_generator
from escalation.errors import InputError
from escalation.models.contract.base import PanelFit
from escalation.models.contract.estimate import MAX_STEPS, Estimate
from escalation.models.endemic_epidemic.likelihood import Panel, evaluate, weigh_past
from escalation.models.endemic_epidemic.model import EndemicEpidemic
from escalation.models.endemic_epidemic.paths import resample

DRAWS = 1_000
"""Draws of the parameters behind an interval."""
LARGEST_RESPONSE = 1e15


def components(fit: PanelFit) -> pd.DataFrame:
    """Split the fitted counts of an endemic-epidemic model into what brings them about.

    Parameters
    ----------
    fit : PanelFit
        Of :class:`~escalation.models.EndemicEpidemic`.

    Returns
    -------
    pandas.DataFrame
        One row a period; columns of two levels, the unit and ``endemic``, ``own_past`` or ``others_past``.  Each unit's
        three sum to its fitted counts (means over the histories).

    Raises
    ------
    InputError
        If the fit is of another model.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from escalation.models.endemic_epidemic.model import EndemicEpidemic
    >>> weeks = pd.period_range("2021-01-04", periods=6, freq="W-SUN")
    >>> counts = pd.DataFrame({"A": [3, 9, 1, 4, 2, 6], "B": [1, 2, 8, 1, 3, 2]}, index=weeks)
    >>> fit = EndemicEpidemic(own_past="none").fit(counts)
    >>> parts = components(fit)
    >>> bool(np.allclose(parts["B"].sum(axis=1), fit.fitted["B"])), float(parts["B", "own_past"].max())
    (True, 0.0)
    """
    _check_fit(fit)
    tables = []
    for estimate in fit.estimates:
        panel, point = _panel(estimate), estimate.state["point"]
        rates = evaluate(point, panel, 0, False)[0]
        filled = np.where(panel.slot >= 0, rates, panel.past)
        z, s, _ = weigh_past(filled, panel.before, panel.links, panel.lags)
        own, others = _coefficients(point[None], panel)
        endemic = np.exp(panel.offset + panel.x @ point[: panel.x.shape[2]])
        tables.append(np.stack([endemic, own[0] * z, others[0] * s], axis=-1) * panel.exposure[:, :, None])
    places = _places(fit)
    values = np.mean(tables, axis=0)[:, places].reshape(len(fit.design.periods), -1)
    columns = pd.MultiIndex.from_product([fit.units, ["endemic", "own_past", "others_past"]], names=["unit", "part"])
    return pd.DataFrame(values, index=fit.design.periods, columns=columns)


def next_generation(fit: PanelFit, *, level: float = 0.95, rng: Seed = None) -> pd.DataFrame:
    """How many counts one count brings about directly, in its own unit and in each other.

    Parameters
    ----------
    fit : PanelFit
        Of :class:`~escalation.models.EndemicEpidemic`.
    level : float
        Probability of the intervals, between 0 and 1.
    rng : int, Generator or None
        Seed or generator of the draws behind the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``source`` and ``target``; columns ``estimate`` (at the estimates, mean over the histories) and
        ``lower`` and ``upper`` (central interval of the posterior under the model's weak priors).

    Raises
    ------
    InputError
        If the fit is of another model, or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation.models.endemic_epidemic.model import EndemicEpidemic
    >>> weeks = pd.period_range("2021-01-04", periods=7, freq="W-SUN")
    >>> counts = pd.DataFrame({"A": [1, 9, 0, 6, 2, 8, 1], "B": [4, 2, 9, 1, 6, 2, 8]}, index=weeks)
    >>> fit = EndemicEpidemic(own_past="none", family="poisson").fit(counts)
    >>> table = next_generation(fit, rng=1)
    >>> table.loc[("A", "B"), "estimate"].round(2) == table.loc[("B", "A"), "estimate"].round(2)
    np.True_
    """
    check_level(level)
    at, drawn = _matrices(fit, rng)
    pairs = pd.MultiIndex.from_product([fit.units, fit.units], names=["source", "target"])
    count = len(pairs)
    return _intervals(at.transpose(1, 0).reshape(count), drawn.transpose(0, 2, 1).reshape(-1, count), level, pairs)


def branching_ratio(fit: PanelFit, *, level: float = 0.95, rng: Seed = None) -> pd.Series:
    """Dominant eigenvalue of the next-generation matrix: below 1 what has begun dies out, above 1 it grows.

    In the long run it is the share of counts that past counts bring about (Paul & Held 2011, doi:10.1002/sim.4177;
    Bracher & Held 2022, doi:10.1016/j.ijforecast.2020.07.002, call it the effective reproduction number).

    Parameters
    ----------
    fit : PanelFit
        Of :class:`~escalation.models.EndemicEpidemic`.
    level : float
        Probability of the interval, between 0 and 1.
    rng : int, Generator or None
        Seed or generator of the draws behind the interval.

    Returns
    -------
    pandas.Series
        ``estimate``, ``lower`` and ``upper``, as in :func:`next_generation`.

    Raises
    ------
    InputError
        If the fit is of another model, or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from escalation.models.endemic_epidemic.model import EndemicEpidemic
    >>> weeks = pd.period_range("2021-01-04", periods=9, freq="W-SUN")
    >>> counts = pd.DataFrame({"A": [2, 4, 6, 5, 8, 9, 5, 4, 3]}, index=weeks)
    >>> fit = EndemicEpidemic(family="poisson").fit(counts)
    >>> bool(branching_ratio(fit, rng=1)["estimate"] == np.exp(fit.params["own_past"]))
    True
    """
    check_level(level)
    at, drawn = _matrices(fit, rng)
    ratios = [np.abs(np.linalg.eigvals(matrices)).max(axis=-1) for matrices in (at[None], drawn)]
    return _intervals(ratios[0], ratios[1][:, None], level, pd.Index(["branching_ratio"])).iloc[0]


def impulse_response(fit: PanelFit, after: str, horizon: int, *, level: float = 0.95, rng: Seed = None) -> pd.DataFrame:
    """Counts that follow from one count more of one unit, directly and through others.

    Parameters
    ----------
    fit : PanelFit
        Of :class:`~escalation.models.EndemicEpidemic`.
    after : str
        The unit with one count more in the last period.
    horizon : int
        Periods ahead, 1 to 5,000.
    level : float
        Probability of the intervals, between 0 and 1.
    rng : int, Generator or None
        Seed or generator of the draws behind the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``unit`` and ``step``; ``estimate``, ``lower`` and ``upper`` are the expected extra counts of that
        step, ``total``, ``total_lower`` and ``total_upper`` those up to it.  As in :func:`next_generation`; cut at
        1e15.

    Raises
    ------
    InputError
        If the fit is of another model or has no such unit, or ``horizon`` or ``level`` is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation.models.endemic_epidemic.model import EndemicEpidemic
    >>> weeks = pd.period_range("2021-01-04", periods=7, freq="W-SUN")
    >>> counts = pd.DataFrame({"A": [1, 9, 0, 6, 2, 8, 1], "B": [4, 2, 9, 1, 6, 2, 8]}, index=weeks)
    >>> fit = EndemicEpidemic(own_past="none", family="poisson").fit(counts)
    >>> response = impulse_response(fit, "A", 2, rng=1)["estimate"]
    >>> bool(response["B", 1] ** 2 - response["A", 2] < 1e-12), float(response["A", 1])
    (True, 0.0)
    """
    check_level(level)
    horizon = check_whole(horizon, "horizon", MAX_STEPS)
    at, drawn = _matrices(fit, rng)
    if after not in fit.units:
        raise InputError(f"after is {after!r}; the fit has the units {', '.join(fit.units[:10])}")
    place = fit.units.index(after)
    lags = _panel(fit.estimates[0]).lags
    lags = lags / lags.sum()
    extra = [respond(matrices, lags, place, horizon) for matrices in (at[None], drawn)]
    index = pd.MultiIndex.from_product([fit.units, range(1, horizon + 1)], names=["unit", "step"])
    count = len(index)
    one = _intervals(extra[0].reshape(count), extra[1].reshape(-1, count), level, index)
    total = [np.cumsum(response, axis=-1) for response in extra]
    more = _intervals(total[0].reshape(count), total[1].reshape(-1, count), level, index)
    return one.join(more.set_axis(["total", "total_lower", "total_upper"], axis=1))


def respond(matrices: FloatArray, lags: FloatArray, place: int, steps: int) -> FloatArray:
    """Expected extra counts (m, u, steps) after one of unit ``place``, for next-generation matrices (m, u, u)."""
    m, u, _ = matrices.shape
    response = np.zeros((m, u, steps + 1))
    response[:, place, 0] = 1.0
    for step in range(1, steps + 1):
        recent = response[:, :, max(step - len(lags), 0) : step][:, :, ::-1] @ lags[: min(step, len(lags))]
        response[:, :, step] = np.minimum((matrices @ recent[:, :, None])[:, :, 0], LARGEST_RESPONSE)
    return response[:, :, 1:]


def _matrices(fit: PanelFit, rng: Seed) -> tuple[FloatArray, FloatArray]:
    """Next-generation matrices, target by source, at the estimates (u, u) and drawn from the posterior (m, u, u)."""
    _check_fit(fit)
    at: list[FloatArray] = []
    drawn: list[FloatArray] = []
    each = -(-DRAWS // len(fit.estimates))
    generators = as_generator(rng).spawn(len(fit.estimates))
    for estimate, generator in zip(fit.estimates, generators, strict=True):
        panel, state = _panel(estimate), estimate.state
        points, rows = resample(state.get("learnt", panel), state["levels"], state["point"], each, generator)
        for found, chosen in ((at, state["point"][None]), (drawn, points[rows])):
            own, others = _coefficients(chosen, panel)
            matrices = own[:, :, None] * np.eye(len(panel.before)) + others[:, :, None] * panel.links.T
            found.append(matrices * panel.lags.sum())
    places = _places(fit)
    at_all, drawn_all = np.mean(np.concatenate(at), axis=0), np.concatenate(drawn)
    return at_all[np.ix_(places, places)], drawn_all[:, places][:, :, places]


def _coefficients(points: FloatArray, panel: Panel) -> tuple[FloatArray, FloatArray]:
    """Coefficients of own and of others' past (m, u), 0 where a unit has none, for points (m, p)."""
    parts = (np.where(places >= 0, np.exp(points[:, places]), 0.0) for places in (panel.own, panel.others))
    own, others = parts
    return own, others


def _intervals(at: FloatArray, drawn: FloatArray, level: float, index: pd.Index) -> pd.DataFrame:
    """Table of values (k,) with central intervals of draws of them (m, k)."""
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame({"estimate": at, "lower": lower, "upper": upper}, index=index)


def _places(fit: PanelFit) -> list[int]:
    """Where each unit of the fit is in its estimates."""
    return [fit.estimates[0].state["units"].index(unit) for unit in fit.units]


def _panel(estimate: Estimate) -> Panel:
    panel: Panel = estimate.state["panel"]
    return panel


def _check_fit(fit: PanelFit) -> None:
    if not isinstance(fit, PanelFit) or not isinstance(fit.model, EndemicEpidemic):
        what = fit.model.name if isinstance(fit, PanelFit) else type(fit).__name__
        raise InputError(f"branching needs a fit of endemic_epidemic and got {what}; fit EndemicEpidemic to the panel")
