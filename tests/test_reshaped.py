"""Made-up lists written otherwise give the counts that were put into them, or are refused."""

from collections import Counter

import pytest

TABLES = 300
"""benchmarks/reshaped.py reads 10,000."""
GROUPS = 6


@pytest.fixture
def reshaped(benchmark):
    return benchmark("reshaped")


@pytest.mark.parametrize("group", range(GROUPS))
def test_tables_written_otherwise_give_the_same_counts(reshaped, tmp_path, group):
    outcomes, needless = {}, 0
    for seed in range(group, TABLES, GROUPS):
        table = reshaped.make(seed)
        ending, content = reshaped.content(table)
        path = tmp_path / f"{seed}{ending}"
        path.write_bytes(content)
        said, why = reshaped.attempt(table, path)
        outcomes[seed] = (said, *table.rules, why)
        needless += said == "refused" and not (table.refused or table.open)
    assert [found for found in outcomes.values() if found[0] not in ("read", "refused")] == []
    assert needless <= 1


def test_every_rule_is_tried(reshaped):
    tried = Counter(rule for seed in range(TABLES) for rule in reshaped.make(seed).rules)
    rules = {*reshaped.ROWS, *reshaped.DATES, *reshaped.COLUMNS, *reshaped.FILES}
    assert min(tried[rule.__name__] for rule in rules) > 2
    assert {"renamed", "titled", "repeated", "footed", "beheaded", "two_rows", "ranged", "quoted"} <= set(tried)


def test_a_wrong_count_is_noticed(reshaped, tmp_path):
    table = reshaped.base(reshaped.default_rng(1))
    path = tmp_path / "table.csv"
    path.write_bytes(reshaped.content(table)[1])
    assert reshaped.attempt(table, path) == ("read", "")
    counts = dict(table.counts)
    counts[next(iter(counts))] += 1
    assert reshaped.attempt(reshaped.replace(table, counts=counts), path)[0] == "WRONG"
    assert reshaped.attempt(reshaped.replace(table, killed=table.killed + 1), path)[0] == "WRONG"
    assert reshaped.attempt(reshaped.replace(table, refused=True), path)[0] == "WRONG"
