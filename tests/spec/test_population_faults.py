"""The known faults of the real systems are in the population at the rates said, and needs are as the truth says."""

from __future__ import annotations

import json
from math import sqrt

import pytest

from counterfoil.domains import load
from counterfoil.population import PopulationReport
from lib.population_fixture import rows, share


def near(found: float, said: float, n: int) -> bool:
    """Within four standard errors of a share."""
    return abs(found - said) < 4 * sqrt(said * (1 - said) / n)


def one(made: PopulationReport, sql: str) -> float:
    ((value,),) = rows(made, sql)
    return float(value)


def test_some_events_are_there_twice_under_another_row_key(population: PopulationReport) -> None:
    events = "SELECT count(*) AS n, count(DISTINCT record_id) AS r FROM probation_flatfile GROUP BY event_id_hash"
    assert rows(population, f"SELECT max(n), max(r) FROM ({events})") == [(2, 1)]
    n = int(one(population, f"SELECT count(*) FROM ({events})"))
    assert near(share(population, "n = 2", f"({events})"), 0.03, n)


def test_requirements_have_no_unit_and_it_differs_by_type(population: PopulationReport) -> None:
    """Alcohol treatment is in months and abstinence in days."""
    assert "length_unit" not in load().sources["probation"].tables["rqmnts"].columns
    longest = dict(
        rows(population, "SELECT rqmnt_type_main_category_code, max(length) FROM probation_rqmnts GROUP BY ALL")
    )
    assert longest["A"] <= 12 < 90 <= longest["B"]
    assert longest["W"] == 300  # hours
    assert set(longest) <= set(load().codes["requirement_length_unit"])


def test_the_date_a_requirement_began_is_mostly_empty(population: PopulationReport) -> None:
    n = int(one(population, "SELECT count(*) FROM probation_rqmnts"))
    known = share(population, "rqmnt_commencement_date IS NOT NULL", "probation_rqmnts")
    assert 0.12 < known <= 0.15 + 4 * sqrt(0.15 * 0.85 / n)  # less what would begin after the sources end
    assert share(population, "rqmnt_start_date IS NULL", "probation_rqmnts") == 0.0


def test_dummy_ethnicities_refusals_blanks_and_impossible_ages(population: PopulationReport) -> None:
    n = int(one(population, "SELECT count(*) FROM probation_flatfile"))
    assert near(share(population, "ethnicity_desc LIKE 'Z_Dummy%'", "probation_flatfile"), 0.04 / 2, n)
    assert near(share(population, "ethnicity_desc IS NULL", "probation_flatfile"), 0.04 / 4, n)
    assert near(share(population, "age_at_offence < 10 OR age_at_offence > 110", "probation_flatfile"), 0.003, n)


def test_offices_mix_trusts_companies_divisions_regions_prisons_and_test_areas(population: PopulationReport) -> None:
    assert one(population, "SELECT count(DISTINCT probation_area_desc) FROM probation_flatfile") > 250
    for form in ("CPA %", "NPS %", "% Probation Trust %", "% Region PDU %", "HMP %", "ZZ Test Area"):
        assert share(population, f"probation_area_desc LIKE '{form}'", "probation_flatfile") > 0


def test_an_incident_has_one_row_a_prisoner_in_it(population: PopulationReport) -> None:
    sql = """SELECT max(n), min(days) FROM (SELECT count(*) AS n, count(DISTINCT incident_date) AS days
             FROM prison_safety_in_custody GROUP BY incident_id_hash)"""
    assert rows(population, sql) == [(2, 1)]
    outside = """SELECT count(*) FROM prison_safety_in_custody i JOIN prison_nomis j USING (offender_book_id_hash)
        WHERE i.incident_date < j.custody_start_date
            OR i.incident_date > coalesce(j.custody_end_date, i.incident_date)"""
    assert one(population, outside) == 0


def test_private_companies_left_few_assessments_before_june_2021(population: PopulationReport) -> None:
    thin, usual = (
        share(
            population,
            "oasys_score_at_start IS NOT NULL",
            f"""(SELECT * FROM probation_flatfile WHERE disposal_type_description LIKE '%order'
                 AND disposal_date BETWEEN DATE '2014-06-01' AND DATE '2021-06-25' AND region {regions})""",
        )
        for regions in ("= 'london'", "IN ('wales', 'north_west', 'yorkshire')")
    )
    assert thin < 0.15 < 0.4 < usual


def test_only_full_assessments_have_scores_and_some_people_have_many(population: PopulationReport) -> None:
    assert (
        share(population, "drug_other_weighted_score IS NOT NULL AND assessment_type = 'LAYER1'", "oasys_assessment")
        == 0
    )
    assert one(population, "SELECT max(n) FROM (SELECT count(*) AS n FROM oasys_assessment GROUP BY record_id)") >= 4


@pytest.mark.parametrize("section", ["acc", "ete", "drug", "alcohol", "think", "att"])
def test_needs_hang_together_with_the_unseen_factor_as_the_truth_says(
    population: PopulationReport, section: str
) -> None:
    said = json.loads((population.truth / "relations.json").read_text())["assessments"]["sections"][section]
    sql = f"SELECT corr({section}, latent), count(*) FROM truth_needs JOIN truth_people USING (person_id)"
    ((found, n),) = rows(population, sql)
    # people who are assessed have offended more, so that the factor varies a little less among them
    assert abs(found - said["latent"]) < 0.05 + 4 / sqrt(n)
    linked = """FROM oasys_assessment a JOIN truth_records t ON t.source = 'oasys' AND t.record_id = a.record_id
                JOIN truth_people USING (person_id)"""
    ((scored,),) = rows(population, f"SELECT corr(a.{section}_other_weighted_score, latent) {linked}")
    assert 0.5 * said["latent"] < scored < said["latent"] + 0.1


def test_flags_of_need_follow_the_thresholds(population: PopulationReport) -> None:
    """Accommodation 2, education and work 3, alcohol and thinking 4, the others 2."""
    thresholds = {"acc": 2, "ete": 3, "rel": 2, "lifestyle": 2, "drug": 2, "alcohol": 4, "think": 4, "att": 2}
    for section, limit in thresholds.items():
        assert rows(population, f"SELECT DISTINCT {section}_threshold FROM oasys_assessment") == [(limit,)]
        agrees = f"({section}_other_weighted_score >= {limit}) = {section}_linked_to_reoffending"
        known = f"(SELECT * FROM oasys_assessment WHERE {section}_other_weighted_score IS NOT NULL)"
        assert 0.9 < share(population, agrees, known) < 0.99
