"""Which ways to compare a plan asks for, which of two pools makes the headline, and what may be shown of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import CoarsenedExact
from counterfoil.comparison.values import ComparisonSettings
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.study.comparison_plan import ComparisonPlan
from counterfoil.study.sub_plan import Part, SubAnalysisPlan
from counterfoil.study.table import evaluate_table
from counterfoil.study.way_designs import Designed, Way, choose, make_designs
from counterfoil.study.ways import There, ways

COVARIATES = ("age", "region")
TREATED = np.arange(100) < 20
REGIONS = np.where(np.arange(100) % 2 == 0, "north", "south")


def there(**changes: Any) -> There:
    refused, waiting = np.arange(100) >= 90, np.zeros(100, np.bool_)
    one = There(TREATED, {"refused": refused, "waiting": waiting}, pa.chunked_array([pa.array(REGIONS)]))
    return replace(one, **changes)


def names(found: tuple[Way, ...]) -> list[str]:
    return [each.name for each in found]


# plan -> names of the candidates, names of what stands beside
PLANS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({}, ["national"], ["refused"]),
    ({"applied": False}, ["national"], []),
    ({"pool": "region"}, ["region"], ["refused"]),
    ({"pool": "both"}, ["region", "national"], ["refused"]),
    ({"design": "refused"}, ["refused"], ["national"]),
    ({"design": "waiting"}, ["waiting"], ["national", "refused"]),
    ({"design": "waiting", "applied": False}, ["waiting"], ["national"]),
    ({"design": "randomised"}, ["arm"], []),
]


@pytest.mark.parametrize(("plan", "candidates", "others"), PLANS)
def test_each_plan_has_its_ways(plan: dict[str, Any], candidates: list[str], others: list[str]) -> None:
    found = ways(ComparisonPlan(**plan), there(), COVARIATES, least=30)
    assert (names(found.candidates), names(found.others)) == (candidates, others)


def test_nobody_who_applied_stands_in_a_pool_of_others_and_nobody_else_in_theirs() -> None:
    plan, people = ComparisonPlan(pool="both"), there()
    found = ways(plan, people, COVARIATES, least=30)
    for each in found.candidates:
        assert not (each.rows & people.applied["refused"]).any()
        assert each.rows[TREATED].all()
    refused = found.others[0]
    assert np.array_equal(refused.rows, TREATED | people.applied["refused"])


def test_a_trial_compares_the_arms_of_the_list_and_nobody_of_the_pool() -> None:
    people = there()
    (arms,) = ways(ComparisonPlan(design="randomised"), people, COVARIATES, least=30).candidates
    assert np.array_equal(arms.rows, TREATED | people.applied["refused"] | people.applied["waiting"])
    table = replace(people, applied={name: np.zeros_like(TREATED) for name in people.applied})
    assert ways(ComparisonPlan(design="randomised"), table, COVARIATES, least=30).candidates == ()


def test_a_regional_pool_holds_the_regions_of_the_treated_and_matches_within_them() -> None:
    both = ways(ComparisonPlan(pool="region"), there(), COVARIATES, least=30).candidates[0]
    assert both.exact == ("region",)
    treated = TREATED & (REGIONS == "north")
    one = ways(ComparisonPlan(pool="region"), there(treated=treated), COVARIATES, least=30).candidates[0]
    assert set(REGIONS[one.rows]) == {"north"}
    assert (one.exact, one.covariates) == ((), ("age",))
    weights = ComparisonPlan(pool="region", method="entropy_balancing")
    assert ways(weights, there(), COVARIATES, least=30).candidates[0].exact == ()


@pytest.mark.parametrize(("assessed", "least", "runs"), [(12, 12, 2), (12, 13, 0)])
def test_three_runs_are_made_where_enough_of_the_treated_were_assessed(assessed: int, least: int, runs: int) -> None:
    mask = (np.arange(100) < assessed) | (np.arange(100) > 40)
    people = there(assessed=mask, needs=("need_drugs",), applied={})
    found = ways(ComparisonPlan(), people, COVARIATES, least=least).others
    assert names(found) == ["assessed", "needs"][:runs]
    assert ways(ComparisonPlan(assessments=False), people, COVARIATES, least=least).others == ()
    if runs:
        assert [each.covariates for each in found] == [COVARIATES, (*COVARIATES, "need_drugs")]
        headline = Way("region", REGIONS == "north", ("age",), ("sex",))
        within = found[0].within(headline)
        assert np.array_equal(within.rows, mask & (REGIONS == "north"))
        assert within.exact == ("sex",)


# rules of the candidates in order -> which is the headline
CHOICES = [(("", ""), 0), (("balance", ""), 1), (("R1", ""), 1), (("", "balance"), 0), (("overlap", "R1"), 1)]


@pytest.mark.parametrize(("rules", "first"), CHOICES)
def test_the_first_pool_that_is_enough_and_alike_is_the_headline(rules: tuple[str, ...], first: int) -> None:
    one = Way("x", TREATED, COVARIATES)
    designs = [Designed(replace(one, name=str(i)), None, rule) for i, rule in enumerate(rules)]
    assert choose(designs).way.name == str(first)


def test_terms_go_with_their_covariates() -> None:
    whole = ComparisonSettings(
        covariates=("age", "region"), terms=("age^2", "age*region"), references={"region": "north"}
    )
    found = Way("x", TREATED, ("age",)).settings(whole)
    assert (found.terms, found.references) == (("age^2",), {})


def test_bands_and_groups_of_levels_go_with_their_covariates() -> None:
    """Else a comparison without one of them, as the check of before is, could not be made."""
    method = CoarsenedExact({"age": (30.0,)}, {"region": (("north", "south"),)})
    whole = ComparisonSettings(covariates=("age", "region"), method=method)
    assert Way("x", TREATED, ("age",)).settings(whole).method == CoarsenedExact({"age": (30.0,)})
    north = Part(SubAnalysisPlan(name="North", by="region", levels=("north",)), TREATED, treated_only=False)
    assert north.settings(whole).method == CoarsenedExact({"age": (30.0,)})


def test_a_small_group_is_stopped_before_it_is_compared() -> None:
    people = pa.table({"treated": TREATED, "age": np.arange(100.0)})
    whole = ComparisonSettings(covariates=("age",))
    small = Way("x", TREATED | (np.arange(100) >= 71), ("age",))
    (found,) = make_designs(people, "treated", whole, [small], DEFAULT_SETTINGS)
    assert (found.comparison, found.rule) == (None, "R1")


# Tables from end to end. Of the treated and of those refused 30% reoffend whatever their age; of everyone else 50%.


def table_of(folder: Path, *, seed: int = 5) -> Path:
    rng = np.random.default_rng(seed)
    group = np.repeat(["in", "refused", "other"], [300, 400, 3_000])
    rate = np.where(group == "other", 0.5, 0.3)
    region = rng.choice(["north", "south"], group.size)
    rows = zip(group, rng.integers(20, 60, group.size), region, rng.random(group.size) < rate, strict=True)
    lines = ["what,age,region,back", *(f"{g},{a},{r},{int(b)}" for g, a, r, b in rows)]
    (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "people.csv"


def evaluated(folder: Path, comparison: str) -> dict[str, Any]:
    plan = folder / "plan.toml"
    plan.write_text(
        f"""title = "A service"
today = 2024-01-01
[comparison]
covariates = ["age", "region"]
{comparison}
[table]
treatment = "what"
treated_value = "in"
refused_value = "refused"
[[table.measures]]
name = "back"
label = "Back in prison"
kind = "rate"
column = "back"
noun = "came back"
""",
        encoding="utf-8",
    )
    result = evaluate_table(table_of(folder), plan, folder / "out")
    return dict(json.loads(json.dumps(result)))


def test_people_who_were_refused_can_be_the_comparison(tmp_path: Path) -> None:
    """The truth beside them is 0 points; beside everyone else -20."""
    result = evaluated(tmp_path, 'design = "refused"')
    (measure,) = result["measures"]
    assert 300 <= measure["comparison"]["n"] <= 400
    assert measure["low"] < 0 < measure["high"]
    by_name = {way["name"]: way for way in result["ways"]}
    assert by_name["national"]["high"] < -5  # 3 standard errors above where it should end
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The result above: people who applied and were refused" in page  # and not: people in the records
    frozen = json.loads((tmp_path / "out" / "frozen.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in frozen["ways"]] == ["national"]


def test_the_headline_of_a_regional_pool_is_called_so(tmp_path: Path) -> None:
    evaluated(tmp_path, 'pool = "region"')
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The result above: people of the same region" in page


def test_people_who_were_refused_stand_beside_a_matched_comparison_and_not_in_it(tmp_path: Path) -> None:
    result = evaluated(tmp_path, 'pool = "both"')
    (measure,) = result["measures"]
    assert measure["comparison"]["value"] == pytest.approx(0.5, abs=0.03)  # 0.3 people would pull it down
    assert result["pool"] == "region"
    ways_shown = result["ways"]
    assert [way["name"] for way in ways_shown] == ["region", "national", "refused"]
    assert all(float(way[end]).is_integer() for way in ways_shown for end in ("difference", "low", "high"))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "people who applied and were refused" in page
    assert "People of the same region share courts" in page


# what the plan says -> the sentence of the method box that is true of it, and one that is not
WITHIN, OF_REGIONS = "each compared within it", "people of the regions that those who took part are of"
TO_TREATED, TO_ALL = "among the comparison group, taken to the treated", "averaged over everyone"
BOXES = [
    ('pool = "region"', WITHIN, OF_REGIONS),
    ('pool = "region"\nmethod = "overlap"', OF_REGIONS, WITHIN),
    ('method = "overlap"', "averaged over the weights", TO_TREATED),
    ('method = "inverse_probability"', TO_TREATED, TO_ALL),
    ('method = "inverse_probability"\ntarget = "everyone"', TO_ALL, TO_TREATED),
    ('method = "coarsened_exact"\ngroups = {region = [["north", "south"]]}', "region: north or south", OF_REGIONS),
    ('design = "randomised"', "age, region", TO_TREATED),
]


@pytest.mark.parametrize(("comparison", "says", "says_not"), BOXES)
def test_the_method_box_says_what_was_done(tmp_path: Path, comparison: str, says: str, says_not: str) -> None:
    evaluated(tmp_path, comparison)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert says in page
    assert says_not not in page
