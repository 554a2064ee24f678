"""Nearest-neighbour matching against MatchIt 4.7.2 on LaLonde's 614 people: its pairs and its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import ComparisonSettings, Nearest, Order, Scale, compare, matchit, matchit_weights
from counterfoil.comparison.nearest import match_nearest, weigh_pairs
from counterfoil.comparison.scores import sort_scores
from counterfoil.comparison.strata import strata
from counterfoil.comparison.values import Pairs
from lib.matchit_witness import COVARIATES, Lalonde614, read_lalonde614

SAME_WEIGHT = 1e-12  # MatchIt's weights are stored with 17 digits

RACE, RACE_AND_MARRIED = ("race",), ("race", "married")
LOGIT = Scale.LOGIT
# The oracle's name, our settings, the exact factors.
SPECS = [
    ("nn1_norep", matchit(), ()),
    ("nn1_norep_data", matchit(order=Order.DATA), ()),
    ("nn1_norep_smallest", matchit(order=Order.SMALLEST), ()),
    ("nn1_norep_closest", matchit(order=Order.CLOSEST), ()),
    ("nn1_rep", matchit(replace=True), ()),
    ("nn1_norep_cal02logit", matchit(caliper=0.2, scale=LOGIT), ()),
    ("nn1_rep_cal02logit", matchit(caliper=0.2, scale=LOGIT, replace=True), ()),
    ("nn1_norep_cal02logit_closest", matchit(caliper=0.2, scale=LOGIT, order=Order.CLOSEST), ()),
    ("nn1_norep_exactrace", matchit(), RACE),
    ("nn1_norep_cal02logit_exactrace", matchit(caliper=0.2, scale=LOGIT), RACE),
    ("nn1_norep_cal02logit_exactracemar", matchit(caliper=0.2, scale=LOGIT), RACE_AND_MARRIED),
    ("nn2_norep", matchit(ratio=2), ()),
    ("nn3_norep_cal02logit", matchit(ratio=3, caliper=0.2, scale=LOGIT), ()),
    ("nn3_rep", matchit(ratio=3, replace=True), ()),
]
TIED = ("nn5_rep_cal02logit_exactrace", matchit(ratio=5, replace=True, caliper=0.2, scale=LOGIT), RACE)


@pytest.fixture(scope="module")
def lalonde(shared: Path) -> Lalonde614:
    return read_lalonde614(shared)


def _pairs(lalonde: Lalonde614, method: Nearest, exact: tuple[str, ...]) -> Pairs:
    """Our pairs on R's stored scores."""
    score = lalonde.logit if method.ruler.scale is LOGIT else lalonde.propensity
    caliper = np.inf if method.caliper is None else method.caliper * float(np.std(score, ddof=1))
    stratum = strata(_whole(lalonde), exact) if exact else None
    return match_nearest(sort_scores(score, lalonde.treated, stratum), caliper, method)


def _whole(lalonde: Lalonde614) -> pa.Table:
    """Exact factors are whole numbers or text; the file gives floats."""
    people = lalonde.people
    place = people.column_names.index("married")
    return people.set_column(place, "married", [people["married"].cast("int64")])


@pytest.mark.parametrize(("spec", "method", "exact"), SPECS, ids=[spec for spec, _, _ in SPECS])
def test_pairs_are_matchits(lalonde: Lalonde614, spec: str, method: Nearest, exact: tuple[str, ...]) -> None:
    ours = _pairs(lalonde, method, exact)
    named = set(zip(lalonde.named(ours.treated), ours.rank.tolist(), lalonde.named(ours.comparison), strict=True))
    theirs = lalonde.pairs[spec]
    if method.replace and method.ratio > 1:  # MatchIt does not say which of two equally distant partners is the first
        assert {(treated, other) for treated, _, other in named} == {(treated, other) for treated, _, other in theirs}
        assert len(named) == len(theirs)
    else:
        assert named == theirs


@pytest.mark.parametrize(("spec", "method", "exact"), SPECS, ids=[spec for spec, _, _ in SPECS])
def test_weights_are_matchits(lalonde: Lalonde614, spec: str, method: Nearest, exact: tuple[str, ...]) -> None:
    weight = weigh_pairs(_pairs(lalonde, method, exact), len(lalonde.names))
    others = ~lalonde.treated
    weight[others] *= np.count_nonzero(weight[others]) / weight[others].sum()
    np.testing.assert_allclose(weight, lalonde.weight_of(spec), rtol=0, atol=SAME_WEIGHT)


def test_where_partners_are_equally_far_only_their_distances_must_be_matchits(lalonde: Lalonde614) -> None:
    """k:1 with replacement: MatchIt keeps whichever of several equally distant people its partial sort leaves."""
    spec, method, exact = TIED
    ours = _pairs(lalonde, method, exact)
    place = {name: row for row, name in enumerate(lalonde.names)}
    theirs: dict[int, list[float]] = {}
    for treated, _, other in lalonde.pairs[spec]:
        gap = abs(lalonde.logit[place[treated]] - lalonde.logit[place[other]])
        theirs.setdefault(place[treated], []).append(float(gap))
    assert set(ours.treated.tolist()) == set(theirs)
    for row, gaps in theirs.items():
        assert ours.distance[ours.treated == row].tolist() == pytest.approx(sorted(gaps), abs=1e-14)


def test_compare_with_the_preset_is_matchit_from_the_data_on(lalonde: Lalonde614) -> None:
    """The whole way: our own scores, the preset, MatchIt's scale of the weights."""
    settings = ComparisonSettings(
        covariates=COVARIATES, references={"race": "black"}, method=matchit(), max_red_share=1.0, min_level=1
    )
    found = compare(lalonde.table(), "treat", settings)
    np.testing.assert_allclose(matchit_weights(found), lalonde.weight_of("nn1_norep"), rtol=0, atol=SAME_WEIGHT)
    assert found.pairs is not None
    named = zip(lalonde.named(found.pairs.treated), lalonde.named(found.pairs.comparison), strict=True)
    assert set(named) == {(treated, other) for treated, _, other in lalonde.pairs["nn1_norep"]}
    with_replacement = compare(lalonde.table(), "treat", replace(settings, method=matchit(replace=True)))
    np.testing.assert_allclose(
        matchit_weights(with_replacement), lalonde.weight_of("nn1_rep"), rtol=0, atol=SAME_WEIGHT
    )


def test_pair_numbers_group_as_matchits_subclasses(lalonde: Lalonde614) -> None:
    settings = ComparisonSettings(
        covariates=COVARIATES, exact=(), method=matchit(ratio=2), max_red_share=1.0, min_level=1
    )
    found = compare(lalonde.table(), "treat", settings)
    ours: dict[int, set[str]] = {}
    for name, number in zip(lalonde.names, found.pair.tolist(), strict=True):
        if number >= 0:
            ours.setdefault(number, set()).add(name)
    theirs: dict[str, set[str]] = {}
    for name, subclass in lalonde.strata["nn2_norep"].items():
        theirs.setdefault(subclass, set()).add(name)
    assert sorted(map(sorted, ours.values())) == sorted(map(sorted, theirs.values()))
