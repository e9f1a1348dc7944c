"""A total that its counter has revised: known now is the later print, known then was the first."""

from __future__ import annotations

import pandas as pd
import pytest

import escalation
from escalation.tallies import known_by
from escalation.tallies.choosing import revised_by
from escalation.tallies.schema import check_tallies


def prints(*said: tuple[int, str], **same: object) -> pd.DataFrame:
    """Prints of one total, (count, as_of) each."""
    rows = [{"count": count, "as_of": on} for count, on in said]
    common = {"series": "raids", "qualifier": "exact", "start": "2024-01-01", "end": "2024-01-28"}
    return check_tallies(pd.DataFrame(rows).assign(**{**common, **same}))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([(40, "2024-01-29"), (44, "2024-02-20")], [44]),
        ([(44, "2024-02-20"), (40, "2024-01-29")], [44]),
        ([(40, "2024-01-29"), (44, "2024-02-20"), (43, "2024-03-01")], [43]),
        ([(1, "2024-01-29"), (5, "2024-02-20")], [5]),
        ([(40, "2024-01-29"), (400, "2024-02-20")], [40, 400]),  # a slipped zero revises nothing
        ([(40, "2024-01-29"), (44, "2024-01-29")], [40, 44]),  # which was first is not known
        ([(40, ""), (44, "2024-01-29")], [40, 44]),
        ([(40, "2024-01-29"), (40, "2024-02-20")], [40, 40]),
    ],
)
def test_the_later_print_of_one_total_counts(said: list[tuple[int, str]], kept: list[int]) -> None:
    rows = prints(*said)
    assert rows.drop(revised_by(rows).index)["count"].tolist() == kept


@pytest.mark.parametrize("other", [{"counter": ["army", "press"]}, {"end": ["2024-01-27", "2024-01-28"]}])
def test_prints_of_other_totals_revise_nothing(other: dict[str, object]) -> None:
    assert revised_by(prints((40, "2024-01-29"), (44, "2024-02-20"), **other)).empty


def test_a_floor_is_not_revised_by_a_count() -> None:
    rows = prints((40, "2024-01-29"), (44, "2024-02-20"), qualifier=["at_least", "exact"])
    assert revised_by(rows).empty


def test_reconstructions_rest_on_what_was_known() -> None:
    rows = prints((40, "2024-01-29"), (60, "2024-02-20"))
    now = escalation.reconstruct(rows, series="raids", draws=100, progress=False, rng=1)
    assert now.daily.sum().median() == pytest.approx(60, abs=1)
    assert now.tallies["why"].tolist() == ["revised to 60 on 2024-02-20", ""]
    then = escalation.reconstruct(known_by(rows, "2024-02-01"), series="raids", draws=100, progress=False, rng=1)
    assert then.daily.sum().median() == pytest.approx(40, abs=1)
