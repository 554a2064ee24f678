"""`link` writes the journeys of cases beside the people: judged by the truth, apart from person links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from counterfoil.domains import load
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.population import LAB_DATE, PopulationReport, generate
from counterfoil.study.roles import ProcessRole
from counterfoil.warehouse import query, read_table
from lib.labs import do

pytestmark = pytest.mark.slow

SOURCES = ("pnc", "magistrates", "crown")
# mags_crown_journey of ../shared/data/data_first_catalogue.csv, after the name of the journey.
CATALOGUE = ["journey", "mc_case_id", "mc_defendant_id", "cc_defendant_on_case_id", "estimated_match_score"]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> tuple[OpenLab, PopulationReport]:
    folder = tmp_path_factory.mktemp("journeys")
    made = generate(folder / "population", people=6_000, seed=11)
    lab = make_lab(folder / "lab", today=LAB_DATE)
    for source in SOURCES:
        files = [str(made.sources / f"{source}_{table}.parquet") for table in load().sources[source].tables]
        do(ProcessRole.INTAKE, "load", lab, source=source, files=files, date=None)
    do(ProcessRole.LINKER, "link", lab, engine="core")
    return lab, made


def _spine(lab: OpenLab) -> Path:
    folder = lab.paths.latest_spine()
    assert folder is not None
    return folder


def _one(sql: str, **tables: Any) -> tuple[Any, ...]:
    return tuple(query(sql, tables).to_pylist()[0].values())


def test_journeys_are_right_and_nearly_all_are_found(linked: tuple[OpenLab, PopulationReport]) -> None:
    lab, made = linked
    found = read_table(_spine(lab) / "journeys.parquet")
    truth = read_table(made.truth / "truth_journeys.parquet")
    sql = """SELECT avg(CAST(t.crown_record_id IS NOT NULL AS INTEGER)), count(*),
                 count(DISTINCT record_id_l) = count(*) AND count(DISTINCT record_id_r) = count(*)
             FROM j LEFT JOIN t ON t.magistrates_record_id = record_id_l AND t.crown_record_id = record_id_r
             WHERE j.status = 'linked'"""
    precision, many, one_to_one = _one(sql, j=found, t=truth)
    assert precision >= 0.99
    assert many / truth.num_rows >= 0.95  # recall is at least precision times this
    assert one_to_one


def test_the_analyst_has_the_keys_of_cases_and_no_record_of_a_person(linked: tuple[OpenLab, PopulationReport]) -> None:
    lab, _ = linked
    shown = read_table(lab.paths.journeys(_spine(lab).name))
    assert shown.column_names == CATALOGUE
    ((least, most),) = [_one("SELECT min(estimated_match_score), max(estimated_match_score) FROM t", t=shown)]
    assert 0.5 < least <= most < 1.0
    cases = read_table(lab.paths.latest_extracts(lab.paths.analyst)["crown"] / "case_summary.parquet")
    sql = "SELECT count(*) FROM s WHERE cc_defendant_on_case_id NOT IN (SELECT defendant_on_case_id_hash FROM c)"
    assert _one(sql, s=shown, c=cases) == (0,)


def test_journeys_are_no_links_of_persons_and_are_not_made_again(linked: tuple[OpenLab, PopulationReport]) -> None:
    lab, _ = linked
    folder = _spine(lab)
    files = [folder / "journeys.parquet", lab.paths.journeys(folder.name), folder / "people.parquet"]
    before = [file.stat().st_mtime_ns for file in files]
    do(ProcessRole.LINKER, "link", lab, engine="core")
    assert [file.stat().st_mtime_ns for file in files] == before
    files[1].unlink()
    do(ProcessRole.LINKER, "link", lab, engine="core")
    assert files[1].is_file()  # one that is lost is made again
    apart = """SELECT count(*) FROM j JOIN p l ON l.source = 'magistrates' AND l.record_id = j.record_id_l
               JOIN p r ON r.source = 'crown' AND r.record_id = j.record_id_r
               WHERE status = 'linked' AND l.person_id <> r.person_id"""
    people = read_table(folder / "people.parquet")
    # Cases are linked where persons are not: a journey does not make them one.
    assert _one(apart, j=read_table(files[0]), p=people)[0] > 0


def test_no_company_is_among_the_people(linked: tuple[OpenLab, PopulationReport]) -> None:
    lab, _ = linked
    people = read_table(_spine(lab) / "people.parquet")
    firms = read_table(lab.paths.latest_extracts(lab.paths.linker)["magistrates"] / "organisations.parquet")
    assert firms.num_rows > 0
    sql = "SELECT count(*) FROM p WHERE source = 'magistrates' AND record_id IN (SELECT record_id FROM f)"
    assert _one(sql, p=people, f=firms) == (0,)
