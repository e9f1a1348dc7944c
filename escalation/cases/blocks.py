"""What a brief is laid out of, whatever draws it: paragraphs, tables and charts with their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["heading", "plain", "bullet", "numbered", "small"]


@dataclass(frozen=True)
class Text:
    """A heading, a paragraph or a bullet."""

    text: str
    role: Role = "plain"


@dataclass(frozen=True)
class Grid:
    """A table: headers, rows of text, which columns hold words, and their widths in points on paper (0: the rest)."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)
    widths: Sequence[float] = ()


@dataclass(frozen=True)
class Picture:
    """A chart: how it is drawn, what it shows in words, and its numbers as a table.

    Attributes
    ----------
    name : str
        What its file is called.
    alt : str
        What it shows, in a sentence.
    draw : callable
        Draws it on the axes of matplotlib that it is called with.
    numbers : Grid
        What it is drawn from.
    height : float
        Points on paper.
    """

    name: str
    alt: str
    draw: Callable[[Any], None] = field(repr=False)
    numbers: Grid = field(repr=False)
    height: float = 200.0


@dataclass(frozen=True)
class Gallery:
    """Charts beside each other, two in a row."""

    pictures: Sequence[Picture]


Block: TypeAlias = Text | Grid | Picture | Gallery


@dataclass(frozen=True)
class Page:
    """A page: its key, its heading and what is on it."""

    key: str
    title: str
    blocks: Sequence[Block] = field(repr=False)
