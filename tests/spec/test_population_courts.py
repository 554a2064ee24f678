"""What the criminal courts hold of the population: a record for each case, faults and all, and their journeys."""

from __future__ import annotations

from counterfoil.population import PopulationReport
from lib.population_fixture import PEOPLE, rows, share

CASES = "magistrates_case_summary"
PEOPLES = f"(SELECT * FROM {CASES} WHERE defendant_type = 'person')"


def test_each_case_has_a_person_record_of_its_own(population: PopulationReport) -> None:
    for court in ("magistrates", "crown"):
        assert rows(population, f"SELECT count(*) - count(DISTINCT record_id) FROM {court}_case_summary") == [(0,)]
        counts = f"SELECT (SELECT count(*) FROM {court}_people) - (SELECT count(*) FROM {court}_case_summary)"
        assert rows(population, counts) == [(0,)]


def test_records_of_both_courts_are_about_two_a_person(population: PopulationReport) -> None:
    ((held,),) = rows(population, "SELECT count(*) FROM truth_records WHERE source IN ('magistrates', 'crown')")
    assert 1.8 <= held / PEOPLE <= 2.2


def test_people_have_a_true_person_and_companies_none(population: PopulationReport) -> None:
    for court, kind in (("magistrates", "p.defendant_type = 'person'"), ("crown", "true")):
        joined = f"{court}_people p LEFT JOIN truth_records t ON t.source = '{court}' AND t.record_id = p.record_id"
        assert rows(population, f"SELECT count(*) FROM {joined} WHERE (t.person_id IS NULL) = ({kind})") == [(0,)]
    firms = "(SELECT * FROM magistrates_people WHERE defendant_type = 'company')"
    assert share(population, "defendant_type = 'company'", "magistrates_people") > 0.003
    assert share(population, "forename1 IS NULL AND date_of_birth IS NULL AND surname IS NOT NULL", firms) == 1.0
    assert share(population, "gender = 'company'", f"(SELECT * FROM {CASES} WHERE defendant_type = 'company')") == 1.0


def test_every_serious_sanction_was_the_crown_courts(population: PopulationReport) -> None:
    # More than a year of custody is beyond magistrates; receipts since 2013, courts not yet on Common Platform.
    lost = """WITH long AS (SELECT t.person_id, d.disposal_date AS day FROM pnc_disposals d JOIN truth_records t
            ON t.source = 'pnc' AND t.record_id = d.record_id WHERE d.disposal = 'custody' AND d.sentence_days > 400
            AND d.disposal_date BETWEEN '2015-01-01' AND '2021-05-31'),
        heard AS (SELECT t.person_id, c.disposal_date AS day FROM crown_case_summary c JOIN truth_records t
            ON t.source = 'crown' AND t.record_id = c.record_id)
        SELECT avg(CAST(heard.day IS NULL AS INTEGER)), count(*) FROM long LEFT JOIN heard USING (person_id, day)"""
    ((missing, many),) = rows(population, lost)
    # What was offended, charged and proven within three days never went up; receipts before 2013 are in no system.
    assert missing < 0.05
    assert many > 300


def test_days_of_a_case_are_in_order(population: PopulationReport) -> None:
    for earlier, later, table in (
        ("charge_date", "first_hearing_date", CASES),
        ("first_hearing_date", "final_result_date", CASES),
        ("receipt_date", "first_hearing_date", "crown_case_summary"),
        ("first_hearing_date", "disposal_date", "crown_case_summary"),
        ("first_hearing_date", "trial_start_date", "crown_case_summary"),
        ("plea_date", "disposal_date", "crown_case_summary"),
    ):
        assert rows(population, f"SELECT count(*) FROM {table} WHERE {earlier} > {later}") == [(0,)], (earlier, later)


def test_a_journey_is_one_person_sent_up_and_received_after(population: PopulationReport) -> None:
    joined = f"""truth_journeys j JOIN {CASES} m ON m.record_id = j.magistrates_record_id
        JOIN crown_case_summary c ON c.record_id = j.crown_record_id
        JOIN truth_records l ON l.source = 'magistrates' AND l.record_id = m.record_id
        JOIN truth_records u ON u.source = 'crown' AND u.record_id = c.record_id"""
    wrong = """l.person_id <> u.person_id OR c.receipt_date < m.final_result_date OR m.committal_type = 'not_sent'
        OR m.committal_type <> j.committal"""
    ((many, bad, soon),) = rows(
        population,
        f"""SELECT count(*), count(*) FILTER ({wrong}),
            avg(CAST(c.receipt_date <= m.final_result_date + 28 AS INTEGER)) FROM {joined}""",
    )
    assert many > 2_000
    assert bad == 0
    assert 0.9 < soon < 1.0  # nearly all papers arrive within four weeks, a few later
    twice = "SELECT count(*) - count(DISTINCT magistrates_record_id), count(*) - count(DISTINCT crown_record_id)"
    assert rows(population, f"{twice} FROM truth_journeys") == [(0, 0)]


def test_some_are_acquitted_in_each_court(population: PopulationReport) -> None:
    criminal = f"(SELECT * FROM {CASES} WHERE proceeding_type = 'criminal' AND committal_type = 'not_sent')"
    assert 0.1 < share(population, "NOT convicted_flag", criminal) < 0.35
    assert 0.05 < share(population, "verdict IN ('acquitted', 'dismissed')", "crown_case_summary") < 0.3


def test_common_platform_leaves_a_hole_and_thin_records(population: PopulationReport) -> None:
    by_year = f"SELECT year(first_hearing_date), count(*) FROM {CASES} GROUP BY 1"
    heard = dict(rows(population, by_year))
    offences = dict(rows(population, "SELECT year(disposal_date), count(*) FROM pnc_disposals GROUP BY 1"))
    before, after = heard[2018] / offences[2018], heard[2021] / offences[2021]
    assert after < 0.75 * before
    joined = f"(SELECT * FROM {CASES} JOIN magistrates_people USING (record_id) WHERE initiation_type = 'charge')"
    late = f"(SELECT * FROM {joined} WHERE first_hearing_date >= '2021-10-01')"
    early = f"(SELECT * FROM {joined} WHERE first_hearing_date < '2020-09-01')"
    for identifier in ("pnc_id", "postcode"):
        assert share(population, f"{identifier} IS NOT NULL", late) < 0.8 * share(
            population, f"{identifier} IS NOT NULL", early
        )


def test_known_faults_are_there(population: PopulationReport) -> None:
    for court in ("magistrates", "crown"):
        ((twice,),) = rows(population, f"SELECT 1 - count(DISTINCT offence_id_hash) / count(*) FROM {court}_offence")
        assert 0.005 < twice < 0.02
    assert 0.002 < share(population, "offence_date = '1900-01-01'", PEOPLES) < 0.006
    assert 0.005 < share(population, "court_code = '0000'", PEOPLES) < 0.015
    assert 0.005 < share(population, "principal_offence_code = '00000'", PEOPLES) < 0.015
    assert 0.001 < share(population, "age_at_hearing NOT BETWEEN 10 AND 110", PEOPLES) < 0.006
    assert 0.03 < share(population, "proceeding_type <> 'criminal'", PEOPLES) < 0.2
    custody = "(SELECT * FROM magistrates_offence WHERE offence_result_code = '1002')"
    # One unit is 30 of the other: a sentence of at least 14 days is never a length below 14 in days.
    assert 0.2 < share(population, "offence_result_length < 14", custody) < 0.8


def test_whoever_walks_into_court_is_not_in_prison(population: PopulationReport) -> None:
    sql = f"""SELECT count(*), count(*) FILTER (m.attendance = 'in_person' AND m.remand_status = 'bail')
        FROM {CASES} m JOIN truth_records l ON l.source = 'magistrates' AND l.record_id = m.record_id
        JOIN truth_records p ON p.source = 'prison' AND p.person_id = l.person_id
        JOIN prison_nomis s ON s.record_id = p.record_id
            AND m.first_hearing_date > s.custody_start_date
            AND m.first_hearing_date < coalesce(s.custody_end_date, DATE '2099-01-01')"""
    ((inside, walked),) = rows(population, sql)
    assert inside > 300  # who is in prison is in court often, brought from there
    assert walked <= 0.005 * inside  # a clerk's slip
