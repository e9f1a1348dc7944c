"""Put the pages of a report together and write them as one PDF."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

import escalation
from escalation.assessment import Assessment
from escalation.casualties import Casualties
from escalation.errors import FileError
from escalation.files import atomic_write
from escalation.findings import Findings, find
from escalation.plots.style import styled
from escalation.plots.text import printable
from escalation.report.answers import set_answers
from escalation.report.counted import set_incidents, set_reconstruction
from escalation.report.growing import set_alarms, set_changes, set_growth, set_regime
from escalation.report.lists import set_tallies
from escalation.report.method import set_method
from escalation.report.outlook import set_flashpoints, set_forecast, set_trend
from escalation.report.paper import Paper
from escalation.report.record import set_record
from escalation.report.severity import set_severity
from escalation.report.sides import set_excitation, set_presets
from escalation.report.words import name_of, title_of
from escalation.sources import Source


def write_report(
    assessment: Assessment,
    source: Source,
    path: str | Path,
    *,
    findings: Findings | None = None,
    casualties: Casualties | None = None,
    seed: int | None = None,
) -> Path:
    """Write the report of an assessment as a PDF.

    The same assessment and seed give the same file, byte for byte: it holds no time of day, and fonts
    and settings are those that matplotlib ships. It appears under its name only when it is whole.

    Parameters
    ----------
    assessment : Assessment
        From :func:`escalation.assess`.
    source : Source
        What the counts came from; named, with its hash, on every page.
    path : str or Path
        Where to write; must end in ``.pdf``.
    findings : Findings, optional
        From :func:`escalation.find`, for the pages on growth, changes, alarms, regimes and sides; found here, without
        regimes, when left out.
    casualties : Casualties, optional
        From :func:`escalation.assess_casualties`; with it the report has a page on severity.
    seed : int, optional
        What ``rng`` was for :func:`escalation.count_series` and :func:`escalation.assess`; printed, so that
        a reader can make the same numbers.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileError
        If the path does not end in ``.pdf``, or cannot be written.

    Examples
    --------
    >>> import tempfile, escalation
    >>> source = escalation.open_source("november-2024-article")
    >>> series = escalation.count_series(source, draws=40, rng=1)
    >>> assessment = escalation.assess(series, draws=50, models=[], model="climatology", rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_report(assessment, source, folder + "/report.pdf", seed=1)
    ...     written.read_bytes()[:5]
    b'%PDF-'
    """
    path = Path(path)
    if path.suffix.lower() != ".pdf":
        raise FileError(f"{path}: a report is a PDF; end its name in .pdf")
    about = {
        "Title": printable(title_of(assessment)),
        "Creator": f"escalation {escalation.__version__}",
        "CreationDate": None,
        "ModDate": None,
    }
    with atomic_write(path, "wb") as stream:
        pages = compose_report(assessment, source, findings=findings, casualties=casualties, seed=seed)
        _save(pages, stream, about)
    return path


@styled
def _save(pages: list[Figure], stream: IO[Any], about: dict[str, str | None]) -> None:
    with PdfPages(stream, metadata=about) as pdf:
        for page in pages:
            pdf.savefig(page)


@styled
def compose_report(
    assessment: Assessment,
    source: Source,
    *,
    findings: Findings | None = None,
    casualties: Casualties | None = None,
    seed: int | None = None,
) -> list[Figure]:
    """Lay out the pages of a report.

    Parameters
    ----------
    assessment, source, findings, casualties, seed
        As in :func:`write_report`.

    Returns
    -------
    list of matplotlib.figure.Figure
        A4 pages.
    """
    paper = Paper()
    found = find(assessment, rng=seed) if findings is None else findings
    reconstruction = assessment.series.reconstruction
    set_answers(paper, assessment, found)
    paper.new_page()
    if reconstruction is None:
        set_incidents(paper, assessment, source)
    else:
        set_reconstruction(paper, reconstruction, assessment.level)
    paper.new_page()
    set_trend(paper, assessment, found)
    set_growth(paper, assessment, found)
    set_changes(paper, assessment, found)
    set_alarms(paper, assessment, found)
    set_regime(paper, found)
    set_excitation(paper, found.excitation)
    paper.new_page()
    set_forecast(paper, assessment)
    paper.new_page()
    set_flashpoints(paper, assessment)
    set_presets(paper, assessment, found)
    set_severity(paper, casualties)
    set_record(paper, assessment)
    paper.new_page()
    set_method(paper, assessment, source, found, seed)
    if reconstruction is not None:
        paper.new_page()
        set_tallies(paper, reconstruction)
    foot = f"Source: {name_of(source)}, SHA-256 {source.sha256[:16]}"
    return paper.finish(title_of(assessment), foot, f"escalation {escalation.__version__}")
