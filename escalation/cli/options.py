"""The options that every command that counts shares."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass, replace
from typing import Annotated, Any, Literal

import typer

import escalation

Format = Literal["table", "csv", "json"]


def whole(help_text: str, *, least: int = 1) -> Any:
    """An option that is a whole number from ``least``; how large it may be is for the package to say."""

    def whole_number(given: str | int) -> int:
        text = str(given)
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) >= least):
            raise typer.BadParameter(f"{text!r} is no whole number from {least}")
        return int(text)

    return typer.Option(parser=whole_number, metavar="N", help=help_text)


def day(help_text: str) -> Any:
    """An option that is a day."""
    return typer.Option(metavar="YYYY-MM-DD", help=help_text)


Horizon = Annotated[
    int | None, whole("Periods to forecast; left out, 28 days, 8 weeks or 6 months, or --within if that is more.")
]
AtLeast = Annotated[
    int | None,
    whole("The flashpoint: this many or more in --over periods; left out, what the busiest tenth so far reached."),
]
Over = Annotated[int, whole("Consecutive periods that are summed.")]
Within = Annotated[int | None, whole("Periods ahead that the flashpoint may fall in; left out, --horizon.")]
Model = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="changing_rate, or another model: bootstrap, climatology, ensemble, exponential_smoothing, hidden_markov, "
        "hurdle, ingarch, last_value, local_level, local_trend, negative_binomial, poisson, zero_inflated or one of an "
        "installed package.",
    ),
]
Season = Annotated[
    Literal["auto", "none", "weekday", "year"],
    typer.Option(help="Patterns that the default model looks for; auto, all that two cycles of show."),
]
Calendars = Annotated[
    list[str] | None,
    typer.Option(
        "--calendar",
        metavar="NAME",
        help="Days that the models allow for: ramadan, eid_al_fitr, eid_al_adha, muharram, ashura, arbaeen, mawlid, or "
        "the public holidays of a country, such as holidays-IQ; may be repeated.",
    ),
]
Sides = Annotated[
    list[str] | None,
    typer.Option(
        "--side",
        metavar="NAME",
        help="One of two sides that may answer each other, given twice: for incidents a value of --by; for reported "
        "counts a series, series/counter or series/counter/unit.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Which table is read, and how."""

    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="The folder of a case, or the name of a bundled one; a table of reported counts or of incidents (CSV, "
            "TSV, XLSX, JSON, Parquet, zipped; of incidents also several files); or articles; "
            "left out, the main bundled case.",
        ),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET=NAME", help="Incidents: which column holds what, such as date=Datum; may be repeated."
        ),
    ] = None
    layout: Annotated[
        Literal[
            "auto", "tallies", "text", "plain", "acled", "acled-weekly", "ucdp", "gdelt", "icews", "polecat", "sigacts"
        ],
        typer.Option(
            metavar="KIND",
            help="What the file is; auto goes by its columns. Others: tallies, text, plain, acled, acled-weekly, ucdp, "
            "gdelt, icews, polecat, sigacts.",
        ),
    ] = "auto"
    date_order: Annotated[
        Literal["auto", "day-first", "month-first"],
        typer.Option(help="Incidents: what 03/04/2024 means; auto goes by the other dates."),
    ] = "auto"
    reports: Annotated[
        Literal["all", "root", "distinct", "distinct root"],
        typer.Option(
            metavar="WHICH",
            help="GDELT, ICEWS, POLECAT: which reports to keep: all, root, distinct (one of each place, day and code) "
            "or 'distinct root'.",
        ),
    ] = "all"
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file that is not UTF-8, such as cp1252.")] = (
        None
    )
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; left out, the first that holds a table.")] = (
        None
    )
    events: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Tables whose rows are no incidents: the column that says how many a row stands for, or by how many "
            "it changes a count.",
        ),
    ] = None
    cumulative: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of a running total; counts are what it rises by."),
    ] = None
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="AREA/CITY",
            help="Incidents: whose days times with an offset from UTC belong to, such as Europe/Kyiv; left out, the "
            "days that are written.",
        ),
    ] = None
    as_of: Annotated[str | None, day("Leave out what became known after this day.")] = None
    date: Annotated[str | None, day("Articles: day of publication, where the page does not say it.")] = None
    ledger: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write every row that was dropped, merged or changed, and why, to this CSV file."
        ),
    ] = None

    def columns(self) -> dict[str, str]:
        """The column map.

        Raises
        ------
        InputError
            If an entry is not ``target=name`` or a target comes twice.
        """
        chosen: dict[str, str] = {}
        for entry in self.column or []:
            target, mark, name = (part.strip() for part in entry.partition("="))
            if not (target and mark and name):
                raise escalation.InputError(f"--column is {entry!r}; write target=name, such as date=Datum")
            if target in chosen:
                raise escalation.InputError(f"--column gives {target} twice, {chosen[target]!r} and {name!r}; keep one")
            chosen[target] = name
        return chosen


@dataclass(frozen=True, kw_only=True)
class Selection(Table):
    """Which counts are asked for."""

    series: Annotated[
        str | None, typer.Option(help="Which series of the reported counts; for incidents, which value of --by.")
    ] = None
    counter: Annotated[str | None, typer.Option(help="Reported counts: who counted.")] = None
    place: Annotated[str | None, typer.Option(help="Reported counts: where, such as Iraq.")] = None
    unit: Annotated[str | None, typer.Option(help="Reported counts: what is counted, such as attacks.")] = None
    by: Annotated[str | None, typer.Option(help="Incidents: the column to find --series in, such as country.")] = None
    measure: Annotated[Literal["incidents", "fatalities"], typer.Option(help="Incidents: what is counted.")] = (
        "incidents"
    )
    victims: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Incidents that say who was killed: whose dead count: own (of the side attacked), partner, attacker, "
            "civilian; left out, all.",
        ),
    ] = None
    coverage: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Incidents: a table of the spans that were watched, with start, end and, with --by, its column; or "
            "the word units or sources, to have them guessed.",
        ),
    ] = None
    draws: Annotated[
        int | None,
        whole(
            "Histories of counts that are not exact: 500 of reported counts; of incidents none, each counts on "
            "the last day of its window."
        ),
    ] = None
    freq: Annotated[str | None, typer.Option(help="Periods: D, W-SUN to W-SAT (the day that ends the week) or M.")] = (
        None
    )
    start: Annotated[str | None, day("First day.")] = None
    end: Annotated[str | None, day("Last day.")] = None
    silence: Annotated[
        Literal["quiet", "unknown", "lower_bound"] | None,
        typer.Option(
            help="Reported counts: what a day means that no tally speaks of: no incident, not known, or that the "
            "counts are the least there was; left out, what the table or the case says, or else what the tallies "
            "bear out."
        ),
    ] = None
    flags: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Reported counts: flags of the tallies that may be used; left out, ok."),
    ] = None
    seed: Annotated[int, whole("The same seed gives the same numbers.", least=0)] = 1

    def flag_list(self) -> tuple[str, ...] | None:
        """The flags one by one."""
        return None if self.flags is None else tuple(one.strip() for one in self.flags.split(","))

    def victim_list(self) -> list[Any] | None:
        """Whose dead count, one by one."""
        return None if self.victims is None else [one.strip() for one in self.victims.split(",")]

    def of_series(self, series: str | None, counter: str | None, unit: str | None) -> "Selection":
        """The same selection of a series, by a counter, of a unit."""
        return replace(self, series=series, counter=counter, unit=unit)

    def with_freq(self, freq: str) -> "Selection":
        """The same selection in other periods."""
        return replace(self, freq=freq)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a command's table goes, and in which format."""

    form: Annotated[
        Format | None, typer.Option("--format", help="Left out: by the ending of --output, else a table.")
    ] = None
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None


def with_groups(options: Callable[..., None], run: Callable[..., None]) -> Callable[..., None]:
    """Give a function the options of the groups among its parameters in their place, those of a target at the end."""
    parameters = inspect.signature(options, eval_str=True).parameters
    annotated = {name: one.annotation for name, one in parameters.items()}
    groups = {name: kind for name, kind in annotated.items() if isinstance(kind, type) and is_dataclass(kind)}
    parts = {name: [one] for name, one in parameters.items()}
    parts |= {name: list(inspect.signature(kind, eval_str=True).parameters.values()) for name, kind in groups.items()}

    @functools.wraps(options)
    def grouped(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{one.name: given.pop(one.name) for one in parts[name]})
        run(**given)

    ordered = sorted(parts, key=lambda name: groups.get(name) is Target)
    flat = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name in ordered for one in parts[name]]
    grouped.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    return grouped
