"""A forecast: joint sample paths on the periods after the last observed one."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.arguments import check_level
from escalation.errors import InputError
from escalation.parquet import read_parquet, write_parquet
from escalation.path_tables import paths_of_table, table_of_paths
from escalation.periods import period_word

FORMAT, PANEL_FORMAT = "forecast 1", "panel forecast 1"
"""Of the files that hold one."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Joint draws of the next counts of one series.

    Attributes
    ----------
    paths : (draws, steps) int64 array
        One row is one possible future; columns are the steps 1, 2, … after the last observed period.
    periods : pandas.PeriodIndex
        The periods of the steps.
    observed : (draws, n) float array
        What had been observed until the origin, aligned with ``paths`` row by row (the rows differ
        when the fit was to histories); NaN where a period was not observed; may be a read-only view.
    model : str
        What made it.
    unit : str
        What is counted, for axes and sentences.
    component : (draws,) int64 array, optional
        Which history each path continues; all 0 for exact counts.

    Raises
    ------
    InputError
        If the shapes of ``paths``, ``periods`` and ``observed`` do not fit together.
    """

    paths: NDArray[np.int64] = field(repr=False)
    periods: pd.PeriodIndex
    observed: NDArray[np.float64] = field(repr=False)
    model: str
    unit: str = "incidents"
    component: NDArray[np.int64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.paths.ndim != 2 or self.paths.shape[1] != len(self.periods) or len(self.observed) != len(self.paths):
            raise InputError(
                f"paths have the shape {self.paths.shape} and observed {self.observed.shape}; "
                f"give (draws, {len(self.periods)}) and (draws, periods before)"
            )

    @property
    def draws(self) -> int:
        """Number of paths."""
        return int(self.paths.shape[0])

    @property
    def steps(self) -> int:
        """Number of periods ahead."""
        return int(self.paths.shape[1])

    @property
    def origin(self) -> pd.Period:
        """The last period that may have been observed."""
        return self.periods[0] - 1

    def mean(self) -> pd.Series:
        """Mean of the paths at each step, float."""
        return pd.Series(self.paths.mean(axis=0), index=self.periods, name="mean")

    def quantile(self, q: float) -> pd.Series:
        """Quantile of the count at each step: the smallest count whose probability of not being passed is ``q``.

        Parameters
        ----------
        q : float
            Between 0 and 1.

        Raises
        ------
        InputError
            If ``q`` is outside 0 to 1.
        """
        if not 0.0 <= q <= 1.0:
            raise InputError(f"q is {q!r}; a quantile level lies between 0 and 1")
        values = np.quantile(self.paths, q, axis=0, method="inverted_cdf")
        return pd.Series(values.astype(np.int64), index=self.periods, name=f"q{q:g}")

    def summary_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Mean, median and central prediction interval of the count at each step.

        Parameters
        ----------
        level : float
            Probability of the interval, between 0 and 1 (exclusive).

        Returns
        -------
        pandas.DataFrame
            Columns ``mean``, ``median``, ``obs_pi_lower``, ``obs_pi_upper``; one row a period.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        check_level(level)
        return pd.DataFrame(
            {
                "mean": self.mean(),
                "median": self.quantile(0.5),
                "obs_pi_lower": self.quantile((1 - level) / 2),
                "obs_pi_upper": self.quantile((1 + level) / 2),
            }
        )

    def save(self, path: str | Path, *, about: Mapping[str, object] | None = None) -> str:
        """Keep the forecast in a Parquet file, so that it can be scored when the counts are known.

        Parameters
        ----------
        path : str or Path
            Ends in ``.parquet``; the file appears whole or not at all.
        about : mapping, optional
            Where it comes from (source, hash, seed, ...); texts and numbers.

        Returns
        -------
        str
            SHA-256 of all that was kept; :meth:`load` refuses a file that was changed.

        Raises
        ------
        FileError
            If the file cannot be written, or pyarrow is not installed.
        """
        n, draws = self.observed.shape[1], self.draws
        every = np.concatenate([self.observed, self.paths], axis=1)
        place = np.tile(np.arange(-n, self.steps), draws)
        component = np.zeros(draws, np.int64) if self.component is None else self.component
        table = pd.DataFrame(
            {
                "draw": np.repeat(np.arange(draws, dtype=np.int32), n + self.steps),
                "step": (place + 1).astype(np.int32),
                "count": every.ravel(),
                "component": np.repeat(component.astype(np.int32), n + self.steps),
            }
        )
        return write_parquet(path, table, _described(self, FORMAT, about))

    @classmethod
    def load(cls, path: str | Path) -> tuple[Forecast, dict[str, object]]:
        """Read a forecast that was saved.

        Parameters
        ----------
        path : str or Path
            What :meth:`save` wrote.

        Returns
        -------
        tuple
            The forecast, and what was said about it.

        Raises
        ------
        FileError
            If the file cannot be read, or pyarrow is not installed.
        InputError
            If it holds no forecast, or was changed after it was written.
        """
        table, described = read_parquet(path)
        if described.get("version") != FORMAT:
            raise InputError(f"{path}: holds no forecast of one series; name a forecast that was saved")
        draws = int(table["draw"].max()) + 1
        every = table["count"].to_numpy().reshape(draws, -1)
        steps = int(table["step"].max())
        forecast = cls(
            paths=every[:, -steps:].astype(np.int64),
            periods=_periods_of(described, steps),
            observed=every[:, :-steps],
            model=str(described["model"]),
            unit=str(described["unit"]),
            component=table["component"].to_numpy(dtype=np.int64).reshape(draws, -1)[:, 0],
        )
        about = described["about"]
        assert isinstance(about, dict)
        return forecast, about

    def _repr_html_(self) -> str:
        head = (
            f"<b>Forecast</b> of {html.escape(self.unit)} per {period_word(self.periods.freqstr)} "
            f"after {html.escape(str(self.origin))} by {html.escape(self.model)}, {self.draws:,} paths; 90% intervals"
        )
        return head + self.summary_frame().round(1).to_html()


@dataclass(frozen=True, eq=False)
class PanelForecast:
    """Joint draws of the next counts of several units.

    Attributes
    ----------
    paths : (units, draws, steps) int64 array
        Draw i of every unit belongs to one possible future of them all.
    units : tuple of str
        Their names.
    periods : pandas.PeriodIndex
        The periods of the steps.
    observed : (units, draws, n) float array
        What had been observed until the origin, aligned with ``paths``; may be a read-only view.  NaN where a period
        was not observed.
    model : str
        What made it.
    unit : str
        What is counted.
    component : (draws,) int64 array, optional
        Which history each path continues; all 0 for exact counts.

    Raises
    ------
    InputError
        If the shapes do not fit together.
    """

    paths: NDArray[np.int64] = field(repr=False)
    units: tuple[str, ...]
    periods: pd.PeriodIndex
    observed: NDArray[np.float64] = field(repr=False)
    model: str
    unit: str = "incidents"
    component: NDArray[np.int64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        wanted = (len(self.units), self.paths.shape[1] if self.paths.ndim == 3 else 0)
        if self.paths.shape != (*wanted, len(self.periods)) or self.observed.shape[:2] != wanted:
            raise InputError(
                f"paths of a panel have the shape {self.paths.shape} and observed {self.observed.shape}; "
                f"give ({len(self.units)}, draws, {len(self.periods)}) and ({len(self.units)}, draws, periods before)"
            )

    @property
    def draws(self) -> int:
        """Number of paths."""
        return int(self.paths.shape[1])

    @property
    def steps(self) -> int:
        """Number of periods ahead."""
        return int(self.paths.shape[2])

    @property
    def origin(self) -> pd.Period:
        """The last period that may have been observed."""
        return self.periods[0] - 1

    def __getitem__(self, unit: str) -> Forecast:
        """Forecast of one unit.

        Raises
        ------
        InputError
            If there is no such unit.
        """
        if unit not in self.units:
            raise InputError(f"there is no unit {unit!r} in the forecast; it has {', '.join(self.units[:10])}")
        at = self.units.index(unit)
        return Forecast(self.paths[at], self.periods, self.observed[at], self.model, self.unit, self.component)

    def total(self) -> Forecast:
        """Forecast of the sum over all units, path by path."""
        paths, observed = self.paths.sum(axis=0), self.observed.sum(axis=0)
        return Forecast(paths, self.periods, observed, self.model, self.unit, self.component)

    def mean(self) -> pd.DataFrame:
        """Mean of the paths, one row a period and one column a unit."""
        return pd.DataFrame(self.paths.mean(axis=1).T, index=self.periods, columns=list(self.units))

    def summary_frame(self, level: float = 0.9) -> pd.DataFrame:
        """What :meth:`Forecast.summary_frame` gives for each unit, indexed by unit and period."""
        return pd.concat({unit: self[unit].summary_frame(level) for unit in self.units}, names=["unit", "period"])

    def save(self, path: str | Path, *, about: Mapping[str, object] | None = None) -> str:
        """Keep the forecast in a Parquet file, so that it can be scored when the counts are known.

        Parameters
        ----------
        path : str or Path
            Ends in ``.parquet``; the file appears whole or not at all.
        about : mapping, optional
            Where it comes from (source, hash, seed, ...); texts and numbers.

        Returns
        -------
        str
            SHA-256 of all that was kept; :meth:`load` refuses a file that was changed.

        Raises
        ------
        FileError
            If the file cannot be written, or pyarrow is not installed.
        """
        table = table_of_paths(self.observed, self.paths, self.component)
        return write_parquet(path, table, {**_described(self, PANEL_FORMAT, about), "units": list(self.units)})

    @classmethod
    def load(cls, path: str | Path) -> tuple[PanelForecast, dict[str, object]]:
        """Read a forecast of several units that was saved.

        Parameters
        ----------
        path : str or Path
            What :meth:`save` wrote.

        Returns
        -------
        tuple
            The forecast, and what was said about it.

        Raises
        ------
        FileError
            If the file cannot be read, or pyarrow is not installed.
        InputError
            If it holds no forecast of several units, or was changed after it was written.
        """
        table, described = read_parquet(path)
        if described.get("version") != PANEL_FORMAT:
            raise InputError(f"{path}: holds no forecast of several units; use Forecast.load for one of one series")
        named, about = described["units"], described["about"]
        assert isinstance(named, list)
        assert isinstance(about, dict)
        observed, paths, component = paths_of_table(table, len(named))
        forecast = cls(
            paths=paths,
            units=tuple(str(name) for name in named),
            periods=_periods_of(described, paths.shape[2]),
            observed=observed,
            model=str(described["model"]),
            unit=str(described["unit"]),
            component=component,
        )
        return forecast, about

    def _repr_html_(self) -> str:
        head = (
            f"<b>Forecast</b> of {html.escape(self.unit)} in {len(self.units):,} units per "
            f"{period_word(self.periods.freqstr)} after {html.escape(str(self.origin))} by {html.escape(self.model)}, "
            f"{self.draws:,} paths; means"
        )
        return head + self.mean().round(1).T.to_html(max_rows=30)


def _described(
    forecast: Forecast | PanelForecast, version: str, about: Mapping[str, object] | None
) -> dict[str, object]:
    """What a file says of the forecast in it."""
    return {
        "version": version,
        "model": forecast.model,
        "unit": forecast.unit,
        "freq": forecast.periods.freqstr,
        "origin": str(forecast.origin.start_time.date()),
        "about": dict(about or {}),
    }


def _periods_of(described: Mapping[str, object], steps: int) -> pd.PeriodIndex:
    """The periods of the steps of a forecast that was saved."""
    freq = str(described["freq"])
    return pd.period_range(pd.Period(str(described["origin"]), freq=freq) + 1, periods=steps, freq=freq, name="period")


def pool_forecasts(forecasts: Sequence[Forecast], weights: Sequence[float] | None = None) -> Forecast:
    """Linear pool: the paths of several forecasts of one series, joined.

    The distribution of the pool is the weighted mean of theirs (Stone 1961, doi:10.1214/aoms/1177704873), so
    it keeps what each thinks possible; equal weights are a safe choice as long as none has been shown to be better.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Of the same periods and unit, with as many paths each.
    weights : sequence of float, optional
        One a forecast, > 0; equal when left out.  The forecast with the largest keeps all of its paths, the others
        as many, evenly spread, as their weights say.

    Returns
    -------
    Forecast
        ``model`` is ``"pool"``.  Where all forecasts continue the same histories ``component`` names the history
        and not the forecast: how far the models are apart is no Monte Carlo error.

    Raises
    ------
    InputError
        If there is none, or periods, units or numbers of paths differ, or weights do not fit to them.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> weeks = pd.period_range("2024-12-02", periods=2, freq="W-SUN")
    >>> low, high = (Forecast(np.full((3, 2), k), weeks, np.ones((3, 4)), f"always {k}") for k in (1, 5))
    >>> pool_forecasts([low, high]).mean().tolist()
    [3.0, 3.0]
    """
    if not isinstance(forecasts, Sequence) or not all(isinstance(one, Forecast) for one in forecasts):
        raise InputError(f"pool_forecasts got a {type(forecasts).__name__}; give a list of forecasts of one series")
    if not forecasts:
        raise InputError("pool_forecasts got no forecast; give at least one")
    first = forecasts[0]
    for other in forecasts[1:]:
        if not (other.periods.equals(first.periods) and other.unit == first.unit and other.draws == first.draws):
            raise InputError(
                f"pool_forecasts got {_label(first)} and {_label(other)}; forecast the same with as many draws"
            )
    rows = _kept_rows(first.draws, [1.0] * len(forecasts) if weights is None else [float(weight) for weight in weights])
    if len(rows) != len(forecasts):
        raise InputError(
            f"pool_forecasts got {len(forecasts)} forecasts and {len(rows)} weights; give one weight a forecast"
        )
    length = min(one.observed.shape[1] for one in forecasts)
    components = _components(forecasts)
    kept = list(zip(forecasts, rows, strict=True))
    return Forecast(
        paths=np.concatenate([one.paths[own] for one, own in kept]),
        periods=first.periods,
        observed=np.concatenate([one.observed[own, one.observed.shape[1] - length :] for one, own in kept]),
        model="pool",
        unit=first.unit,
        component=np.concatenate([component[own] for component, own in zip(components, rows, strict=True)]),
    )


def _kept_rows(draws: int, weights: list[float]) -> list[NDArray[np.int64]]:
    """Which paths of each forecast a pool keeps, evenly spread over all, so that histories keep their shares."""
    if not all(math.isfinite(weight) and weight > 0 for weight in weights):
        raise InputError(f"pool_forecasts got the weights {weights}; give numbers > 0")
    sizes = [max(1, round(draws * weight / max(weights))) for weight in weights]
    return [((np.arange(size) + 0.5) * draws / size).astype(np.int64) for size in sizes]


def _components(forecasts: Sequence[Forecast]) -> list[NDArray[np.int64]]:
    """Which history each path continues; other numbers for each forecast where they went by other ones."""
    own = [np.zeros(one.draws, np.int64) if one.component is None else one.component for one in forecasts]
    if not all(np.array_equal(component, own[0]) for component in own):
        first = np.cumsum([0, *(component.max() + 1 for component in own[:-1])])
        own = [component + number for component, number in zip(own, first, strict=True)]
    return own


def _label(forecast: Forecast) -> str:
    return f"{forecast.model} ({forecast.draws:,} paths of {forecast.unit} from {forecast.periods[0]})"
