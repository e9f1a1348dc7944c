"""Public tables of many makers against the counts of independent scripts."""

import pytest


@pytest.fixture
def field_tables(benchmark):
    return benchmark("field_tables")


def test_public_tables_are_read_as_independent_scripts_read_them(field_tables, shared_data):
    for case in field_tables.CASES:
        folder = shared_data(f"data/field_tables/{case.file}").parents[1]
        for asked, right, given in field_tables.compare(case, folder):
            assert given == right, (case.file, asked)
