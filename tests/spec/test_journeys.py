"""Cases that moved from one court to the other: linked by day, court and person, one to one, never guessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from counterfoil.linkage.journeys import JourneyRule, find_journeys, load_journeys
from counterfoil.warehouse import write_table

SENT = dt.date(2018, 3, 1)
Case = tuple[str, int, str, str]  # record, days after SENT, court, kind


@pytest.fixture(scope="module")
def rule() -> JourneyRule:
    (found,) = load_journeys("justice")
    return found


def _extracts(folder: Path, sent: list[Case], received: list[Case]) -> dict[str, Path]:
    """The two tables of link evidence, with the columns that the schemas give."""
    lower = {
        "record_id": [case[0] for case in sent],
        "final_result_date": [SENT + dt.timedelta(case[1]) for case in sent],
        "court_code": [case[2] for case in sent],
        "committal_type": [case[3] for case in sent],
        "case_id_hash": [f"case {case[0]}" for case in sent],
        "defendant_id_hash": [f"defendant {case[0]}" for case in sent],
    }
    upper = {
        "record_id": [case[0] for case in received],
        "receipt_date": [SENT + dt.timedelta(case[1]) for case in received],
        "court_centre": [case[2] for case in received],
        "case_type": [case[3] for case in received],
        "defendant_on_case_id_hash": [f"doc {case[0]}" for case in received],
    }
    write_table(pa.table(lower), folder / "magistrates" / "case_summary.parquet")
    write_table(pa.table(upper), folder / "crown" / "case_summary.parquet")
    return {"magistrates": folder / "magistrates", "crown": folder / "crown"}


def _who(people: Mapping[str, tuple[int, str, int | None]]) -> tuple[pa.Table, pa.Table]:
    """Clusters and compared columns of records: each is of a cluster, has a name and a year of birth."""
    source = ["crown" if record.startswith("c") else "magistrates" for record in people]
    births = [None if year is None else dt.date(year, 5, 17) for _, _, year in people.values()]
    clusters = pa.array([cluster for cluster, _, _ in people.values()], pa.int64())
    ids = {"source": source, "record_id": list(people)}
    names = [name for _, name, _ in people.values()]
    known = {
        "name_key": names,
        "surname_2": [name.split()[1][:2] for name in names],
        "dob": pa.array(births, pa.date32()),
        "dob_year": pa.array([year for _, _, year in people.values()], pa.int64()),
    }
    return pa.table(ids | {"cluster_medium": clusters, "cluster_loose": clusters}), pa.table(ids | known)


def _found(
    folder: Path,
    rule: JourneyRule,
    people: Mapping[str, tuple[int, str, int | None]],
    sent: list[Case],
    received: list[Case],
) -> dict[str, tuple[str, str]]:
    clusters, records = _who(people)
    table = find_journeys(clusters, records, rule, _extracts(folder, sent, received))
    return {row["record_id_l"]: (row["record_id_r"], row["status"]) for row in table.to_pylist()}


def test_a_case_is_linked_to_the_one_that_was_received_after_it(tmp_path: Path, rule: JourneyRule) -> None:
    people = {"m1": (1, "ANN HILL", 1980), "m2": (1, "ANN HILL", 1980), "c1": (1, "ANN HILL", 1980)}
    # Two cases of one person; one was sent three days before the receipt, the other four months before.
    sent: list[Case] = [("m1", 0, "1001", "sent_for_trial"), ("m2", -120, "1001", "sent_for_trial")]
    found = _found(tmp_path, rule, people, sent, [("c1", 3, "Leeds", "T")])
    assert found["m1"] == ("c1", "linked")
    assert found["m2"][1] != "linked"


def test_what_was_not_sent_is_in_no_journey(tmp_path: Path, rule: JourneyRule) -> None:
    people = {"m1": (1, "ANN HILL", 1980), "c1": (1, "ANN HILL", 1980)}
    assert _found(tmp_path, rule, people, [("m1", 0, "1001", "not_sent")], [("c1", 3, "Leeds", "T")]) == {}


def test_a_trial_is_no_sentence_and_days_must_fit(tmp_path: Path, rule: JourneyRule) -> None:
    people = {"m1": (1, "ANN HILL", 1980), "c1": (1, "ANN HILL", 1980), "m2": (2, "JO BELL", 1970)}
    people |= {"c2": (2, "JO BELL", 1970)}
    sent: list[Case] = [("m1", 0, "1001", "committed_for_sentence"), ("m2", 0, "1001", "sent_for_trial")]
    received: list[Case] = [("c1", 3, "Leeds", "T"), ("c2", 200, "Leeds", "T")]
    found = _found(tmp_path, rule, people, sent, received)
    assert found["m1"][1] == "weak"
    assert "m2" not in found  # 200 days lie outside what is compared


def test_two_cases_that_fit_as_well_are_a_tie(tmp_path: Path, rule: JourneyRule) -> None:
    people = {name: (1, "ANN HILL", 1980) for name in ("m1", "m2", "c1", "c2")}
    sent: list[Case] = [("m1", 0, "1001", "sent_for_trial"), ("m2", 0, "1001", "sent_for_trial")]
    received: list[Case] = [("c1", 3, "Leeds", "T"), ("c2", 3, "Leeds", "T")]
    found = _found(tmp_path, rule, people, sent, received)
    assert {status for _, status in found.values()} == {"tied"}


def _traffic(number: int) -> tuple[dict[str, tuple[int, str, int | None]], list[Case], list[Case]]:
    """Cases beyond doubt: those of court 1001 go to Leeds, those of 1002 to York."""
    people: dict[str, tuple[int, str, int | None]] = {}
    sent: list[Case] = []
    received: list[Case] = []
    for i in range(number):
        court, centre = (("1001", "Leeds"), ("1002", "York"))[i % 2]
        people[f"m_t{i}"] = people[f"c_t{i}"] = (100 + i, f"P{i} Q{i}", 1960)
        sent.append((f"m_t{i}", 10 * i, court, "sent_for_trial"))
        received.append((f"c_t{i}", 10 * i + 2, centre, "T"))
    return people, sent, received


def test_where_the_person_is_unknown_the_court_that_it_sends_to_decides(tmp_path: Path, rule: JourneyRule) -> None:
    people, sent, received = _traffic(200)
    # Records without a birth date are people of their own; two centres received one of that name.
    people |= {"m1": (1, "ANN HILL", None), "c1": (2, "ANN HILL", None), "c2": (3, "ANN HILL", None)}
    sent.append(("m1", 0, "1001", "sent_for_trial"))
    received += [("c1", 3, "Leeds", "T"), ("c2", 3, "York", "T")]
    found = _found(tmp_path, rule, people, sent, received)
    assert found["m1"][0] == "c1"
    assert all(found[f"m_t{i}"] == (f"c_t{i}", "linked") for i in range(200))


def test_somebody_elses_case_is_not_linked(tmp_path: Path, rule: JourneyRule) -> None:
    people, sent, received = _traffic(200)
    people |= {"m1": (1, "ANN HILL", 1980), "c1": (2, "ANN HILL", 1951)}  # one name, other births
    sent.append(("m1", 0, "1001", "sent_for_trial"))
    received.append(("c1", 3, "Leeds", "T"))
    assert _found(tmp_path, rule, people, sent, received)["m1"][1] == "weak"


def test_without_one_of_the_courts_there_is_no_journey(tmp_path: Path, rule: JourneyRule) -> None:
    clusters, records = _who({"m1": (1, "ANN HILL", 1980)})
    extracts = _extracts(tmp_path, [("m1", 0, "1001", "sent_for_trial")], [("c1", 3, "Leeds", "T")])
    del extracts["crown"]
    found = find_journeys(clusters, records, rule, extracts)
    assert found.num_rows == 0
    assert "defendant_on_case_id_hash" not in found.column_names
    assert "cc_defendant_on_case_id" in found.column_names


def test_every_weight_has_a_reason(rule: JourneyRule) -> None:
    assert all(len(level.reason) > 20 for levels in rule.evidence.values() for level in levels)
