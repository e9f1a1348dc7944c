"""A spreadsheet of another language, with a column of the dead in which not all is a number."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.errors import DataWarning

ROWS = [
    ("N°", "Date de l'incident", "Province", "Auteur présumé", "Tués", "Otages"),
    ("1", "13/01/2024", "Ituri", "ADF", "2", "3"),
    ("2", "14/01/2024", "Ituri", "inconnu", "nd", "nd"),
    ("3", "02/02/2024", "Nord-Kivu", "M23", "0", "1"),
    ("4", "03/02/2024", "Sud-Kivu", "ADF", "1", "4"),
]


def test_columns_are_recognised_and_what_is_not_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rdc.csv"
    file.write_text("\n".join(";".join(row) for row in ROWS), encoding="utf-8")
    with pytest.warns(DataWarning, match="guessed by words in names"):
        incidents, ledger = escalation.read_incidents(file)
    assert incidents["date"].tolist() == list(pd.to_datetime(["2024-01-13", "2024-01-14", "2024-02-02", "2024-02-03"]))
    assert incidents["actor"].tolist() == ["ADF", "inconnu", "M23", "ADF"]
    assert incidents["admin1"].tolist() == ["Ituri", "Ituri", "Nord-Kivu", "Sud-Kivu"]
    assert incidents["fatalities"].fillna(-1).tolist() == [2, -1, 0, 1]
    assert incidents.attrs["unused"] == {str(file): {"Otages": 4}}  # three of four are numbers; N° numbers the rows
    assert ledger[["column", "value"]].to_numpy().tolist() == [["Tués", "nd"]]
