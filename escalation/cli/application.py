"""The application: all files of commands, in the order of its help."""

from escalation.cli import (
    answer_commands,
    case_commands,
    hindsight_commands,
    record_commands,
    score_commands,
    table_commands,
    trace_commands,
    trend_commands,
)
from escalation.cli.commands import app

__all__ = ["FILES", "app"]

FILES = (
    answer_commands,
    case_commands,
    table_commands,
    trend_commands,
    score_commands,
    record_commands,
    hindsight_commands,
    trace_commands,
)
"""Files that add their commands to those of :mod:`escalation.cli.commands` when they are imported."""

_PLACES = {file.__name__: place for place, file in enumerate(FILES)}
app.registered_commands.sort(key=lambda one: _PLACES[str(getattr(one.callback, "__module__", ""))])
