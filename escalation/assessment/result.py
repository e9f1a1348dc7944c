"""The one record of every answer about one series, for screen, PDF, HTML, JSON and notebooks alike."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.analysis.actions.result import Effect
from escalation.analysis.alarms.alarms import Alarms, FalseAlarms
from escalation.analysis.by_place import PlaceComparison
from escalation.analysis.changes.changepoints import ChangePoints
from escalation.analysis.excitation.excitation import Excitation
from escalation.analysis.trend.growth import WindowGrowth
from escalation.analysis.trend.influence import Carrier
from escalation.analysis.trend.rate_change import RateChange
from escalation.assessment.action import effect_answers, find_effect
from escalation.assessment.answer import Answer, answer_table, finite_or_none
from escalation.assessment.behind import rows_behind
from escalation.assessment.cautions import find_cautions
from escalation.assessment.gate import HALF, recent_share, unobserved
from escalation.assessment.options import Options
from escalation.assessment.outlook import (
    Outlook,
    Thresholds,
    Year,
    effects_of_calendars,
    find_default_fit,
    find_outlook,
    find_presets,
    find_thresholds,
    find_year,
    flashpoint_answers,
    forecast_answer,
    preset_answers,
    reading_sentences,
    spread,
    year_answers,
)
from escalation.assessment.places import find_places, places_answers
from escalation.assessment.severity import AttackSeverity, find_severity, severity_answers
from escalation.assessment.sides import Sides
from escalation.assessment.source import Source, SourceSeries, quiet_reading
from escalation.assessment.trend import (
    GrowthNow,
    carrier_answers,
    counted_answer,
    doubling_answers,
    find_carrier,
    find_growth,
    find_growth_now,
    find_rate,
    find_underlying,
    growth_answer,
    growth_now_answers,
    rate_answers,
)
from escalation.assessment.watching import (
    RegimesFound,
    alarms_answers,
    changes_answers,
    excitation_answers,
    find_alarms,
    find_changes,
    find_excitation,
    find_false_alarms,
    find_regimes,
    regimes_answer,
)
from escalation.assessment.withheld import Withheld
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import generator_for
from escalation.conventions.version import __version__
from escalation.counts.periods import date_span, period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries
from escalation.counts.windows import WindowSpec, window_slice
from escalation.errors import InputError
from escalation.evaluation.result import Backtest
from escalation.forecasts.flashpoint import FlashpointProbability
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.base import CountFit
from escalation.models.contract.underlying import UnderlyingRates
from escalation.models.registry import DEFAULT
from escalation.tallies.reconstruct import Reconstruction

HEADLINE = ("rate", "growth", "forecast", "flashpoints")
"""Parts that are answered unless others are asked for."""
EVERYTHING = (
    "trend",
    *HEADLINE[2:],
    "year",
    "presets",
    "severity",
    "changes",
    "alarms",
    "regimes",
    "excitation",
    "places",
    "effect",
)
"""All parts, none twice."""
PARTS = (*HEADLINE, *(part for part in EVERYTHING if part not in HEADLINE))
"""Parts that can be asked for."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """Every answer about one series: how many now, is it rising, what comes next, how likely is a flashpoint.

    A part is worked out when it is first asked for, by random numbers of its own, so that the same seed gives the same
    number whatever else was asked. Where the data cannot carry a part, a :class:`Withheld` with the reason stands in
    its place, which is false.

    Attributes
    ----------
    series : CountSeries
        The counts or histories and what is known of how they were observed.
    options : Options
        What was asked, with the defaults filled in.
    seed : int
        Where the random numbers come from.
    sides : Sides or None
        Counts of two sides that may answer each other.
    """

    series: CountSeries
    options: Options
    seed: int
    sides: Sides | None = field(default=None, repr=False)

    @property
    def freq(self) -> str:
        """Frequency of the periods."""
        return self.series.freq

    @property
    def level(self) -> float:
        """Probability of the intervals."""
        return self.options.level

    @property
    def within(self) -> int:
        """Periods ahead in which the flashpoint may fall."""
        return self.options.within

    @property
    def source(self) -> Source | None:
        """What the counts came from, where that is known."""
        return self.series.source if isinstance(self.series, SourceSeries) else None

    @property
    def reconstruction(self) -> Reconstruction | None:
        """The reconstruction behind the counts, where they come from tallies."""
        return self.series.reconstruction if isinstance(self.series, SourceSeries) else None

    @cached_property
    def rate(self) -> RateChange | Withheld:
        """The recent periods against the baseline."""
        return find_rate(self.series, self.underlying, self.options, self.seed)

    @property
    def recent(self) -> pd.PeriodIndex:
        """The periods that count as now."""
        return self._periods(self.options.recent, "recent")

    @property
    def window(self) -> pd.PeriodIndex:
        """The periods that growth is read from."""
        return self._periods(self.options.window, "window")

    def recent_span(self) -> str:
        """Name the recent periods: how many, from when to when, how many of them observed and covered."""
        if isinstance(self.rate, RateChange):
            return self.rate.recent.span()
        number = len(self.recent)
        many = "" if number == 1 else f"{number} "
        return f"the {many}{period_word(self.freq, number)} {date_span(self.recent[0], self.recent[-1])}"

    def counted(self) -> tuple[float, float, float] | Withheld:
        """Median and interval of what was counted in the recent periods; three times the same for exact counts."""
        matrix = count_matrix(self.series.counts.loc[self.recent[0] : self.recent[-1]])
        if np.isnan(matrix).all():
            return Withheld("count", unobserved(self.recent, "recent"))
        return spread(np.nansum(matrix, axis=0), self.level)

    @cached_property
    def growth(self) -> WindowGrowth | Withheld:
        """Growth over the last 28 days, 13 weeks or 12 months."""
        return find_growth(self.series, self.underlying, self.options, self.seed)

    @cached_property
    def growth_now(self) -> GrowthNow | Withheld:
        """The growth rate at the end of the series, which the forecast carries on."""
        return find_growth_now(self.series, self.underlying, self.level)

    @cached_property
    def carrier(self) -> Carrier | Withheld:
        """Whether one tally or day carries the change of the rate."""
        return find_carrier(self.series, self.rate, self._rng("carrier"))

    @cached_property
    def default_fit(self) -> CountFit | Withheld:
        """The fit of :func:`escalation.default_model`, which trend and forecast come from."""
        return find_default_fit(self.series, self.options)

    @cached_property
    def underlying(self) -> UnderlyingRates | Withheld:
        """The underlying rate of each period, by joint draws."""
        return find_underlying(self.default_fit, self.seed)

    @cached_property
    def outlook(self) -> Outlook | Withheld:
        """The fits and forecasts of all models."""
        return find_outlook(self.series, lambda: self.default_fit, self.options, self.seed)

    @property
    def forecast(self) -> Forecast | Withheld:
        """The forecast that the answers use."""
        return self.outlook.forecast if self.outlook else Withheld("forecast", self._no_outlook())

    @property
    def fits(self) -> dict[str, CountFit]:
        """The models that could be fitted, by name."""
        return self.outlook.fits if self.outlook else {}

    @property
    def failed(self) -> dict[str, str]:
        """Models that could not be fitted, and why."""
        return self.outlook.failed if self.outlook else {}

    @property
    def forecasts(self) -> dict[str, Forecast]:
        """Their forecasts, that of the model that answers first."""
        return self.outlook.forecasts if self.outlook else {}

    @cached_property
    def thresholds(self) -> Thresholds | Withheld:
        """The chosen flashpoint and others, with the probability of each by each period."""
        return find_thresholds(self.series, self.forecast, self.options)

    @property
    def flashpoints(self) -> tuple[FlashpointProbability, ...] | Withheld:
        """Probabilities of the flashpoints, the chosen one first."""
        return self.thresholds.points if self.thresholds else self.thresholds  # type: ignore[return-value]

    @cached_property
    def year(self) -> Year | Withheld:
        """What the next twelve months may bring."""
        return find_year(self.outlook, self.thresholds, self.options, self._rng("year"))

    @cached_property
    def presets(self) -> dict[str, FlashpointProbability] | Withheld:
        """Probabilities of the definitions in public use that the forecast and the past allow."""
        return find_presets(self.series, self.forecast, self.options)

    @cached_property
    def severity(self) -> AttackSeverity | Withheld:
        """What the attacks do: which share kills, how many, and what the coming ones may cost."""
        return find_severity(self.series, self.forecast, self.options, self._rng("severity"))

    @cached_property
    def changes(self) -> ChangePoints | Withheld:
        """When the rate changed; counts may be overdispersed."""
        return find_changes(self.series, self.options, "fluctuating")

    @cached_property
    def poisson_changes(self) -> ChangePoints | Withheld:
        """The same without overdispersion: the alternative that would find too many."""
        return find_changes(self.series, self.options, "poisson")

    @cached_property
    def alarms(self) -> Alarms | Withheld:
        """Periods that stand out."""
        return find_alarms(self.series, self.options)

    @cached_property
    def false_alarms(self) -> FalseAlarms | Withheld:
        """False alarms of the method while nothing changes."""
        return find_false_alarms(self.series, self.alarms, self.options, self._rng("false alarms"))

    @cached_property
    def regimes(self) -> RegimesFound | Withheld:
        """Quiet and active regimes, where they were asked for."""
        return find_regimes(self.series, self.options, self._rng("regimes"))

    @cached_property
    def excitation(self) -> Excitation | Withheld:
        """Whether attacks by one side follow those by the other, where two sides were given."""
        return find_excitation(self.sides, self.seed)

    @cached_property
    def places(self) -> PlaceComparison | Withheld:
        """Where incidents are now, against where they were before."""
        return find_places(self.series, self.options)

    @cached_property
    def effect(self) -> Effect | Withheld:
        """What came after the action that the case names, against what would have come."""
        return find_effect(self.series, self.source, self.level, self.seed)

    @cached_property
    def record(self) -> Backtest | Withheld:
        """Scores of past forecasts of this series."""
        path = self.series.record if isinstance(self.series, SourceSeries) else None
        return (
            Withheld("record", "no past forecasts of this series were scored") if path is None else Backtest.load(path)
        )

    @cached_property
    def if_quiet(self) -> Assessment | Withheld:
        """The same questions where a day without a word is one without an incident.

        Given where it is not known what silence means and less than half of the recent window is spoken of: the
        answers then lie between these and those of this record.
        """
        share = recent_share(self.series, self.recent)
        series = quiet_reading(self.series) if self.series.silence == "unknown" and share < HALF else None
        if series is None:
            return Withheld("if_quiet", "the recent window is spoken of, or what silence means is known")
        return replace(self, series=series)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What the reader should keep in mind, in plain sentences."""
        half = () if isinstance(self.if_quiet, Withheld) else (self._half_spoken(),)
        return half + find_cautions(self.series, self.recent, self.rate, self.carrier, self.outlook, self.within)

    def answers(self, *parts: str) -> pd.DataFrame:
        """The answers as a table.

        Parameters
        ----------
        *parts : str
            Some of ``rate``, ``growth``, ``trend`` (both, and more), ``forecast``, ``flashpoints``, ``year`` (the next
            twelve months), ``presets``, ``severity``, ``changes``, ``alarms``, ``regimes``, ``excitation``, ``places``
            and ``effect``; rate, growth, forecast and flashpoints when left out.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``key`` (``count_recent``, ``rate_now``, ``rate_before``, ``rate_ratio``,
            ``probability_higher``, ``growth``, ``total_ahead``, ``flashpoint``, ...); columns ``question``, ``value``,
            ``lower`` and ``upper`` (interval at ``level``; for a flashpoint that of its Monte Carlo error), ``unit``,
            and ``text``. Where an answer is not given, the value is NaN and the text says why.

        Raises
        ------
        InputError
            If there is no such part.
        """
        return answer_table(self.answer_list(*parts))

    def answer_list(self, *parts: str) -> list[Answer]:
        """The same answers one by one, none twice, with how each is written.

        Parameters
        ----------
        *parts : str
            As in :meth:`answers`.

        Raises
        ------
        InputError
            If there is no such part.
        """
        check_parts(parts)
        answers = (answer for part in (parts or HEADLINE) for answer in self._answered(part))
        return list({answer.key: answer for answer in answers}.values())

    def sentences(self, *parts: str) -> list[str]:
        """The answers in plain sentences, with their ranges, or why they are not given.

        Parameters
        ----------
        *parts : str
            As in :meth:`answers`.

        Raises
        ------
        InputError
            If there is no such part.
        """
        check_parts(parts)
        return [sentence for part in (parts or HEADLINE) for sentence in self._said(part)]

    def to_json(self, *parts: str) -> str:
        """The answers, sentences and cautions, with where they come from, as JSON text.

        Parameters
        ----------
        *parts : str
            As in :meth:`answers`; all of them when left out.

        Returns
        -------
        str
            An object with ``version``, ``source``, ``series``, ``options``, ``seed``, ``answers`` (a list, one object a
            key), ``sentences`` and ``cautions``; numbers that do not exist, or are infinite, are null.

        Raises
        ------
        InputError
            If there is no such part.
        """
        parts = parts or EVERYTHING
        rows = self.answers(*parts).reset_index().to_dict("records")
        table = [{name: finite_or_none(value) for name, value in row.items()} for row in rows]
        content = {
            "version": __version__,
            "source": self.provenance(),
            "series": {
                "title": self.series.title,
                "unit": self.series.unit,
                "place": self.series.place,
                "counter": self.series.counter,
                "freq": self.freq,
                "first": str(self.series.periods[0].start_time.date()),
                "last": str(self.series.periods[-1].end_time.date()),
            },
            "options": asdict(self.options),
            "seed": self.seed,
            "answers": table,
            "sentences": self.sentences(*parts),
            "cautions": list(self.cautions),
            "behind": self.behind(),
        }
        if self.if_quiet:
            content["if_quiet"] = json.loads(self.if_quiet.to_json(*parts))["answers"]
        return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"

    def behind(self) -> dict[str, object]:
        """What the counts came from: the days of the windows, and the lines of files and sentences of the rows."""
        return rows_behind(self.series, self.recent, self.options.baseline, self.window)

    def _half_spoken(self) -> str:
        share = recent_share(self.series, self.recent)
        return (
            f"Tallies speak of {share:.0%} of {self.recent_span()}, and what silence means is not known: answers are "
            "given for both readings, that the other days were quiet and that they were not looked at."
        )

    def provenance(self) -> dict[str, str]:
        """Name, kind and SHA-256 of what the counts came from; of the counts themselves where nothing else is known."""
        if self.source is not None:
            return {"name": Path(self.source.name).name, "kind": self.source.kind, "sha256": self.source.sha256}
        digest = hashlib.sha256(self.series.counts.to_csv().encode()).hexdigest()
        return {"name": self.series.title or "counts", "kind": "counts", "sha256": digest}

    def _answered(self, part: str) -> Iterator[Answer]:
        """Answers of one part."""
        series = self.series
        match part:
            case "rate":
                yield counted_answer(series, self.recent, self.counted())
                yield from rate_answers(series, self.rate)
            case "growth":
                yield growth_answer(series, self.window, self.growth)
            case "trend":
                yield from self._answered("rate")
                yield from self._answered("growth")
                yield from doubling_answers(series, self.growth)
                yield from growth_now_answers(series, self.growth_now)
                yield from carrier_answers(self.carrier)
            case "forecast":
                yield forecast_answer(series, self.forecast, self.within, self.level)
                yield from (one.answer() for one in effects_of_calendars(self.outlook, self.options))
            case "flashpoints":
                yield from flashpoint_answers(self.flashpoints)
            case "year":
                yield from year_answers(series, self.year)
            case "presets":
                yield from preset_answers(self.presets)
            case "severity":
                yield from severity_answers(series, self.severity)
            case "changes":
                yield from changes_answers(self.changes)
            case "alarms":
                yield from alarms_answers(self.alarms, self.false_alarms)
            case "regimes":
                yield regimes_answer(self.regimes)
            case "excitation":
                yield from excitation_answers(series, self.excitation)
            case "places":
                yield from places_answers(series, self.places)
            case "effect":
                yield from effect_answers(series, self.effect)

    def _said(self, part: str) -> Iterator[str]:
        """Sentences of one part."""
        if part == "rate":
            yield self._counted()
            yield self.rate.sentence()
        elif part == "trend":
            yield from (one.sentence() for one in (self.rate, self.growth, self.growth_now, self.carrier))
        elif part == "forecast":
            outlook = self.outlook
            if isinstance(outlook, Withheld):
                yield outlook.sentence()
                return
            yield outlook.sentence(self.within, self.level)
            yield from (one.sentence() for one in effects_of_calendars(self.outlook, self.options))
            if outlook.model == DEFAULT:
                yield from reading_sentences(outlook, self.underlying, self.growth)
        elif part in ("flashpoints", "presets"):
            held = self.flashpoints if part == "flashpoints" else self.presets
            points = tuple(held.values()) if isinstance(held, dict) else held
            yield from [points.sentence()] if isinstance(points, Withheld) else [one.sentence() for one in points]
        elif part == "severity":
            cost = self.severity
            yield from [cost.sentence()] if isinstance(cost, Withheld) else [*cost.sentences(), *cost.cautions]
        elif part in ("places", "effect"):
            found = self.places if part == "places" else self.effect
            yield from [found.sentence()] if isinstance(found, Withheld) else found.sentences()
        else:
            yield getattr(self, part).sentence()

    def _counted(self) -> str:
        """Say how many were counted in the recent window."""
        counted = self.counted()
        if isinstance(counted, Withheld):
            return counted.sentence()
        value, lower, upper = counted
        between = "" if lower == upper else f" ({self.level:.0%} interval {lower:,.0f} to {upper:,.0f})"
        return f"There were {value:,.0f} {self.series.unit}{between} in {self.recent_span()}."

    def _periods(self, window: WindowSpec, name: str) -> pd.PeriodIndex:
        return self.series.periods[window_slice(self.series.periods, window, name, len(self.series.periods))]

    def _no_outlook(self) -> str:
        return self.outlook.reason if isinstance(self.outlook, Withheld) else ""

    def _rng(self, part: str) -> Generator:
        return generator_for(self.seed, part)

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in (*self.sentences(), *self.cautions))
        table = table_html(self.answers()[["question", "text"]], index=False)
        return f"<b>{html.escape(self.series.title or self.series.unit)}</b>{lines}{table}"


def check_parts(parts: Sequence[str]) -> None:
    """Refuse names that no part has.

    Raises
    ------
    InputError
        If there is no such part.
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(f"part is {part!r}; use some of {', '.join(PARTS)}")
