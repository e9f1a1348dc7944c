"""Where counts come from: a bundled case, a file of tallies or a file of incidents, recognised by its columns."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from escalation.articles.read import article_files
from escalation.assessment.case_folder import (
    DEFAULT_CASE,
    CaseFolder,
    SeriesSettings,
    case_names,
    find_folder,
    read_folder,
)
from escalation.assessment.ending import check_days, ending_note, last_watched
from escalation.assessment.incident_counts import by_day, spans_of
from escalation.assessment.listed import listed_incidents, of_victims
from escalation.assessment.notes import gap_notes, quality_notes, table_notes, tally_notes, warning_note
from escalation.assessment.quality.check import DataQuality, data_quality
from escalation.assessment.texts import (
    holds_text,
    is_reviewed,
    open_reviewed,
    open_text,
    refuse_options,
    unreviewed_note,
)
from escalation.conventions.randomness import Seed
from escalation.counts.periods import DateLike, exposure, parse_date, period_word
from escalation.counts.series import CountSeries, Silence
from escalation.errors import EscalationWarning, InputError
from escalation.files.disk import hash_of, kind_of
from escalation.files.ledger import LedgerEntries
from escalation.files.read import column_names
from escalation.incidents.aggregate import aggregate
from escalation.incidents.counted_rows import lasting, native_freq
from escalation.incidents.coverage import Basis, coverage_exposure
from escalation.incidents.formats.kinds import Kind
from escalation.incidents.formats.read import expand_paths, is_pattern, read_incidents
from escalation.incidents.formats.reports import Reports
from escalation.incidents.observed import observed_spans, with_sources
from escalation.incidents.units import columns_read_as
from escalation.incidents.victims import Victim, check_victims, deaths_of, victims_text
from escalation.tallies.read import read_tallies
from escalation.tallies.reconstruct import Reconstruction, reconstruct
from escalation.tallies.schema import REQUIRED, plain_headers
from escalation.tallies.vintages import known_by

HISTORIES = 500
"""Histories of a reconstruction, unless asked otherwise."""

Measure = Literal["incidents", "fatalities"]


@dataclass(frozen=True, eq=False)
class Source:
    """A table that counts can be had from, and where it came from.

    Attributes
    ----------
    name, title : str
        The case's name or the file's path; what it is called in print.
    kind : {"tallies", "incidents"}
        What the table holds.
    table : pandas.DataFrame
        Checked tallies or incidents.
    ledger : pandas.DataFrame
        What the reader dropped, merged or changed.
    sha256 : str
        Hash of the content read, so that a report can be traced to it.
    defaults : dict
        Options that a bundled case brings along: series, counter, start, end, freq.
    quality : DataQuality or None
        Of incidents: what speaks against taking their counts at their word.
    case : CaseFolder or None
        The case that the table belongs to, with what it says of its series.
    as_of : Timestamp or None
        The day after which nothing became known, where one was asked for.
    coverage : DataFrame or None
        Of incidents: the spans in which somebody looked, where they were given; counts and quality go by them.
    unreviewed : tuple of int
        Of tallies that were read from a text: labels of the rows that no person has reviewed.
    """

    name: str
    title: str
    kind: Literal["tallies", "incidents"]
    table: pd.DataFrame = field(repr=False)
    ledger: pd.DataFrame = field(repr=False)
    sha256: str
    defaults: dict[str, str]
    quality: DataQuality | None = None
    case: CaseFolder | None = field(default=None, repr=False)
    as_of: pd.Timestamp | None = None
    coverage: pd.DataFrame | None = field(default=None, repr=False)
    unreviewed: tuple[int, ...] = ()

    @property
    def silence(self) -> dict[str, Silence]:
        """What the case says silence means in its series, where the table does not."""
        return {} if self.case is None else self.case.silence

    def settings(self, series: str | None) -> SeriesSettings:
        """What the case says of a series; nothing where it has nothing to say."""
        return (
            SeriesSettings() if self.case is None or series is None else self.case.series.get(series, SeriesSettings())
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class SourceSeries(CountSeries):
    """A count series with what stands behind it.

    Attributes
    ----------
    source : Source or None
        The table that it was counted from.
    reconstruction : Reconstruction or None
        Where the counts come from tallies.
    notes : tuple of str
        What the reader should know of the counting: the verdict on the table of incidents, and the messages of the
        warnings on the way.
    record : Path or None
        File of the scores of past forecasts of this series, where there is one.
    incidents : pandas.DataFrame or None
        The incidents that were counted; beside tallies of a bundled case, those of the same series and place that it
        lists.
    daily : pandas.Series or None
        The same counts by day, where the source is a table of incidents (not of counts of several days).
    victims : tuple of str
        Whose dead the fatalities of the incidents are; empty where they are of all.
    gaps : pandas.DataFrame or None
        Of incidents without a given coverage: what the table shows nobody to have observed, from
        :func:`escalation.incidents.infer_gaps`.
    """

    source: Source | None = field(default=None, repr=False)
    reconstruction: Reconstruction | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    record: Path | None = field(default=None, repr=False)
    incidents: pd.DataFrame | None = field(default=None, repr=False)
    daily: pd.Series | None = field(default=None, repr=False)
    victims: tuple[Victim, ...] = ()
    gaps: pd.DataFrame | None = field(default=None, repr=False)


def from_reconstruction(result: Reconstruction) -> SourceSeries:
    """Return the count series of a reconstruction, with the tallies behind it."""
    series = result.to_count_series()
    return SourceSeries(**{one.name: getattr(series, one.name) for one in fields(series)}, reconstruction=result)


def quiet_reading(series: CountSeries) -> SourceSeries | None:
    """The same series if no incident fell on a day that no tally speaks of; None where it is not from tallies."""
    if not isinstance(series, SourceSeries) or series.reconstruction is None:
        return None
    said = series.reconstruction.under("quiet")
    return replace(series, counts=said.counts, silence="quiet", record=None)


def open_source(
    source: str | Path | Sequence[str | Path] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    layout: Kind | Literal["tallies", "text"] = "auto",
    encoding: str | None = None,
    date_order: Literal["auto", "day-first", "month-first"] = "auto",
    reports: Reports = "all",
    as_of: DateLike | None = None,
    sheet: str | None = None,
    timezone: str | None = None,
    coverage: pd.DataFrame | None = None,
    events: str | None = None,
    cumulative: str | None = None,
    published: DateLike | None = None,
) -> Source:
    """Open a bundled case by its name, a file of tallies, files of incidents, or articles.

    Parameters
    ----------
    source : str or Path, or a sequence of them, optional
        Name of a bundled case or path of a file (:func:`escalation.read_incidents` lists the kinds), or several paths,
        or a pattern, of files of incidents; articles (text or HTML) or a folder of them; the main bundled case when
        left out.
    columns : mapping, optional
        Column map for a plain table of incidents: target column -> column of the file.
    layout : {"auto", "tallies", "text"} or a kind of table of incidents, as for :func:`escalation.read_incidents`
        What the file is; ``auto`` recognises it by its columns (a table with at least four of ``series``,
        ``count``, ``qualifier``, ``start`` and ``end`` is one of tallies; running text is an article).
    encoding : str, optional
        Encoding of a text file that is not UTF-8.
    date_order : {"auto", "day-first", "month-first"}
        What ``03/04/2024`` means in a table of incidents; ``auto`` decides by its other dates.
    reports : {"all", "root", "distinct", "distinct root"}
        Which rows of a file of reports (GDELT, ICEWS, POLECAT) to keep.
    as_of : date or str, optional
        Leave out what became known after this day; the table must say when that was.
    sheet : str, optional
        Name of the sheet of a workbook; the first that holds a table when left out.
    timezone : str, optional
        Of incidents: whose days times with an offset from UTC belong to, see :func:`escalation.read_incidents`.
    coverage : pandas.DataFrame, optional
        Of incidents: the spans in which somebody looked, from :func:`escalation.incidents.read_coverage`; data quality
        and counts go by them.
    events, cumulative : str, optional
        Where rows are no incidents, the column of counts or of a running total; see :func:`escalation.read_incidents`.
    published : date or str, optional
        For articles: day of publication, where the page does not say it.

    Returns
    -------
    Source

    Raises
    ------
    FileError
        If there is neither a case nor a file of this name.
    InputError
        If the table cannot be used.

    Examples
    --------
    >>> source = open_source("november-2024-article")
    >>> source.kind, len(source.table), source.defaults["series"]
    ('tallies', 6, 'militia_attacks_on_us')
    """
    paths = [] if source is None else [source] if isinstance(source, str | Path) else list(source)
    name = DEFAULT_CASE if source is None else str(paths[0]) if len(paths) == 1 else ""
    of_incidents = (timezone, events, cumulative) != (None, None, None) or coverage is not None
    if name and find_folder(name) is not None:
        plain = (encoding, sheet, published, layout, date_order, reports) == (None, None, None, "auto", "auto", "all")
        case = read_folder(name)
        if case.table is not None:
            opened = open_source(
                case.table, columns=columns, layout=layout, encoding=encoding, date_order=date_order, reports=reports,
                as_of=as_of, sheet=sheet, timezone=timezone, coverage=coverage, events=events, cumulative=cumulative,
            )  # fmt: skip
            return replace(opened, name=name, title=case.title, defaults=dict(case.defaults), case=case)
        if of_incidents or columns or not plain:
            raise InputError(
                "a column map, layout, encoding, date order, time zone, reports, a sheet, columns of counts, coverage "
                f"and a day of publication go with a file; {name} is a case with tallies"
            )
        return _open_case(case, name, as_of)
    if name and Path(name).suffix == "" and not is_pattern(name) and kind_of(Path(name)) == "nothing":
        raise InputError(
            f"source is {name!r}, neither a file, a folder nor a bundled case; the cases are {', '.join(case_names())}"
        )
    if layout == "text" or (layout == "auto" and holds_text(paths)):
        tabular = (encoding, sheet, date_order, reports) != (None, None, "auto", "all")
        refuse_options(name or str(paths[0]), given=tabular or bool(columns) or of_incidents)
        tallies, ledger, unreviewed = open_text(paths, published)
        tallies = _printed_by(tallies, as_of, name or str(paths[0]))
        digest = hash_of(article_files(paths))
        return Source(
            name or str(paths[0]), Path(paths[0]).stem, "tallies", tallies, ledger, digest, {}, unreviewed=unreviewed
        )
    if published is not None:
        raise InputError(f"published is {published!r}, which goes with articles; {name or paths[0]} is none")
    files = expand_paths(paths)
    path, name = files[0], str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    if layout == "tallies" or (layout == "auto" and len(files) == 1 and _holds_tallies(path, encoding, sheet)):
        if columns or of_incidents or len(files) > 1 or (date_order, reports) != ("auto", "all"):
            raise InputError(
                f"{name}: several files, a column map, columns of counts, a date order, a time zone, coverage and "
                "reports go with incidents; tallies need one file, the codebook's own column names and YYYY-MM-DD"
            )
        unreviewed = ()
        if is_reviewed(path, encoding, sheet):
            tallies, ledger, unreviewed = open_reviewed(path)
        else:
            tallies, ledger = read_tallies(path, encoding=encoding, sheet=sheet)
        tallies = _printed_by(tallies, as_of, name)
        return Source(name, path.stem, "tallies", tallies, ledger, hash_of(files), {}, unreviewed=unreviewed)
    incidents, ledger = read_incidents(
        files,
        layout,
        columns,
        encoding,
        date_order=date_order,
        reports=reports,
        as_of=as_of,
        sheet=sheet,
        timezone=timezone,
        events=events,
        cumulative=cumulative,
    )
    quality = data_quality(incidents, ledger=ledger, coverage=coverage)
    return Source(name, path.stem, "incidents", incidents, ledger, hash_of(files), {}, quality, coverage=coverage)


def count_series(
    source: Source,
    *,
    series: str | None = None,
    counter: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    by: str | None = None,
    measure: Measure = "incidents",
    victims: Victim | Sequence[Victim] | None = None,
    freq: str | None = None,
    start: DateLike | None = None,
    end: DateLike | None = None,
    coverage: pd.DataFrame | Basis | None = None,
    draws: int | None = None,
    silence: Silence | None = None,
    flags: Sequence[str] | None = None,
    rng: Seed = None,
) -> SourceSeries:
    """Get one count series out of a source.

    Parameters
    ----------
    source : Source
        From :func:`open_source`.
    series, counter, place, unit : str, optional
        For tallies: which to reconstruct; see :func:`escalation.reconstruct`.  For incidents ``series``
        is the value of the column ``by`` to keep.
    by : str, optional
        For incidents: the column that ``series`` is looked up in, such as ``country``.
    measure : {"incidents", "fatalities"}
        For incidents: what is counted.
    victims : {"own", "partner", "attacker", "civilian"} or a list of them, optional
        For incidents, and those that a bundled case lists: whose dead their fatalities are, see
        :func:`escalation.aggregate`; all when left out.
    freq : str, optional
        ``D``, ``W-SUN`` … ``W-SAT`` or ``M``; left out, the case's own, those that rows of counts are of, or weeks.
    start, end : date, optional
        First and last day.
    coverage : pandas.DataFrame or {"units", "sources", "gaps"}, optional
        For incidents: the spans in which each value of ``by`` (the whole, without ``by``) was watched, or how to guess
        them; see :func:`escalation.aggregate`. Left out, that of the source, if it has one.
    draws : int, optional
        Histories: of a reconstruction, 500 when left out; of incidents, in which each falls on one day of its window,
        none when left out.
    silence : {"quiet", "unknown", "lower_bound"}, optional
        For tallies: what a day means that none speaks of; see :func:`escalation.reconstruct`.  What the table says
        when left out, or else the case, or else what the tallies bear out.
    flags : sequence of str, optional
        For tallies: flags of those that may be used; ``ok`` when left out.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    SourceSeries
        A :class:`escalation.CountSeries` that knows its source.

    Raises
    ------
    InputError
        If an option does not go with the source, or leaves a choice.

    Examples
    --------
    >>> source = open_source("november-2024-article")
    >>> counted = count_series(source, series="us_soldiers_killed", freq="D", rng=1)
    >>> counted.unit, counted.place, int(counted.counts.loc["2024-01-28"].median())
    ('deaths', 'Jordan', 3)
    """
    asked = () if victims is None else check_victims(victims)
    own = source.defaults
    as_bundled = all(option is None for option in (series, counter, place, unit, by, freq, start, end))
    said = source.settings(series or own.get("series")) if source.kind == "tallies" else SeriesSettings()
    if series is not None and series != own.get("series"):
        # another series is another question; only where silence is quiet the days of the case are known of it too
        kept = ("freq", "start", "end") if source.silence.get(series) == "quiet" else ("freq",)
        own = {"freq": "W-SUN"} | {name: own[name] for name in kept if name in own}
    coverage = source.coverage if coverage is None else coverage
    if source.kind == "incidents" and "freq" not in source.defaults:
        own = own | {"freq": native_freq(source.table) or "W-SUN"}
    freq = freq or said.freq or own.get("freq", "W-SUN")
    series = series or own.get("series")
    start = start or said.start or own.get("start")
    end = end or said.end or own.get("end")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EscalationWarning)
        if source.kind == "tallies":
            if by is not None or coverage is not None or measure != "incidents":
                raise InputError("by, measure and coverage go with incidents; this source holds tallies")
            if counter is None or counter == said.counter:  # another counter's units and places are its own
                place, unit = place or said.place, unit or said.unit
            counter = counter or said.counter or own.get("counter")
            names = sorted(source.table["series"].unique())
            if series is None and len(names) > 1:
                raise InputError(f"{source.name} holds {len(names)} series; choose one series of {', '.join(names)}")
            name = series or names[0]
            in_table = source.table.loc[source.table["series"] == name, "silence"].ne("").any()
            of_case = None if silence is not None or in_table else source.silence.get(name)
            result = reconstruct(
                source.table,
                series=name,
                counter=counter,
                place=place,
                unit=unit,
                freq=freq,
                start=start,
                end=end,
                draws=HISTORIES if draws is None else draws,
                flags=("ok",) if flags is None else flags,
                silence=silence or of_case,
                rng=rng,
            )
            if of_case is not None:
                result = replace(result, silence_from="case")
            counted = replace(
                from_reconstruction(result),
                record=None
                if not as_bundled or source.as_of is not None or source.case is None
                else source.case.record,
                incidents=of_victims(_listed(source, result), asked, source.name),
            )
        else:
            if any(option is not None for option in (counter, place, unit, silence, flags)):
                raise InputError(
                    "counter, place, unit, silence and flags go with tallies; for incidents use by and series"
                )
            if asked:
                source = replace(source, table=deaths_of(source.table, asked))
            counted = _from_incidents(source, series, by, measure, freq, start, end, coverage, draws, rng)
    for one in caught:
        if not issubclass(one.category, EscalationWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    notes = [
        *quality_notes(source.quality),
        *table_notes(source.table),
        *gap_notes(counted.gaps, counted.observed_until),
    ]
    notes += [warning_note(one) for one in caught if issubclass(one.category, EscalationWarning)]
    if counted.reconstruction is not None:
        notes = [*tally_notes(counted.reconstruction), *notes]
    if source.kind == "incidents" and end is None and coverage is None:
        word = period_word(pd.PeriodIndex(counted.counts.index).freqstr)
        note = ending_note(source.table, counted.observed_until, word, counted.exposure.iloc[-1])
        notes += [note] if note else []
    if source.unreviewed:
        notes = unreviewed_note(source.table, source.unreviewed, series or names[0], counter) + notes
    title = said.title or counted.title
    if asked and measure == "fatalities":
        title = f"{title}, {victims_text(asked)}"
    return replace(counted, source=source, notes=tuple(notes), title=title, victims=asked)


def _open_case(case: CaseFolder, name: str, as_of: DateLike | None) -> Source:
    """The source of a case with tallies."""
    assert case.tallies is not None
    # under a name of its own where it is not all, for what comes with the case knew more
    known = None if as_of is None else parse_date(as_of, "as_of", side="end")
    return Source(
        name if known is None else f"{name} as of {known:%Y-%m-%d}",
        case.title,
        "tallies",
        _printed_by(case.tallies, as_of, name),
        LedgerEntries(name).frame() if case.ledger is None else case.ledger,
        hashlib.sha256(case.tallies.to_csv().encode()).hexdigest(),
        dict(case.defaults),
        case=case,
        as_of=known,
        unreviewed=case.unreviewed,
    )


def _listed(source: Source, result: Reconstruction) -> pd.DataFrame | None:
    """Incidents that a case lists beside its tallies, of the series of a reconstruction."""
    return listed_incidents(None if source.case is None else source.case.incidents, source.as_of, result)


def _from_incidents(
    source: Source,
    series: str | None,
    by: str | None,
    measure: Measure,
    freq: str,
    start: DateLike | None,
    end: DateLike | None,
    coverage: pd.DataFrame | Basis | None,
    draws: int | None,
    rng: Seed,
) -> SourceSeries:
    if (by is None) != (series is None):
        raise InputError(
            f"by is {by!r} and series {series!r}, which go together for incidents: by='country', series='Syria' (--by "
            "country --series Syria) counts Syria's rows; several units at once are counted and backtested in Python"
        )
    table = source.table
    # without coverage the span is that of the whole table: a unit that was quiet at first was still watched
    begin = None if start is None else parse_date(start, "start")
    finish = None if end is None else parse_date(end, "end", side="end")
    if coverage is None:
        check_days(table, begin, finish)
    first, last = begin or table["date"].min(), finish or table["date_end"].max()
    if end is None and coverage is None:
        last = last_watched(table, freq)
        table = table[table["date"] <= last]
    title, gaps = source.title, None if coverage is not None or source.quality is None else source.quality.gaps
    if by is not None:
        by = str(columns_read_as(source.table, by))
        if by not in table.columns:
            raise InputError(f"by is {by!r}; name a column of the table as it is read: {', '.join(table.columns)}")
        values = table[by].astype(str)
        if series not in set(values):
            there = ", ".join(values.value_counts().index[:8])
            raise InputError(f"no incident has {by} {series!r}; the most frequent are {there}")
        table, title = table[values == series], f"{series} ({source.title})"
        if gaps is not None:
            gaps = with_sources(gaps, source.table, (source.table[by].astype(str) == series).to_numpy())
    spans = None if gaps is None or gaps.empty else observed_spans(gaps)
    if coverage is not None:
        spans = spans_of(source.table, series, by, coverage)
    if spans is not None and coverage is not None and not isinstance(coverage, str):
        first = spans["start"].fillna(first).min() if start is None else first
        last = spans["end"].fillna(last).max() if end is None else last
    counts = aggregate(table, freq, start=first, end=last, measure=measure, coverage=spans, draws=draws, rng=rng)
    shares = exposure(pd.PeriodIndex(counts.index), first, last)
    if spans is not None:
        shares = pd.Series(coverage_exposure(counts, spans, start=first, end=last))
    inside = table[(table["date_end"] >= first) & (table["date"] <= last)]
    daily = None if draws is not None or lasting(table) else by_day(table, first, last, measure, spans)
    return SourceSeries(
        counts=counts,
        exposure=shares,
        observed_until=last,
        unit=measure,
        title=title,
        incidents=inside,
        daily=daily,
        gaps=gaps,
    )


def _printed_by(tallies: pd.DataFrame, as_of: DateLike | None, name: str) -> pd.DataFrame:
    """The tallies that had been printed by a day, if one is given."""
    if as_of is None:
        return tallies
    known = known_by(tallies, as_of)
    if known.empty:
        raise InputError(f"{name}: no tally that says when it was printed had been by {as_of}; choose a later as_of")
    return known


def _holds_tallies(path: Path, encoding: str | None, sheet: str | None) -> bool:
    """Recognise a table of tallies; one that lacks a single column is still meant as one, and its reader says which."""
    names = column_names(path, encoding=encoding, sheet=sheet)
    return len(set(REQUIRED) & {*names, *plain_headers(names).values()}) >= len(REQUIRED) - 1
