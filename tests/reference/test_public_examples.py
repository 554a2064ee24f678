"""The plans under examples/, end to end, against what is known of each public data set.

The known answers are the published differences of the trials (LaLonde 1986; Dehejia and Wahba 1999), the published
proportions of the Maryland trial, and arithmetic on them. Figures are compared as a report shows them: rounded once.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from counterfoil.study.table import evaluate_table

ROOT = Path(__file__).resolve().parents[2]
TRIAL_DOLLARS = 1794  # what the trial of 445 men says: 6,349.14 - 4,554.80
CPS1_DOLLARS_AS_THEY_STAND = -8498  # 6,349.14 - 14,846.66, before any matching
BIAS_THAT_MAY_REMAIN = 0.15  # of the difference between the two


def evaluate(data: Path, plan: str, out: Path) -> dict[str, Any]:
    return evaluate_table(data, ROOT / "examples" / f"{plan}.toml", out)


def only_measure(result: dict[str, Any]) -> dict[str, Any]:
    (measure,) = result["measures"]
    return dict(measure)


def test_the_maryland_trial_shows_fewer_arrests(shared: Path, tmp_path: Path) -> None:
    result = evaluate(shared / "data/impact/rossi_tarp_wide.csv", "rossi", tmp_path)
    measure = only_measure(result)
    assert result["verdict"] == "fewer"
    assert (measure["treated"]["value"], measure["comparison"]["value"]) == (0.222, 0.306)
    assert (measure["difference"], measure["low"], measure["high"], measure["p"]) == (-8.3, -16.6, -0.1, 0.049)


def test_the_adjusted_figures_are_shown_beside_and_rounded_alike(shared: Path, tmp_path: Path) -> None:
    measure = only_measure(evaluate(shared / "data/impact/rossi_tarp_wide.csv", "rossi", tmp_path))
    adjusted = measure["adjusted"]
    assert adjusted["low"] < measure["difference"] < adjusted["high"]
    assert all(adjusted[name] == round(adjusted[name], 1) for name in ("difference", "low", "high"))
    assert adjusted["p"] == round(adjusted["p"], 3)
    assert ("adjusted" in measure["disagrees"]) == ((adjusted["low"] > 0 or adjusted["high"] < 0) is False)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Range after adjustment" in page
    assert ("adjusting for what was known about people" in page) == ("adjusted" in measure["disagrees"])


def test_prison_work_in_north_carolina_is_not_enough_evidence_and_its_balance_is_shown(
    shared: Path, tmp_path: Path
) -> None:
    result = evaluate(shared / "data/impact/recid_nc_1445.csv", "recid", tmp_path)
    assert result["verdict"] == "not_enough_evidence"
    assert result["balance"]["n_red"] + result["balance"]["n_amber"] > 0
    assert result["reliable"] is (result["balance"]["n_red"] == 0)


@pytest.mark.parametrize(
    ("plan", "data", "dollars"),
    [
        ("lalonde_trial", "nsw_lalonde_experimental_722.csv", 886),
        ("lalonde_trial_445", "nsw_dw_experimental_445.csv", TRIAL_DOLLARS),
    ],
)
def test_the_trials_of_supported_work(plan: str, data: str, dollars: int, shared: Path, tmp_path: Path) -> None:
    assert only_measure(evaluate(shared / "data/impact" / data, plan, tmp_path))["difference"] == dollars


def test_matching_to_a_population_survey_comes_near_the_trial_and_warns(shared: Path, tmp_path: Path) -> None:
    result = evaluate(shared / "data/impact/nsw_dw_experimental_445.csv", "lalonde_cps1", tmp_path)
    measure = only_measure(result)
    bias_as_they_stand = abs(CPS1_DOLLARS_AS_THEY_STAND - TRIAL_DOLLARS)
    assert measure["low"] <= TRIAL_DOLLARS <= measure["high"]
    assert abs(measure["difference"] - TRIAL_DOLLARS) < BIAS_THAT_MAY_REMAIN * bias_as_they_stand
    assert result["balance"]["n_red"] + result["balance"]["n_amber"] > 0


def test_matching_to_a_panel_of_unlike_men_is_refused_or_marked(shared: Path, tmp_path: Path) -> None:
    result = evaluate(shared / "data/impact/nsw_dw_experimental_445.csv", "lalonde_psid1", tmp_path)
    assert result["verdict"] == "refused" or result["reliable"] is False


def test_the_same_inputs_give_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluate(shared / "data/impact/rossi_tarp_wide.csv", "rossi", out)
    first = contents(out)
    shutil.rmtree(out)
    evaluate(shared / "data/impact/rossi_tarp_wide.csv", "rossi", out)
    assert Path("report.html") in first
    assert contents(out) == first


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
