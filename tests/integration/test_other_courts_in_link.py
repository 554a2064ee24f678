"""Family and civil parties in the spine: no company is a person; namesakes without a birth date stay apart."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from counterfoil.warehouse import query
from lib.labs import MadeLab

pytestmark = pytest.mark.slow

LEAST_PRECISION = 0.995  # of pairs at the medium strictness


@pytest.mark.parametrize("source", ["family", "civil"])
def test_links_of_a_court_are_right_though_birth_dates_are_missing(small_lab: MadeLab, source: str) -> None:
    """Pairs of one cluster with a record of the court, and how many of them are one person's."""
    spine = small_lab.lab.paths.latest_spine()
    assert spine is not None
    tables = {
        "p": pq.read_table(spine / "people.parquet"),
        "t": pq.read_table(small_lab.population.truth / "truth_records.parquet"),
    }
    sql = f"""
        WITH k AS (SELECT p.source, p.record_id, p.cluster_medium AS cluster, t.person_id AS truly
                   FROM p LEFT JOIN t USING (source, record_id))
        SELECT count(*) AS linked, sum((a.truly = b.truly)::INTEGER) AS right_ones,
               (SELECT count(*) FROM k WHERE truly IS NULL) AS nobodies
        FROM k a JOIN k b USING (cluster)
        WHERE a.source = '{source}' AND (a.source, a.record_id) <> (b.source, b.record_id)
            AND (b.source <> a.source OR a.record_id < b.record_id)"""
    (row,) = query(sql, tables).to_pylist()
    assert row["nobodies"] == 0
    assert row["linked"] > 100
    assert row["right_ones"] >= LEAST_PRECISION * row["linked"]


def test_no_organisation_is_among_the_people(small_lab: MadeLab) -> None:
    for source in ("family", "civil"):
        folder = small_lab.lab.paths.latest_extracts(small_lab.lab.paths.linker)[source]
        apart = pq.read_table(folder / "organisations.parquet")["record_id"].to_pylist()
        kept = pq.read_table(folder / "identifiers.parquet")["record_id"].to_pylist()
        assert apart
        assert not set(apart) & set(kept)
        truth = pq.read_table(small_lab.population.truth / "truth_records.parquet")
        assert set(kept) <= set(truth["record_id"].to_pylist())
