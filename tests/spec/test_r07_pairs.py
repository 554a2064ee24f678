"""R7, R11, R13: of pairs the size of one group is that of the other, so neither is printed where one is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from counterfoil.comparison.values import Comparison, Pairs
from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Beside,
    Box,
    Compared,
    More,
    People,
    Protected,
    Rule,
    protect,
    protect_audited,
)
from counterfoil.disclosure.audited import say_report
from counterfoil.disclosure.intruder import Exact, Piece, Share
from lib.results import RATE, attrition_of, comparison_of, rate_effect

NOTHING = np.zeros(0, np.int64)
PAIRED = Pairs(NOTHING, NOTHING, NOTHING, np.zeros(0), np.zeros(0))
TREATED, COMPARED = 60, 40  # with the outcome


def pairs_of(people: int, partners: int = 1) -> Comparison:
    return replace(comparison_of(people, partners * people), pairs=PAIRED, ess=float(partners * people))


def protected(people: int, submitted: int, comparison: Comparison, more: More | None = None) -> Protected:
    size = comparison.n_comparison
    effect = rate_effect((TREATED, people), (COMPARED, size), ess=float(size))
    beside = Beside(members=np.ones(people, np.bool_), headline=np.zeros(people))
    flow = attrition_of(submitted, None, None, people)
    return protect([effect], comparison, flow, beside=beside, more=more or More())


def numbers_of(found: Protected) -> tuple[float | None, float | None]:
    (measure,) = found.measures
    return measure.treated.n.value, measure.comparison.n.value


@pytest.mark.parametrize("partners", [1, 2])
def test_r11_how_many_were_lost_is_not_told_by_the_number_of_pairs(partners: int) -> None:
    """Of 203 people submitted 200 were analysed, so that their number is hidden: 200 pairs would print it."""
    found = protected(200, 203, pairs_of(200, partners))
    assert found.attrition.analysed.value is None
    assert numbers_of(found) == (None, None)
    assert found.measures[0].comparison.n.rule is Rule.R7
    assert found.measures[0].treated.value.value is not None


def test_r07_a_comparison_group_that_is_no_pairs_keeps_its_number() -> None:
    assert numbers_of(protected(200, 203, comparison_of(200, 900))) == (None, 900)


def test_r07_beside_an_exact_size_pairs_keep_their_number() -> None:
    assert numbers_of(protected(200, 280, pairs_of(200))) == (200, 200)


def people_of(people: int, submitted: int) -> People:
    row = np.arange(2 * people)
    had = np.where(row < people, row < TREATED, row - people < COMPARED).astype(np.float64)
    return People(
        keys=tuple(f"person {n}" for n in row),
        analysed=row < people,
        values={RATE.name: had},
        boxes={Box.SUBMITTED: submitted, Box.ANALYSED: people},
        headline=had,
        compared=Compared(row >= people),
        partners=1,
    )


def test_r13_the_audit_knows_that_there_are_as_many_partners_and_not_how_many() -> None:
    said = say_report(protected(200, 203, pairs_of(200)), people_of(200, 203))
    (pairs,) = (one for one in said.statements if one.label.startswith("partners"))
    assert pairs == Exact(pairs.label, (Piece("people analysed"), Piece("comparison group", times=-1)), 0)
    assert not any(isinstance(one, Exact) and one.value in (200, COMPARED) for one in said.statements)
    shares = [one for one in said.statements if isinstance(one, Share)]
    assert {one.over[0].population for one in shares} == {"people analysed", "comparison group"}


def test_r13_a_report_of_pairs_passes_beside_a_hidden_size() -> None:
    """That the two groups differ by nobody is no finding; nor is anything small here."""
    found = protect_audited(
        lambda more: protected(200, 203, pairs_of(200), more), people_of(200, 203), (), DEFAULT_SETTINGS
    )
    assert found.record.findings() == []
    assert found.record.repairs == ()
    assert not any("partners" in one.target.label for one in found.record.intervals)
