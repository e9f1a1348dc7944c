"""Names of months in many languages, from the Unicode Common Locale Data Repository: makes `data/months.csv`.

    pip install babel==2.19.0 && python benchmarks/month_names.py --write

One row a language, month and spelling, in small letters and without full stops.  English is left out, for the reader
of dates knows it by itself; names that hold digits ("tháng 1") are left out as well.
"""

from __future__ import annotations

import argparse
import csv
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "data" / "months.csv"
LANGUAGES = """
am ar ar_DZ ar_IQ ar_MA ar_SY az be bg bn bs ca cs cy da de de_AT el es et eu fa fi fil fr gl ha he hi hr hu hy id is it
ka kk ky lt lv mk ml ms mt my nb ne nl pa pl ps pt ro ru si sk sl so sq sr sr_Latn sv sw ta te tg th ti tr uk ur uz
"""


def spelled(name: str) -> str:
    """A name as the reader of dates compares it."""
    known = unicodedata.normalize("NFKC", name).casefold().replace(".", "").strip()
    return known.removeprefix("de ").removeprefix("d’")  # Catalan, whose names have their preposition


def names_of(language: str) -> Iterator[tuple[int, str]]:
    """Each month of a language with each of its spellings."""
    from babel import Locale

    months = Locale.parse(language).months
    for use in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for month, name in months[use][width].items():
                known = spelled(name)
                if len(known) > 1 and not any(sign.isdigit() for sign in known):
                    yield int(month), known
                    if language == "he":
                        yield int(month), f"ב{known}"  # as in a date


def rows() -> list[tuple[str, int, str]]:
    """All rows of the table, in order."""
    return sorted({(language, month, name) for language in LANGUAGES.split() for month, name in names_of(language)})


def main() -> None:
    parser = argparse.ArgumentParser(description="Names of months from the CLDR.")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name} in place of showing it")
    stream = TABLE.open("w", encoding="utf-8", newline="") if parser.parse_args().write else sys.stdout
    with stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("language", "month", "name"))
        writer.writerows(rows())


if __name__ == "__main__":
    main()
