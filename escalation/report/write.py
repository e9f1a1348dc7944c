"""Put the pages of a report together and write them as one PDF."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from escalation.assessment.assess import assess
from escalation.assessment.result import Assessment
from escalation.assessment.source import Source
from escalation.assessment.withheld import Withheld
from escalation.conventions.randomness import Seed
from escalation.conventions.version import __version__
from escalation.counts.series import CountsLike
from escalation.errors import FileError, InputError
from escalation.files.disk import atomic_write
from escalation.plots.style import styled
from escalation.plots.text import printable
from escalation.report.answers import set_answers
from escalation.report.counted import set_counts, set_reconstruction
from escalation.report.growing import set_alarms, set_changes, set_growth, set_regime
from escalation.report.lists import set_tallies
from escalation.report.method import set_method
from escalation.report.outlook import set_flashpoints, set_forecast, set_trend
from escalation.report.paper import BOTTOM, TOP, Paper
from escalation.report.record import set_record
from escalation.report.severity import set_severity
from escalation.report.sides import set_excitation, set_presets
from escalation.report.words import title_of

FULL = BOTTOM - TOP
"""Points of a page."""


def write_report(counts: Assessment | CountsLike | Source | str | Path, path: str | Path, *, rng: Seed = None) -> Path:
    """Write the report of one series as a PDF: what ``escalation report`` writes.

    The same assessment gives the same file, byte for byte: it holds no time of day, and fonts and settings are those
    that matplotlib ships. It appears under its name only when it is whole.

    Parameters
    ----------
    counts : Assessment, Series, DataFrame of histories, CountSeries, Reconstruction, Source, str or Path
        From :func:`escalation.assess`, which has the options; or anything that it takes, assessed here by its defaults.
    path : str or Path
        Where to write; must end in ``.pdf``.
    rng : int, Generator or None
        Seed or generator of what is assessed here; an assessment brings its own.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileError
        If the path does not end in ``.pdf``, or cannot be written.
    InputError
        If the counts cannot be assessed, or ``rng`` is given beside an assessment.

    Examples
    --------
    >>> import tempfile, pandas as pd, escalation
    >>> counts = pd.Series([2, 0, 1, 3, 1], index=pd.period_range("2024-01-01", periods=5, freq="W-SUN"))
    >>> assessment = escalation.assess(counts, draws=50, models=[], model="climatology", rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_report(assessment, folder + "/report.pdf")
    ...     written.read_bytes()[:5]
    b'%PDF-'
    """
    path = Path(path)
    if path.suffix.lower() != ".pdf":
        raise FileError(f"{path}: a report is a PDF; end its name in .pdf")
    if isinstance(counts, Assessment) and rng is not None:
        raise InputError(f"rng is {rng!r}, but an assessment brings its seed; hand rng to assess")
    assessment = counts if isinstance(counts, Assessment) else assess(counts, rng=rng)
    about = {
        "Title": printable(title_of(assessment.series)),
        "Creator": f"escalation {__version__}",
        "CreationDate": None,
        "ModDate": None,
    }
    with atomic_write(path, "wb") as stream:
        _save(compose_report(assessment), stream, about)
    return path


@styled
def _save(pages: list[Figure], stream: IO[Any], about: dict[str, str | None]) -> None:
    with PdfPages(stream, metadata=about) as pdf:
        for page in pages:
            pdf.savefig(page)


@styled
def compose_report(assessment: Assessment) -> list[Figure]:
    """Lay out the pages of a report.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`.

    Returns
    -------
    list of matplotlib.figure.Figure
        A4 pages.
    """
    paper, reconstruction = Paper(), assessment.reconstruction
    set_answers(paper, assessment)
    paper.new_page()
    if reconstruction is None:
        set_counts(paper, assessment)
    else:
        set_reconstruction(paper, reconstruction, assessment.level)
    _open_page(paper, assessment.rate)
    set_trend(paper, assessment)
    set_growth(paper, assessment)
    set_changes(paper, assessment)
    set_alarms(paper, assessment)
    set_regime(paper, assessment)
    set_excitation(paper, assessment)
    _open_page(paper, assessment.outlook)
    set_forecast(paper, assessment)
    _open_page(paper, assessment.thresholds)
    set_flashpoints(paper, assessment)
    set_presets(paper, assessment)
    set_severity(paper, assessment)
    set_record(paper, assessment)
    paper.new_page()
    set_method(paper, assessment)
    if reconstruction is not None:
        paper.need(FULL / 2)  # on a page of their own, unless the last one has hardly begun
        set_tallies(paper, reconstruction)
    origin = assessment.provenance()
    foot = f"Source: {origin['name']}, SHA-256 {origin['sha256'][:16]}"
    return paper.finish(title_of(assessment.series), foot, f"escalation {__version__}")


def _open_page(paper: Paper, part: object) -> None:
    """Open a page for a part that is given; why another is not needs no page of its own."""
    if not isinstance(part, Withheld):
        paper.new_page()
