"""Names and numbers: valid, distributed as they are in England and Wales, and wrong in the ways they are wrong."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from counterfoil.population import LAB_DATE, PopulationReport
from counterfoil.records.identifiers import IdentifierKind, IdentifierStatus, canonical
from counterfoil.records.postcodes import read_postcode
from lib.population_fixture import rows, share


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("pnc_id", IdentifierKind.PNC),
        ("cro", IdentifierKind.CRO),
        ("prison_number", IdentifierKind.PRISON_NUMBER),
        ("crn", IdentifierKind.CRN),
    ],
)
def test_true_numbers_are_valid_canonical_and_given_once(
    population: PopulationReport, column: str, kind: IdentifierKind
) -> None:
    given = [n for (n,) in rows(population, f"SELECT {column} FROM truth_people WHERE {column} IS NOT NULL")]
    assert len(set(given)) == len(given) > 10_000
    for number in given[::10]:
        checked = canonical(kind, number, today=LAB_DATE)
        assert (checked.status, checked.canonical) == (IdentifierStatus.VALID, number)


def test_a_pnc_number_is_not_older_than_age_ten(population: PopulationReport) -> None:
    assert share(population, "CAST(pnc_id[:4] AS INTEGER) >= year(date_of_birth) + 10", "truth_people") == 1.0


def test_a_quarter_of_prison_and_three_tenths_of_probation_records_lack_a_pnc_number(
    population: PopulationReport,
) -> None:
    assert share(population, "pnc_id IS NULL", "prison_people") == pytest.approx(0.25, abs=0.04)
    assert share(population, "pnc_id IS NULL", "probation_people") == pytest.approx(0.30, abs=0.04)
    assert share(population, "pnc_id IS NULL", "pnc_people") == 0.0


def test_a_few_quoted_numbers_fail_their_check_letter(population: PopulationReport) -> None:
    quoted = [n for (n,) in rows(population, "SELECT pnc_id FROM probation_people WHERE pnc_id IS NOT NULL")]
    failed = sum(canonical(IdentifierKind.PNC, n, today=LAB_DATE).status is not IdentifierStatus.VALID for n in quoted)
    assert 0 < failed / len(quoted) < 0.02


def test_postcodes_are_postcodes_and_hostels_are_shared(population: PopulationReport) -> None:
    held = [p for (p,) in rows(population, "SELECT postcode FROM pnc_people WHERE postcode IS NOT NULL")]
    assert all(read_postcode(p) is not None for p in held[::7])
    assert max(Counter(held).values()) >= 5
    assert 0.08 < share(population, "postcode IS NULL", "pnc_people") < 0.25


def test_surnames_are_smith_first_and_have_a_long_tail(population: PopulationReport) -> None:
    # The commonest surname of Britain is held by about 1.3% of people.
    found = Counter(n for (n,) in rows(population, "SELECT surname FROM truth_people WHERE origin = 'white_british'"))
    assert found.most_common(1)[0][0] == "Smith"
    assert found["Smith"] / found.total() == pytest.approx(0.013, abs=0.004)
    assert len(found) > 3_000


def test_a_forename_tells_the_year_of_birth_and_the_sex(population: PopulationReport) -> None:
    sql = """SELECT forename1, median(year(date_of_birth)), avg(CAST(sex AS INTEGER)) FROM truth_people
        WHERE origin = 'white_british' GROUP BY 1"""
    found = {name: (year, sex) for name, year, sex in rows(population, sql)}
    assert found["Keith"][0] < found["Darren"][0] < found["Jordan"][0] + 0.5
    assert found["Keith"][1] == found["Darren"][1] == 1.0
    assert found["Sharon"][0] < found["Chloe"][0]
    assert found["Sharon"][1] == found["Chloe"][1] == 2.0


def test_customs_of_naming_are_kept(population: PopulationReport) -> None:
    sikh = rows(
        population, "SELECT sex, coalesce(forename2, ''), surname FROM truth_people WHERE origin = 'indian_sikh'"
    )
    common = {"1": "Singh", "2": "Kaur"}
    assert len(sikh) > 50
    assert all(common[sex] in (middle, surname) for sex, middle, surname in sikh)
    assert share(population, "forename2 IS NOT NULL", "(SELECT * FROM truth_people WHERE origin = 'somali')") == 1.0
    arabic = "(SELECT * FROM truth_people WHERE origin = 'arabic')"
    assert 0.2 < share(population, r"regexp_matches(surname, '^(Al|El|Bin|Ben)[- ]')", arabic) < 0.6
    double = "(SELECT * FROM truth_people WHERE origin = 'portuguese')"
    assert share(population, "surname LIKE '% %'", double) > 0.5
    ((irish,),) = rows(
        population, "SELECT count(*) FROM truth_people WHERE regexp_matches(surname, '^(O''|Mc|Mac)[A-Z]')"
    )
    assert irish > 300


def test_nobody_of_a_group_has_a_record_before_it_came(population: PopulationReport) -> None:
    sql = """SELECT min(offence_date) FROM pnc_offences JOIN truth_records t USING (record_id)
        JOIN truth_people p USING (person_id) WHERE t.source = 'pnc' AND p.origin IN ('polish', 'baltic')"""
    ((first,),) = rows(population, sql)
    assert first.year >= 2004  # the accession of Poland and the Baltic states to the European Union


SAID = """(SELECT p.origin, p.sex AS true_sex, p.married, r.date_of_birth IS DISTINCT FROM p.date_of_birth AS dob_wrong,
        upper(strip_accents(r.surname)) IS DISTINCT FROM upper(strip_accents(p.surname)) AS surname_differs
    FROM {source}_people r JOIN truth_records t ON t.source = '{source}' AND t.record_id = r.record_id
    JOIN truth_people p USING (person_id) WHERE {who})"""


@pytest.mark.parametrize("source", ["prison", "probation"])
def test_birth_dates_are_wrong_more_often_where_names_are_not_english(
    population: PopulationReport, source: str
) -> None:
    english = share(population, "dob_wrong", SAID.format(source=source, who="origin = 'white_british'"))
    groups = "origin IN ('somali', 'bangladeshi', 'polish', 'romanian', 'arabic', 'vietnamese', 'nigerian_yoruba')"
    others = share(population, "dob_wrong", SAID.format(source=source, who=groups))
    assert 0.01 < english < 0.06
    assert others > 2 * english


def test_surnames_of_women_change(population: PopulationReport) -> None:
    of_sex = "p.sex = '{}' AND p.origin = 'white_british'"
    women = share(population, "surname_differs", SAID.format(source="probation", who=of_sex.format(2)))
    men = share(population, "surname_differs", SAID.format(source="probation", who=of_sex.format(1)))
    assert women > men + 0.05


def test_a_wrong_birth_date_in_prison_is_copied_to_probation(population: PopulationReport) -> None:
    sql = """WITH said AS (
            SELECT t.person_id, t.source, r.date_of_birth AS dob, p.date_of_birth AS true_dob
            FROM (SELECT 'prison' AS source, record_id, date_of_birth FROM prison_people
                  UNION ALL SELECT 'probation', record_id, date_of_birth FROM probation_people) r
            JOIN truth_records t USING (source, record_id) JOIN truth_people p USING (person_id)
            WHERE p.origin = 'white_british')
        SELECT avg(CAST(b.dob <> b.true_dob AS INTEGER)),
            avg(CAST(b.dob = a.dob AS INTEGER)) FILTER (a.dob <> a.true_dob)
        FROM said a JOIN said b ON a.person_id = b.person_id AND a.source = 'prison' AND b.source = 'probation'"""
    ((wrong, copied),) = rows(population, sql)
    assert copied > 5 * wrong  # were errors independent, the same error would be far rarer than any error
    assert copied > 0.3


def test_stand_in_birth_dates_are_there_and_the_first_of_january_is_piled_up(population: PopulationReport) -> None:
    stand_in = "date_of_birth IN (DATE '1900-01-01', DATE '1970-01-01')"
    assert 0.0005 < share(population, stand_in, "prison_people") < 0.02
    january = "month(date_of_birth) = 1 AND day(date_of_birth) = 1"
    assert share(population, january, "prison_people") > 3 / 365


def test_twins_share_birthday_and_surname(population: PopulationReport) -> None:
    pairs = """SELECT count(*), avg(CAST(a.surname = b.surname AND a.date_of_birth = b.date_of_birth AS INTEGER))
        FROM truth_people a JOIN truth_people b
            ON CAST(b.person_id[2:] AS INTEGER) = CAST(a.person_id[2:] AS INTEGER) + 1
        WHERE b.twin_of_previous"""
    ((count, alike),) = rows(population, pairs)
    assert count > 50
    assert alike == 1.0


def test_record_keys_have_one_form(population: PopulationReport) -> None:
    form = re.compile(r"(PNC|PRI|PRO)[0-9]{8}")
    assert all(form.fullmatch(key) for (key,) in rows(population, "SELECT record_id FROM truth_records LIMIT 500"))
