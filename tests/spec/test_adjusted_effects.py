"""`adjusted` on a frozen comparison: the model and errors that each design gets, or the sentence that says why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS

from counterfoil.comparison import Comparison, ComparisonSettings, Design, compare
from counterfoil.comparison.design import encode_covariates
from counterfoil.comparison.methods import Nearest, Radius
from counterfoil.comparison.values import Estimand, FloatArray
from counterfoil.effect import (
    AdjustedEffect,
    Effect,
    ErrorKind,
    abadie_imbens,
    adjusted,
    adjusted_rate,
    estimate,
    is_significant,
    time_to_first,
)
from counterfoil.effect.adjusting import CONDITIONAL, NOTHING
from counterfoil.effect.model_room import SOME
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.units import Kind
from lib.designs import design_of
from lib.effect_witnesses import floats_of, rossi

RATE = Measure(name="y", label="A rate", kind=Kind.RATE)
COUNT = Measure(name="y", label="A count", kind=Kind.COUNT)
AMOUNT = Measure(name="y", label="An amount", kind=Kind.AMOUNT)
DAYS = Measure(name="y", label="Days", kind=Kind.DAYS, support=Support.THOSE_WITH)
EXACT = 1e-7  # relative, of a point that two programs fit


def _people(seed: int = 1, n: int = 1_500) -> tuple[pa.Table, FloatArray]:
    """People who differ by age and sex in who is treated and in who reoffends; the service takes 8 points off."""
    rng = np.random.default_rng(seed)
    age, female = rng.normal(35.0, 9.0, n), rng.random(n) < 0.3
    treated = rng.random(n) < 1.0 / (1.0 + np.exp(1.6 + 0.05 * (age - 35.0) - 0.4 * female))
    risk = 1.0 / (1.0 + np.exp(0.06 * (age - 35.0) + 0.5 * female)) - 0.08 * treated
    table = pa.table({"treated": treated, "age": age, "female": female})
    return table, (rng.random(n) < risk).astype(np.float64)


def _compared(table: pa.Table, method: Radius | Nearest) -> Comparison:
    return compare(table, "treated", ComparisonSettings(covariates=("age", "female"), method=method))


def _only(outcome: FloatArray, comparison: Comparison, table: pa.Table, measure: Measure = RATE) -> AdjustedEffect:
    (found,) = adjusted({"y": outcome}, comparison, [measure], table)
    return found


@pytest.mark.parametrize(
    ("method", "errors"),
    [
        (Radius(), "robust (HC3)"),
        (Nearest(), "clustered by pair or person (HC1)"),
        (Nearest(replace=True), "Abadie-Imbens (2006)"),
    ],
)
@pytest.mark.parametrize("measure", [RATE, COUNT, AMOUNT])
def test_each_design_has_its_errors_and_finds_the_effect(
    method: Radius | Nearest, errors: str, measure: Measure
) -> None:
    table, outcome = _people()
    found = _only(outcome, _compared(table, method), table, measure).estimate
    assert found is not None
    assert errors in found.method
    scale = 100.0 if measure is RATE else 1.0
    assert found.low < -0.08 * scale < found.high
    assert found.high - found.low < 0.25 * scale


def test_pairs_are_the_clusters() -> None:
    table, outcome = _people()
    comparison = _compared(table, Nearest())
    found = _only(outcome, comparison, table).estimate
    assert found is not None
    assert found.df == comparison.n_treated_matched - 1


def test_with_replacement_it_is_the_matching_estimate_corrected() -> None:
    table, outcome = _people()
    comparison = _compared(table, Nearest(replace=True))
    pairs = comparison.pairs
    assert pairs is not None
    plain = abadie_imbens(
        outcome, comparison.treated, comparison.logit_propensity, pairs.treated, pairs.comparison, pairs.share
    )
    found = _only(outcome, comparison, table).estimate
    assert found is not None
    assert found.difference == pytest.approx(100.0 * plain.estimate, abs=2.0)  # points; partners are close in age


def test_rossi_trial_is_adjusted_as_two_regressions(shared: Path) -> None:
    """Everyone predicted by each group's own logistic regression; the points are statsmodels', its fits ours."""
    people = rossi(shared)
    treated, y = people["fin"] == 1.0, people["arrest"]
    columns = {name: people[name] for name in ("age", "race", "wexp", "prio")}  # 48 arrests carry four
    x = np.column_stack(list(columns.values()))
    table = pa.table({"fin": treated, **columns})
    settings = ComparisonSettings(covariates=tuple(columns), design=Design.RANDOMISED)
    (effect,) = estimate({"y": y}, compare(table, "fin", settings), [RATE], people=table)
    assert effect.compatible is not None
    assert effect.adjusted is not None
    shown = (effect.compatible.difference, effect.compatible.low, effect.compatible.high)
    assert [round(v, 1) for v in shown] == [-8.3, -16.6, -0.1]  # published
    assert round(effect.compatible.p, 3) == 0.049
    design = np.column_stack([np.ones(len(y)), x])
    means = [GLM(y[g], design[g], family=Binomial()).fit(tol=1e-12).predict(design).mean() for g in (treated, ~treated)]
    assert effect.adjusted.difference == pytest.approx(100.0 * (means[0] - means[1]), rel=EXACT)
    assert effect.adjusted.low < effect.compatible.difference < effect.adjusted.high
    assert ("adjusted" in effect.disagrees) == (is_significant(effect.adjusted) != is_significant(effect.compatible))


@pytest.mark.parametrize(
    ("file", "dollars"), [("nsw_lalonde_experimental_722", 886.0), ("nsw_dw_experimental_445", 1_794.0)]
)
def test_the_trials_of_supported_work(file: str, dollars: float, shared: Path) -> None:
    """The published differences (LaLonde 1986; Dehejia and Wahba 1999), and Lin's adjustment by statsmodels."""
    path = shared / "data/impact" / f"{file}.csv"
    names = ("age", "educ", "black", "hisp", "married", "nodegree", "re75")
    men = {name: floats_of(path, name) for name in ("treat", "re78", *names)}
    treated = men["treat"] == 1.0
    table = pa.table({"treat": treated, **{name: men[name] for name in names}})
    settings = ComparisonSettings(covariates=names, design=Design.RANDOMISED)
    (effect,) = estimate({"y": men["re78"]}, compare(table, "treat", settings), [AMOUNT], people=table)
    assert effect.compatible is not None
    assert effect.adjusted is not None
    assert round(effect.compatible.difference) == dollars
    x = np.column_stack([men[name] for name in names])
    x = x - x.mean(axis=0)
    design = np.column_stack([np.ones(len(x)), treated, x, x * treated[:, None]])
    lin = OLS(men["re78"], design).fit(cov_type="HC3")
    assert effect.adjusted.difference == pytest.approx(lin.params[1], rel=EXACT)
    assert (effect.adjusted.high - effect.adjusted.low) / 3.94 == pytest.approx(lin.bse[1], rel=0.02)


def test_days_among_reoffenders_are_not_adjusted() -> None:
    table, outcome = _people()
    days = np.where(outcome == 1.0, 100.0 + 3.0 * np.arange(len(outcome)) % 200, np.nan)
    found = _only(days, _compared(table, Radius()), table, DAYS)
    assert (found.estimate, found.why_not) == (None, CONDITIONAL)


def test_without_covariates_there_is_nothing_to_adjust_for() -> None:
    table, outcome = _people()
    found = _only(outcome, design_of(table["treated"].to_numpy(), kind=Design.RANDOMISED), table)
    assert (found.estimate, found.why_not) == (None, NOTHING)


def test_too_few_events_leave_the_test_and_say_why() -> None:
    table, outcome = _people()
    comparison = _compared(table, Radius())
    few = np.zeros(len(outcome))
    few[np.flatnonzero(comparison.treated & (comparison.weight > 0))[:3]] = 1.0
    few[np.flatnonzero(~comparison.treated & (comparison.weight > 0))[:40]] = 1.0
    found = _only(few, comparison, table)
    assert found.estimate is None
    assert "too few to adjust for covariates" in found.why_not
    (effect,) = estimate({"y": few}, comparison, [RATE], people=table)
    assert effect.compatible is not None
    assert effect.adjusted is None


def test_a_model_has_a_column_for_ten_outcomes_and_they_go_to_what_is_furthest_apart() -> None:
    rng = np.random.default_rng(3)
    names = tuple(f"x{i}" for i in range(25))
    treated = np.arange(240) < 120
    columns = {name: rng.normal(size=240) for name in names}
    columns["x7"] += 0.8 * treated
    columns["x3"] += 0.6 * treated
    table = pa.table({"treated": treated, **columns})
    comparison = compare(table, "treated", ComparisonSettings(covariates=names, design=Design.RANDOMISED))
    outcome = (np.arange(240) % 5 == 0).astype(np.float64)  # 24 on each side, so two columns
    found = _only(outcome, comparison, table)
    assert SOME in found.notes
    assert found.estimate is not None
    two = np.column_stack([columns["x3"], columns["x7"]])
    by_hand = adjusted_rate(outcome, treated, None, two, estimand=Estimand.ATE_TRIAL).difference
    assert found.estimate.difference == pytest.approx(100.0 * by_hand.estimate, abs=1e-6)
    assert found.estimate.high == pytest.approx(100.0 * by_hand.high, abs=1e-6)


def test_fewer_outcomes_than_a_column_needs_is_told() -> None:
    """Twelve outcomes, but weights that make them worth three."""
    table, outcome = _people()
    treated = table["treated"].to_numpy()
    weight = np.where(treated, 1.0, np.where(np.arange(len(outcome)) % 50 == 0, 1.0, 1e-3))
    comparison = replace(_compared(table, Radius()), weight=weight)
    rare = outcome * (treated | (np.arange(len(outcome)) % 100 == 0))
    rare[np.flatnonzero(~treated)[:20]] = 1.0
    found = _only(rare, comparison, table)
    assert found.why_not == "There are too few outcomes to adjust for any characteristic."


def test_what_was_not_measured_is_left_out() -> None:
    table, outcome = _people()
    comparison = _compared(table, Radius())
    unknown = outcome.copy()
    unknown[::9] = np.nan
    found, whole = _only(unknown, comparison, table).estimate, _only(outcome, comparison, table).estimate
    assert found is not None
    assert whole is not None
    assert found.difference == pytest.approx(whole.difference, abs=3.0)
    assert found.high - found.low > whole.high - whole.low


def test_a_disagreement_on_significance_is_named() -> None:
    """What decides the outcome differs by chance: as the groups stand the difference drowns, adjusted it shows."""
    rng = np.random.default_rng(9)
    treated = np.arange(600) % 2 == 0
    x = rng.normal(size=600)
    y = 10.0 * x + 1.0 * treated + rng.normal(size=600)
    table = pa.table({"treated": treated, "x": x})
    comparison = compare(table, "treated", ComparisonSettings(covariates=("x",), design=Design.RANDOMISED))
    effect: Effect = estimate({"y": y}, comparison, [AMOUNT], people=table)[0]
    assert effect.compatible is not None
    assert effect.adjusted is not None
    assert not is_significant(effect.compatible)
    assert is_significant(effect.adjusted)
    assert effect.disagrees == ("adjusted",)
    assert estimate({"y": y}, comparison, [AMOUNT])[0].disagrees == ()


def test_covariates_that_are_encoded_already_are_those_of_the_table() -> None:
    table, outcome = _people()
    comparison = _compared(table, Radius())
    covariates = encode_covariates(table, comparison.settings)
    of_table = adjusted({"y": outcome}, comparison, [RATE], table)
    assert adjusted({"y": outcome}, comparison, [RATE], covariates) == of_table
    half = encode_covariates(table.slice(1), comparison.settings)
    with pytest.raises(UsageError, match="must be the same rows"):
        adjusted({"y": outcome}, comparison, [RATE], half)


def test_another_table_is_refused() -> None:
    table, outcome = _people()
    comparison = _compared(table, Radius())
    with pytest.raises(UsageError, match="must be the same rows"):
        adjusted({"y": outcome}, comparison, [RATE], table.slice(1))


def test_time_to_first_counts_everyone_and_what_is_not_covered_for_nobody(shared: Path) -> None:
    """Rossi's men: weeks to the first arrest; R's restricted means at 52 weeks and log-rank (survival_rossi.json)."""
    men = rossi(shared)
    weeks = np.where(men["arrest"] == 1.0, men["week"], np.nan)
    comparison = design_of(men["fin"] == 1.0, kind=Design.RANDOMISED)
    found = time_to_first(weeks, comparison, horizon=52.0)
    assert found.restricted.treated.estimate == pytest.approx(46.875, abs=1e-9)
    assert found.restricted.comparison.estimate == pytest.approx(44.8333333333333, abs=1e-9)
    assert found.log_rank.chi_square == pytest.approx(3.83756957654905, rel=1e-9)
    assert found.cox.treatment.estimate == pytest.approx(-0.369069210275513, rel=1e-9)
    early = time_to_first(weeks, comparison, horizon=26.0)
    assert early.restricted.treated.estimate == pytest.approx(24.8842592592593, abs=1e-9)
    covered = np.arange(len(weeks)) % 5 > 0
    some = time_to_first(weeks, comparison, horizon=52.0, covered=covered)
    kept = time_to_first(weeks[covered], design_of(comparison.treated[covered]), horizon=52.0)
    assert some.restricted == kept.restricted
    with pytest.raises(UsageError, match="must be the same rows"):
        time_to_first(weeks[1:], comparison, horizon=52.0)


def test_time_to_first_of_pairs_is_clustered() -> None:
    table, outcome = _people()
    days = np.where(outcome == 1.0, 1.0 + np.arange(len(outcome)) % 365, np.nan)
    found = time_to_first(days, _compared(table, Nearest()), horizon=365.0)
    kinds = {found.restricted.difference.kind, found.log_rank.kind, found.cox.treatment.kind}
    assert kinds == {ErrorKind.CLUSTERED}
