"""A page as the paragraphs of its article: from plain text or HTML, without what stands around the article."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from escalation.articles.language import is_table
from escalation.articles.normal import normalise
from escalation.articles.times.points import DATE, MONTH, YEAR, resolve_point
from escalation.articles.word_lists import word_list, word_set

AROUND = re.compile(
    r"^\W*(?:by [A-Z][\w.'-]+ [A-Z]|(?:file )?photos?\b|image\b|picture\b|caption\b|read "
r"more|related\b|also read|see also|share\b|published\b|posted\b|updated\b|last updated|"
    r"(?:additional )?(?:reporting|editing|writing) by|©|copyright|all rights "
r"reserved|advertisement|subscribe|sign up|follow us|click here|watch:|listen:|"
    r"more (?:on|from)|recommended|most read|trending|comments?\b|print\b|email\b|"
r"cookie|newsletter|retrieved\b|archived\b|crawled\b|accessed\b|topics?:|tags?:)"
    r"|\((?:photo|image|ap photo|reuters/|file)[^)]*\)\s*$|(?:getty images|"
r"afp via|\[(?:file|photo)[^\]]*\])\W*$|/(?:AFP|AP|Reuters|EPA|Getty)\W*$",
    re.IGNORECASE,
)  # fmt: skip
_BY = re.compile(r"^\W*[Bb][Yy] [A-Z]")
_STAMP = re.compile(
    r"^\W*(?:\d\d?[:.h]\d\d(?: ?(?:GMT|UTC|CET|ET|EST|am|pm|a\.m\.|p\.m\.))?\W+)?(?P<day>(?:(?:Mon|Tues|"
    rf"Wednes|Thurs|Fri|Satur|Sun)day,? )?(?:{MONTH} {DATE}(?:,? {YEAR})?|{DATE} {MONTH}(?:,? "
    rf"{YEAR})?|\d{{4}}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{{4}}))\s?(?::|-|\s-\s)\s*"
)
BULLET = re.compile(r"^\s*(?:[-*\u2022\u25cf\u25aa\u00b7]|\d\d?[.)])\s+")
SKIPPED = word_set(
    "script style nav header footer aside figure figcaption form button noscript svg table iframe select template menu"
)
BLOCKS = word_set("p div h1 h2 h3 h4 h5 h6 li blockquote section article br tr td ul ol main pre dd dt body")
VOID = word_set("br img hr meta link input source wbr area base col embed param track")
DATES = word_list(
    "article:published_time datepublished date dc.date dc.date.issued pubdate publishdate parsely-pub- "
    "date og:article:published_time sailthru.date dcterms.created"
)  # fmt: skip
NOISE = re.compile(
    r"\b(?:related|recommend|promo|sidebar|footer|comment|share|social|newsletter|advert|caption|breadcrumb|cookie|popular|trending|more-stories|byline-bio|subscribe|nav)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Paragraph:
    """One paragraph.

    Attributes
    ----------
    text : str
    begin : int
        Where it begins in the text of the page.
    role : {"title", "text", "around", "table"}
    stamp : str
        The date that it begins with, of an entry of a list or live page.
    """

    text: str
    begin: int
    role: str = "text"
    stamp: str = ""


@dataclass
class Page:
    """A page: its text, the paragraphs in it, and the days that its metadata name."""

    text: str
    paragraphs: list[Paragraph] = field(default_factory=list)
    days: list[dt.date] = field(default_factory=list)
    address: str = ""


def is_html(text: str) -> bool:
    """Say whether a text is a page in HTML."""
    return (
        re.search(r"<(?:!doctype html|html|body|article|p|div|head)\b[^>]*>", text[:20_000], re.IGNORECASE) is not None
    )


def plain_paragraphs(text: str) -> list[Paragraph]:
    """The paragraphs of plain text, each line one; lines that were cut at a fixed width are put together.

    Parameters
    ----------
    text : str
        Normalised.
    """
    lines = [(one.start(), one[0]) for one in re.finditer(r"[^\n]+", text)]
    wrapped = _is_wrapped([line for _, line in lines])
    found: list[tuple[int, int]] = []
    for begin, line in lines:
        end = begin + len(line)
        near = bool(found) and text[found[-1][1] : begin].count("\n") == 1
        goes_on = near and _goes_on(text[found[-1][0] : found[-1][1]], line)
        if near and (wrapped or goes_on) and not BULLET.match(line) and not is_table(line):
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return _with_roles([(begin, text[begin:end].replace("\n", " ")) for begin, end in found])


_WITHIN = re.compile(
    r"(?:[,;]|\b(?:a|an|and|as|at|between|but|by|for|from|has|have|in|its|nearly|of|on|or|since|that|the|their|to|with))$"
)
"""How a line ends that stops within a phrase."""
_RUNNING = re.compile(r"[a-z0-9][.!?][\"')]? [A-Z]")
"""A sentence that ends and another that begins: what headlines do not have."""


def _goes_on(before: str, line: str) -> bool:
    """Say whether a line goes on with the one before, which ended within a sentence."""
    before = before.rstrip()
    if not re.search(r"[A-Za-z0-9,;]$", before):
        return False
    return re.match(r"[a-z]", line) is not None or bool(_WITHIN.search(before)) or bool(_RUNNING.search(before))


def _is_wrapped(lines: list[str]) -> bool:
    """Say whether lines were cut at a fixed width: most are of much the same length and end within a sentence."""
    full = [line.strip() for line in lines if line.strip()]
    long = [line for line in full if 45 <= len(line) <= 110]
    cut = [line for line in long if not re.search(r"[.!?:\"')]$", line)]
    return len(full) > 3 and len(long) >= 0.6 * len(full) and len(cut) >= 0.5 * len(long)


def _with_roles(blocks: list[tuple[int, str]], titles: int = 1) -> list[Paragraph]:
    made = []
    for place, (begin, text) in enumerate(blocks):
        stripped = text.strip()
        if not stripped:
            continue
        shift = len(text) - len(text.lstrip())
        bullet = BULLET.match(stripped)
        stamp = _STAMP.match(stripped[bullet.end() :] if bullet else stripped)
        made.append(
            Paragraph(
                stripped,
                begin + shift,
                _role(stripped, place < titles and len(blocks) > 1),
                stamp["day"] if stamp else "",
            )
        )
    return made


def _role(text: str, first: bool) -> str:
    if is_table(text):
        return "table"
    if (
        AROUND.search(text)
        and (len(text) < 260 or _BY.match(text))
        and not (text[:3].lower() == "by " and not _BY.match(text))
        and not re.match(r"(?i)photos? (?:and|show)", text)
    ):
        return "around"
    if first and len(text) < 220 and not re.search(r"[.!?;:]$", text) and " - " not in text[:60]:
        return "title"
    return "text"


class _Parser(HTMLParser):
    """Collects the paragraphs of a page with the depth and weight of what holds them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[tuple[str, str, int]] = []
        self.days: list[tuple[int, str]] = []
        self.title, self.address = "", ""
        self._open: list[tuple[str, bool, int]] = []
        self._buffer: list[str] = []
        self._holder, self._holders, self._json, self._in_title = 0, 0, False, False
        self._heading = ""
        self._skips = 0
        self._names: Counter[str] = Counter()
        self.inside: dict[int, bool] = {0: False}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what opens."""
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self._meta(given)
        if tag == "time" and given.get("datetime"):
            self.days.append((2, given["datetime"]))
        if tag == "link" and given.get("rel") == "canonical":
            self.address = given.get("href", "")
        if tag in BLOCKS:
            self._flush()
        if tag in VOID:
            return
        self._json = tag == "script" and "ld+json" in given.get("type", "")
        self._in_title = tag == "title"
        skipped = tag in SKIPPED or (
            tag not in ("body", "html", "article", "main")
            and NOISE.search(f"{given.get('class', '')} {given.get('id', '')}") is not None
        )
        self._open.append((tag, skipped, self._holder))
        self._skips += skipped
        self._names[tag] += 1
        if tag in ("article", "main", "section", "div", "td", "body"):
            self._holders += 1
            self.inside[self._holders] = tag in ("article", "main") or self.inside.get(self._holder, False)
            self._holder = self._holders
        if tag in ("h1", "h2", "h3"):
            self._heading = tag

    def handle_endtag(self, tag: str) -> None:
        """Note what closes, and all that was left open in it."""
        if tag in BLOCKS:
            self._flush()
        if not self._names[tag]:
            return
        while self._open:
            name, skipped, self._holder = self._open.pop()
            self._skips -= skipped
            self._names[name] -= 1
            if name == tag:
                break
        self._json = self._in_title = False
        if tag in ("h1", "h2", "h3"):
            self._heading = ""

    def handle_data(self, data: str) -> None:
        """Keep the text of what is not skipped."""
        if self._json:
            self._linked(data)
        elif self._in_title:
            self.title += data
        elif not self._skips:
            self._buffer.append(data)

    def _flush(self) -> None:
        text = re.sub(r"\s+", " ", normalise("".join(self._buffer)).text).strip()
        self._buffer = []
        if text:
            self.blocks.append((text, self._heading, self._holder))

    def _meta(self, given: dict[str, str]) -> None:
        name = (given.get("property") or given.get("name") or given.get("itemprop") or "").lower()
        if name in DATES:
            self.days.append((1, given.get("content", "")))
        if name == "og:url":
            self.address = self.address or given.get("content", "")

    def _linked(self, data: str) -> None:
        try:
            for one in re.findall(r'"datePublished"\s*:\s*("[^"]*")', data):
                self.days.append((0, json.loads(one)))
        except ValueError:
            return


def html_page(text: str) -> Page:
    """The article of a page in HTML: the paragraphs under the element that holds most of its text.

    Parameters
    ----------
    text : str
        HTML.
    """
    parser = _Parser()
    parser.feed(text)
    parser.close()
    parser._flush()
    weights: dict[int, int] = {}
    for block, heading, holder in parser.blocks:
        if not heading and len(block) > 60:
            weights[holder] = weights.get(holder, 0) + len(block) * (3 if parser.inside.get(holder) else 1)
    largest = max(weights.values(), default=0)
    kept = (
        {holder for holder, weight in weights.items() if weight >= 0.15 * largest}
        if weights
        else {holder for *_, holder in parser.blocks}
    )
    if any(parser.inside.get(holder) for holder in kept):
        kept = {holder for holder in kept if parser.inside.get(holder)}
    headline = next((block for block, heading, _ in parser.blocks if heading == "h1"), parser.title.strip())
    body = [block for block, heading, holder in parser.blocks if holder in kept and heading != "h1"]
    texts = ([headline] if headline else []) + body
    begins, pieces = [], ""
    for block in texts:
        begins.append(len(pieces))
        pieces += block + "\n"
    paragraphs = _with_roles(list(zip(begins, texts, strict=True)), titles=1 if headline else 0)
    return Page(pieces, paragraphs, _days(parser.days), parser.address)


def _days(found: list[tuple[int, str]]) -> list[dt.date]:
    days = []
    for _, text in sorted(found, key=lambda one: one[0]):
        match = re.match(r"\d{4}-\d\d-\d\d", text.strip())
        named = resolve_point(match[0], None) if match else None
        if named is None:
            there = re.search(rf"{MONTH} {DATE},? {YEAR}|{DATE} {MONTH},? {YEAR}", text)
            named = resolve_point(there[0], None) if there else None
        if named is not None:
            days.append(named[0])
    return days
