"""Choosing what else to hide (DISCLOSURE R14 and R15), on drawn tables; and an audit in trouble."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.disclosure.intruder import (
    Breach,
    CountTable,
    Exact,
    Limits,
    Line,
    Piece,
    Publication,
    Repaired,
    Share,
    Truth,
    Withheld,
    audit,
    explain,
    find_attacks,
    find_unsafe,
    hide,
    join,
    protect_counts,
    publish_table,
    read_publication,
    repair,
    truth_of,
    write_publication,
)
from counterfoil.disclosure.intruder.tables import label_of
from counterfoil.errors import Fault
from lib.intruder_cases import publications_of, statement_of

Place = tuple[str, str]
FIVE = (
    ("3 40 57", "28 35 61", "52 44 70"),
    ("3 11 57", "12 2 61", "52 44 7"),
    ("50 0 0", "28 35 61", "52 44 70"),
    ("0 0 15", "4 30 22", "19 0 18"),
    ("9 9 9 9", "60 70 80 90", "61 71 81 91"),
)


def table_of(rows: tuple[str, ...]) -> CountTable:
    cells = {(f"r{i}", f"c{j}"): int(n) for i, row in enumerate(rows) for j, n in enumerate(row.split())}
    return CountTable("table", cells)


def repaired(table: CountTable) -> Repaired:
    start = publish_table(table, find_unsafe(table, DEFAULT_SETTINGS), DEFAULT_SETTINGS)
    return repair(start, truth_of(table), costs_of(table))


def costs_of(table: CountTable) -> Mapping[str, int]:
    return {label_of(place): table.value(place) for place in table.places()}


def test_r14_the_cheapest_block_goes_round_the_small_cell() -> None:
    # of the four blocks around the 3: 28 + 40 + 35, 28 + 57 + 61, 52 + 40 + 44, 52 + 57 + 70
    assert repaired(table_of(FIVE[0])).partners == ("r0, c1", "r1, c0", "r1, c1")


@pytest.mark.parametrize("rows", FIVE[:4])
def test_r14_what_is_repaired_passes_and_nothing_cheaper_does(rows: tuple[str, ...]) -> None:
    table = table_of(rows)
    costs, truth = costs_of(table), truth_of(table)
    start = publish_table(table, find_unsafe(table, DEFAULT_SETTINGS), DEFAULT_SETTINGS)
    found = repaired(table)
    assert audit([found.publication], truth).passed
    assert found.cheapest
    paid = sum(costs[label] for label in found.partners)
    shown = [s.label for s in start.statements if isinstance(s, Exact) and s.value]
    for choice in itertools.chain.from_iterable(itertools.combinations(shown, n) for n in range(4)):
        if sum(costs[label] for label in choice) < paid:
            assert not audit([hide(start, choice)], truth).passed


@pytest.mark.parametrize("rows", FIVE)
def test_r14_an_empty_cell_is_never_a_partner(rows: tuple[str, ...]) -> None:
    table = table_of(rows)
    costs = costs_of(table)
    assert all(costs[label] > 0 for label in repaired(table).partners)


def test_r14_shuffled_cells_give_the_same_bytes() -> None:
    table = table_of(FIVE[1])
    places = list(table.counts.items())
    first = write_publication(repaired(table).publication)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(places))
        shuffled = CountTable("table", dict(places[i] for i in order))
        assert write_publication(repaired(shuffled).publication) == first


def test_r14_of_equally_cheap_blocks_the_first_in_order_is_taken() -> None:
    assert repaired(table_of(("3 40 40", "40 40 40", "40 40 40"))).partners == ("r0, c1", "r1, c0", "r1, c1")


def test_r14_what_nothing_can_protect_is_named() -> None:
    # nobody else is in the table: there is no partner that is not empty
    table = CountTable("table", {("r0", "c0"): 3, ("r1", "c0"): 0})
    found = repair(publish_table(table, [("r0", "c0")], DEFAULT_SETTINGS), truth_of(table), {})
    assert not found.audit.passed
    assert "r0, c0" in found.unprotected


def test_r14_a_rate_can_be_a_partner() -> None:
    case = {
        "populations": {"all": "m f", "men": "m"},
        "outcomes": {"r": "once"},
        "says": {"report": ["all = 140", "men = 100", "r in all over all = 0.40", "r in men over men = 0.55"]},
        "truth": {"m": {"people": 100, "r": 55}, "f": {"people": 40, "r": 1}},
    }
    (publication,), truth = publications_of(case)
    assert [a.target for a in find_attacks([publication], truth)] == ["r, in all but not men"]
    found = repair(publication, truth, {"r in all over all": 56, "r in men over men": 55})
    assert found.partners == ("r in men over men",)
    assert found.audit.passed


def test_r15_two_hidden_cells_that_hold_two_people_are_not_enough() -> None:
    table = CountTable("table", {("a", "n"): 10, ("b", "n"): 30, ("c", "n"): 1, ("d", "n"): 1})
    found = repaired(table)
    assert found.partners == ("a, n",)
    assert audit([found.publication], truth_of(table)).passed


def test_r13_a_time_out_is_a_failure_never_a_pass() -> None:
    # 7 a + 11 b + 13 c = 600 leaves a from 0 to 85 at most, which would pass; but no time is given to find a world
    of = (Piece("A", times=7), Piece("B", times=11), Piece("C", times=13))
    publication = Publication(
        "report",
        {"A": ("a",), "B": ("b",), "C": ("c",)},
        (Exact("weighed", of, 600), statement_of("A = [c]")),
    )
    truth = Truth({("a", ""): 2, ("b", ""): 45, ("c", ""): 7})
    assert audit([publication], truth).passed
    for limits in (Limits(nodes=0, seconds=0.0), Limits(nodes=5000, seconds=0.0)):
        attacks = find_attacks([publication], truth, limits=limits)
        assert {one.breach for one in attacks} == {Breach.TIMED_OUT}
        assert "could not be proved safe" in attacks[0].sentence


def test_r13_statements_that_contradict_one_another_are_named() -> None:
    case = {
        "populations": {"all": "m f", "men": "m"},
        "says": {"report": ["all = 35", "men = 37"]},
        "truth": {"m": {"people": 30}, "f": {"people": 5}},
    }
    publications, truth = publications_of(case)
    last = find_attacks(publications, truth)[-1]
    assert last.breach is Breach.CONTRADICTION
    assert last.sentence == "These cannot all be so: all (35) and men (37)."


def test_r13_a_kept_publication_is_read_back_as_it_was() -> None:
    case = {
        "populations": {"all": "a b", "b": "b"},
        "outcomes": {"r": "once", "t": "often behind r", "u": "often", "v": "often"},
        "sums": {"t": ["u", "v"]},
        "says": {
            "report": [
                "all = 60",
                "x: r in all over all = 0.35",
                "b ~ 15 by 5 from 10",
                "c: b = [c]!",
                "d: b from 10 to 20",
                "weighted w = 0.310",
                "r in all over 60 against w = 4.2",
                "b, r in b among 12 3; 13 4",
            ]
        },
        "truth": {},
    }
    (publication,), _ = publications_of(case)
    text = write_publication(publication)
    assert read_publication(text) == publication
    assert json.loads(text)["version"] == 2


@pytest.mark.parametrize("text", ['{"version": 2}', "[]", "{", '{"version": 1}'])
def test_r13_a_kept_publication_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(Fault):
        read_publication(text)


def test_r13_publications_with_different_people_of_one_name_are_refused() -> None:
    one = Publication("one", {"A": ("a",)}, (statement_of("A = 60"),))
    with pytest.raises(Fault):
        join([one, replace(one, name="two", populations={"A": ("a", "b")})])


def test_r13_a_publication_that_speaks_of_what_it_does_not_have_is_refused() -> None:
    a_rate = Share("x", (Piece("A", "r"),), (Piece("A"),), "0.3")
    for wrong in ((statement_of("A = 60"), statement_of("A = 61")), (statement_of("B = 60"),), (a_rate,)):
        with pytest.raises(Fault):
            Publication("one", {"A": ("a",)}, wrong)
    with pytest.raises(Fault):
        Publication("one", {"A": ("a",)}, (statement_of("A = 60"),), lines=(Line("row", ("B",)),))


def test_r13_what_passes_has_no_attack() -> None:
    table = table_of(FIVE[0])
    found = repaired(table)
    assert explain(found.audit, [found.publication], truth_of(table)) == ()


def test_r14_a_table_of_which_little_is_hidden_is_not_merged() -> None:
    counts = {(f"r{i}", f"c{j}"): 20 + 3 * i + j for i in range(5) for j in range(4)} | {("r0", "c0"): 4}
    found = protect_counts(CountTable("table", counts))
    assert found.merged == ()
    assert found.repaired.audit.passed


def test_r14_where_too_much_would_be_hidden_neighbours_are_merged() -> None:
    # rows 1 and 2 together leave no unsafe cell; any other pair leaves some
    found = protect_counts(table_of(("40 50 60", "5 6 30", "6 7 35")))
    assert found.merged == (("r1", "r2"),)
    assert found.table.counts["r1 or r2", "c0"] == 11
    assert found.repaired.partners == ()
    assert found.repaired.audit.passed


def test_r14_what_merging_cannot_save_is_hidden_whole() -> None:
    found = protect_counts(table_of(("1 2", "3 1")))
    assert all(isinstance(one, Withheld) for one in found.repaired.publication.statements)
