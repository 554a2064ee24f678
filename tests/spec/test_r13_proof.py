"""What a pass and a refusal of the audit rest on (DISCLOSURE R13): worlds that agree exactly, bounds, and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.disclosure.intruder import (
    AddsUp,
    Breach,
    Counts,
    CountTable,
    Exact,
    Limits,
    Outcome,
    Piece,
    Publication,
    Truth,
    Withheld,
    audit,
    explain,
    find_attacks,
    hide,
    publish_table,
    repair,
    truth_of,
)
from counterfoil.disclosure.intruder.filling import Goals
from counterfoil.disclosure.intruder.parts import Parts
from counterfoil.disclosure.intruder.solver import Worlds
from counterfoil.disclosure.intruder.system import Spread, build, true_world
from counterfoil.errors import Fault
from lib.intruder_cases import publications_of, statement_of

NOTHING = Limits(seconds=0.0)
# LP alone lets a be anything to 12; in whole numbers 11 * 2 + 13 * 9 = 139 is the only way
WEIGHED: dict[str, Any] = {
    "populations": {"A": "a", "B": "b"},
    "says": {"report": ["A = [c]", "B = [c]"]},
    "truth": {"a": {"people": 2}, "b": {"people": 9}},
}


def weighed() -> tuple[Publication, Truth]:
    (publication,), truth = publications_of(WEIGHED)
    said = Exact("weighed", (Piece("A", times=11), Piece("B", times=13)), 139)
    return Publication("report", publication.populations, (*publication.statements, said)), truth


def test_r13_what_only_whole_people_pin_down_is_found_and_named() -> None:
    publication, truth = weighed()
    found = {i.target.label: (i.low, i.high) for i in audit([publication], truth).failed}
    assert found["A"] == (2, 2)
    attacks = {one.target: one for one in find_attacks([publication], truth)}
    assert attacks["A"].used == ("weighed",)
    assert attacks["A"].sentence == "A reader of weighed (139) knows that A is 2."


def test_r14_of_what_only_whole_people_pin_down_anything_may_be_hidden() -> None:
    publication, truth = weighed()
    assert repair(publication, truth, {"weighed": 139}).partners == ("weighed",)


def test_r13_a_refusal_by_bounds_holds_and_is_made_tight_where_it_is_explained() -> None:
    # 3 or fewer of the 3 who are in one cohort only; a hidden outcome of theirs is from 0 to 3 whatever the rest
    case = {
        "populations": {"A": "a b", "B": "a"},
        "outcomes": {"r": "once"},
        "says": {"first": ["A = 200", "r in A = 70"], "second": ["B = 197"]},
        "truth": {"a": {"people": 197, "r": 69}, "b": {"people": 3, "r": 1}},
    }
    publications, truth = publications_of(case)
    found = audit(publications, truth)
    exact = {i.target.label: (i.low, i.high) for i in audit(publications, truth, tight=True).intervals}
    assert found.failed
    for one in found.failed:
        low, high = exact[one.target.label]
        assert one.low <= low <= high <= one.high
    for attack in explain(found, publications, truth):
        assert (attack.low, attack.high) == exact[attack.target]


def test_r13_a_search_that_may_look_at_no_node_passes_nothing_it_has_not_seen() -> None:
    draw = np.random.default_rng(3)
    atoms = [f"a{i:02d}" for i in range(24)]
    counts = draw.integers(0, 9, len(atoms))
    said = []
    for row, times in enumerate(draw.integers(1, 100, (4, len(atoms)))):
        pieces = tuple(Piece(atom, times=int(n)) for atom, n in zip(atoms, times, strict=True))
        said.append(Exact(f"s{row}", pieces, int(times @ counts)))
    publication = Publication("report", {atom: (atom,) for atom in atoms}, tuple(said))
    truth = Truth({(atom, ""): int(n) for atom, n in zip(atoms, counts, strict=True)})
    found = audit([publication], truth, limits=Limits(nodes=0))
    assert any(one.timed_out for one in found.failed)
    assert not found.passed
    label = next(one.target.label for one in found.failed if one.timed_out)
    (attack,) = explain(found, [publication], truth, targets=[label])
    assert attack.breach is Breach.TIMED_OUT


def test_r13_an_audit_has_seconds_in_all() -> None:
    publication, truth = weighed()
    wide = Publication("report", publication.populations, publication.statements[:2])
    assert audit([wide], truth).passed
    assert not audit([wide], truth, limits=Limits(all_seconds=0.0)).passed


def test_r13_people_moved_where_outcomes_have_no_room_prove_nothing() -> None:
    # everybody in A and in B has the outcome, so of the 30 there are 3 at most for C, whatever their sizes are
    case = {
        "populations": {"all": "a b c", "A": "a", "B": "b"},
        "outcomes": {"r": "once"},
        "says": {"report": ["all = 30", "r in A = 12", "r in B = 15"]},
        "truth": {"a": {"people": 12, "r": 12}, "b": {"people": 15, "r": 15}, "c": {"people": 3, "r": 1}},
    }
    publications, truth = publications_of(case)
    found = {i.target.label: (i.low, i.high) for i in audit(publications, truth).failed}
    assert found["people in all and nothing else"] == (0, 3)


def test_r14_without_time_everything_is_hidden_and_nothing_passes() -> None:
    table = CountTable("t", {("a", "x"): 3, ("a", "y"): 40, ("b", "x"): 50, ("b", "y"): 60})
    start = publish_table(table, [("a", "x")], DEFAULT_SETTINGS)
    costs = {one.label: 1 for one in start.statements}
    found = repair(start, truth_of(table), costs, limits=NOTHING)
    assert not found.audit.passed
    assert not found.cheapest
    assert all(isinstance(one, Withheld) for one in found.publication.statements)


def test_r14_what_is_repaired_must_be_true() -> None:
    publication = Publication("p", {"A": ("a",)}, (statement_of("A = 60"),))
    with pytest.raises(Fault):
        repair(publication, Truth({("a", ""): 61}), {"A": 60})


def test_r14_what_is_no_sum_of_counts_cannot_be_withheld() -> None:
    case = {"populations": {"A": "a"}, "says": {"p": ["A among 12; 13", "weighted w = 0.3"]}, "truth": {}}
    (publication,), _ = publications_of(case)
    for label in ("A", "weighted w"):
        with pytest.raises(Fault):
            hide(publication, [label])


def test_r13_a_world_that_does_not_agree_is_not_kept() -> None:
    publication, truth = weighed()
    system = build(publication)
    real = true_world(system, truth, Spread(publication))
    worlds = Worlds(system, real)
    assert not worlds.add(real + 1)
    assert not worlds.add(-real)
    assert len(worlds.found) == 1


def test_r13_outcomes_that_no_whole_people_can_have_are_no_world() -> None:
    # each two of three atoms hold one person with the outcome: half a person in each, and no whole ones
    said = tuple(Exact(f"r{one}", (Piece(one, "r"),), 1) for one in ("ab", "bc", "ac"))
    publication = Publication("p", {one: tuple(one) for one in ("ab", "bc", "ac")}, said, (Outcome("r"),))
    parts = Parts(build(publication))
    people = np.array([5 * (what == "") for _, what in parts.system.unknowns], np.int64)
    none = Goals(sparse.csr_array((0, len(people)), dtype=np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert parts.settle(people, parts.block >= 0, none, Limits()) is None


def test_r16_counts_that_do_not_fit_together_are_named() -> None:
    publication = Publication("p", {"A": ("a",)}, (Exact("r", (Piece("A", "r"),), 30),), (Outcome("r"),))
    (attack,) = find_attacks([publication], Truth({("a", ""): 20, ("a", "r"): 30}))
    assert attack.target == "the data"
    assert "do not fit together" in attack.sentence


def test_r16_possibilities_that_leave_out_the_truth_are_not_true() -> None:
    case = {"populations": {"A": "a"}, "says": {"p": ["A among 12; 13"]}, "truth": {"a": {"people": 14}}}
    publications, truth = publications_of(case)
    assert [one.target for one in find_attacks(publications, truth)] == ["A"]


def test_r13_the_true_count_of_everything_spoken_of_must_be_given() -> None:
    publication = Publication("p", {"A": ("a",)}, (statement_of("A = 60"),))
    with pytest.raises(Fault):
        audit([publication], Truth({}))


def test_r13_what_is_pinned_by_adding_says_so() -> None:
    case = {
        "populations": {"all": "a b", "A": "a", "B": "b"},
        "says": {"report": ["A = 4", "B = 5", "all = [c]"]},
        "truth": {"a": {"people": 4}, "b": {"people": 5}},
    }
    publications, truth = publications_of(case)
    found = {one.target: one.sentence for one in find_attacks(publications, truth)}
    assert found["all"] == "A reader can add A (4) and B (5) and get 9: all."


def test_r13_a_hidden_number_can_be_part_of_an_attack() -> None:
    case = {
        "populations": {"A": "a", "B": "b"},
        "says": {"report": ["A = 12", "A - B - B = [c]"]},
        "truth": {"a": {"people": 12}, "b": {"people": 3}},
    }
    publications, truth = publications_of(case)
    found = {one.target: one for one in find_attacks(publications, truth)}
    assert (found["people in B"].low, found["people in B"].high) == (0, 6)
    assert "A - B - B ([c])" in found["people in B"].sentence


def test_r13_what_holds_anyway_can_pin_something_down() -> None:
    # the whole is two parts, and it is one of them: nobody is in the other
    sums = (AddsUp("t", (("r", 1), ("s", 1))), AddsUp("t", (("r", 1),)), AddsUp("u", (("v", 1),)))
    outcomes = tuple(Outcome(name, Counts.OFTEN) for name in "rstuv")
    said = (Withheld("s", (Piece("A", "s"),)),)
    publication = Publication("p", {"A": ("a",)}, said, outcomes, sums)
    truth = Truth({("a", ""): 30, ("a", "r"): 20, ("a", "s"): 0, ("a", "t"): 20})
    attacks = {one.target: one for one in find_attacks([publication], truth)}
    assert attacks["s"].used == ()
    assert attacks["s"].sentence == "A reader who knows nothing else knows that s is 0."


def test_r13_a_weighted_rate_printed_twice_is_one_rate() -> None:
    case = {
        "populations": {"A": "a"},
        "outcomes": {"r": "once"},
        "says": {
            "first": ["A = 60", "weighted c = 0.300", "r in A over 60 against c = 5.0"],
            "second": ["also: weighted c = 0.30"],
        },
        "truth": {"a": {"people": 60, "r": 21}},
    }
    publications, truth = publications_of(case)
    found = audit(publications, truth, tight=True)
    assert not found.untrue
    assert found.passed


def test_r14_a_table_without_totals_has_no_lines() -> None:
    table = CountTable("t", {("a", "x"): 3, ("a", "y"): 40}, totals=False)
    assert publish_table(table, [("a", "x")], DEFAULT_SETTINGS).lines == ()
    with pytest.raises(Fault):
        CountTable("t", {("total", "x"): 3})
