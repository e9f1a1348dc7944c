"""Where the tables that come with the package lie."""

from __future__ import annotations

from pathlib import Path

from escalation.errors import FileError


def data_folder() -> Path:
    """Return the folder of the bundled tables, in an installed package or in a checkout.

    Raises
    ------
    FileError
        If neither place has it.
    """
    here = Path(__file__).resolve().parents[1]
    for folder in (here / "data", here.parent / "data"):
        if (folder / "kernels.csv").is_file():
            return folder
    raise FileError(f"{here / 'data'}: the bundled tables are missing; install the package again")
