"""Read the counts that articles report: from text or HTML to tallies, each with its sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from escalation.articles.extract import Found, Unread, extract
from escalation.articles.language import is_english
from escalation.articles.merging import Merged, merge_articles, merge_repeats
from escalation.articles.naming import name_alike
from escalation.articles.normal import Normal, normalise
from escalation.articles.page import Page, html_page, is_html, plain_paragraphs
from escalation.articles.published import Published, find_published
from escalation.articles.rows import ledger_rows, tally_rows
from escalation.articles.sentences import Sentence, sentences
from escalation.articles.words import Rules, read_rules
from escalation.counts.periods import DateLike, parse_date
from escalation.errors import FileError, InputError
from escalation.files.ledger import join_ledgers

ENDINGS = (".txt", ".html", ".htm", ".md", ".text", ".xhtml")
"""Endings of the files of a folder that are read as articles."""
LARGEST = 5_000_000
"""Characters of an article; a text of more is refused."""
MOST_SENTENCES = 500
"""Sentences that are read of one article; the rest is said to be unread."""
CONTROL = bytes([*range(9), *range(14, 27), *range(28, 32)])
"""Bytes that no text has; tabs, line ends and escapes it may have."""
MOST_CONTROL = 0.02
"""Share of such bytes that damage may leave in a text."""


@dataclass(frozen=True)
class Read:
    """One article as it was read."""

    name: str
    url: str
    published: Published
    numbered: tuple[Sentence, ...]
    merged: tuple[Merged, ...]
    unread: tuple[Unread, ...]


def read_article(
    text: str,
    published: DateLike | None = None,
    *,
    name: str = "article",
    url: str = "",
    rules: str | Path | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the counts that an article reports.

    Sentences are read by rules that go by tables (``data/reading/``): numbers with their hedges, the noun and the verb
    that say what is counted, and the expression of time that dates the clause. Plans, threats, money, ages, forces
    and the like are no counts. No model is loaded and nothing leaves the machine. English only.

    Parameters
    ----------
    text : str
        The article, plain or HTML, of up to 5,000,000 characters.
    published : date or str, optional
        Day of publication. Left out, that of the page's metadata, byline or address; where none says it, windows that
        hang on it ("last week", "in March") stay blank, never filled from today's date.
    name : str
        What the article is called in the columns ``source`` and ``article``.
    url : str
        Its address, in which there may be a date.
    rules : str or Path, optional
        A folder with tables of your own, whose rows are added to the bundled ones: ``anchors.csv`` for days that
        phrases stand for, ``units.csv`` for nouns, ``verbs.csv``, ``hedges.csv``, ``counters.csv``.

    Returns
    -------
    tallies : pandas.DataFrame
        One row a count: the columns of all tallies (codebook, ``data/README.md``), ``sentence``, the characters
        ``begin`` to ``end_at`` of the number in the text (for HTML, in the text of its article), ``printed``, the
        ``rule`` that found it, a ``confidence`` from 0 to 1 that number, unit and window are right, one for each
        field (``count_confidence`` to ``counter_confidence``), and ``review``, at first ``unreviewed``. The day of
        publication, and where it is from, are in ``tallies.attrs["published"]``.
    ledger : pandas.DataFrame
        Numbers that are no tallies, claims about severity, repeats, and paragraphs that were not read, with the reason;
        ``row`` is the number of the sentence.

    Raises
    ------
    InputError
        If ``text`` is no text or too long, or ``published`` no day.
    FileError
        If the folder of rules cannot be read.

    Examples
    --------
    >>> text = "There were at least 12 attacks in March, up from 7 in February. The army has 900 soldiers there."
    >>> tallies, ledger = read_article(text, published="2024-04-02")
    >>> tallies[["count", "qualifier", "start", "end", "unit"]].astype(str).values.tolist()
    [['12', 'at_least', '2024-03-01', '2024-03-31', 'attacks'], ['7', 'exact', '2024-02-01', '2024-02-29', 'attacks']]
    >>> ledger["why"].tolist()
    ['people or forces']
    """
    known = None if published is None else _day(published)
    one = _read(text, known, name, url, read_rules(rules))
    return _tables([one])


def read_articles(
    paths: Sequence[str | Path], published: DateLike | None = None, *, rules: str | Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the counts that several articles report; those that they repeat are one row with all its sources.

    Parameters
    ----------
    paths : sequence of str or Path
        Files of text or HTML, and folders of them.
    published : date or str, optional
        Day of publication of all; left out, as each page says it.
    rules : str or Path, optional
        A folder with tables of your own, as for :func:`read_article`.

    Returns
    -------
    tallies, ledger : pandas.DataFrame
        As of :func:`read_article`. A count that several articles give is one row, whose ``source`` names them all;
        counts that contradict each other are rows of their own.

    Raises
    ------
    FileError
        If a file cannot be read, or a folder holds no article.
    InputError
        If a file is no text or too long, or ``published`` no day.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for wire in ("first", "second"):
    ...         _ = Path(folder, f"{wire}.txt").write_text("On 3 May 2024 gunmen killed 12 villagers near Goma.")
    ...     tallies, ledger = read_articles([folder], published="2024-05-04")
    >>> tallies[["count", "unit", "source"]].astype(str).values.tolist()
    [['12', 'killed', 'first.txt; second.txt']]
    """
    known = None if published is None else _day(published)
    tables = read_rules(rules)
    files = article_files(paths)
    names = [path.name for path in files]
    unique = len(set(names)) == len(names)
    read = [_read(article_text(path), known, path.name if unique else str(path), path.name, tables) for path in files]
    return _tables(read)


def article_files(paths: Sequence[str | Path]) -> list[Path]:
    """The files of articles that paths and folders name, in their order."""
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS and one.is_file())
            if not inside:
                raise FileError(
                    f"{path}: a folder without an article; put files that end in {', '.join(ENDINGS)} into it"
                )
            found += inside
        else:
            found.append(path)
    return found


def is_article(path: str | Path) -> bool:
    """Say whether a file is an article, by its ending and by its first lines, or a folder of articles."""
    path = Path(path)
    if path.is_dir():
        return any(one.suffix.lower() in ENDINGS for one in path.iterdir())
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(20_000)
    lines = [line for line in head.decode("utf-8", errors="replace").splitlines() if line.strip()][:4]
    if is_html("\n".join(lines)):
        return True
    marks = [{line.count(mark) for line in lines[:3]} for mark in ",;\t|"]
    return not (len(lines) > 1 and any(len(counts) == 1 and min(counts) > 0 for counts in marks))


def article_text(path: str | Path) -> str:
    """Text of a file in UTF-8, UTF-16 or, failing these, Windows' Western encoding.

    Raises
    ------
    FileError
        If the file cannot be read, or holds no text.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    if not raw.strip():
        raise FileError(f"{path}: is empty; give the text of an article")
    head = raw[:8192]
    unseen = sum(head.count(byte) for byte in CONTROL)
    if raw[:4] in (b"%PDF", b"PK\x03\x04") or unseen > max(8, MOST_CONTROL * len(head)):
        raise FileError(f"{path}: holds no text; save the article as text or HTML")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _day(published: DateLike) -> dt.date:
    day, today = parse_date(published, "published").date(), dt.datetime.now(dt.UTC).date()
    if day > today + dt.timedelta(days=1):  # it may be tomorrow where the article was printed
        raise InputError(f"published is {day}, and today is {today}; give the day that the article was published")
    return day


def _read(text: str, known: dt.date | None, name: str, url: str, rules: Rules) -> Read:
    """One article: its page, its day, its sentences and what they count."""
    if not isinstance(text, str):
        raise InputError(f"text is a {type(text).__name__}; give the article as text")
    if len(text) > LARGEST:
        raise InputError(f"{name} has {len(text):,} characters, above {LARGEST:,}; give one article at a time")
    page, normal = _page(text)
    lines = [one.text for one in page.paragraphs[:6]] + [one.text for one in page.paragraphs[-2:]]
    published = find_published(known, page.days, lines, url or page.address)
    kept, unread = _sentences(page)
    found, more = extract(page.text, kept, published.day, rules)
    merged = merge_repeats([_placed(one, normal) for one in found])
    return Read(name, url or page.address, published, tuple(kept), tuple(merged), (*unread, *more))


def _page(text: str) -> tuple[Page, Normal]:
    if is_html(text):
        page = html_page(text)
        return page, Normal(page.text)
    normal = normalise(text)
    return Page(normal.text, plain_paragraphs(normal.text)), normal


def _sentences(page: Page) -> tuple[list[Sentence], list[Unread]]:
    """The sentences to read, and the paragraphs that are not read although they have numbers."""
    kept: list[Sentence] = []
    unread: list[Unread] = []
    whole = is_english(" ".join(one.text for one in page.paragraphs if one.role in ("text", "title"))[:20_000])
    for number, one in enumerate(page.paragraphs):
        why = _why_unread(one.role, one.text, whole, len(kept))
        if why:
            unread.append(Unread(Sentence(one.text[:300], one.begin), 0, one.text[:60], why))
        else:
            kept += [
                Sentence(each.text, each.begin, one.role, number, each.tokens, one.stamp)
                for each in sentences(one.text, one.begin, one.role, number)
            ]
    return kept, unread


def _why_unread(role: str, text: str, whole: bool | None, read: int) -> str:
    if read >= MOST_SENTENCES:
        return "beyond the sentences that are read of one article"
    if role == "table":
        return "a row of a table, which is not read; give it as a file"
    if role == "around":
        return "a caption, byline or link, which is not part of the article"
    english = is_english(text)
    if english is False or (english is None and whole is False):
        return "in another language, which is not read; only English is"
    return ""


def _placed(one: Found, normal: Normal) -> Found:
    return replace(one, begin=normal.original(one.begin), end=normal.original(one.end - 1) + 1)


def _tables(read: Sequence[Read]) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = [one.name for one in read]
    merged = name_alike(merge_articles([(one.name, one.merged) for one in read]))
    tallies = tally_rows(merged, names, [one.published for one in read], [one.url for one in read])
    ledger = join_ledgers(ledger_rows(one.name, one.numbered, one.unread, one.merged, one.published) for one in read)
    tallies.attrs["published"] = {one.name: (str(one.published.day or ""), one.published.source) for one in read}
    return tallies, ledger
