"""Dates in three columns: year, month and day as the texts of one column."""

from __future__ import annotations

import pandas as pd

from escalation.incidents.formats.date_expressions import month_number
from escalation.incidents.formats.layout import plain_name

PARTS: dict[str, tuple[str, ...]] = {
    "year": (
        *("year", "iyear", "event_year", "incident_year", "start_year", "styr", "yr", "yyyy", "anno", "año", "ano"),
        *("annee", "année", "an", "jahr", "jaar", "rok", "год", "рік", "yil", "yıl", "سنة", "السنة", "سال", "年"),
    ),
    "month": (
        *("month", "imonth", "event_month", "incident_month", "start_month", "stmo", "mon", "mm", "mes", "mês", "mois"),
        *("mese", "monat", "maand", "miesiac", "miesiąc", "mesic", "měsíc", "месяц", "місяць", "ay", "شهر", "الشهر"),
        *("ماه", "月"),
    ),
    "day": (
        *("day", "iday", "event_day", "incident_day", "start_day", "stday", "dd", "dia", "día", "jour", "giorno"),
        *("tag", "dag", "dzien", "dzień", "den", "день", "gun", "gün", "يوم", "اليوم", "روز", "日"),
    ),
}
"""Plain names of the columns that hold the parts."""
WEEKS = ("week", "isoweek", "iso_week", "week_number", "weeknum", "epiweek", "kw", "semana", "semaine", "tydzien")
"""Plain names of columns of the week of the year."""
UNKNOWN = ("", "0", "00", "-9", "-99", "-88", "99", "na", "n/a", "nan", "null", "none", "unknown", "unk", "?", "-")
MOST = 0.5
"""Share of the cells of a column so called that must be a part of a date."""


def find_parts(table: pd.DataFrame, taken: set[str]) -> dict[str, str]:
    """Find columns that hold the year, the month and the day, by their names and their cells.

    Parameters
    ----------
    table : pandas.DataFrame
        The cells of a file.
    taken : set of str
        Columns that are something else.

    Returns
    -------
    dict
        ``year`` and as many of ``month`` and ``day`` as there are (a day only where there is a month), or ``week``;
        empty without a year.
    """
    named = {plain_name(name): name for name in reversed(list(table.columns)) if name not in taken}
    found: dict[str, str] = {}
    for part, names in PARTS.items():
        called = [named[name] for name in names if name in named]
        column = next((name for name in called if _holds(part, table[name])), None)
        if column is None:
            weeks = [named[name] for name in WEEKS if name in named and _holds("week", table[named[name]])]
            if part == "month" and weeks:
                return found | {"week": weeks[0]}
            return {} if part == "month" and called else found  # whose months cannot be read is no table of years
        found[part] = column
    return found


def join_parts(table: pd.DataFrame, parts: dict[str, str]) -> pd.Series:
    """The dates of columns of parts as texts; a month or a day that is not known makes them a month or a year."""
    cells = pd.DataFrame({part: table[name].str.strip() for part, name in parts.items()})
    cells = cells.mask(cells.apply(lambda column: column.str.casefold().isin(UNKNOWN)), "")
    blank = pd.Series("", index=table.index, dtype=object)
    year = cells["year"].str.removesuffix(".0")
    if "week" in parts:
        week = cells["week"].str.removesuffix(".0").str.zfill(2)
        return year.where(week == "00", year + "-W" + week).mask(year == "", "").astype(object)
    month = _mapped(cells["month"]) if "month" in parts else blank
    day = cells["day"].str.removesuffix(".0").str.zfill(2) if "day" in parts else blank
    text = year.where(month == "", year + "-" + month)
    return text.where((month == "") | (day.isin(("", "00"))), text + "-" + day).mask(year == "", "").astype(object)


def _mapped(months: pd.Series) -> pd.Series:
    """Months as two digits; a cell that is none stays as it is, so that the row is dropped by name."""

    def digits(cell: str) -> str:
        number = month_number(cell.removesuffix(".0"))
        return cell if number is None else f"{number:02}"

    return months.map({cell: digits(cell) for cell in months.unique()})


def _holds(part: str, column: pd.Series) -> bool:
    """Say whether most cells can be this part of a date, and any of them is."""
    cells = column.str.strip().str.casefold()
    cells = cells[~cells.isin(UNKNOWN)].str.removesuffix(".0")
    if cells.empty:
        return False
    if part == "month":
        good = cells.map({cell: month_number(cell) is not None for cell in cells.unique()})
    else:
        numbers = pd.to_numeric(cells.where(cells.str.fullmatch(r"[0-9]{1,4}")), errors="coerce")
        good = numbers.between(*{"year": (1800, 2199), "week": (1, 53), "day": (1, 31)}[part])
    return bool(good.astype(bool).mean() > MOST)
