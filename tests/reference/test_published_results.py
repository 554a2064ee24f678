"""The Justice Data Lab's published intervals and verdicts, from group sizes and rounded rates alone."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from counterfoil.effect.estimate import is_significant
from counterfoil.effect.score import score_estimate
from counterfoil.effect.welch import welch_estimate
from counterfoil.units import Kind
from lib.other_witnesses import answers_of, justice_data_lab_rows, treated_group, very_large

ROWS = justice_data_lab_rows()
WITH_INTERVAL = [row for row in ROWS if row["interval"] is not None]


@pytest.mark.parametrize("row", WITH_INTERVAL, ids=lambda row: str(row["analysis"]))
def test_published_interval_comes_out(row: dict[str, Any]) -> None:
    printed = [[round(answer.low), round(answer.high)] for answer in answers_of(row)]
    assert row["interval"] in printed


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["analysis"]))
def test_published_verdict_comes_out(row: dict[str, Any]) -> None:
    at_printed_rates = welch_estimate(
        treated_group(row["n"] * row["treated"] / 100, row["n"]), very_large(row["comparison"] / 100), Kind.RATE
    )
    assert at_printed_rates is not None
    assert (at_printed_rates.p < 0.05) is row["significant"]


def test_landworks_is_the_row_where_the_score_interval_disagrees() -> None:
    twelve_of_ninety, comparison = treated_group(12, 90), very_large(0.21)
    welch, score = welch_estimate(twelve_of_ninety, comparison, Kind.RATE), score_estimate(twelve_of_ninety, comparison)
    assert welch is not None
    assert score is not None
    assert 0.026 <= welch.p <= 0.040  # EVALUATION, "Checking published results"
    assert not is_significant(score)


def test_there_are_4_intervals_and_11_verdicts() -> None:
    assert (len(WITH_INTERVAL), len(ROWS)) == (4, 11)


def test_expected_numbers_are_those_that_were_collected(shared: Path) -> None:
    with (shared / "data" / "jdl_published_results.csv").open(newline="", encoding="utf-8") as file:
        found = {
            (
                int(r["treatment_n"]),
                float(r["treatment_value"]),
                float(r["comparison_value"]),
                r["significant"] == "yes",
            )
            for r in csv.DictReader(file)
            if r["measure"] == "one_year_rate" and r["treatment_n"] and r["treatment_value"] and r["comparison_value"]
        }
    assert found == {(r["n"], float(r["treated"]), float(r["comparison"]), r["significant"]) for r in ROWS}
