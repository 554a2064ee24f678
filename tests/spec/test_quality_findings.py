"""What of a spine is worth a look, drawn by hand; completeness by year; groups whose pairs go together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.errors import UsageError
from counterfoil.linkage.quality_report.bias import Outcome, Statement, statement_of
from counterfoil.linkage.quality_report.counted import drift, years_of
from counterfoil.linkage.quality_report.domain import Concern, expected_of
from counterfoil.linkage.quality_report.findings import TRUTH_OF_REST, find_concerns
from counterfoil.linkage.quality_report.groups import Rate, rates_of
from counterfoil.warehouse import write_table

CONCERN = Concern(
    completeness_drop=0.05, least_precision=0.98, least_recall=0.90, group_gap=0.02, bias_gap=0.005, lost_people=0.02
)
Z95 = 1.96


def report(**changed: Any) -> dict[str, Any]:
    """A report in which nothing is of concern, but for what is given."""
    quiet: dict[str, Any] = {
        "completeness": {"drift": [], "by_source": {}},
        "precision_recall": {"rows": []},
        "groups": {"kinds": {}},
        "bias": {"hypotheses": []},
        "changes": None,
        "model": {"sessions": []},
        "controls": [],
    }
    return quiet | changed


def concerns(**changed: Any) -> list[str]:
    return [finding.concern.value for finding in find_concerns(report(**changed), CONCERN)]


def test_nothing_is_nothing() -> None:
    assert concerns() == []


@pytest.mark.parametrize(("now", "found"), [(0.90, []), (0.85, ["completeness"]), (0.50, ["completeness"])])
def test_a_fall_of_five_points_in_completeness_is_an_alarm(now: float, found: list[str]) -> None:
    moved = drift({"prison": {"records": 10, "pnc_std": now}}, {"prison": {"records": 10, "pnc_std": 0.90}})
    assert concerns(completeness={"drift": moved}) == found


@pytest.mark.parametrize(
    ("precision", "recall", "found"),
    [(0.99, 0.95, []), (0.97, 0.95, ["precision"]), (0.99, 0.89, ["recall"])],
)
def test_the_lower_end_of_an_interval_is_what_counts(precision: float, recall: float, found: list[str]) -> None:
    row = {
        "basis": "Sampled review",
        "strictness": "medium",
        "precision": {"low": precision},
        "recall": {"low": recall},
    }
    assert concerns(precision_recall={"rows": [row]}) == found


def test_what_the_model_says_of_itself_is_never_a_finding() -> None:
    row = {"basis": "The model of itself", "strictness": "medium", "precision": {"low": 0.1}, "recall": {"low": 0.1}}
    assert concerns(precision_recall={"rows": [row]}) == []


LESS = {"source": "civil", "least_recall": 0.2, "reason": "It holds no birth dates.", "recall": {"low": 0.21}}
FAR_WORSE = {"recall_worse_beyond_chance": True, "recall_worse_by": {"rate": 0.5}}


@pytest.mark.parametrize(("low", "found"), [(0.21, []), (0.19, ["group"])])
def test_a_source_of_which_less_is_expected_is_held_to_that(low: float, found: list[str]) -> None:
    kinds = {"source": {"civil": FAR_WORSE}}
    assert concerns(groups={"kinds": kinds}) == ["group"]
    assert concerns(groups={"kinds": kinds}, expected=[LESS | {"recall": {"low": low}}]) == found


def test_what_is_expected_of_a_source_excuses_no_other_group() -> None:
    kinds = {"source": {"pnc": FAR_WORSE}, "sex": {"civil": FAR_WORSE}}
    assert concerns(groups={"kinds": kinds}, expected=[LESS]) == ["group", "group"]
    false = {"precision_worse_beyond_chance": True, "precision_worse_by": {"rate": 0.5}}
    assert concerns(groups={"kinds": {"source": {"civil": false}}}, expected=[LESS]) == ["group"]


@pytest.mark.parametrize(("of_all", "of_rest", "found"), [(0.5, 0.95, []), (0.95, 0.5, ["recall"])])
def test_recall_is_that_of_the_other_sources(of_all: float, of_rest: float, found: list[str]) -> None:
    rows = [
        {"basis": basis, "strictness": "medium", "precision": {"low": 0.99}, "recall": {"low": low}}
        for basis, low in (("Truth", of_all), (TRUTH_OF_REST, of_rest))
    ]
    assert concerns(precision_recall={"rows": rows}) == found
    rows[0]["precision"] = {"low": 0.5}  # of all sources all the same
    assert concerns(precision_recall={"rows": rows}) == ["precision", *found]


def test_a_product_is_held_to_the_same_and_named() -> None:
    row = {"basis": "Sampled review", "strictness": "medium", "precision": {"low": 0.97}, "recall": {"low": 0.95}}
    made = report(products={"spine": {"rows": [row]}, "criminal_justice": {"rows": [row]}})
    (finding,) = find_concerns(made, CONCERN)  # the spine's own rows are those of precision_recall
    assert finding.text.startswith("criminal_justice, Sampled review: precision at medium may be as low as 97.0%")


def test_less_is_expected_only_for_a_reason() -> None:
    with pytest.raises(UsageError, match="no `reason`"):
        expected_of({"source": "civil", "least_recall": 0.2, "reason": " "})
    with pytest.raises(UsageError, match="least_recall = 20"):
        expected_of({"source": "civil", "least_recall": 20, "reason": "No birth dates."})


@pytest.mark.parametrize(("split", "found"), [(2, []), (3, ["keys"])])
def test_people_merged_or_split_are_counted(split: int, found: list[str]) -> None:
    """2% of 100 people is 2."""
    assert concerns(changes={"keys": {"kept": 97, "split": split}, "people": {"before": 100}}) == found


def test_training_that_stopped_at_its_limit_is_said() -> None:
    sessions = [{"block": "dob", "converged": True}, {"block": "name", "converged": False}]
    assert concerns(model={"sessions": sessions}) == ["training"]
    settled = {"sessions": sessions[:1]}
    assert concerns(models={"criminal": settled, "cross": {"sessions": sessions}}) == ["training"]


def outcome(wrong: int, by_keys: int) -> Outcome:
    return Outcome(pairs=20, wrong=wrong, wrong_by_keys=by_keys, mean_weight=None)


@pytest.mark.parametrize(
    ("wrong", "by_keys", "truth_gaps", "said"),
    [
        (2, 5, [], Statement.NOT_FOUND),  # 0.00 over the reference's 2 of 20; keys 0.00 over its 5
        (4, 7, [], Statement.NOT_FOUND),  # 0.10 is not more than 0.10
        (2, 8, [], Statement.MITIGATED),  # keys 0.15 over
        (5, 5, [], Statement.NOT_FIXED),  # the model 0.15 over
        (2, 5, [0.03], Statement.NOT_FIXED),  # the truth says so
        (2, 8, [0.01], Statement.MITIGATED),  # a gap under 0.02 does not
    ],
)
def test_statements_follow_from_the_figures(wrong: int, by_keys: int, truth_gaps: list[float], said: Statement) -> None:
    none = Outcome(0, 0, 0, None)
    sides = {
        "group": {"missed": outcome(wrong, by_keys), "false": none},
        "reference": {"missed": outcome(2, 5), "false": none},
    }
    assert statement_of(sides, truth_gaps, 0.02) is said


def test_the_year_of_a_record_is_that_of_its_first_event(tmp_path: Path) -> None:
    table = {
        "record_id": ["a", "a", "b", "c"],
        "custody_start_date": pa.array([dt.date(2015, 5, 1), dt.date(2013, 2, 1), dt.date(2016, 1, 1), None]),
        "custody_end_date": pa.array([dt.date(2015, 6, 1), dt.date(2014, 2, 1), None, None]),
    }
    write_table(pa.table(table), tmp_path / "journeys.parquet")
    born = {"record_id": ["a", "b", "c"], "date_of_birth": pa.array([dt.date(1980, 1, 2)] * 3)}
    write_table(pa.table(born), tmp_path / "identifiers.parquet")
    encoded = pa.table({"source": ["prison"] * 3, "record_id": ["a", "b", "c"]})
    found = years_of({"prison": tmp_path}, encoded).to_pylist()
    assert found == [
        {"source": "prison", "record_id": "a", "year": 2013},
        {"source": "prison", "record_id": "b", "year": 2016},
    ]


def test_a_case_gives_its_year_to_the_records_of_those_who_are_in_it(tmp_path: Path) -> None:
    roles = {"record_id": ["a", "b", "b"], "case_number_hash": ["x", "x", "y"]}
    write_table(pa.table(roles), tmp_path / "people.parquet")
    cases = {
        "case_number_hash": ["x", "y", "z"],
        "case_start_date": pa.array([dt.date(2015, 5, 1), dt.date(2012, 2, 1), dt.date(2001, 1, 1)]),
    }
    write_table(pa.table(cases), tmp_path / "cases.parquet")
    encoded = pa.table({"source": ["family"] * 2, "record_id": ["a", "b"]})
    found = {row["record_id"]: row["year"] for row in years_of({"family": tmp_path}, encoded).to_pylist()}
    assert found == {"a": 2015, "b": 2012}


def test_a_source_that_links_badly_is_told_with_what_it_lacks() -> None:
    rates = {"recall_worse_by": {"rate": 0.4}, "recall_worse_beyond_chance": True}
    shares = {"civil": {"full_parts_sorted": 1.0, "dob": 0.069, "postcode_std": 0.97}}
    made = report(completeness={"drift": [], "by_source": shares}, groups={"kinds": {"source": {"civil": rates}}})
    (finding,) = find_concerns(made, CONCERN)
    assert "recall is 40.0 points under everybody else's" in finding.text
    assert "Of its records 6.9% hold a birth date. " in finding.text


def test_pairs_of_one_person_count_together() -> None:
    """100 pairs of 10 people, found or missed whole: as wide as 10 independent pairs, and wider than 100."""
    clumped = Rate(right=np.array([10.0] * 8 + [0.0] * 2), whole=np.array([10.0] * 10))
    apart = Rate(right=np.array([1.0] * 80 + [0.0] * 20), whole=np.ones(100))
    wide, narrow = (rate.interval(Z95) for rate in (clumped, apart))
    ten = Rate(right=np.array([1.0] * 8 + [0.0] * 2), whole=np.ones(10)).interval(Z95)
    assert (wide.low, wide.high) == pytest.approx((ten.low, ten.high))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_rates_of_a_group_count_pairs_with_one_of_its_records() -> None:
    """Person p: records 1 and 2 linked, 3 apart; 1 is in the group. Its true pairs 1-2 and 1-3, of which 1-2 is found.
    Cluster 8 joins record 2 of p, 1 of p and one of q: pairs 1-2, 1-q with the group, of which 1-2 is true."""
    joined = pa.table(
        {"person": ["p", "p", "p", "q"], "cluster": [8, 8, 9, 8], "kind": ["in", "out", "out", "out"]},
    )
    found = rates_of(joined, "kind = 'in'")
    assert (found["recall"]["rate"], found["recall_pairs"]) == (0.5, 2)
    assert (found["precision"]["rate"], found["precision_pairs"]) == (0.5, 2)
