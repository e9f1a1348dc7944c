"""Tables as a notebook shows them, and how what is shown follows its theme."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

_PERIOD = re.compile(r"<(th|td)>(?=\d{4}-\d{2})")


JUPYTER, EDITOR = '[data-jp-theme-light="false"]', '[data-vscode-theme-kind*="dark"]'
DARK = (JUPYTER, EDITOR, "html[theme=dark]", 'html[data-theme="dark"]')
"""How JupyterLab, VS Code, Colab and the documentation say that their theme is dark."""
SILENT = "html:not([theme]):not([data-theme]) body:not([data-jp-theme-light]):not([data-vscode-theme-kind])"
"""A page that says nothing of its theme, so that the browser's own is asked."""


def in_dark(selector: str, declarations: str) -> str:
    """Write a CSS rule that holds in a dark theme, as the page around says it, or else the browser.

    Examples
    --------
    >>> in_dark("b", "color: white").splitlines()[0]
    '[data-jp-theme-light="false"] b, [data-vscode-theme-kind*="dark"] b, html[theme=dark] b,'
    """
    said = [f"{theme} {selector}" for theme in DARK]
    return (
        f"{', '.join(said[:3])},\n{said[3]} {{ {declarations} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {SILENT} {selector} {{ {declarations} }} }}\n"
    )


def table_html(
    table: pd.DataFrame,
    *,
    index: bool = True,
    max_rows: int | None = None,
    na_rep: str = "NaN",
    float_format: Callable[[float], str] | None = None,
) -> str:
    """Write a table as HTML in which dates and periods stay on one line, which notebooks break at each hyphen.

    Parameters
    ----------
    table : pandas.DataFrame
        Any.
    index, max_rows, na_rep, float_format
        As in :meth:`pandas.DataFrame.to_html`.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    >>> '<th style="white-space: nowrap">2024-01-01/2024-01-07</th>' in table_html(pd.DataFrame({"count": [3]}, weeks))
    True
    """
    text = table.to_html(index=index, max_rows=max_rows, na_rep=na_rep, float_format=float_format)
    return _PERIOD.sub(r'<\1 style="white-space: nowrap">', text)
