"""The pages of a brief as one HTML page that holds all it shows: styles, charts as SVG, and their numbers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from escalation.cases.blocks import Block, Grid, Page, Picture, Text
from escalation.conventions.notebook import in_dark
from escalation.plots.small_charts import svg_of

LIGHT = "color-scheme: light; --ink: #1c1c1c; --paper: #ffffff; --soft: #5a5a5a; --line: #d0d0d0; --mark: #12406b;"
DARK = "color-scheme: dark; --ink: #e8e8e8; --paper: #16181b; --soft: #a8a8a8; --line: #44484d; --mark: #8fc1ee;"
STYLE = f"""
.escalation {{ {LIGHT} }}
{in_dark(".escalation", DARK)}{in_dark(".escalation svg", "filter: invert(1) hue-rotate(180deg);")}"""
STYLE += """
.escalation { color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 0 auto; padding: 1rem; }
.escalation :is(h1, h2, h3, p, li, table, td, th) { color: inherit; }
.escalation h1 { font-size: 1.6rem; line-height: 1.25; }
.escalation h2 { font-size: 1.25rem; border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2rem; }
.escalation h3, .escalation h2.part { font-size: 1.05rem; margin: 1rem 0 .3rem; border: 0; padding: 0; }
.escalation ol.verdict { font-size: 1.1rem; padding-left: 1.4rem; }
.escalation ol.verdict li { margin: .4rem 0; }
.escalation .small { color: var(--soft); font-size: .875rem; }
.escalation figure { margin: 1rem 0; min-width: 0; }
.escalation figcaption { color: var(--soft); font-size: .875rem; }
.escalation svg { width: 100%; height: auto; }
@media (max-width: 40rem) { .escalation section > figure svg { min-width: 30rem; } }
.escalation .gallery { display: grid; gap: 0 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.escalation .scroll { overflow-x: auto; }
.escalation table { border-collapse: collapse; font-size: .875rem; width: 100%; }
.escalation th, .escalation td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line);
  vertical-align: top; font-variant-numeric: tabular-nums; }
.escalation th { border-bottom: 2px solid var(--soft); }
.escalation table .word.word { text-align: left; }
.escalation .day { white-space: nowrap; }
@media (max-width: 40rem) { .escalation .scroll table { min-width: 34rem; } }
.escalation summary { cursor: pointer; color: var(--mark); }
.escalation a:focus-visible, .escalation summary:focus-visible, .escalation .scroll:focus-visible
  { outline: 3px solid var(--mark); outline-offset: 2px; }
.escalation nav a { color: var(--mark); margin-right: 1rem; display: inline-block; padding: .25rem 0; }
@media print { .escalation details { display: none; } .escalation nav { display: none; } }
"""

BODY = """
body { margin: 0; background: #ffffff; }
@media (prefers-color-scheme: dark) { body { background: #16181b; } }
"""
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def whole_page(title: str, pages: Sequence[Page], foot: str) -> str:
    """One HTML document of all pages, which needs nothing from elsewhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{BODY}</style>\n</head>\n<body>\n"
        f"{fragment(title, pages, foot)}\n</body>\n</html>\n"
    )


def fragment(title: str, pages: Sequence[Page], foot: str) -> str:
    """The same to stand in another page, such as a notebook."""
    links = "".join(f'<a href="#escalation-{page.key}">{html.escape(page.title)}</a>' for page in pages[1:])
    sections = "\n".join(_section(page, first=number == 0) for number, page in enumerate(pages))
    return (
        f'<style>{STYLE}</style>\n<main class="escalation">\n<h1>{html.escape(title)}</h1>\n'
        f'<nav aria-label="Pages">{links}</nav>\n{sections}\n'
        f'<footer class="small"><p>{html.escape(foot)}</p></footer>\n</main>'
    )


def _section(page: Page, *, first: bool) -> str:
    head = "" if first else f"<h2>{html.escape(page.title)}</h2>\n"
    return (
        f'<section id="escalation-{page.key}" aria-label="{html.escape(page.title)}">\n{head}'
        + "\n".join(_blocks(page.blocks, "h2 class=part" if first else "h3"))
        + "\n</section>"
    )


LISTS = {"bullet": ("<ul>", "</ul>"), "numbered": ('<ol class="verdict">', "</ol>")}


def _blocks(blocks: Sequence[Block], heading: str) -> Iterator[str]:
    """Each block, bullets that follow one another in one list; headings one level below that of the page."""
    opened = ""
    for block in blocks:
        role = block.role if isinstance(block, Text) and block.role in LISTS else ""
        if opened and role != opened:
            yield LISTS[opened][1]
        if role and role != opened:
            yield LISTS[role][0]
        opened = role
        yield _drawn(block, heading)
    if opened:
        yield LISTS[opened][1]


def _drawn(block: Block, heading: str) -> str:
    if isinstance(block, Text):
        text = _words(block.text)
        tags = {
            "heading": f"<{heading}>{text}</{heading[:2]}>",
            "small": f'<p class="small">{text}</p>',
            "plain": f"<p>{text}</p>",
        }
        return tags.get(block.role, f"<li>{text}</li>")
    if isinstance(block, Grid):
        return f'<div class="scroll" tabindex="0" role="group" aria-label="Table">{_table(block)}</div>'
    if isinstance(block, Picture):
        return _figure(block)
    return '<div class="gallery">\n' + "\n".join(_figure(one, small=True) for one in block.pictures) + "\n</div>"


def _figure(picture: Picture, *, small: bool = False) -> str:
    name = f"escalation-{picture.name}"
    size = {"width": 4.2, "height": 2.2} if small else {}
    svg = svg_of(picture.draw, name, **size)
    described = html.escape(picture.alt)
    svg = svg.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title" ', 1)
    at = svg.index(">") + 1
    svg = f'{svg[:at]}<title id="{name}-title">{described}</title>{svg[at:]}'
    return (
        f'<figure>\n<div class="scroll" tabindex="0" role="group" aria-label="Chart">{svg}</div>\n'
        f"<figcaption>{described}\n<details><summary>Numbers of this chart</summary>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="Numbers">{_table(picture.numbers)}</div></details>'
        "</figcaption>\n</figure>"
    )


def _words(text: str) -> str:
    """A text as HTML, its dates never broken."""
    return DAY.sub(r'<span class="day">\g<0></span>', html.escape(text))


def _table(grid: Grid) -> str:
    def cells(row: Sequence[str], tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return "".join(
            f"<{tag}{scope}{' class=word' if at in grid.words else ''}>{_words(cell)}</{tag}>"
            for at, cell in enumerate(row)
        )

    rows = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in grid.rows)
    return f"<table><thead><tr>{cells(grid.headers, 'th')}</tr></thead><tbody>{rows}</tbody></table>"
