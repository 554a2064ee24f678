"""Costs, weighted rates, people who would settle it, and what a table's plan can ask for beside the measures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from counterfoil.comparison.values import Estimand
from counterfoil.disclosure import Beside, Protected, Rule, UnitCost, protect
from counterfoil.effect import people_needed
from counterfoil.effect.power import people_to_show
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.report.further import cost_lines
from counterfoil.report.sentences import estimand_of, scope_of
from counterfoil.report.words import words_of
from counterfoil.study.plan import parse_plan
from counterfoil.study.table import evaluate_table
from lib.results import DAYS, FREQUENCY, RATE, attrition_of, comparison_of, mean_effect, rate_effect, rate_group

COST = UnitCost("reoffending_frequency", 12_000.0, "£", "a made-up source")
LARGE = (9100, 29_000)


def _with_cost(mean: float, *, events: int = 212, measure: Measure = FREQUENCY) -> Protected:
    effects = (
        rate_effect((events, 820), LARGE, ess=17_000),
        mean_effect(measure, (820, mean, 3.1), (29_000, 1.04, 3.9), having=(events, 9100)),
    )
    flow = attrition_of(1000, 871, 842, 820)
    return protect(effects, comparison_of(820, 29_000), flow, beside=Beside(costs=(COST,)))


def test_a_cost_is_the_printed_range_times_the_unit_cost() -> None:
    protected = _with_cost(0.82)
    printed = protected.measures[1].estimate
    (cost,) = protected.costs
    assert (printed.low.value, printed.high.value) == (-0.34, -0.1)  # -0.22 +- 1.96 * sqrt(3.1 / 820 + 3.9 / 29,000)
    assert (cost.low.value, cost.high.value) == (120_000, 410_000)  # 10 and 34 for every 100 people, at 12,000
    (said,) = cost_lines(protected, words_of("en"))
    assert "between £120,000 and £410,000 saved" in said


@pytest.mark.parametrize(("mean", "words"), [(1.04, "saved and £"), (1.30, "more spent")])
def test_a_cost_is_said_with_its_sign(mean: float, words: str) -> None:
    (said,) = cost_lines(_with_cost(mean), words_of("en"))
    assert words in said


def test_a_count_for_each_unit_of_time_has_no_cost_for_every_100_people() -> None:
    """12,000 times a difference for each year at liberty is of 100 years at liberty, not of 100 people."""
    assert len(_with_cost(0.82).costs) == 1
    assert _with_cost(0.82, measure=replace(FREQUENCY, exposure="years_at_liberty")).costs == ()


def test_r22_a_hidden_difference_has_no_cost() -> None:
    protected = _with_cost(0.82, events=9)
    assert protected.measures[1].hidden is Rule.R3
    assert protected.costs == ()


def test_r03_a_rare_outcome_does_not_hide_the_frequency_of_all() -> None:
    sexual = replace(RATE, name="sexual_rate")
    effects = (
        rate_effect((212, 820), LARGE, ess=17_000),
        mean_effect(FREQUENCY, (820, 0.82, 3.1), (29_000, 1.04, 3.9), having=(212, 9100)),
        mean_effect(DAYS, (212, 151, 7000), (9100, 143, 7200)),
        rate_effect((4, 820), (60, 29_000), measure=sexual, ess=17_000),
    )
    shown = protect(effects, comparison_of(820, 29_000), attrition_of(1000, 871, 842, 820)).measures
    assert [measure.hidden for measure in shown] == [None, None, None, Rule.R3]


# Weighted treated people


def _weighted(submitted: int, events: int = 212) -> Protected:
    """An answer for everyone: 820 treated people count as 700."""
    treated = rate_group(events, 820, ess=700.0, value=0.27)
    effect = replace(rate_effect((events, 820), LARGE, ess=17_000), treated=treated)
    design = replace(comparison_of(820, 29_000), asked=Estimand.ATE, achieved=Estimand.ATE)
    return protect([effect], design, attrition_of(submitted, None, None, 820))


def test_r03_a_weighted_rate_is_judged_by_its_unweighted_people() -> None:
    assert _weighted(1000).headline.treated.value.value == 0.27
    assert _weighted(1000, events=9).headline.hidden is Rule.R3  # whatever the weighted rate


def test_r06_a_weighted_rate_is_hidden_where_the_size_is_not_exact() -> None:
    """No count over a size agrees with it, so that what it gives away cannot be listed: fail shut."""
    assert _weighted(823).headline.hidden is Rule.R6
    assert _weighted(820).headline.hidden is None


def test_a_weighted_answer_says_for_whom() -> None:
    words = words_of("en")
    assert "not plain shares of the people who took part" in scope_of(_weighted(1000), words)
    protected = protect(
        [rate_effect((212, 820), LARGE)], comparison_of(820, 29_000), attrition_of(1000, None, None, 820)
    )
    assert estimand_of(protected, words) == words(
        "method.estimand_other", asked=words("estimand.ATT"), estimand=words("estimand.ATT_MATCHED")
    )


# One function of the power page and the report


def test_the_report_and_the_power_page_count_people_by_one_rule() -> None:
    """At a base rate of 40%, 5 points fewer need about 715 people (EVALUATION); the variance is 0.35 * 0.65."""
    assert people_needed(-5.0, 0.4) == people_to_show(-0.05, 0.35 * 0.65) == 715


def test_an_inconclusive_report_says_how_many_would_settle_it() -> None:
    protected = protect([rate_effect((48, 137), LARGE)], comparison_of(137, 29_000), attrition_of(210, 160, 148, 137))
    needed = protected.people_needed.value
    variance = 48 / 137 * 89 / 137 * 137 / 136 + 137 * (9100 * 19_900 / 29_000**2) / 28_999
    expected = people_to_show(48 / 137 - 9100 / 29_000, variance)
    assert needed is not None
    assert expected <= needed < 1.1 * expected  # up to two digits


# A table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 helped of 3,600, in three places; 30% have the event within a year, at an even pace."""
    rng = np.random.default_rng(5)
    n = 3_600
    helped, age = np.arange(n) < 600, rng.integers(18, 60, n)
    place = np.where(np.arange(n) % 600 < 5, "islands", np.where(rng.random(n) < 0.5, "north", "south"))
    event = rng.random(n) < 0.3
    days = np.where(event, rng.integers(1, 365, n), -1)
    columns = {
        "helped": helped.astype(np.int64), "age": age, "place": place, "event": event.astype(np.int64),
        "days": pa.array([int(d) if d > 0 else None for d in days]),
    }  # fmt: skip
    path = tmp_path_factory.mktemp("beside") / "people.csv"
    csv.write_csv(pa.table(columns), path)
    return path


PLAN = """
title = "A service"
today = 2026-03-04
[service]
completers_only = true
[comparison]
covariates = ["age", "place"]
calipers_sd = [1.0]
[table]
treatment = "helped"
[[table.measures]]
name = "event"
label = "Had the event"
kind = "rate"
column = "event"
[[table.measures]]
name = "days"
label = "Days to it"
kind = "days"
column = "days"
support = "those with the outcome"
follow_up_months = 12
[[sub_analyses]]
name = "North"
by = "place"
levels = ["north"]
[[sub_analyses]]
name = "South"
by = "place"
levels = ["south"]
[[sub_analyses]]
name = "Islands"
by = "place"
levels = ["islands"]
[[sub_analyses]]
name = "Under 35"
by = "age"
under = 35
"""


def test_a_level_that_nobody_has_is_a_mistake_and_no_small_part(table: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace('levels = ["north"]', 'levels = ["North"]'), "utf-8")
    with pytest.raises(UsageError, match="names 'North', which nobody has in `place`"):
        evaluate_table(table, plan, tmp_path / "out")


def test_curves_are_of_the_measure_that_says_how_long_everyone_was_followed(table: Path, tmp_path: Path) -> None:
    """It stands second here; the curves were of the first measure of days, over the follow-up of the second."""
    half = csv.read_csv(table)
    held = half["days"].to_pylist()
    sooner = pa.array([None if each is None else each / 2 for each in held], pa.float64())
    csv.write_csv(half.append_column("sooner", sooner), table)
    first = PLAN.index('[[table.measures]]\nname = "days"')
    other = PLAN[first:].split("follow_up_months")[0].replace('"days"\nlabel', '"sooner"\nlabel')
    other = other.replace('column = "days"', 'column = "sooner"').replace("Days to it", "Days to half of it")
    plans = {"alone": PLAN, "second": PLAN[:first] + other + PLAN[first:]}
    curves = []
    for name, text in plans.items():
        plan = tmp_path / f"{name}.toml"
        plan.write_text(text, "utf-8")
        curves.append(evaluate_table(table, plan, tmp_path / name)["survival"])
    assert curves[0]["curve"]
    assert curves[1] == curves[0]


def test_a_table_has_curves_and_every_sub_analysis_of_its_plan(table: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, "utf-8")
    result = evaluate_table(table, plan, tmp_path / "out")
    assert result["survival"]["hidden"] is None
    months = [point["month"] for point in result["survival"]["curve"]]
    assert months[-1] == 12
    assert 8 <= len(months) <= 12  # some 15 events a month; those with fewer than ten are joined
    assert abs(result["survival"]["difference"]) < 20  # no effect was put in
    parts = {part["name"]: part["hidden"] for part in result["sub_analyses"]}
    assert parts["Islands"] == "R1"  # five of them
    assert parts["North"] is None
    assert parts["South"] == "R17"  # the whole less north and south would be the five
    assert list(parts) == ["North", "South", "Islands", "Under 35"]
    assert result["sample"]["completers_only"] is True
    frozen = json.loads((tmp_path / "out" / "frozen.json").read_bytes())
    assert [part["name"] for part in frozen["sub_analyses"]] == list(parts)  # fixed with the design
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Parts of the group" in page
    assert "only people who finished" in page


def test_the_plans_hash_holds_its_sub_analyses() -> None:
    part = {"name": "Women", "by": "sex", "levels": ["female"]}
    plain, with_part = parse_plan({"title": "A"}, "plan"), parse_plan({"title": "A", "sub_analyses": [part]}, "plan")
    assert plain.sha256() != with_part.sha256()


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([{"name": "A", "by": "sex"}], "give `levels`"),
        ([{"name": "A", "by": "sex", "levels": ["f"], "under": 3}], "one of the two ways"),
        ([{"name": "A", "by": "sex", "levels": ["f"]}] * 2, "the same name"),
        ([{"name": str(i), "by": "sex", "levels": ["f"]} for i in range(9)], "at most 8"),
    ],
)
def test_a_sub_analysis_that_says_too_little_is_an_error(parts: list[dict[str, object]], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_plan({"title": "A", "sub_analyses": parts}, "plan")


def test_a_sub_analysis_by_an_outcome_is_an_error(table: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace('by = "age"\nunder = 35', 'by = "event"\nlevels = ["1"]'), "utf-8")
    with pytest.raises(UsageError, match="known only afterwards"):
        evaluate_table(table, plan, tmp_path / "out")
