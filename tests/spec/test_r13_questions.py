"""Asking one publication about many targets (DISCLOSURE R13, R14): the same answers as asking about each by itself."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.disclosure.intruder import (
    Exact,
    Piece,
    Publication,
    Questions,
    Rounded,
    Share,
    Truth,
    explain,
    find_cap,
    find_targets,
    join,
    look,
    repair,
)
from counterfoil.disclosure.intruder.system import build
from lib.intruder_cases import publications_of

GOLDEN = tomllib.loads(Path(__file__).with_name("intruder_attacks.toml").read_text("utf-8"))
CASES: list[dict[str, Any]] = [*GOLDEN["attack"], *GOLDEN["safe"]]


def _joined(case: dict[str, Any]) -> tuple[Publication, Truth]:
    publications, truth = publications_of(case)
    return join(publications), truth


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_r13_what_a_reader_knows_does_not_hang_on_who_was_asked_about_before(case: dict[str, Any]) -> None:
    publication, truth = _joined(case)
    cap = find_cap(publication, truth)
    questions = Questions(publication, truth, cap)
    anybody = [{(atom, ""): 1} for atoms in publication.populations.values() for atom in atoms]
    for of in [*(target.of for target in find_targets(publication, truth, DEFAULT_SETTINGS)), *anybody]:
        found, alone = questions.system(of), build(publication, [of], cap=cap)
        assert (found.unknowns, found.labels) == (alone.unknowns, alone.labels)
        assert (found.matrix != alone.matrix).nnz == 0
        assert np.array_equal(found.low, alone.low)
        assert np.array_equal(found.high, alone.high)


def test_r13_how_far_a_sum_can_go_and_what_holds_it_there() -> None:
    """11 A + 13 B = 139, nobody under 0: A is 0 to 139 / 11 = 12.6, in whole people 12."""
    said = Exact("weighed", (Piece("A", times=11), Piece("B", times=13)), 139)
    publication = Publication("report", {"A": ("a",), "B": ("b",)}, (said,))
    questions = Questions(publication, Truth({("a", ""): 2, ("b", ""): 9}), 1000)
    up, down = (questions.held({("a", ""): 1}, sign) for sign in (1, -1))
    assert (up.bound, down.bound) == (12, 0)
    assert dict(up.by) == pytest.approx({"weighed": 1 / 11})
    questions.ask_ahead([{("a", ""): 1}, {("b", ""): 1}], 1)
    assert questions.held({("a", ""): 1}, 1) is up
    assert questions.held({("b", ""): 1}, 1).bound == 10  # 139 / 13 = 10.7


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_r14_a_repair_goes_on_from_the_audit_that_asked_for_it(case: dict[str, Any]) -> None:
    publication, truth = _joined(case)
    looked = look(publication, truth)
    if looked.audit.untrue:
        return
    costs = {one.label: 1 for one in publication.statements if isinstance(one, Exact | Rounded | Share)}
    questions = Questions(publication, truth, find_cap(publication, truth))
    assert repair(publication, truth, costs, first=looked, questions=questions) == repair(publication, truth, costs)
    told = explain(looked.audit, [publication], truth, questions=questions)
    assert told == explain(looked.audit, [publication], truth)
