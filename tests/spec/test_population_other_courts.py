"""Family and civil courts of the population: who is in them, that it hangs together, and the known faults."""

from __future__ import annotations

from math import sqrt

import pytest

from counterfoil.domains import load
from counterfoil.population import PopulationReport
from counterfoil.population.courts import civil, civil_tables, family, family_tables
from lib.population_fixture import PEOPLE, rows, share

PERSONS = """(SELECT t.*, d.date_of_birth AS born, d.sex AS true_sex, d.person_id IS NOT NULL AS known,
    o.person_id IS NOT NULL AS outsider FROM truth_records t LEFT JOIN (SELECT person_id, date_of_birth, sex FROM
    truth_people UNION ALL SELECT person_id, date_of_birth, sex FROM truth_outsiders) d USING (person_id)
    LEFT JOIN truth_outsiders o USING (person_id))"""


def near(found: float, said: float, n: int) -> bool:
    """Within four standard errors of a share."""
    return abs(found - said) < 4 * sqrt(said * (1 - said) / n)


def one(made: PopulationReport, sql: str) -> float:
    ((value,),) = rows(made, sql)
    return float(value)


@pytest.mark.parametrize(("source", "low", "high"), [("family", 0.45, 0.60), ("civil", 0.60, 0.80)])
def test_records_of_people_for_each_person_of_the_population(
    population: PopulationReport, source: str, low: float, high: float
) -> None:
    records = one(population, f"SELECT count(*) FROM truth_records WHERE source = '{source}'")
    assert low < records / PEOPLE < high


@pytest.mark.parametrize("source", ["family", "civil"])
def test_people_have_a_true_person_and_organisations_none(population: PopulationReport, source: str) -> None:
    """Companies that are typed in as people have none either: their names say what they are."""
    when = load().sources[source].person_when
    assert when is not None
    joined = f"{source}_person_records p LEFT JOIN truth_records t USING (record_id)"
    organisation = " OR ".join(f"{when.column} = '{name}'" for name in sorted(when.organisations))
    lost = f"""SELECT count(*) FROM {joined} WHERE t.person_id IS NULL AND NOT coalesce({organisation}, false)
        AND NOT regexp_matches(surname, '(?i)(Ltd|Limited|PLC|LLP)$')"""
    assert rows(population, lost) == [(0,)]
    assert share(population, "known", f"(SELECT * FROM {PERSONS} WHERE source = '{source}')") == 1.0


def test_outsiders_have_numbers_that_nobody_else_has(population: PopulationReport) -> None:
    """People without a record of other departments are numbered from where the population ends, up to twice that."""
    assert rows(population, "SELECT count(*) - count(DISTINCT person_id) FROM truth_outsiders") == [(0,)]
    assert rows(population, "SELECT min(person_id) FROM truth_outsiders") == [(f"T{2 * PEOPLE + 1:07}",)]
    elsewhere = f"(SELECT * FROM {PERSONS} WHERE source NOT IN ('family', 'civil'))"
    assert share(population, "outsider", elsewhere) == 0.0


def test_people_with_a_record_are_in_both_courts_and_most_people_there_have_none(population: PopulationReport) -> None:
    for source, low, high in (("family", 0.08, 0.25), ("civil", 0.20, 0.45)):
        outsiders = share(population, "outsider", f"(SELECT * FROM {PERSONS} WHERE source = '{source}')")
        assert low < 1 - outsiders < high
    both = """SELECT count(*) FROM (SELECT person_id FROM truth_records WHERE source IN ('family', 'civil')
        GROUP BY person_id HAVING count(DISTINCT source) = 2)"""
    assert one(population, both) > 100


def test_the_unseen_factor_is_higher_in_those_whom_the_courts_see(population: PopulationReport) -> None:
    sql = """SELECT avg(latent) FROM truth_people WHERE person_id IN
        (SELECT person_id FROM truth_records WHERE source = '{}')"""
    assert one(population, sql.format("family")) > 0.15
    assert one(population, sql.format("civil")) > 0.1


def test_children_are_under_18_at_the_start_and_adults_not_under_17(population: PopulationReport) -> None:
    ages = f"""(SELECT p.case_role, date_diff('day', t.born, c.case_start_date) / 365.25 AS age FROM family_people p
        JOIN family_cases c USING (case_number_hash) JOIN {PERSONS} t USING (record_id)
        WHERE year(c.case_start_date) > 1900)"""
    ((young, old),) = rows(population, f"SELECT min(age), max(age) FROM {ages} WHERE case_role = 'child'")
    assert -0.01 < young < old < 18.01
    assert one(population, f"SELECT min(age) FROM {ages} WHERE case_role <> 'child'") > 17


def test_roles_are_counted_in_the_case_and_public_law_is_begun_by_an_authority(population: PopulationReport) -> None:
    counts = """SELECT count(*) FROM family_cases c LEFT JOIN (SELECT case_number_hash,
            count(*) FILTER (case_role = 'applicant') AS a, count(*) FILTER (case_role = 'respondent') AS r,
            count(*) FILTER (case_role = 'child') AS k FROM family_people WHERE NOT delete_flag GROUP BY ALL) p
        USING (case_number_hash) WHERE (c.applicant_count, c.respondent_count, c.child_count) IS DISTINCT FROM
            (p.a, p.r, p.k)"""
    assert rows(population, counts) == [(0,)]
    public = """(SELECT p.* FROM family_people p JOIN family_cases c USING (case_number_hash)
        WHERE c.case_type = 'public law' AND p.case_role = 'applicant')"""
    assert share(population, "local_authority_flag = 'LA'", public) == 1.0


def test_faults_of_the_family_courts(population: PopulationReport) -> None:
    n = int(one(population, "SELECT count(DISTINCT event_id_hash) FROM family_events"))
    events = "SELECT count(*) AS n, count(DISTINCT event_model) AS m FROM family_events GROUP BY event_id_hash"
    assert rows(population, f"SELECT max(n), max(m) FROM ({events})") == [(2, 1)]
    assert near(share(population, "n = 2", f"({events})"), family_tables.EVENT_TWICE, n)
    assert near(share(population, "receipt_date IS NULL", "family_events"), family_tables.NO_RECEIPT, n)
    assert share(population, "entry_date IS NULL", "family_events") == 0.0
    assert near(share(population, "error_flag", "family_events"), family_tables.IN_ERROR, n)
    cases = int(one(population, "SELECT count(*) FROM family_cases"))
    stand_in = share(population, "case_start_date = DATE '1900-01-01'", "family_cases")
    assert near(stand_in, family_tables.PLACEHOLDER_DATES, cases)
    assert share(population, "originating_court = 'ZZ Test Court'", "family_cases") > 0
    roles = int(one(population, "SELECT count(*) FROM family_people WHERE NOT delete_flag"))
    deleted = one(population, "SELECT count(*) FROM family_people WHERE delete_flag") / roles
    assert near(deleted, family.DELETED, roles)


def test_faults_of_the_county_court(population: PopulationReport) -> None:
    people = "(SELECT p.* FROM civil_person_records p JOIN truth_records USING (record_id))"
    n = int(one(population, f"SELECT count(*) FROM {people}"))
    unborn = share(population, "date_of_birth IS NULL", people)
    assert near(unborn, civil.NO_BIRTH_DATE, n)
    # Companies typed in as people, and people who trade: some of them typed in as companies.
    companies = """(SELECT p.* FROM civil_person_records p LEFT JOIN truth_records t USING (record_id)
        WHERE t.person_id IS NULL AND regexp_matches(surname, '(?i)(Ltd|Limited|PLC|LLP)$'))"""
    wrong = share(population, "coalesce(party_type, 'person') = 'person'", companies)
    assert 0.01 < wrong < 2 * civil_tables.COMPANY_AS_PERSON
    trading = share(population, "surname LIKE '% T/A %'", people)
    assert 0 < trading < civil.TRADES * 1.5
    assert 0 < share(population, "party_type = 'company'", people) < trading
    twice = """(SELECT count(*) - count(DISTINCT (claim_id_hash, event_type, event_date)) AS n, count(*) AS of
        FROM civil_events)"""
    assert share(population, "n > 0", twice) > 0
    assert share(population, "issue_date = DATE '1900-01-01'", "civil_cases") > 0


def test_one_system_counts_pence(population: PopulationReport) -> None:
    judged = "SELECT median(claim_amount / judgment_amount) FROM civil_cases WHERE source_system = '{}'"
    assert one(population, judged.format("PCOL")) == pytest.approx(100.0, rel=1e-6)
    assert one(population, judged.format("CaseMan")) == 1.0


def test_sex_is_what_the_title_says(population: PopulationReport) -> None:
    said = dict(rows(population, "SELECT title, list(DISTINCT sex ORDER BY sex) FROM civil_person_records GROUP BY 1"))
    assert said == {"Mr": ["1"], "Mrs": ["2"], "Miss": ["2"], "Ms": ["2"], "Dr": ["0"], None: ["0"]}


def test_most_claims_are_bulk_issuers_against_people_who_owe(population: PopulationReport) -> None:
    claimants = "(SELECT * FROM civil_parties WHERE party_role = 'claimant')"
    assert 0.4 < share(population, "bulk_issuer_flag", claimants) < 0.6
    assert share(population, "bulk_issuer_flag AND party_type = 'person'", claimants) < 0.05
    assert share(population, "bulk_issuer_flag", "(SELECT * FROM civil_parties WHERE party_role <> 'claimant')") == 0
