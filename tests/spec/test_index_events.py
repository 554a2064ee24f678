"""Which days become index events, what was known before them, whose they are (METHODS 2, 4; EVALUATION A5, A8)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.register import RegisterInputs, RegisterPaths, build_cohort_register
from counterfoil.errors import UsageError
from lib.justice_extracts import World


def one_person(**values: Any) -> World:
    """Person a, with a PNC and a prison record."""
    world = World()
    world.person("pnc", "P1a", **values)
    world.person("prison", "N1a")
    return world


def events_of(paths: RegisterPaths) -> list[tuple[str, str]]:
    table = pq.read_table(paths.index_events)
    return [(row["kind"], row["index_date"].isoformat()) for row in table.to_pylist()]


def covariates_of(paths: RegisterPaths) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(paths.covariates).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("disposal", "kind"),
    [
        ("community", "community"),
        ("suspended", "community"),
        ("caution", "caution"),
        ("fine", "other_conviction"),
        ("conditional_discharge", "other_conviction"),
        ("other", "other_conviction"),
    ],
)
def test_a_disposal_is_an_event_on_its_day(tmp_path: Path, disposal: str, kind: str) -> None:
    world = one_person()
    world.disposal("P1a", "2016-03-01", disposal=disposal)
    assert events_of(world.register(tmp_path)) == [(kind, "2016-03-01")]


def test_custody_is_an_event_at_release_only(tmp_path: Path) -> None:
    world = one_person()
    world.disposal("P1a", "2016-03-01", disposal="custody", sentence_days=200)
    world.spell("N1a", "2016-03-01", "2016-06-10", sentence_length_days=200)
    paths = world.register(tmp_path)
    assert events_of(paths) == [("release", "2016-06-10")]
    event = pq.read_table(paths.index_events).to_pylist()[0]
    assert (event["spell_start"].isoformat(), event["region"]) == ("2016-03-01", "wales")


@pytest.mark.parametrize(
    ("end", "values"),
    [
        ("2016-06-10", {"release_type": "died"}),
        ("2016-06-10", {"release_type": "deported"}),
        ("2016-06-10", {"release_type": "bailed"}),
        ("2016-06-10", {"legal_status": "remand"}),
        ("2016-06-10", {"legal_status": "recall"}),
        (None, {"release_type": None}),
    ],
    ids=["died", "deported", "bailed", "remand", "recall", "still inside"],
)
def test_other_ends_of_a_stay_are_no_events(tmp_path: Path, end: str | None, values: dict[str, Any]) -> None:
    world = one_person()
    world.disposal("P1a", "2016-03-01", disposal="custody")
    world.spell("N1a", "2016-03-01", end, **values)
    assert events_of(world.register(tmp_path)) == []


def test_spells_that_touch_are_one_stay(tmp_path: Path) -> None:
    world = one_person()
    world.spell("N1a", "2016-01-05", "2016-03-01", legal_status="remand", release_type=None)
    world.spell("N1a", "2016-03-01", "2016-06-10")
    world.spell("N1a", "2016-08-01", "2016-09-01")
    world.spell("N1a", "2016-09-01", "2016-12-24", legal_status="recall")
    paths = world.register(tmp_path)
    assert events_of(paths) == [("release", "2016-06-10")]  # the second stay ends on recall
    assert pq.read_table(paths.index_events)["spell_start"].to_pylist()[0].isoformat() == "2016-01-05"


def test_the_heaviest_disposal_names_the_day(tmp_path: Path) -> None:
    world = one_person()
    for disposal in ("fine", "community", "other"):
        world.disposal("P1a", "2016-03-01", disposal=disposal)
    world.disposal("P1a", "2017-03-01", disposal="fine")
    world.disposal("P1a", "2017-03-01", disposal="custody")
    assert events_of(world.register(tmp_path)) == [("community", "2016-03-01")]


def test_what_two_records_of_one_person_both_hold_counts_once(tmp_path: Path) -> None:
    world = one_person()
    world.person("pnc", "P2a")
    world.person("prison", "N2a")
    for record in ("P1a", "P2a"):
        world.disposal(record, "2015-02-01", disposal="fine", offence_on="2015-01-01")
        world.disposal(record, "2016-03-01", offence_on="2016-02-01")
    for record in ("N1a", "N2a"):
        world.spell(record, "2014-01-01", "2014-05-01")
    paths = world.register(tmp_path)
    assert events_of(paths) == [
        ("release", "2014-05-01"),
        ("other_conviction", "2015-02-01"),
        ("community", "2016-03-01"),
    ]
    last = covariates_of(paths)[-1]
    assert (last["n_previous_offences"], last["n_previous_convictions"]) == (1, 1)


def test_two_like_offences_in_one_record_are_two(tmp_path: Path) -> None:
    world = one_person()
    world.person("pnc", "P2a")
    world.disposal("P1a", "2015-02-01", disposal="fine", offence_on="2015-01-01")
    world.offence("P1a", "2015-01-01", "2015-02-01")
    world.disposal("P2a", "2015-02-01", disposal="fine", offence_on="2015-01-01")  # the other record holds one of them
    world.disposal("P1a", "2016-03-01")
    assert covariates_of(world.register(tmp_path))[-1]["n_previous_offences"] == 2


def test_history_ends_before_the_index_date_and_leaves_the_index_sanction_out(tmp_path: Path) -> None:
    world = one_person(birth_month="1990-06-01")
    world.disposal("P1a", "2010-06-15", disposal="caution", offence_on="2010-06-01", offence_group="criminal_damage")
    world.disposal("P1a", "2012-06-15", disposal="community", offence_group="violence", tier="indictable")
    world.offence("P1a", "2013-01-01", "2013-02-01", breach=True, offence_group="other")
    world.disposal("P1a", "2014-06-15", disposal="custody", offence_group="burglary_domestic")
    world.disposal("P1a", "2016-06-15", disposal="community", offence_group="drugs_supply")  # the index sanction
    world.offence("P1a", "2016-01-01", "2016-09-01")  # committed before, proved after: not known on the day
    world.disposal("P1a", "2017-06-15", disposal="custody")  # after
    found = [row for row in covariates_of(world.register(tmp_path)) if row["index_year"] == "2016"]
    assert len(found) == 1
    row = found[0]
    counts = {name: row[name] for name in row if name.startswith("n_previous_") and row[name]}
    assert counts == {
        "n_previous_offences": 3,
        "n_previous_breaches": 1,
        "n_previous_indictable": 1,
        "n_previous_criminal_damage": 1,
        "n_previous_violence": 1,
        "n_previous_burglary": 1,
        "n_previous_convictions": 2,
        "n_previous_cautions": 1,
        "n_previous_custody": 1,
        "n_previous_community": 1,
    }
    assert (row["disposal"], row["offence_group"], row["region"], row["index_quarter"]) == (
        "community",
        "drugs_supply",
        "london",
        "Q2",
    )
    assert (row["age_at_index"], row["age_band"], row["age_at_first_offence"]) == (26.0, "25-29", 19.96)
    assert (row["career_years"], row["years_since_last_sanction"], row["first_sanction"]) == (6.0, 2.0, False)
    copas = math.log((3 + 1) / (2192 / 365.25 + 10))  # 3 sanctions; 15 June 2010 to 15 June 2016 is 2,192 days
    assert (row["copas_rate"], row["copas_rate_squared"]) == pytest.approx((copas, copas**2))


def test_youth_custody_fines_bail_offences_and_the_last_two_years_are_counted_to_the_day(tmp_path: Path) -> None:
    """Born, for the register, on 15 June 1990: 21 on 15 June 2011. The index date is 1 March 2016."""
    world = one_person(birth_month="1990-06-01")
    world.disposal("P1a", "2011-06-14", disposal="custody")  # the last day under 21
    world.disposal("P1a", "2011-06-15", disposal="custody")
    world.disposal("P1a", "2014-02-28", disposal="fine", offence_group="breach")  # two years and a day before
    world.disposal("P1a", "2014-03-01", disposal="conditional_discharge")  # two years before
    world.disposal("P1a", "2016-03-01")
    row = covariates_of(world.register(tmp_path))[-1]
    assert (row["n_previous_custody"], row["n_previous_youth_custody"]) == (2, 1)
    assert (row["n_previous_fines"], row["n_previous_bail_offences"]) == (2, 1)
    assert row["n_sanctions_two_years"] == 1


NEED = {"acc_other_weighted_score": 1, "drug_other_weighted_score": 2}


def test_needs_are_of_the_latest_full_assessment_strictly_before_the_index_date(tmp_path: Path) -> None:
    world = one_person()
    world.disposal("P1a", "2016-03-01")
    world.disposal("P1a", "2017-03-01")
    world.person("oasys", "O1a")
    world.assessment("O1a", "2015-01-01", **NEED, finance_linked_to_reoffending=False)
    world.assessment(
        "O1a", "2016-02-29", **(NEED | {"acc_other_weighted_score": 6}), finance_linked_to_reoffending=True
    )
    world.assessment("O1a", "2016-03-01", **(NEED | {"acc_other_weighted_score": 8}))  # the index date itself
    world.assessment("O1a", "2016-02-29", **NEED, assessment_type="LAYER1")  # no sections
    world.assessment("O1a", "2016-02-29", **NEED, assessment_status="LOCKED_INCOMPLETE")
    first, second = pq.read_table(world.register(tmp_path).needs).to_pylist()
    assert (first["need_accommodation"], first["need_finance"], first["assessed_days_before"]) == (6, True, 1)
    assert (second["need_accommodation"], second["need_finance"], second["assessed_days_before"]) == (8, None, 365)
    assert first["need_drugs"] == 2


def test_who_was_never_assessed_before_has_no_needs_and_a_lab_without_assessments_no_table(tmp_path: Path) -> None:
    world = one_person()
    world.disposal("P1a", "2016-03-01")
    assert not world.register(tmp_path / "without").needs.exists()
    world.person("oasys", "O1a")
    world.assessment("O1a", "2016-03-02", **NEED)
    paths = world.register(tmp_path / "with")
    assert pq.read_table(paths.needs).num_rows == 0
    names = pq.read_schema(paths.covariates).names
    assert not [name for name in names if name.startswith("need_")]


def test_a_first_sanction_has_no_history(tmp_path: Path) -> None:
    world = one_person(sex="2", ethnicity="B1", nationality="FN")
    world.disposal("P1a", "2016-03-01", region=None)
    world.person("probation", "B1a")
    world.event("B1a", "2016-03-01", region="north_east")
    row = covariates_of(world.register(tmp_path))[0]
    assert row["first_sanction"] is True
    assert (row["n_previous_offences"], row["career_years"], row["years_since_last_sanction"]) == (0, 0.0, 0.0)
    assert row["copas_rate"] == pytest.approx(math.log(1 / 10))
    assert (row["sex"], row["ethnicity"], row["nationality"]) == ("female", "black", "foreign")
    assert row["region"] == "north_east"  # from the probation event of that day


def test_the_sentence_that_a_release_ends_is_no_history_of_it(tmp_path: Path) -> None:
    world = one_person()
    world.disposal("P1a", "2015-03-01", disposal="fine")
    world.disposal("P1a", "2016-03-01", disposal="custody", sentence_days=800)
    known = {"sentence_length_days": 800, "release_type": "hdc", "main_offence_group": "robbery"}
    world.spell("N1a", "2016-03-01", "2017-03-01", **known)
    row = covariates_of(world.register(tmp_path))[-1]
    assert (row["n_previous_offences"], row["n_previous_custody"], row["n_previous_convictions"]) == (1, 0, 1)
    assert (row["disposal"], row["sentence_band"], row["release_type"]) == ("custody", "2 to 4 years", "hdc")
    assert (row["offence_group"], row["career_years"]) == ("robbery", 1.0)


def test_facts_come_from_the_pnc_first_and_a_missing_one_is_a_level(tmp_path: Path) -> None:
    world = World()
    world.person("pnc", "P1a", sex="0", ethnicity="NS", nationality="NK", birth_month=None)
    world.person("prison", "N1a", sex="2", ethnicity="NS", birth_month=None)
    world.person("pnc", "P1b", birth_month="1986-03-01")
    world.disposal("P1a", "2016-03-15")
    world.disposal("P1b", "2016-03-15")
    first, second = covariates_of(world.register(tmp_path))
    assert (first["sex"], first["ethnicity"], first["nationality"]) == ("female", "unknown", "uk")
    assert (first["age_band"], second["age_band"]) == ("unknown", "30-34")
    assert first["age_at_index"] == second["age_at_index"] == 30.0  # fixed: nobody's


def test_an_impossible_birth_month_is_unknown(tmp_path: Path) -> None:
    world = World()
    for letter, birth_month in {"a": "2010-01-01", "b": "1900-01-01", "c": "1986-03-01"}.items():
        world.person("pnc", f"P1{letter}", birth_month=birth_month)
        world.disposal(f"P1{letter}", "2016-03-15")
    found = covariates_of(world.register(tmp_path))
    assert [row["age_band"] for row in found] == ["unknown", "unknown", "30-34"]
    assert {row["age_at_index"] for row in found} == {30.0}


def test_without_a_pnc_record_there_is_no_event(tmp_path: Path) -> None:
    world = one_person()
    world.person("prison", "N1b")
    world.spell("N1b", "2016-01-01", "2016-02-01")
    world.disposal("P1a", "2016-03-01")
    assert events_of(world.register(tmp_path)) == [("community", "2016-03-01")]


def test_order_is_that_of_first_records_and_not_of_the_keys(tmp_path: Path) -> None:
    world = World()
    for record in ("P3a", "P1c", "P2b"):
        world.person("pnc", record)
        world.disposal(record, "2016-03-01")
    table = pq.read_table(world.register(tmp_path).index_events)
    assert table["register_key"].to_pylist() == ["key-c", "key-b", "key-a"]
    assert table["index_event_id"].to_pylist() == [1, 2, 3]


def test_a_stay_without_an_end_that_another_follows_is_left_out(tmp_path: Path) -> None:
    world = one_person()
    world.spell("N1a", "2014-01-01", None, release_type=None)
    world.spell("N1a", "2016-01-01", "2016-05-01")
    paths = world.register(tmp_path)
    assert events_of(paths) == [("release", "2016-05-01")]
    assert pq.read_table(paths.custody).num_rows == 1


def test_a_source_that_is_absent_is_named(tmp_path: Path) -> None:
    inputs = one_person().write(tmp_path / "extracts")
    without = {name: place for name, place in inputs.extracts.items() if name != "prison"}
    with pytest.raises(UsageError, match="'prison'"):
        build_cohort_register(RegisterInputs(without, inputs.register_keys), RegisterPaths(tmp_path))
    (inputs.extracts["prison"] / "nomis.parquet").unlink()
    with pytest.raises(UsageError, match=r"nomis\.parquet"):
        build_cohort_register(inputs, RegisterPaths(tmp_path))


def test_nobody_with_a_sanction_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="linked"):
        one_person().register(tmp_path, data_end=None)
