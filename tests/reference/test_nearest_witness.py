"""Nearest-neighbour matching against MatchIt 4.7.2 on LaLonde's 614 people: its pairs and its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from counterfoil.comparison import ComparisonSettings, Nearest, compare, matchit, matchit_weights
from counterfoil.comparison.nearest import weigh_pairs
from lib.comparison_witnesses import NEAREST, TIED, our_pairs
from lib.matchit_witness import COVARIATES, Lalonde614, read_lalonde614

SAME_WEIGHT = 1e-12  # MatchIt's weights are stored with 17 digits


@pytest.fixture(scope="module")
def lalonde(shared: Path) -> Lalonde614:
    return read_lalonde614(shared)


@pytest.mark.parametrize(("spec", "method", "exact"), NEAREST, ids=[spec for spec, _, _ in NEAREST])
def test_pairs_are_matchits(lalonde: Lalonde614, spec: str, method: Nearest, exact: tuple[str, ...]) -> None:
    ours = our_pairs(lalonde, method, exact)
    named = set(zip(lalonde.named(ours.treated), ours.rank.tolist(), lalonde.named(ours.comparison), strict=True))
    theirs = lalonde.pairs[spec]
    if method.replace and method.ratio > 1:  # MatchIt does not say which of two equally distant partners is the first
        assert {(treated, other) for treated, _, other in named} == {(treated, other) for treated, _, other in theirs}
        assert len(named) == len(theirs)
    else:
        assert named == theirs


@pytest.mark.parametrize(("spec", "method", "exact"), NEAREST, ids=[spec for spec, _, _ in NEAREST])
def test_weights_are_matchits(lalonde: Lalonde614, spec: str, method: Nearest, exact: tuple[str, ...]) -> None:
    weight = weigh_pairs(our_pairs(lalonde, method, exact), len(lalonde.names))
    others = ~lalonde.treated
    weight[others] *= np.count_nonzero(weight[others]) / weight[others].sum()
    np.testing.assert_allclose(weight, lalonde.weight_of(spec), rtol=0, atol=SAME_WEIGHT)


def test_where_partners_are_equally_far_only_their_distances_must_be_matchits(lalonde: Lalonde614) -> None:
    """k:1 with replacement: MatchIt keeps whichever of several equally distant people its partial sort leaves."""
    spec, method, exact = TIED
    ours = our_pairs(lalonde, method, exact)
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
