"""Subclassification, exact and coarsened exact matching against MatchIt 4.7.2 on LaLonde's 614 people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import (
    CoarsenedExact,
    Comparison,
    ComparisonSettings,
    Estimand,
    Subclassification,
    Target,
    compare,
    matchit_weights,
)
from lib.comparison_witnesses import STRATA
from lib.matchit_witness import COVARIATES, Lalonde614, read_lalonde614

SAME_WEIGHT = 1e-12  # relative; MatchIt's weights are stored with 17 digits


@pytest.fixture(scope="module")
def lalonde(shared: Path) -> Lalonde614:
    return read_lalonde614(shared)


def _compare(lalonde: Lalonde614, method: Subclassification | CoarsenedExact, columns: tuple[str, ...]) -> Comparison:
    people: pa.Table = lalonde.people.select(["treat", *columns])
    settings = ComparisonSettings(
        covariates=columns, references={"race": "black"}, method=method, max_red_share=1.0, min_level=1
    )
    return compare(people, "treat", settings)


def _grouped(numbers: list[object], nobody: object) -> set[frozenset[int]]:
    """The sets of people who share a number, whatever the number."""
    groups: dict[object, set[int]] = {}
    for row, number in enumerate(numbers):
        if number != nobody:
            groups.setdefault(number, set()).add(row)
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize(("spec", "method", "columns"), STRATA, ids=[spec for spec, _, _ in STRATA])
def test_strata_and_weights_are_matchits(
    lalonde: Lalonde614, spec: str, method: Subclassification | CoarsenedExact, columns: tuple[str, ...]
) -> None:
    found = _compare(lalonde, method, columns)
    np.testing.assert_allclose(matchit_weights(found), lalonde.weight_of(spec), rtol=SAME_WEIGHT)
    theirs = [lalonde.strata[spec].get(name, "") for name in lalonde.names]
    assert _grouped(list(found.stratum.tolist()), -1) == _grouped(list(theirs), "")


def test_the_estimand_follows_from_who_is_left(lalonde: Lalonde614) -> None:
    on_treated = _compare(lalonde, Subclassification(), COVARIATES)
    on_everyone = _compare(lalonde, Subclassification(target=Target.EVERYONE), COVARIATES)
    coarsened = _compare(lalonde, CoarsenedExact(), COVARIATES)
    assert (on_treated.asked, on_treated.achieved) == (Estimand.ATT, Estimand.ATT)
    assert (on_everyone.asked, on_everyone.achieved) == (Estimand.ATE, Estimand.ATE)
    assert (coarsened.asked, coarsened.achieved) == (Estimand.ATT, Estimand.ATT_MATCHED)
    assert not coarsened.reliable
    assert coarsened.logit_propensity.size == 0
