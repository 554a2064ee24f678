"""A plan is checked whole: every mistake at once, each with what was found and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from counterfoil.errors import UsageError
from counterfoil.study.plan import parse_plan, read_plan

TABLE = {"treatment": "t", "measures": [{"name": "back", "label": "Back in prison", "kind": "rate", "column": "y"}]}


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
