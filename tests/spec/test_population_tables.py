"""The tables of the population are what the sources' schemas say, and every key leads somewhere."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil.domains import load
from counterfoil.domains.schema import Column
from counterfoil.population import PopulationReport
from lib.population_fixture import PEOPLE, rows, share

TABLES = [(source, table) for source, schema in load().sources.items() for table in schema.tables]
# Every other type is text.
ARROW_TYPE = {"date": pa.date32(), "integer": pa.int64(), "decimal": pa.float64(), "boolean": pa.bool_()}


@pytest.mark.parametrize(("source", "table"), TABLES)
def test_columns_and_types_are_those_of_the_schema(population: PopulationReport, source: str, table: str) -> None:
    written = pq.read_schema(population.sources / f"{source}_{table}.parquet")
    expected = load().sources[source].tables[table].columns
    assert written.names == list(expected)
    assert written.types == [ARROW_TYPE.get(column.type, pa.string()) for column in expected.values()]


@pytest.mark.parametrize(("source", "table"), TABLES)
def test_values_are_in_their_lists_and_limits(population: PopulationReport, source: str, table: str) -> None:
    written = pq.read_table(population.sources / f"{source}_{table}.parquet")
    for column in load().sources[source].tables[table].columns.values():
        _check_column(written[column.name], column)


def _check_column(values: pa.ChunkedArray, column: Column) -> None:
    if column.required:
        assert values.null_count == 0, column.name
    if column.codes:
        assert set(pc.unique(values.drop_null()).to_pylist()) <= set(load().codes[column.codes]), column.name
    if column.minimum is not None:
        assert pc.min(values).as_py() >= column.minimum
    if column.maximum is not None:
        assert pc.max(values).as_py() <= column.maximum


@pytest.mark.parametrize(("source", "table"), TABLES)
def test_keys_are_unique_and_lead_to_a_person(population: PopulationReport, source: str, table: str) -> None:
    schema = load().sources[source]
    name, held = f"{source}_{table}", schema.tables[table]
    key, parent = held.key, held.parent
    assert rows(population, f"SELECT count(*) - count(DISTINCT {key}) FROM {name}") == [(0,)]
    if parent:
        column = held.parent_column or schema.tables[parent].key
        lost = f"SELECT count(*) FROM {name} WHERE {column} NOT IN (SELECT {column} FROM {source}_{parent})"
        assert rows(population, lost) == [(0,)]


def test_every_offence_is_dealt_with_by_a_disposal_of_the_same_record_on_the_day_of_proof(
    population: PopulationReport,
) -> None:
    wrong = """SELECT count(*) FROM pnc_offences o LEFT JOIN pnc_disposals d USING (disposal_id)
        WHERE d.record_id IS DISTINCT FROM o.record_id OR d.disposal_date <> o.proven_date 
            OR o.offence_date > o.proven_date"""
    assert rows(population, wrong) == [(0,)]


def test_every_record_has_one_true_person(population: PopulationReport) -> None:
    for source in ("pnc", "prison", "probation", "oasys"):
        joined = f"{source}_people p LEFT JOIN truth_records t ON t.source = '{source}' AND t.record_id = p.record_id"
        assert share(population, "t.person_id IS NOT NULL", joined) == 1.0
    assert rows(population, "SELECT count(*), count(DISTINCT person_id) FROM truth_people") == [(PEOPLE, PEOPLE)]


def test_stays_of_one_person_do_not_overlap(population: PopulationReport) -> None:
    overlapping = """
        WITH s AS (SELECT person_id, custody_start_date,
            coalesce(custody_end_date, DATE '9999-12-31') AS custody_end_date,
            lead(custody_start_date) OVER (PARTITION BY person_id ORDER BY custody_start_date) AS next_start
            FROM prison_nomis JOIN truth_records t USING (record_id) WHERE t.source = 'prison')
        SELECT count(*) FROM s WHERE next_start < custody_end_date OR custody_end_date < custody_start_date"""
    assert rows(population, overlapping) == [(0,)]


def test_three_to_six_of_a_hundred_people_have_two_records_in_a_source(population: PopulationReport) -> None:
    # INPUTS: de-duplication is needed within every source; 3-6% of the people here.
    for source in ("pnc", "prison", "probation", "oasys"):
        several = f"(SELECT count(*) AS n FROM truth_records WHERE source = '{source}' GROUP BY person_id)"
        assert 0.03 <= share(population, "n > 1", several) <= 0.06, source


def test_breaches_and_offences_that_are_not_recordable_are_there(population: PopulationReport) -> None:
    # The outcome rule must leave both out, so both must be there.
    assert 0.01 < share(population, "breach", "pnc_offences") < 0.06
    assert 0.02 < share(population, "NOT recordable", "pnc_offences") < 0.08


def test_most_offences_are_proven_within_six_months_and_a_few_much_later(population: PopulationReport) -> None:
    in_time = share(population, "proven_date < offence_date + INTERVAL 6 MONTH", "pnc_offences")
    assert 0.85 < in_time < 0.97
