"""Where incidents are now, against where they were before."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from escalation.analysis.trend.rate_change import SAID
from escalation.analysis.trend.rate_posterior import interval, invert, negbin
from escalation.analysis.trend.trend import both_windows
from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.wording import plain, probability_text
from escalation.counts.periods import period_word
from escalation.counts.series import CountsLike, as_count_series
from escalation.counts.windows import WindowSpec, two_windows
from escalation.errors import InputError
from escalation.incidents.localities import UNNAMED, localities
from escalation.incidents.schema import check_incidents, event_numbers
from escalation.incidents.units import BLANK_UNIT
from escalation.models.contract.design import check_series

COMPARED, FEWEST = 12, 5
"""So many areas at most have their rates compared, those with most incidents, and none with fewer in both windows."""
NAMED = 4
"""Areas that sentences name at most."""
DECIMALS = 2
"""Incidents within this part of a degree, a kilometre or so, are one point."""
BEFORE, NOW = "before", "now"


@dataclass(frozen=True, eq=False)
class PlaceComparison:
    """How many incidents each area has now, against before, and where those lie whose place is known.

    Attributes
    ----------
    areas : pandas.DataFrame
        Indexed by ``area`` (a province, or a country where no province is known), those with most incidents now first;
        ``before`` and ``now``, the incidents of the two windows; ``rate_before`` and ``rate_now``, per full period;
        ``ratio``, ``lower`` and ``upper`` of the rates and ``probability_higher``, of the areas with most incidents,
        by :func:`escalation.compare_rates` with ``family="negbin"``, else NaN.
    points : pandas.DataFrame
        Incidents whose place is known: ``latitude``, ``longitude`` (to a kilometre or so), ``before``, ``now``.
    coarse : pandas.DataFrame
        Incidents known no finer than a province, indexed by ``area``: ``latitude`` and ``longitude`` of the middle of
        what the table gives for them (NaN without), ``before``, ``now``.
    known : pandas.DataFrame
        How many incidents are known to the ``place``, the ``province``, the ``country`` and ``nowhere``.
    stated : bool
        Whether the table says how far its coordinates are known.
    before, now : tuple
        First and last period of each window.
    exposure : dict of str to float
        Full periods covered in each window.
    freq, unit : str
        Of the series.
    level : float
        Probability of the intervals.
    """

    areas: pd.DataFrame = field(repr=False)
    points: pd.DataFrame = field(repr=False)
    coarse: pd.DataFrame = field(repr=False)
    known: pd.DataFrame = field(repr=False)
    stated: bool
    before: tuple[pd.Period, pd.Period]
    now: tuple[pd.Period, pd.Period]
    exposure: dict[str, float]
    freq: str
    unit: str
    level: float

    def table(self) -> pd.DataFrame:
        """The areas with their counts, rates and ratios: the attribute ``areas``."""
        return self.areas

    def span(self, when: str) -> str:
        """Name a window, ``before`` or ``now``: how many periods, from when to when."""
        first, last = self.now if when == NOW else self.before
        number = last.ordinal - first.ordinal + 1
        word = period_word(self.freq, number)
        return f"the {number} {word} {first.start_time.date()} to {last.end_time.date()}"

    def sentences(self) -> list[str]:
        """Say where incidents are now, which areas have more than before, and how far places are known."""
        areas, word = self.areas[~self.areas.index.isin([BLANK_UNIT, UNNAMED])], period_word(self.freq)
        now, was = areas[areas["now"] > 0], areas[areas["before"] > 0]
        said = [
            f"In {self.span(NOW)} {self.unit} are known from {_many(len(now))}, against {_many(len(was))} in "
            f"{self.span(BEFORE)}."
        ]
        most = [
            f"{area} {row['now']:,.0f} ({plain(row['rate_now'])} a {word}, before {plain(row['rate_before'])})"
            for area, row in now.head(NAMED).iterrows()
        ]
        if most:
            said.append(f"Most now: {'; '.join(most)}.")
        said += [*self._changed(areas), self.precision()]
        return said

    def _changed(self, areas: pd.DataFrame) -> list[str]:
        """The areas whose rate probably rose or fell."""
        compared = areas[areas["probability_higher"].notna()]
        if compared.empty:
            return [f"No area has {FEWEST} {self.unit} in both windows, so no rates are compared."]
        ways = (("higher", compared["probability_higher"]), ("lower", 1 - compared["probability_higher"]))
        said = []
        for way, probability in ways:
            sure = probability[probability >= SAID].sort_values(ascending=False, kind="stable")
            listed = [f"{area} ({probability_text(one)})" for area, one in sure.head(NAMED).items()]
            more = f" and {len(sure) - NAMED} more" if len(sure) > NAMED else ""
            said += [f"The rate is probably {way} than before in {', '.join(listed)}{more}."] if listed else []
        said = said or ["In none of them is the rate distinguishable from before."]
        return [
            *said,
            f"Each of {_many(len(compared))} was compared by itself, from its two windows alone: of so many one or "
            "another may differ by chance.",
        ]

    def precision(self) -> str:
        """Say how far the places of the incidents are known, and what that means for a map."""
        number = {kind: int(row.sum()) for kind, row in self.known.iterrows()}
        coarse = number["province"] + number["country"]
        said = f"Of {sum(number.values()):,} {self.unit} in both windows {number['place']:,} are drawn at their place"
        parts = [f"{coarse:,} are known by their area alone and counted there"] if coarse else []
        parts += [f"{number['nowhere']:,} name no place"] if number["nowhere"] else []
        said += "".join(f", {part}" for part in parts) + "."
        if number["place"] and not self.stated:
            said += " The table does not say how far its coordinates are known; they are drawn as given."
        return said

    def _repr_html_(self) -> str:
        text = "".join(f"<p>{html.escape(one)}</p>" for one in self.sentences())
        return text + table_html(self.areas.head(20).round(3), na_rep="")


def compare_places(
    incidents: pd.DataFrame,
    counts: CountsLike,
    recent: WindowSpec = 4,
    baseline: WindowSpec = 26,
    *,
    level: float = 0.9,
) -> PlaceComparison:
    """Compare where incidents are now with where they were before.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`, with ``admin1``, ``country`` or coordinates.  Rows count on the last
        day of their window; those outside the two windows are left out.
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        The series that the incidents were counted into: its periods, which of them were observed, their exposure and
        its unit.
    recent, baseline : int, slice or tuple
        The windows, as for :func:`escalation.compare_rates`.
    level : float
        Probability of the intervals, between 0 and 1.

    Returns
    -------
    PlaceComparison

    Raises
    ------
    InputError
        If the table is none of incidents or names no place at all, a window does not fit the series or holds no
        observed period, or ``level`` is not between 0 and 1.

    Notes
    -----
    No incident is located finer than its ``location_precision`` says: one that is known to its district or province
    counts there, whatever its coordinates, which then are those of a capital or the middle of the area.  Each area is
    compared by :func:`escalation.compare_rates` with ``family="negbin"``, from its two windows alone.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> days = pd.date_range("2024-01-01", periods=70)
    >>> homs = ["Homs" if day.day % 5 == 0 or day.month == 3 else "Hama" for day in days]
    >>> raids = pd.DataFrame({"date": days, "country": "Syria", "admin1": homs})
    >>> found = compare_places(raids, escalation.aggregate(raids, "W"), recent=2, baseline=8)
    >>> found.areas[["before", "now"]].to_dict("index")
    {'Homs': {'before': 11, 'now': 10}, 'Hama': {'before': 45, 'now': 4}}
    >>> found.sentences()[3]
    'The rate is probably lower than before in Hama (0.98).'
    """
    check_level(level)
    series, table = as_count_series(counts), check_incidents(incidents)
    index = series.periods
    slices = dict(zip((NOW, BEFORE), two_windows(index, recent, baseline), strict=True))
    missing = series.counts.isna()
    observed = ~(missing if isinstance(missing, pd.Series) else missing.all(axis=1)).to_numpy()
    place = pd.PeriodIndex(table["date_end"], freq=series.freq).asi8 - index.asi8[0]
    inside = (place >= 0) & (place < len(index))
    inside[inside] &= observed[place[inside]]
    for name, window in slices.items():
        if not observed[window].any():
            raise InputError(f"the window {name} holds no observed period, so places cannot be compared")
    where = localities(table)
    if (where["known"] == "nowhere").all():
        raise InputError("no incident names a province, a country or coordinates, so places cannot be compared")
    when = np.full(len(table), "", dtype=object)
    for name, window in slices.items():
        when[inside & (place >= window.start) & (place < window.stop)] = name
    rows = where.assign(
        when=when, events=event_numbers(table), latitude=table["latitude"], longitude=table["longitude"]
    )
    held = rows[when != ""]
    areas = _counted(held, "area").sort_values([NOW, BEFORE], ascending=False, kind="stable")
    exposure = np.ones(len(index)) if series.exposure is None else series.exposure.to_numpy(dtype=float)
    covered = {name: float(exposure[window][observed[window]].sum()) for name, window in slices.items()}
    for name in (BEFORE, NOW):
        areas[f"rate_{name}"] = areas[name] / covered[name]
    counted = _by_period(rows[inside], place[inside], len(index))
    figures = ["ratio", "lower", "upper", "probability_higher"]
    areas[figures] = np.nan
    most = areas[[BEFORE, NOW]].sum(axis=1).sort_values(ascending=False, kind="stable")
    for area in most.index[(most >= FEWEST) & ~most.index.isin([BLANK_UNIT, UNNAMED])][:COMPARED]:
        own = pd.Series(counted[area], index=index, dtype="Int64").mask(~observed)
        seen, was = both_windows(check_series("compare_places", own, series.exposure, None), recent, baseline)
        posterior = negbin(seen.data, was.data)  # as compare_rates, without what else that works out
        limits = interval(posterior.ratio_limits, level)
        areas.loc[area, figures] = [invert(posterior.ratio, 0.5), *limits, posterior.probability_higher]
    spans = {name: (index[window.start], index[window.stop - 1]) for name, window in slices.items()}
    exact, coarse = held[held["known"] == "place"], held[held["known"] == "province"]
    near = exact.assign(latitude=exact["latitude"].round(DECIMALS), longitude=exact["longitude"].round(DECIMALS))
    middle = coarse.groupby("area", sort=True)[["latitude", "longitude"]].mean()
    known = _counted(held, "known").reindex(["place", "province", "country", "nowhere"], fill_value=0)
    return PlaceComparison(
        areas,
        _counted(near, ["latitude", "longitude"]).reset_index(),
        middle.join(_counted(coarse, "area")),
        known,
        "location_precision" in table and bool((table["location_precision"] != "").any()),
        spans[BEFORE],
        spans[NOW],
        covered,
        series.freq,
        series.unit,
        level,
    )


def _counted(rows: pd.DataFrame, by: str | list[str]) -> pd.DataFrame:
    """How many incidents each value has before and now."""
    keys = [rows[name] for name in ([by] if isinstance(by, str) else by)]
    columns = {name: rows["events"].where(rows["when"] == name, 0) for name in (BEFORE, NOW)}
    return pd.DataFrame(columns).groupby(keys, sort=True).sum().astype(np.int64)


def _by_period(rows: pd.DataFrame, place: IntArray, periods: int) -> dict[str, IntArray]:
    """The counts of each area in each period."""
    codes, names = pd.factorize(rows["area"])
    cells = np.bincount(codes * periods + place, rows["events"], len(names) * periods).astype(np.int64)
    return dict(zip(names, cells.reshape(len(names), periods), strict=True))


def _many(number: int) -> str:
    return "1 area" if number == 1 else f"{number} areas"
