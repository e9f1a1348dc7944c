"""What a row of a table is: each look-alike gives the counts that were put into it, or is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from written_tables import LIST, LISTED, counted, lines, read

from escalation.cli.running import main
from escalation.errors import DataWarning, InputError
from escalation.incidents.formats.read import read_incidents

pytestmark = pytest.mark.filterwarnings("ignore::escalation.errors.DataWarning")

DAYS = [f"2024-01-{day:02}" for day in range(1, 13)]
SOME = [2, 0, 1, 0, 0, 3, 1, 0, 4, 2, 0, 1]
TOTALS = [int(total) for total in np.cumsum(SOME) + 100]
RISEN = {day: number for day, number in zip(DAYS[1:], SOME[1:], strict=True) if number}
COUNTED = {day: number for day, number in zip(DAYS, SOME, strict=True) if number}


def panel(values_of):
    """Rows of two units and all days."""
    rows = [(day, unit, value) for unit in ("north", "south") for day, value in zip(DAYS, values_of(unit), strict=True)]
    return list(zip(*rows, strict=True))


TWICE = {day: 2 * number for day, number in COUNTED.items()}


WEEKS = [f"2024-01-{day:02}" for day in (1, 8, 15, 22, 29)]
ROWS = {
    "counts of days": (lines("date,attacks", DAYS, SOME), {}, COUNTED),
    "counts of days in Spanish": (lines("fecha,ataques", DAYS, SOME), {}, COUNTED),
    "counts of days in Ukrainian": (lines("дата,кількість", DAYS, SOME), {}, COUNTED),
    "counts of days with an index": (lines(",date,launches", range(12), DAYS, SOME), {}, COUNTED),
    "counts of the killed": (lines("date,killed", DAYS, SOME), {}, COUNTED),
    "counts of two regions": (lines("date,oblast,alarms", *panel(lambda _: SOME)), {}, TWICE),
    "counts of months": (
        lines("month,attacks", ["2024-01", "2024-02", "2024-03", "2024-04"], [3, 0, 2, 5]),
        {},
        {"2024-01-01..2024-01-31": 3, "2024-03-01..2024-03-31": 2, "2024-04-01..2024-04-30": 5},
    ),
    "counts of months by their first days": (
        lines("date,attacks", ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"], [3, 0, 2, 5]),
        {},
        {"2024-01-01..2024-01-31": 3, "2024-03-01..2024-03-31": 2, "2024-04-01..2024-04-30": 5},
    ),
    "counts of months by their last days": (
        lines("date,attacks", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], [3, 0, 2, 5]),
        {},
        {"2024-01-01..2024-01-31": 3, "2024-03-01..2024-03-31": 2, "2024-04-01..2024-04-30": 5},
    ),
    "counts of weeks by their first days": (
        lines("week_start_date,attacks", WEEKS, [1, 0, 2, 0, 0]),
        {},
        {"2024-01-01..2024-01-07": 1, "2024-01-15..2024-01-21": 2},
    ),
    "counts of weeks by their last days": (
        lines("week_ending_date,attacks", WEEKS, [1, 0, 2, 0, 0]),
        {},
        {"2023-12-26..2024-01-01": 1, "2024-01-09..2024-01-15": 2},
    ),
    "a column that is named": (lines("date,x", LIST, [5, 1, 0]), {"events": "x"}, {"2024-01-05": 6}),
    "a column of the map": (lines("date,x", LIST, [5, 1, 0]), {"columns": {"events": "x"}}, {"2024-01-05": 6}),
    "running totals": (lines("date,attacks_cum", DAYS, TOTALS), {}, RISEN),
    "running totals in Russian": (lines("дата,всего", DAYS, TOTALS), {}, RISEN),
    "running totals of the killed": (lines("date,total_killed", DAYS, TOTALS), {}, RISEN),
    "running totals that are named": (lines("date,personnel", DAYS, TOTALS), {"cumulative": "personnel"}, RISEN),
    "running totals of two regions": (
        lines("date,oblast,cumulative", *panel(lambda unit: [total + len(unit) for total in TOTALS])),
        {},
        {day: 2 * number for day, number in RISEN.items()},
    ),
    "running totals with bulletins missing": (
        lines("date,cumulative_attacks", ["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"], [3, 4, 9, 9]),
        {},
        {"2024-01-02": 1, "2024-01-03..2024-01-05": 5},
    ),
    "running totals with blank bulletins": (
        lines("date,cumulative_attacks", ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"], [3, 4, "", 9]),
        {},
        {"2024-01-02": 1, "2024-01-03..2024-01-06": 5},
    ),
    "running totals carried forward": (
        lines("date,cumulative_attacks,fill", DAYS[:5], [3, 4, 4, 4, 9], [0, 0, 1, 1, 0]),
        {},
        {"2024-01-02": 1, "2024-01-03..2024-01-05": 5},
    ),
    "running totals, the newest first": (lines("date,attacks_cum", DAYS[::-1], TOTALS[::-1]), {}, RISEN),
    "running totals beside the count of each day": (
        lines("date,attacks,attacks_total", DAYS, SOME, TOTALS),
        {},
        COUNTED,
    ),
    "running totals with separators": (
        lines("date,attacks_cum", DAYS[:4], ["1 000", "1 002", "1 002", "1 010"]),
        {},
        {"2024-01-02": 2, "2024-01-04": 8},
    ),
    "changes with corrections": (
        lines("date,country,value", ["2024-01-05", "2024-01-05", "2024-01-06", "2024-01-07"], "AABA", [3, 1, 2, -1]),
        {},
        {"2024-01-05": 3, "2024-01-06": 2},
    ),
    "changes corrected on the same day": (
        lines("date,state,change", ["2024-01-05", "2024-01-06", "2024-01-06"], "AAA", [3, -2, 4]),
        {},
        {"2024-01-05": 3, "2024-01-06": 2},
    ),
    "a column for each day": (
        lines("place,2024-01-01,2024-01-02,2024-01-03,2024-01-04", "AB", [1, 0], [0, 0], [2, 1], [0, 4]),
        {},
        {"2024-01-01": 1, "2024-01-03": 3, "2024-01-04": 4},
    ),
    "a column for each month": (
        lines("place,Jan 2024,Feb 2024,Mar 2024", "AB", [1, 3], [0, 0], [2, 1]),
        {},
        {"2024-01-01..2024-01-31": 4, "2024-03-01..2024-03-31": 3},
    ),
    "a column for each day of running totals": (
        lines("place,1/12/24,1/13/24,1/14/24", "AB", [1, 3], [1, 4], [2, 6]),
        {"cumulative": "value"},
        {"2024-01-13": 1, "2024-01-14": 3},
    ),
    "counts of weeks of the year": (
        lines("year,week,attacks", [2024] * 4, [1, 2, 3, 4], [2, 0, 1, 3]),
        {},
        {"2024-01-01..2024-01-07": 2, "2024-01-15..2024-01-21": 1, "2024-01-22..2024-01-28": 3},
    ),
    "a column for each year": (
        lines("country,2015,2016,2017", "AB", [3, 0], [4, 1], [1, 0]),
        {},
        {"2015-01-01..2015-12-31": 3, "2016-01-01..2016-12-31": 5, "2017-01-01..2017-12-31": 1},
    ),
    "a column for each day and a row of sums": (
        lines("place,1/12/24,1/13/24,1/14/24", ["A", "B", "Total"], [1, 3, 4], [1, 0, 1], [2, 1, 3]),
        {},
        {"2024-01-12": 4, "2024-01-13": 1, "2024-01-14": 3},
    ),
    "counts of regions with their sum": (
        lines("date,oblast,attacks", [day for day in DAYS for _ in "123"], ["A", "B", "Всего"] * 12, [1, 2, 3] * 12),
        {},
        dict.fromkeys(DAYS, 3),
    ),
    "a list with a rising id": (lines("date,id,killed", LIST, [7, 9, 14], [0, 1, 2]), {}, LISTED),
    "a list with a year": (lines("date,year,killed", LIST, [2024] * 3, [0, 1, 2]), {}, LISTED),
    "a list with one row on some days": (
        lines(
            "date,place,case,killed",
            [f"2024-{month:02}-{2 * month + 3:02}" for month in range(1, 13)],
            "ABC" * 4,
            range(40, 76, 3),
            SOME,
        ),
        {},
        {f"2024-{month:02}-{2 * month + 3:02}": 1 for month in range(1, 13)},
    ),
    "a list that its layout is said of": (
        lines("date,attacks", DAYS, SOME),
        {"layout": "plain"},
        dict.fromkeys(DAYS, 1),
    ),
    "a list with codes below 0": (lines("date,ndeath,nperps", LIST, [1, 0, 2], [-99, 4, -9]), {}, LISTED),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_taken_for_what_it_is(tmp_path, name):
    content, options, expected = ROWS[name]
    incidents, _ = read(tmp_path, content, **options)
    assert counted(incidents) == expected


CORRECTED = [*TOTALS[:8], TOTALS[7] - 1, *(total + 20 for total in range(300, 316))]
OFTEN = [f"2024-{month:02}-{day:02}" for month in (1, 2, 3) for day in (1, 2, 4, 8, 9, 13, 17, 20, 22)][
    : len(CORRECTED)
]

REFUSED_ROWS = {
    "counts without a name, quiet days left out": (
        lines("date,hits", OFTEN[:12], [1, 2] * 6),
        {},
        "has no date twice and nothing but numbers beside it",
    ),
    "totals without a name, of which one was corrected": (
        lines("date,personnel", OFTEN, CORRECTED),
        {},
        "'personnel' hardly ever falls, as running totals do; give --cumulative 'personnel'",
    ),
    "a count that rises as totals do": (
        lines("date,attacks", [f"2024-01-{day:02}" for day in range(1, 26)], CORRECTED),
        {},
        "rises 19 times and falls 1 times, as running totals do that are corrected",
    ),
    "launches of each night and place": (
        lines("date,place,launched", LIST, "AAB", [20, 12, 30]),
        {},
        "'launched' says that a row stands for so many",
    ),
    "totals without a name": (
        lines("date,personnel", DAYS, TOTALS),
        {},
        "'personnel' only rises, as running totals do; give --cumulative 'personnel'",
    ),
    "a name without a shape": (
        lines("date,attacks_cum", LIST, [1, 3, 7]),
        {},
        "'attacks_cum' says running total, but its dates repeat",
    ),
    "counts without a name": (
        lines("date,x", DAYS, SOME),
        {},
        "has just one row a day, so a row may be no incident; give --events",
    ),
    "a name of a count without a shape": (
        lines("date,place,incidents", LIST, "ABC", [3, 1, 2]),
        {},
        "'incidents' says that a row stands for so many",
    ),
    "two counts": (
        lines("date,launched,intercepted", DAYS, SOME, SOME),
        {},
        "'launched', 'intercepted' may each be the count; choose with --events",
    ),
    "totals that fall as often as they rise": (
        lines("date,t", DAYS, [5, 1, 7, 2, 6, 3, 9, 4, 8, 1, 5, 2]),
        {"cumulative": "t"},
        "'t' falls 6 times and rises 5 times, so it is no running total; give --events 't'",
    ),
    "two totals of one day": (
        lines("date,t", ["2024-01-01"] * 2, [5, 9]),
        {"cumulative": "t"},
        "two running totals 't' of 2024-01-01",
    ),
    "one total": (lines("date,t", ["2024-01-01"], [5]), {"cumulative": "t"}, "so no count between two"),
    "wide totals": (
        lines("place,1/12/24,1/13/24,1/14/24", "AB", [1, 3], [1, 4], [2, 6]),
        {},
        "give --cumulative value",
    ),
    "wide texts": (lines("place,1/12/24,1/13/24,1/14/24", "AB", "xy", "xy", "xy"), {}, "are no whole numbers"),
    "wide dates without an order": (
        lines("place,1/2/24,1/3/24,1/4/24", "AB", [1, 3], [1, 4], [2, 1]),
        {},
        "may have the day or the month first",
    ),
    "changes that sum to less than 0": (
        lines("date,value", LIST, [1, -3, 1]),
        {"events": "value"},
        "sum to -1, which is no count",
    ),
    "changes without a name": (lines("date,u", LIST, [1, -3, 4]), {}, "'u' holds numbers below 0"),
    "one slip below 0 among the dead of incidents": (
        lines("day,region,people killed", LIST * 20, "AAB" * 20, [2, 0, 1] * 10 + [-4, 0, 1] * 1 + [2, 0, 1] * 9),
        {},
        "'people killed' holds numbers below 0 .-4 in row 32.",
    ),
    "a week that stands twice": (
        lines("week starting,incidents", [*WEEKS[:3], WEEKS[2], *WEEKS[3:]], [4, 10, 6, 7, 2, 5]),
        {},
        "has one row a week but for 1 of them, such as the rows 4 and 5 of 2024-01-15; keep one row of each week",
    ),
    "days first and months first": (
        lines("day of attack,region", ["13/01/2023", "01/14/2023"] * 6, "AB" * 6),
        {},
        "'13/01/2023' .row 2. has the day first and '01/14/2023' .row 3. the month",
    ),
    "two columns of counts": (
        lines("date,u", LIST, [1, 3, 4]),
        {"events": "u", "cumulative": "u"},
        "are both given as what is counted",
    ),
    "a column that is not there": (
        lines("date,u", LIST, [1, 3, 4]),
        {"cumulative": "v"},
        "has no column 'v' for events",
    ),
}


@pytest.mark.parametrize("name", REFUSED_ROWS)
def test_what_only_the_name_or_the_shape_says_is_refused_with_the_option(tmp_path, name):
    content, options, says = REFUSED_ROWS[name]
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, content, **options)
    assert "\n" not in str(caught.value)


def test_running_totals_of_a_known_kind_of_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="goes with own tables, and this is ACLED"):
        read(tmp_path, "event_id_cnty,event_date,time_precision\nA1,2024-11-12,1\n", cumulative="time_precision")


def test_a_chosen_count_that_only_rises_is_doubted(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(lines("date,personnel", DAYS, TOTALS))
    with pytest.warns(DataWarning, match="'personnel' only rises; if it is a running total, give --cumulative"):
        incidents, _ = read_incidents(path, events="personnel")
    assert incidents["events"].sum() == sum(TOTALS)


def test_netting_keeps_the_sums_of_units_and_of_the_whole(tmp_path):
    rng = np.random.default_rng(3)
    rows = [
        (f"2024-01-{rng.integers(1, 29):02}", str(rng.choice(["A", "B"])), int(rng.integers(-1, 4))) for _ in range(80)
    ]
    rows += [("2024-01-15", unit, 9) for unit in "AB"]
    incidents, ledger = read(tmp_path, lines("date,country,value", *zip(*rows, strict=True)))
    assert (incidents["events"] >= 0).all()
    for unit in "AB":
        assert incidents.loc[incidents["country"] == unit, "events"].sum() == sum(n for _, u, n in rows if u == unit)
    assert set(ledger["action"]) == {"changed"}


def test_what_a_row_was_taken_for_is_kept_and_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(lines("date,attacks,wounded", DAYS, SOME, [1, 2] * 6))
    with pytest.warns(
        DataWarning, match="a row was taken for the count 'attacks' of a day, not for an incident: 12 rows"
    ):
        incidents, _ = read_incidents(path)
    assert incidents.attrs["rows"] == {str(path): "the count 'attacks' of a day"}
    assert incidents.attrs["unused"] == {str(path): {"wounded": 12}}


def test_the_dead_of_a_running_total_are_of_no_row(tmp_path):
    text = lines("date,attacks,killed_total", DAYS, SOME, TOTALS)
    incidents, _ = read(tmp_path, text)
    assert counted(incidents) == COUNTED
    assert incidents["fatalities"].isna().all()
    incidents, _ = read(tmp_path, lines("date,killed_cum", DAYS, TOTALS))
    assert counted(incidents) == RISEN
    assert incidents["fatalities"].isna().all()
    incidents, _ = read(tmp_path, lines("date,attacks,killed", DAYS, SOME, SOME))
    assert incidents["fatalities"].tolist() == SOME


def test_a_list_and_a_table_of_counts_are_read_together(tmp_path):
    (tmp_path / "a.csv").write_text(lines("date,attacks", DAYS, SOME))
    (tmp_path / "b.csv").write_text(lines("date,place", ["2024-02-05", "2024-02-05"], "AB"))
    incidents, _ = read_incidents([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert counted(incidents) == COUNTED | {"2024-02-05": 2}


# --- on the command line ----------------------------------------------------------------------------------


def run(folder, text, *words, capsys):
    path = folder / "table.csv"
    path.write_text(text)
    code = main(["read", str(path), *words])
    out, err = capsys.readouterr()
    return code, " ".join(out.split()), err


def test_the_first_line_says_what_a_row_was_taken_for(tmp_path, capsys):
    code, out, _ = run(tmp_path, lines("date,Air Raids,place", LIST, [4, 1, 2], "ABC"), capsys=capsys)
    assert code == 0
    assert "3 incidents out of 3 rows; a row was taken for an incident." in out
    assert "that nothing is read from, with their filled cells: 'Air Raids' (3); where one says" in out
    code, out, _ = run(
        tmp_path, lines("date,Air Raids,place", LIST, [4, 1, 2], "ABC"), "--events", "Air Raids", capsys=capsys
    )
    assert "3 rows that stand for 7 out of 3 rows; a row was taken for the count 'Air Raids'" in out


def test_running_totals_by_command(tmp_path, capsys):
    text = lines("date,personnel", DAYS, TOTALS)
    code, _, err = run(tmp_path, text, capsys=capsys)
    assert code == 2
    assert "give --cumulative 'personnel'" in err
    code, out, _ = run(tmp_path, text, "--cumulative", "personnel", capsys=capsys)
    assert code == 0
    assert f"11 rows that stand for {sum(RISEN.values())} out of 12 rows; a row was taken for the running total" in out


@pytest.mark.parametrize("source", ["", "article.txt", "tallies.csv"])
def test_columns_of_counts_go_with_tables(tmp_path, capsys, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "article.txt").write_text("Two attacks were reported on 5 January 2024.\n")
    (tmp_path / "tallies.csv").write_text("series,count,qualifier,start,end\nx,1,exact,2024-01-01,2024-01-02\n")
    code = main(["read", *([source] if source else []), "--events", "x"])
    assert code == 2
    assert "columns of counts" in capsys.readouterr().err
