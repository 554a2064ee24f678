"""How far to trust the answer: ways to ask are fixed before outcomes, share one score, and name what stopped them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import (
    Comparison,
    ComparisonSettings,
    Nearest,
    Pairs,
    Radius,
    compare,
    compare_groups,
    psmatch2_radius,
)
from counterfoil.comparison import prepare as prepare_groups
from counterfoil.comparison.made import Groups
from counterfoil.comparison.values import Design, FloatArray
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.effect import estimate
from counterfoil.outcomes.measures import Measure
from counterfoil.study.specifications import (
    ADJUSTED,
    HEADLINE,
    PLACEBO_POOL,
    PLACEBOS,
    Answer,
    Sensitivity,
    Site,
    decide_specifications,
    gamma_of_pairs,
    run_specifications,
)
from counterfoil.units import Kind

RATE = Measure("back", "Back in prison", Kind.RATE, noun="returned to prison")
ROWS, TREATED = 12_000, 600
EFFECT = -0.12  # of the rate, given what is seen
SEEN = 0.04  # of the rate, for each SD of `risk`
SETTINGS = ComparisonSettings(covariates=("risk", "sex"))


def _people(seed: int) -> tuple[pa.Table, FloatArray]:
    """Treatment goes by `risk`, so that the groups as they are differ."""
    rng = np.random.default_rng(seed)
    risk, sex = rng.normal(size=ROWS), rng.choice(["female", "male"], ROWS)
    order = np.argsort(-(risk + rng.logistic(size=ROWS)))
    treated = np.zeros(ROWS, np.bool_)
    treated[rng.permutation(order[: 5 * TREATED])[:TREATED]] = True
    outcome = rng.random(ROWS) < 0.4 + SEEN * risk + EFFECT * treated
    return pa.table({"treated": treated, "risk": risk, "sex": sex}), outcome.astype(np.float64)


def _asked(seed: int, settings: ComparisonSettings = SETTINGS) -> tuple[Groups, Sensitivity]:
    people, outcome = _people(seed)
    groups = prepare_groups(people, "treated", settings)
    comparison = compare_groups(groups)
    outcomes: Mapping[str, FloatArray] = {"back": outcome}
    headline = estimate(outcomes, comparison, (RATE,), people=people)[0]
    chosen = decide_specifications(groups, seed=1)
    return groups, run_specifications(groups, chosen, headline, comparison, outcomes, DEFAULT_SETTINGS)


@pytest.fixture(scope="module")
def asked() -> tuple[Groups, Sensitivity]:
    return _asked(3)


def _answer(found: Sensitivity, name: str) -> Answer:
    return next(answer for answer in found.answers if answer.name == name)


def test_every_way_finds_the_effect_and_a_placebo_finds_none(asked: tuple[Groups, Sensitivity]) -> None:
    """The truth is drawn; 4 standard errors leave one false alarm in 15,000 for each way."""
    _, found = asked
    names = [answer.name for answer in found.answers]

    assert names[:2] == [HEADLINE, ADJUSTED]
    for answer in found.answers:
        assert answer.estimate is not None, answer.name
        error = (answer.estimate.high - answer.estimate.low) / (2 * 1.96)
        truth = 0.0 if answer.name.startswith("placebo") else 100 * EFFECT
        assert abs(answer.estimate.difference - truth) < 4 * error, answer.name
    assert sum(name.startswith("placebo") for name in names) == PLACEBOS


def test_a_hidden_difference_would_have_to_be_over_none(asked: tuple[Groups, Sensitivity]) -> None:
    _, found = asked

    assert found.bias.e_point is not None
    assert found.bias.e_limit is not None
    assert found.bias.gamma is not None
    assert found.bias.e_point > found.bias.e_limit > 1.0
    assert found.bias.gamma > 1.0


def test_a_shared_design_gives_what_compare_gives() -> None:
    people, _ = _people(5)
    groups = prepare_groups(people, "treated", SETTINGS)

    for method in (Radius(), Radius((0.05,))):
        alone = compare(people, "treated", ComparisonSettings(covariates=("risk", "sex"), method=method))
        shared = compare_groups(groups, method)
        assert np.array_equal(alone.weight, shared.weight)


def test_specifications_are_decided_without_an_outcome_and_a_placebo_holds_no_treated_person(
    asked: tuple[Groups, Sensitivity],
) -> None:
    groups, _ = asked
    again = decide_specifications(groups, seed=1)
    placebos = [one for one in again if one.placebo is not None and one.rows is not None]

    assert [one.facts() for one in again] == [one.facts() for one in decide_specifications(groups, seed=1)]
    for one in placebos:
        assert one.placebo is not None
        assert one.rows is not None
        assert not (one.rows & groups.treated).any()
        part = (ROWS - TREATED) // PLACEBOS
        assert one.placebo.sum() == min(TREATED, part // 2)
        assert one.rows.sum() == min(part, TREATED * (1 + PLACEBO_POOL))
    every = np.sum([one.rows for one in placebos if one.rows is not None], axis=0)
    assert every.max() == 1, "cohorts that share people would not be independent"


def test_r17_ways_are_asked_of_the_headlines_people() -> None:
    """Forty of the treated were not matched; methods that could keep them must not, or they would be told apart."""
    people, outcome = _people(3)
    groups = prepare_groups(people, "treated", SETTINGS)
    found = compare_groups(groups)
    lost = replace(found, weight=np.where(np.cumsum(found.treated) <= 40, 0.0, found.weight))
    headline = estimate({"back": outcome}, lost, (RATE,))[0]
    chosen = decide_specifications(groups, seed=1, made=found)
    ways = run_specifications(groups, chosen, headline, lost, {"back": outcome}, DEFAULT_SETTINGS).ways

    used = lost.treated & (lost.weight > 0)
    assert len(ways) > 5
    for way in ways:
        assert not (way.members & ~used).any(), way.name
    whole = {way.name for way in ways if np.array_equal(way.members, used)}
    assert {"entropy", "inverse", "nearest", "overlap"} <= whole


def test_one_site_at_a_time_is_left_out_where_enough_are_at_it_and_not() -> None:
    people, outcome = _people(3)
    groups = prepare_groups(people, "treated", SETTINGS)
    found = compare_groups(groups)
    headline = estimate({"back": outcome}, found, (RATE,))[0]
    treated = np.flatnonzero(found.treated)
    sites = [Site(name, np.isin(np.arange(ROWS), treated[part])) for name, part in
             (("east", slice(0, 300)), ("tiny", slice(300, 320)), ("west", slice(320, 600)))]  # fmt: skip
    chosen = decide_specifications(groups, seed=1, made=found, sites=sites, least=30)
    ways = run_specifications(groups, chosen, headline, found, {"back": outcome}, DEFAULT_SETTINGS).ways

    left = {way.label: way.members for way in ways if way.name == "site"}
    assert list(left) == ["east", "west"]
    for site in sites:
        if site.name in left:
            assert not (left[site.name] & site.rows).any()
            assert (left[site.name] | site.rows | ~(found.treated & (found.weight > 0))).all()


def test_r01_a_way_that_keeps_too_few_has_no_estimate() -> None:
    people, outcome = _people(3)
    groups = prepare_groups(people, "treated", SETTINGS)
    comparison = compare_groups(groups)
    headline = estimate({"back": outcome}, comparison, (RATE,))[0]
    chosen = [one for one in decide_specifications(groups, seed=1) if one.placebo is None]
    strict = type(DEFAULT_SETTINGS)(min_group=TREATED + 1)

    found = run_specifications(groups, chosen, headline, comparison, {"back": outcome}, strict)

    assert {(a.estimate, a.rule) for a in found.answers if a.name != HEADLINE} == {(None, "R1")}


def test_a_trial_has_no_other_ways() -> None:
    people, _ = _people(3)
    groups = prepare_groups(people, "treated", ComparisonSettings(covariates=("risk", "sex"), design=Design.RANDOMISED))

    assert decide_specifications(groups, seed=1) == ()


def _pairs_of(found: Comparison, outcome: FloatArray) -> tuple[int, int]:
    pairs: Pairs | None = found.pairs
    assert pairs is not None
    d = outcome[pairs.treated] - outcome[pairs.comparison]
    return int((d > 0).sum()), int((d < 0).sum())


def test_gamma_of_amounts_is_in_the_direction_they_point() -> None:
    """A constant gain for every pair: the bound is the same for a loss of that size."""
    people, _ = _people(3)
    made = compare(people, "treated", ComparisonSettings(covariates=("risk", "sex"), method=Nearest()))
    amount = Measure("earned", "Earned", Kind.AMOUNT)
    rng = np.random.default_rng(2)
    outcome = rng.normal(size=ROWS) + 0.5 * made.treated

    up, down = (gamma_of_pairs(sign * outcome, made, amount).gamma for sign in (1.0, -1.0))

    assert up is not None
    assert up > 1.0
    assert up == down
    assert min(_pairs_of(made, outcome)) > 0


def test_widths_are_asked_in_the_unit_that_the_report_names() -> None:
    """Of standard deviations, whatever the unit of the headline's own caliper is."""
    people, _ = _people(3)
    groups = prepare_groups(people, "treated", replace(SETTINGS, method=psmatch2_radius(0.03)))
    methods = [one.method for one in decide_specifications(groups, seed=1) if one.name == "caliper"]
    assert methods == [Radius((width,)) for width in Radius().calipers]
