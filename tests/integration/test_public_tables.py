"""`evaluate --table` on public data with the plans of `examples/`: the answers that the literature gives.

Expected figures: Rossi, Berk and Lenihan's trial (48 of 216 and 66 of 216 arrested); LaLonde 1986 and Dehejia and
Wahba 1999 (the trial's 886 and 1,794 dollars); Wooldridge's `recid` (no clear effect of the work programme).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from counterfoil.study.table import evaluate_table

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BENCHMARK = 1794  # dollars: the trial's answer that a comparison from outside the trial should find
NAIVE_CPS = 6349 - 14847  # dollars: the raw difference of means, 185 treated and 15,992 of the population survey


def _evaluate(shared: Path, out: Path, plan: str, data: str) -> dict[str, Any]:
    return evaluate_table(shared / "data" / "impact" / data, EXAMPLES / plan, out)


def test_rossi_is_8_points_fewer(shared: Path, tmp_path: Path) -> None:
    result = _evaluate(shared, tmp_path, "rossi.toml", "rossi_tarp_wide.csv")
    (measure,) = result["measures"]
    assert (measure["difference"], measure["low"], measure["high"]) == (-8.3, -16.6, -0.1)
    assert (measure["treated"]["value"], measure["comparison"]["value"]) == (0.222, 0.306)
    assert (measure["p"], result["verdict"]) == (0.049, "fewer")


def test_recid_is_not_enough_evidence_and_says_that_the_groups_differ(shared: Path, tmp_path: Path) -> None:
    result = _evaluate(shared, tmp_path, "recid.toml", "recid_nc_1445.csv")
    assert result["verdict"] == "not_enough_evidence"
    assert result["balance"]["n_red"] + result["balance"]["n_amber"] > 0
    assert not result["reliable"]
    assert "not enough evidence" in (tmp_path / "report.html").read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(
    ("plan", "data", "dollars"),
    [
        ("lalonde_trial.toml", "nsw_lalonde_experimental_722.csv", 886),
        ("lalonde_trial_445.toml", "nsw_dw_experimental_445.csv", 1794),
    ],
)
def test_the_lalonde_trial(shared: Path, tmp_path: Path, plan: str, data: str, dollars: int) -> None:
    (measure,) = _evaluate(shared, tmp_path, plan, data)["measures"]
    assert measure["difference"] == dollars


def test_the_population_survey_finds_the_trials_answer_with_a_warning(shared: Path, tmp_path: Path) -> None:
    result = _evaluate(shared, tmp_path, "lalonde_cps1.toml", "nsw_dw_experimental_445.csv")
    (measure,) = result["measures"]
    assert measure["low"] <= BENCHMARK <= measure["high"]
    assert abs(measure["difference"] - BENCHMARK) < 0.15 * abs(NAIVE_CPS - BENCHMARK)
    assert result["balance"]["n_red"] + result["balance"]["n_amber"] > 0


def test_the_income_panel_is_refused_or_unreliable(shared: Path, tmp_path: Path) -> None:
    result = _evaluate(shared, tmp_path, "lalonde_psid1.toml", "nsw_dw_experimental_445.csv")
    assert "refused" in result or not result["reliable"]
    assert (tmp_path / "report.html").is_file()


def test_the_same_table_and_plan_give_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        _evaluate(shared, tmp_path / folder, "rossi.toml", "rossi_tarp_wide.csv")
    one, two = ((tmp_path / name / "report.html").read_bytes() for name in ("one", "two"))
    assert one == two
