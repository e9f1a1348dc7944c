"""Days of named calendars as interventions."""

from __future__ import annotations

from escalation.counts.calendars import calendar_spans
from escalation.counts.periods import DateLike, parse_date
from escalation.models.regression.interventions import Pulse


def calendar_pulses(calendar: str, start: DateLike, end: DateLike) -> tuple[Pulse, ...]:
    """One pulse for each span of days of a named calendar, each with an effect of its own.

    An effect that is the same each year is a regressor instead: :func:`escalation.counts.calendar_columns`.

    Parameters
    ----------
    calendar, start, end
        As in :func:`escalation.counts.calendar_spans`.

    Returns
    -------
    tuple of Pulse
        For the ``interventions`` of a model; spans that begin before ``start`` or end after ``end`` are cut there.

    Raises
    ------
    InputError
        If there is no such calendar, or it does not reach so far.

    Examples
    --------
    >>> [pulse.term for pulse in calendar_pulses("eid_al_fitr", "2023-01-01", "2024-12-31")]
    ['pulse_2023-04-21_2023-04-23', 'pulse_2024-04-10_2024-04-12']
    """
    spans = calendar_spans(calendar, start, end)
    first, last = parse_date(start, "start"), parse_date(end, "end", side="end")
    return tuple(
        Pulse(max(begin, first), min(finish, last)) for begin, finish in zip(spans["start"], spans["end"], strict=True)
    )
