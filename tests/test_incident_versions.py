"""Versions of a table of incidents, and incidents reported twice: nothing is merged in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.errors import DataWarning, InputError
from escalation.files.ledger import rows_lost
from escalation.incidents.duplicates import REPORT_COLUMNS, deduplicate, find_duplicates, repeated_rows
from escalation.incidents.schema import check_incidents
from escalation.incidents.versions import merge_versions


def versions(ids, fatalities, dates=None):
    dates = pd.to_datetime(dates or [f"2024-11-{i:02}" for i in range(1, len(ids) + 1)])
    return pd.DataFrame({"date": dates, "incident_id": ids, "fatalities": fatalities})


def table(*rows):
    frame = pd.DataFrame(rows, columns=["date", "place", "actor", "target", "event_type"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


# --- versions ---


def test_revised_added_and_withdrawn_rows():
    old = versions(["a", "b", "c"], [1, 2, 3])
    new = versions(["b", "d"], [5, 0], ["2024-11-02", "2024-11-04"])
    with pytest.warns(DataWarning, match="1 old incidents lie within the dates of the new table"):
        merged, ledger = merge_versions(old, new)
    assert merged["incident_id"].tolist() == ["a", "b", "c", "d"]
    assert merged["fatalities"].tolist() == [1, 5, 3, 0]
    assert ledger[["file", "row", "why"]].to_numpy().tolist() == [["old", 1, "revised: fatalities 2 -> 5"]]
    merged, ledger = merge_versions(old, new, deleted=["c", "z"])
    assert merged["incident_id"].tolist() == ["a", "b", "d"]
    assert ledger[["file", "row", "action", "value"]].to_numpy().tolist() == [
        ["old", 1, "merged", "b"],
        ["old", 2, "dropped", "c"],
        ["deleted", 1, "changed", "z"],
    ]


def test_the_same_row_is_merged_and_said_to_be_the_same():
    both = versions(["a"], [1])
    _, ledger = merge_versions(both, both)
    assert ledger["why"].tolist() == ["the same in both tables; the new row is kept"]


def test_a_table_of_deleted_events_as_acled_gives_it():
    deleted = pd.DataFrame({"event_id_cnty": ["a"], "deleted_timestamp": [1731369600]})
    merged, _ = merge_versions(versions(["a", "b"], [1, 2]), versions(["b"], [2], ["2024-11-02"]), deleted)
    assert merged["incident_id"].tolist() == ["b"]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), min_size=1),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), min_size=1),
    st.sets(st.sampled_from("abcdefg")),
)
@pytest.mark.filterwarnings("ignore::escalation.errors.DataWarning")
def test_rows_in_are_rows_out_and_rows_in_the_ledger(old, new, deleted):
    before, after = (versions(list(held), list(held.values())) for held in (old, new))
    expected = {**old, **new}
    for name in deleted:
        expected.pop(name, None)
    if not expected:
        with pytest.raises(InputError, match="nothing is left"):
            merge_versions(before, after, sorted(deleted))
        return
    merged, ledger = merge_versions(before, after, sorted(deleted))
    assert merged.set_index("incident_id")["fatalities"].to_dict() == expected
    assert len(before) + len(after) == len(merged) + rows_lost(ledger)


def test_rows_without_ids_that_cannot_be_followed_are_told():
    old = versions(["", ""], [1, 2]).assign(place=["x", "y"])
    new = old.assign(fatalities=[1, 3])
    with pytest.warns(DataWarning, match="1 old incidents have no id of their own"):
        merged, _ = merge_versions(old, new)
    assert len(merged) == 3


@pytest.mark.parametrize(
    ("deleted", "match"),
    [("a", "deleted is the text 'a'"), (pd.DataFrame({"name": ["a"]}), r"deleted has no column of ids .* are name")],
)
def test_deleted_must_hold_ids(deleted, match):
    with pytest.raises(InputError, match=match):
        merge_versions(versions(["a"], [1]), versions(["a"], [1]), deleted)


# --- the same incident twice ---


def test_the_report_tells_how_alike_pairs_are():
    rows = table(
        ("2024-11-12", "Hasaka", "Militia", "US forces", "drone"),
        ("2024-11-12", "Al-Hasakah", "US Forces", "militia", "drone"),  # the sides the other way round
        ("2024-11-12", "Erbil", "Militia", "US forces", "rocket"),
        ("2024-11-14", "Hasaka", "Militia", "US forces", "drone"),
    )
    found = find_duplicates(rows, min_similarity=0.8)
    assert tuple(found.columns) == REPORT_COLUMNS
    [pair] = found.to_dict("records")
    assert (pair["first"], pair["second"], pair["actors"], pair["days"]) == (0, 1, 1.0, 1.0)
    # 2 x 6 letters in common of 6 and 10: "hasaka" and "al hasakah"
    assert pair["place"] == pytest.approx(12 / 16)
    assert pair["similarity"] == pytest.approx((1 + 2 * 12 / 16 + 2 + 1) / 6)
    later = find_duplicates(rows, min_similarity=0.8, days=2)
    assert later[["first", "second"]].to_numpy().tolist() == [[0, 1], [0, 3], [1, 3]]
    assert later["similarity"].tolist()[1] == pytest.approx((1 / 3 + 2 + 2 + 1) / 6)  # two days apart


def test_what_two_rows_leave_blank_does_not_make_them_alike():
    rows = table(*[("2024-11-12", "", "", "", "attack")] * 3)
    assert find_duplicates(rows, min_similarity=0.01).empty


def test_other_countries_are_not_compared():
    rows = table(*[("2024-11-12", "Tripoli", "x", "", "attack")] * 2)
    assert find_duplicates(rows.assign(country=["Libya", "Lebanon"])).empty
    assert len(find_duplicates(rows.assign(country=["Libya", ""]))) == 1


def test_coordinates_stand_in_for_names():
    rows = table(*[("2024-11-12", "", "x", "", "attack")] * 3).assign(latitude=[10.0, 10.01, 11.0], longitude=20.0)
    found = find_duplicates(rows, min_similarity=0.9)
    assert found[["first", "second"]].to_numpy().tolist() == [[0, 1]]
    assert found.loc[0, "place"] == pytest.approx(1 - np.radians(0.01) * 6371 / 25)


def test_merging_is_noted_and_told():
    rows = table(*[("2024-11-12", "Hasaka", "Militia", "", "drone")] * 3, ("2024-11-12", "Erbil", "Army", "", "raid"))
    rows.index = [5, 6, 7, 8]
    with pytest.warns(DataWarning, match="2 of 4 incidents were merged, for they repeat another row in every column;"):
        kept, ledger = deduplicate(rows)
    assert kept.index.tolist() == [5, 8]
    assert ledger[["row", "why"]].to_numpy().tolist() == [
        [1, "repeats the row at 5, which is kept"],
        [2, "repeats the row at 5, which is kept"],
    ]
    assert len(kept) + rows_lost(ledger) == len(rows)


def test_only_whole_rows_without_an_id_of_their_own_are_repeats():
    rows = table(*[("2024-11-12", "Hasaka", "Militia", "", "drone")] * 4).assign(clock=["06:10", "21:40", "06:10", "?"])
    assert repeated_rows(rows).to_dict() == {2: 0}
    assert repeated_rows(rows.assign(victims=[["a"], ["b"], ["c"], ["d"]])).empty
    assert repeated_rows(rows.assign(incident_id=list("abcd"))).empty
    assert repeated_rows(rows.assign(index=range(4))).to_dict() == {2: 0}  # what only numbers the rows says nothing
    assert repeated_rows(rows.assign(index=[3, 9, 1, 2])).empty
    assert repeated_rows(rows.assign(place="", actor="")).empty  # two in one day are no reason to ask
    again = check_incidents(rows.iloc[[0, 1, 0, 1, 0]].reset_index(drop=True))
    assert repeated_rows(again).to_dict() == {2: 0, 3: 1, 4: 0}
    assert repeated_rows(again.iloc[1:]).to_dict() == {3: 1}  # the first of the others is not in this part


def test_alike_ones_are_merged_where_that_is_asked_for():
    rows = table(*[("2024-11-12", "Hasaka", "Militia", "", "drone")] * 3).assign(incident_id=list("abc"))
    assert len(deduplicate(rows)[0]) == 3
    with pytest.warns(DataWarning, match=r"2 of 3 incidents were merged, .* or are alike \(similarity >= 0.9\)"):
        kept, ledger = deduplicate(rows, min_similarity=0.9)
    assert kept["incident_id"].tolist() == ["a"]
    assert ledger["why"].tolist() == ["is as the incident at 0 (similarity 1.00), which is kept"] * 2
    with pytest.raises(InputError, match="days is 2, which goes with min_similarity"):
        deduplicate(rows, days=2)


def test_nothing_alike_is_nothing_said():
    rows = table(("2024-11-12", "Hasaka", "Militia", "", "drone"), ("2024-12-12", "Hasaka", "Militia", "", "drone"))
    kept, ledger = deduplicate(rows)
    assert len(kept) == 2
    assert ledger.empty


def test_pairs_agree_with_a_plain_loop():
    rng = np.random.default_rng(3)
    begin = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 30, 60), unit="D")
    rows = pd.DataFrame(
        {
            "date": begin,
            "date_end": begin + pd.to_timedelta(rng.integers(0, 5, 60), unit="D"),
            "place": rng.choice(["Hasaka", "Erbil", ""], 60),
            "actor": rng.choice(["Militia", "Army"], 60),
            "country": rng.choice(["Iraq", "Syria", ""], 60),
        }
    )
    found = find_duplicates(rows, min_similarity=0.01, days=1)
    expected = set()
    for i in range(60):
        for j in range(i + 1, 60):
            one, other = rows.loc[i], rows.loc[j]
            apart = max(one["date"], other["date"]) - min(one["date_end"], other["date_end"])
            countries = {one["country"], other["country"]} - {""}
            if apart <= pd.Timedelta(days=1) and len(countries) < 2:
                expected.add((i, j))
    assert set(zip(found["first"], found["second"], strict=True)) == expected


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"min_similarity": 0}, "min_similarity is 0; give a similarity"),
        ({"min_similarity": 1.1}, "min_similarity is 1.1"),
        ({"days": -1}, "days is -1; give how many days"),
        ({"days": 1.5}, "days is 1.5"),
    ],
)
def test_options_out_of_range(options, match):
    with pytest.raises(InputError, match=match):
        find_duplicates(versions(["a"], [1]), **options)


def test_too_many_pairs_are_refused(monkeypatch):
    rows = versions([str(i) for i in range(60)], 0, ["2024-11-12"] * 60)
    monkeypatch.setattr("escalation.incidents.duplicates.MAX_PAIRS", 1000)
    with pytest.raises(InputError, match="more than 1,000 pairs of incidents lie close in time and country"):
        find_duplicates(rows)
    monkeypatch.setattr("escalation.incidents.duplicates.MAX_PAIRS", 10)
    with pytest.raises(InputError, match="1,770 pairs of incidents lie close in time, too many"):
        find_duplicates(rows)
