"""Put the pages of a report together and write them as one PDF."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from escalation.assessment.result import Assessment
from escalation.assessment.source import Source
from escalation.assessment.withheld import Withheld
from escalation.cases.forms import check_form
from escalation.cases.gather import brief
from escalation.cases.result import Brief
from escalation.conventions.randomness import Seed
from escalation.conventions.version import __version__
from escalation.counts.series import CountsLike
from escalation.errors import FileError, InputError
from escalation.files.disk import atomic_write
from escalation.plots.small_charts import saved, svg_of
from escalation.plots.style import styled
from escalation.plots.text import printable
from escalation.report.answers import set_answers
from escalation.report.brief_pages import compose_brief, finish_brief, set_brief
from escalation.report.counted import set_counts, set_reconstruction
from escalation.report.growing import set_alarms, set_changes, set_growth, set_regime
from escalation.report.lists import set_tallies
from escalation.report.method import set_method
from escalation.report.outlook import set_flashpoints, set_forecast, set_trend
from escalation.report.paper import BOTTOM, TOP, Paper
from escalation.report.places import set_places
from escalation.report.questions import set_questions
from escalation.report.record import set_record
from escalation.report.severity import set_severity
from escalation.report.sides import set_excitation, set_presets

FULL = BOTTOM - TOP
"""Points of a page."""


def write_report(
    counts: Brief | Assessment | CountsLike | Source | str | Path,
    path: str | Path,
    *,
    full: bool = False,
    figures: str | Path | None = None,
    rng: Seed = None,
) -> Path:
    """Write the brief on a case or series as PDF, HTML or JSON: what ``escalation report`` writes.

    The same brief gives the same file, byte for byte: it holds no time of day, and fonts and settings are those that
    matplotlib ships. It appears under its name only when it is whole.  A PDF or HTML file in the ``reports`` folder of
    its case has the JSON beside it under the same name, with which the next report of the case is compared.

    Parameters
    ----------
    counts : Brief, Assessment, Series, DataFrame of histories, CountSeries, Reconstruction, Source, str or Path
        From :func:`escalation.brief` or :func:`escalation.assess`, which have the options; or anything that they take,
        answered here by their defaults. Of an assessment its own series alone is answered.
    path : str or Path
        Where to write; must end in ``.pdf``, ``.html`` or ``.json``.
    full : bool
        Whether the further pages on the main series follow the brief, with the list of its tallies, in a PDF; all
        answers about it, in JSON.
    figures : str or Path, optional
        Folder in which each chart of the brief is written as SVG and PNG.
    rng : int, Generator or None
        Seed or generator of what is answered here; a brief or an assessment brings its own.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileError
        If the path does not end so, or a file cannot be written.
    InputError
        If the counts cannot be assessed, ``rng`` is given beside an assessment, or ``full`` beside another format.

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
    form = path.suffix.lower()
    check_form(path, full=full)
    if isinstance(counts, Brief) and rng is not None:
        raise InputError(f"rng is {rng!r}, but a brief brings its seed; hand rng to escalation.brief")
    made = counts if isinstance(counts, Brief) else brief(counts, others=not isinstance(counts, Assessment), rng=rng)
    if form == ".pdf":
        about = {
            "Title": printable(made.title),
            "Creator": f"escalation {__version__}",
            "CreationDate": None,
            "ModDate": None,
        }
        with atomic_write(path, "wb") as stream:
            _save(compose_full(made) if full else compose_brief(made), stream, about)
    else:
        with atomic_write(path) as stream:
            stream.write(made.to_html() if form == ".html" else made.to_json(full=full))
    beside = made.kept_beside(path)
    if beside is not None:
        with atomic_write(beside) as stream:
            stream.write(made.to_json())
    if figures is not None:
        _write_figures(made, Path(figures))
    return path


def _write_figures(made: Brief, folder: Path) -> None:
    """Write each chart of a brief as SVG and PNG."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot be made a folder ({error.strerror}); name another") from error
    for picture in made.pictures():
        with atomic_write(folder / f"{picture.name}.svg") as text:
            text.write(f"{svg_of(picture.draw, picture.name)}\n")
        with atomic_write(folder / f"{picture.name}.png", "wb") as stream:
            stream.write(saved(picture.draw, "png"))


@styled
def _save(pages: list[Figure], stream: IO[Any], about: dict[str, str | None]) -> None:
    with PdfPages(stream, metadata=about) as pdf:
        for page in pages:
            pdf.savefig(page)


@styled
def compose_full(made: Brief) -> list[Figure]:
    """Lay out a brief with the further pages on its main series behind it.

    Parameters
    ----------
    made : Brief
        From :func:`escalation.brief`.

    Returns
    -------
    list of matplotlib.figure.Figure
        A4 pages.
    """
    paper, assessment = Paper(), made.assessment
    set_brief(paper, made)
    paper.new_page()
    set_answers(paper, assessment)
    paper.new_page()
    _set_further(paper, assessment)
    set_questions(paper, made.questions)
    return finish_brief(paper, made)


def _set_further(paper: Paper, assessment: Assessment) -> None:
    """Set the further pages on one series: each question with its charts and tables, the method and the sources."""
    reconstruction = assessment.reconstruction
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
    set_places(paper, assessment)
    set_record(paper, assessment)
    paper.new_page()
    set_method(paper, assessment)
    if reconstruction is not None:
        paper.need(FULL / 2)  # on a page of their own, unless the last one has hardly begun
        set_tallies(paper, reconstruction)


def _open_page(paper: Paper, part: object) -> None:
    """Open a page for a part that is given; why another is not needs no page of its own."""
    if not isinstance(part, Withheld):
        paper.new_page()
