"""What compare() takes, refuses and says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from counterfoil import comparison
from counterfoil.comparison import Band, ComparisonSettings, Design, Estimand, Radius, compare
from counterfoil.errors import Refused, UsageError
from lib.matching import assert_sound_matching
from lib.populations import COVARIATES, SETTINGS, draw_people

PEOPLE = draw_people(7, 1_500)
OVERLAP = ComparisonSettings(covariates=("x",), min_level=1)


def _people_at(treated: list[float], others: list[float]) -> pa.Table:
    return pa.table({"t": [True] * len(treated) + [False] * len(others), "x": [*treated, *others]})


def test_a_plain_comparison() -> None:
    found = compare(PEOPLE, "treated", SETTINGS)
    assert found.caliper is not None
    strata = (np.asarray(PEOPLE["sex"]) == "m").astype(np.int64)
    assert_sound_matching(found.treated, found.logit_propensity, found.weight, found.caliper, strata)
    assert found.treated.tolist() == PEOPLE["treated"].to_pylist()
    assert (found.n_treated + found.n_pool, found.ridge) == (1_500, 0.0)
    assert found.n_comparison == np.count_nonzero(found.weight[~found.treated])
    assert (found.asked, found.settings) == (Estimand.ATT, SETTINGS)
    others = found.weight[~found.treated]
    assert found.ess == pytest.approx(others.sum() ** 2 / (others**2).sum())
    covariates = {row.covariate for row in found.balance}
    assert covariates == {*COVARIATES, "priors*employed"}
    assert "Missing values of `tenure` were filled with its mean, and a yes/no column says where." in found.warnings


def test_the_ladder_is_kept_and_one_step_chosen() -> None:
    found = compare(PEOPLE, "treated", SETTINGS)
    assert [step.caliper_sd for step in found.steps] == [0.2, 0.1, 0.05, 0.02, 0.01]
    chosen = [step for step in found.steps if step.chosen]
    assert [step.caliper_sd for step in chosen] == [found.caliper_sd]
    allowed = [step for step in found.steps if step.kept_share >= 0.95]
    assert chosen[0].worst_smd == min(step.worst_smd for step in allowed)
    assert chosen[0].worst_smd == pytest.approx(found.worst_smd, rel=1e-12)


def test_pandas_polars_and_arrow_are_the_same_people() -> None:
    found = compare(PEOPLE, "treated", SETTINGS)
    for people in (PEOPLE.to_pandas(), pl.from_arrow(PEOPLE), PEOPLE.to_reader(), pd.DataFrame(PEOPLE.to_pydict())):
        assert comparison.compare(people, "treated", SETTINGS).weight.tolist() == found.weight.tolist()


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be read as a table"):
        compare(42, "treated", SETTINGS)


def test_an_outcome_among_the_columns_is_refused() -> None:
    people = PEOPLE.append_column("reoffended", pa.array(np.zeros(1_500)))
    with pytest.raises(UsageError, match=r"`reoffended` is neither .* must not see an outcome"):
        compare(people, "treated", SETTINGS)


def test_all_problems_are_listed_at_once() -> None:
    people = PEOPLE.drop_columns(["age", "sex"]).append_column("days", pa.array(np.zeros(1_500)))
    settings = replace(SETTINGS, covariates=(*COVARIATES, "priors", "treated"), method=Radius((0.2, 0.0)))
    with pytest.raises(UsageError) as refusal:
        compare(people, "treated", settings)
    text = "\n".join(refusal.value.problems)
    for part in (
        "no column `age`",
        "no column `sex`",
        "`days` is neither",
        "`priors` more than once",
        "is the treatment",
    ):
        assert part in text
    assert "`calipers`" in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 0, None, 1], "empty for some"),
        ([1, 0, 2, 1], "other than 0 and 1"),
        (["yes", "no", "yes", "no"], "yes/no, or 0 and 1"),
        ([1, 1, 1, 1], "nobody in the comparison group"),
        ([0, 0, 0, 0], "nobody in the treated group"),
        ([1, 0, 0, 0], "treated group has fewer than 2"),
        ([1, 1, 1, 0], "comparison group has fewer than 2"),
    ],
)
def test_treatments_that_cannot_be_compared(values: list[object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compare(pa.table({"t": values, "x": [1.0, 2.0, 3.0, 4.0]}), "t", OVERLAP)


def test_exact_factors_are_factors() -> None:
    people = pa.table({"t": [1, 0, 1, 0], "x": [1.0, 2.0, 3.0, 4.0], "e": [0.5, 0.6, 0.7, 0.8]})
    with pytest.raises(UsageError, match="`e` holds double values; an exact factor is"):
        compare(people, "t", replace(OVERLAP, exact=("e",)))


def test_a_column_given_twice_is_refused() -> None:
    people = pa.Table.from_arrays([pa.array([1, 0]), pa.array([1, 2]), pa.array([1, 2])], ["t", "x", "x"])
    with pytest.raises(UsageError, match="`x` occurs more than once"):
        compare(people, "t", OVERLAP)


def test_no_covariates_is_refused_for_a_matched_design_only() -> None:
    people = pa.table({"t": [1, 0, 1, 0]})
    with pytest.raises(UsageError, match="`covariates` is empty"):
        compare(people, "t", ComparisonSettings(covariates=()))
    found = compare(people, "t", ComparisonSettings(covariates=(), design=Design.RANDOMISED))
    assert found.balance == ()


def test_groups_without_overlap_are_refused() -> None:
    people = _people_at([10.0 + i / 10 for i in range(20)], [-i / 10 for i in range(60)])
    with pytest.raises(Refused) as refusal:
        compare(people, "t", OVERLAP)
    assert refusal.value.rule == "overlap"


def test_nobody_in_the_same_stratum_is_no_overlap() -> None:
    people = _people_at([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).append_column("e", pa.array(["a"] * 3 + ["b"] * 3))
    with pytest.raises(Refused) as refusal:
        compare(people, "t", replace(OVERLAP, exact=("e",)))
    assert refusal.value.rule == "overlap"


def _far_apart() -> tuple[pa.Table, ComparisonSettings]:
    """A covariate that the exact factor hides: the score is flat, the groups differ in two of three columns."""
    rng = np.random.default_rng(5)
    treated = np.arange(400) < 100
    x = np.where(treated, rng.normal(0.35, 1.0, 400), rng.normal(0.0, 1.0, 400))
    people = pa.table({"t": treated, "x": x, "y": x**3, "z": rng.normal(size=400)})
    return people, ComparisonSettings(covariates=("x", "y", "z"), method=Radius((50.0,)), max_red_share=1.0)


def test_red_terms_make_it_unreliable() -> None:
    people, settings = _far_apart()
    found = compare(people, "t", settings)  # the caliper lets everyone match everyone
    assert found.count(Band.RED) >= 1
    assert not found.reliable
    assert "Some characteristics stay apart after matching." in found.warnings


def test_more_red_terms_than_allowed_are_refused() -> None:
    people, settings = _far_apart()
    with pytest.raises(Refused, match="too many characteristics") as refusal:
        compare(people, "t", replace(settings, max_red_share=0.2))
    assert refusal.value.rule == "balance"


def test_when_no_caliper_keeps_enough_the_widest_is_used_and_said() -> None:
    treated = [i / 10 for i in range(30)] + [30.0 + i for i in range(10)]
    others = [i / 20 for i in range(80)]
    people = _people_at(treated, others)
    found = compare(people, "t", replace(OVERLAP, method=Radius((0.05, 0.1)), max_red_share=1.0))
    assert (found.caliper_sd, found.reliable) == (0.1, False)
    assert "No caliper keeps enough of the treated people; the widest was used." in found.warnings
    assert found.achieved is Estimand.ATT_MATCHED


def test_dropping_treated_people_changes_the_estimand_and_is_said() -> None:
    people = _people_at([i / 10 for i in range(39)] + [60.0], [i / 40 for i in range(160)])
    found = compare(people, "t", replace(OVERLAP, max_red_share=1.0))
    assert (found.n_treated, found.n_treated_matched) == (40, 39)
    assert found.achieved is Estimand.ATT_MATCHED
    assert "Some treated people had nobody like them and were left out." in found.warnings


def test_people_who_are_all_alike_all_match() -> None:
    people = pa.table({"t": [1, 1, 0, 0, 0, 0], "x": ["a"] * 6})
    found = compare(people, "t", OVERLAP)
    assert found.weight.tolist() == pytest.approx([1.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    assert found.caliper == 0.0
    assert found.ess == pytest.approx(4.0)


def test_separation_is_said_and_the_rest_still_compared() -> None:
    people = PEOPLE.set_column(
        PEOPLE.column_names.index("region"),
        "region",
        [np.where(np.asarray(PEOPLE["treated"]), "north", np.asarray(PEOPLE["region"].fill_null("west")))],
    )
    found = compare(people, "treated", replace(SETTINGS, max_red_share=1.0))
    assert found.ridge > 0.0
    assert any("a small ridge keeps it finite" in warning for warning in found.warnings)


def test_a_trial_is_compared_as_it_is() -> None:
    settings = replace(SETTINGS, design=Design.RANDOMISED, exact=())
    found = compare(PEOPLE.drop_columns(["sex"]), "treated", settings)
    assert found.weight.tolist() == [1.0] * 1_500
    assert (found.asked, found.achieved) == (Estimand.ATE_TRIAL, Estimand.ATE_TRIAL)
    assert (found.steps, found.caliper, found.caliper_sd, found.logit_propensity.size) == ((), None, None, 0)
    assert found.count(Band.RED) > 0  # these groups were not made by chance, and that is not ours to judge here
    assert found.reliable
    assert any("arise by chance" in warning for warning in found.warnings)
    assert all(row.smd == row.smd_before for row in found.balance)


def test_a_trial_has_no_exact_factors() -> None:
    with pytest.raises(UsageError, match="nobody is matched in a randomised design"):
        compare(PEOPLE, "treated", replace(SETTINGS, design=Design.RANDOMISED))


def test_progress_is_told() -> None:
    told: list[str] = []
    compare(PEOPLE, "treated", SETTINGS, progress=lambda text, _: told.append(text))
    assert told == ["Reading covariates", "Estimating the propensity score", "Matching", "Measuring balance"]


def test_warnings_and_refusals_hold_no_counts_of_people() -> None:
    found = compare(PEOPLE, "treated", SETTINGS)
    counts = {str(n) for n in (found.n_treated, found.n_treated_matched, found.n_comparison, found.n_pool)}
    assert not any(count in warning for count, warning in itertools.product(counts, found.warnings))
