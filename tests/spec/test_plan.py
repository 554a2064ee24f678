"""A plan is checked whole: every mistake at once, each with what was found and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from counterfoil.comparison import (
    CoarsenedExact,
    EntropyBalancing,
    InverseProbability,
    Kernel,
    Method,
    Nearest,
    Order,
    Overlap,
    Radius,
    Subclassification,
    Target,
    matchit,
    psmatch2_kernel,
    psmatch2_nearest,
    psmatch2_radius,
)
from counterfoil.comparison.methods import MethodSettings
from counterfoil.errors import UsageError
from counterfoil.study.comparison_plan import USES, comparison_facts
from counterfoil.study.plan import comparison_settings, parse_plan, read_plan, unknown_covariates

TABLE = {"treatment": "t", "measures": [{"name": "back", "label": "Back in prison", "kind": "rate", "column": "y"}]}

CUT = {"method": "coarsened_exact", "cutpoints": {"b": [1.0]}}
COVARIATES = {"comparison": {"covariates": ["a"]}}
DAYS = {"name": "d", "label": "Days", "kind": "days", "column": "d", "support": "those with the outcome"} | {
    "follow_up_months": 12
}


def test_a_plan_needs_a_title_and_nothing_else() -> None:
    plan = parse_plan({"title": "A service"}, "plan.toml")
    assert plan.comparison.calipers_sd == (0.2, 0.1, 0.05, 0.02, 0.01)
    assert (plan.outcomes.follow_up_months, plan.outcomes.waiting_months) == (12, 6)
    assert plan.cohort.index_window_days == 183


def test_three_mistakes_are_three_sentences() -> None:
    raw = {"title": "A", "sede": 3, "outcomes": {"follow_up_months": 0}, "cohort": {"index_kinds": ["parole"]}}
    with pytest.raises(UsageError) as caught:
        parse_plan(raw, "plan.toml")
    assert len(caught.value.problems) == 3
    assert any("`sede` in plan.toml is not a setting" in p for p in caught.value.problems)
    assert any("`outcomes.follow_up_months` in plan.toml is 0" in p for p in caught.value.problems)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"comparison": {"design": "randomised", "calipers_sd": [0.1]}}, "does not use calipers_sd"),
        ({"comparison": {"calipers_sd": []}}, "calipers_sd is empty"),
        ({"cohort": {"first_year": 2019, "last_year": 2016}}, "first_year is after last_year"),
        ({"cohort": {"index_kinds": []}}, "name at least one kind"),
        ({"table": TABLE}, "needs `covariates`"),
        ({"table": TABLE, "cohort": {}, "comparison": {"covariates": ["a"]}}, "does not use [cohort]"),
        ({"comparison": {"covariates": ["a"], "terms": ["b^2"]}}, "The term 'b^2' names `b`, which is not among"),
        ({"comparison": {"covariates": ["a"], "references": {"b": "x"}}}, "`references` names `b`, which is not among"),
        ({"comparison": {"covariates": ["a"], **CUT}}, "`cutpoints` names `b`, which is not among the covariates"),
        ({"comparison": {"covariates": ["a"], "shares": ["employment"]}}, "names nothing of employment"),
        ({"table": {**TABLE, "measures": [DAYS, {**DAYS, "name": "e"}]}, **COVARIATES}, "curves are drawn of one"),
        ({"table": {**TABLE, "comparison_file": "../x.csv"}, "comparison": {"covariates": []}}, "without a folder"),
    ],
)
def test_a_setting_that_nothing_uses_is_an_error(raw: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        parse_plan({"title": "A", **raw}, "plan.toml")


@pytest.mark.parametrize("measure", [{}, {"column": "y", "when": "y > 1"}])
def test_a_measure_comes_from_a_column_or_a_condition(measure: dict[str, str]) -> None:
    entry = {"name": "back", "label": "Back", "kind": "rate", **measure}
    with pytest.raises(UsageError, match="either `column` or `when`"):
        parse_plan({"title": "A", "table": {"treatment": "t", "measures": [entry]}}, "plan.toml")


def test_the_hash_ignores_comments_and_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text('title = "A"\nseed = 2\n')
    two.write_text('# a comment\nseed = 2\ntitle = "A"\n')
    assert read_plan(one, for_table=False).sha256() == read_plan(two, for_table=False).sha256()
    two.write_text('seed = 3\ntitle = "A"\n')
    assert read_plan(one, for_table=False).sha256() != read_plan(two, for_table=False).sha256()


def test_a_plan_that_is_absent_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        read_plan(tmp_path / "absent.toml", for_table=False)
    broken = tmp_path / "broken.toml"
    broken.write_text("title = ")
    with pytest.raises(UsageError, match="is not a TOML file"):
        read_plan(broken, for_table=False)


def test_a_table_plan_and_a_lab_plan_are_not_mixed_up(tmp_path: Path) -> None:
    plain = tmp_path / "plain.toml"
    plain.write_text('title = "A"\n')
    with pytest.raises(UsageError, match=r"has no \[table\]"):
        read_plan(plain, for_table=True)
    with_table = tmp_path / "table.toml"
    with_table.write_text(
        'title = "A"\n[comparison]\ncovariates = ["a"]\n[table]\ntreatment = "t"\n'
        '[[table.measures]]\nname = "y"\nlabel = "Y"\nkind = "rate"\ncolumn = "y"\n'
    )
    with pytest.raises(UsageError, match="is for `evaluate --table`"):
        read_plan(with_table, for_table=False)


@pytest.mark.parametrize(
    ("comparison", "method"),
    [
        ({}, Radius()),
        ({"method": "radius", "calipers_sd": [0.1]}, Radius((0.1,))),
        ({"method": "nearest"}, Nearest()),
        (
            {"method": "nearest", "ratio": 3, "replace": True, "caliper": "none", "exact": ["sex"]},
            Nearest(ratio=3, replace=True, caliper=None),
        ),
        ({"method": "nearest", "order": "closest", "caliper": 0.1}, Nearest(order=Order.CLOSEST, caliper=0.1)),
        ({"method": "inverse_probability"}, InverseProbability()),
        ({"method": "inverse_probability", "target": "everyone"}, InverseProbability(Target.EVERYONE)),
        ({"method": "overlap"}, Overlap()),
        ({"method": "entropy_balancing", "moments": 2}, EntropyBalancing(2)),
        ({"method": "kernel", "bandwidth": 0.4}, Kernel(0.4)),
        ({"method": "kernel"}, Kernel()),
        ({"method": "subclassification", "subclasses": 5}, Subclassification(5)),
        (
            {"method": "coarsened_exact", "cutpoints": {"age": [21, 30]}, "groups": {"area": [["a", "b"]]}},
            CoarsenedExact({"age": (21.0, 30.0)}, {"area": (("a", "b"),)}),
        ),
        ({"method": "nearest", "conventions": "matchit", "ratio": 2}, matchit(ratio=2)),
        ({"method": "nearest", "conventions": "psmatch2"}, psmatch2_nearest()),
        ({"conventions": "psmatch2", "caliper": 0.01}, psmatch2_radius(0.01)),
        ({"method": "kernel", "conventions": "psmatch2"}, psmatch2_kernel()),
    ],
)
def test_every_method_can_be_asked_for_by_name(comparison: dict[str, object], method: MethodSettings) -> None:
    plan = parse_plan({"title": "A", "comparison": comparison}, "plan.toml")
    assert comparison_settings(plan, ("age",), threads=1).method == method
    assert comparison_facts(plan.comparison)  # the report can say it


def test_the_plan_knows_every_method() -> None:
    assert set(USES) == set(Method)
    for method in Method:
        assert parse_plan({"title": "A", "comparison": {"method": method.value}}, "plan.toml").comparison.method


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        ({"method": "optimal"}, "`comparison.method` in plan.toml is 'optimal'"),
        (
            {"method": "nearest", "calipers_sd": [0.1]},
            '"nearest" does not use calipers_sd. It uses caliper, conventions',
        ),
        ({"method": "overlap", "exact": ["sex"]}, '"overlap" does not use exact. It has no settings of its own.'),
        ({"ratio": 2}, '"radius" does not use ratio. It uses calipers_sd'),
        ({"method": "entropy_balancing", "keep_share": 0.9}, "does not use keep_share. It uses moments."),
        ({"method": "entropy_balancing", "moments": 3}, "`comparison.moments` in plan.toml is 3"),
        ({"method": "nearest", "ratio": 0}, "`comparison.ratio` in plan.toml is 0"),
        ({"method": "nearest", "replace": True, "order": "closest"}, "changes nothing with replacement"),
        ({"method": "coarsened_exact", "cutpoints": {"age": [30, 20]}}, "must be numbers in rising order"),
        ({"method": "kernel", "conventions": "matchit"}, "MatchIt has no method"),
        ({"method": "overlap", "conventions": "matchit"}, '"overlap" does not use conventions'),
        ({"conventions": "psmatch2"}, "needs `caliper`, a width on the propensity"),
        ({"conventions": "psmatch2", "caliper": 0.1, "calipers_sd": [0.1]}, "with psmatch2's conventions does not use"),
        ({"design": "randomised", "method": "nearest", "ratio": 2}, "does not use method, ratio"),
    ],
)
def test_a_method_is_not_given_what_it_does_not_use(comparison: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        parse_plan({"title": "A", "comparison": comparison}, "plan.toml")


@pytest.mark.parametrize("chosen", [{}, {"method": "nearest", "ratio": 2}, {"design": "randomised"}], ids=str)
def test_a_plan_comes_back_whole_from_what_the_analyst_is_sent(chosen: dict[str, object]) -> None:
    """The parent sends what was written, not the defaults: a default written out would count as chosen."""
    plan = parse_plan({"title": "Harbour Kitchen", "comparison": chosen}, "the plan")
    sent = parse_plan(plan.model_dump(mode="json", exclude_unset=True), "the plan")
    assert (sent, sent.sha256()) == (plan, plan.sha256())


KNOWN = ("age_at_index", "sex", "risk_score")


@pytest.mark.parametrize(
    ("comparison", "problems"),
    [
        ({"terms": ["age_at_index^2"], "references": {"sex": "male"}}, 0),
        ({"terms": ["risk_score^2"]}, 0),
        ({"terms": ["risk_score^2"], "risk_score": False}, 1),
        ({"terms": ["age^2"], "references": {"gender": "male"}}, 2),
    ],
)
def test_a_term_or_reference_of_no_covariate_of_the_register_is_an_error(
    comparison: dict[str, object], problems: int
) -> None:
    """It was left out without a word, and the report said that it was in."""
    plan = parse_plan({"title": "A", "comparison": comparison}, "plan.toml")
    assert len(unknown_covariates(plan, KNOWN)) == problems
