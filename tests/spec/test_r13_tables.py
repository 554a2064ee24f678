"""Tables of the group (a profile): small kinds are merged or hidden, and nothing beside a table gives one away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from counterfoil.disclosure import (
    Beside,
    GroupTable,
    More,
    People,
    Protected,
    SubResult,
    protect,
    protect_audited,
    read_said,
    write_said,
)
from counterfoil.disclosure.audited import Audited, Said
from counterfoil.disclosure.audited.joint import join_reports
from counterfoil.disclosure.cells import Box, Rule
from counterfoil.disclosure.group_tables import merge_kinds
from counterfoil.disclosure.intruder import AddsUp, Counts, Exact, Outcome, Piece, audit
from counterfoil.disclosure.settings import DEFAULT_SETTINGS
from counterfoil.errors import Fault
from lib.beside import sub_result
from lib.results import attrition_of, comparison_of, rate_effect

LARGE = (9000, 29000)
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


def table_of(name: str, counts: Mapping[str, int], *, ordered: bool = False) -> GroupTable:
    """Kinds of so many people each, spread over the rows by turns."""
    total = sum(counts.values())
    draw = np.random.default_rng(len(name)).permutation(total)
    edges = np.cumsum([0, *counts.values()])
    cells = {kind: (draw >= a) & (draw < b) for kind, a, b in zip(counts, edges, edges[1:], strict=False)}
    return GroupTable(name, cells, ordered)


def audited(
    tables: Sequence[GroupTable], *earlier: Said, first: int = 0, people: int = 0, women: GroupTable | None = None
) -> Audited:
    """A report of rows `first` to `people` of those whom the tables have; one in three had the outcome."""
    whole = len(next(iter(tables[0].cells.values())))
    rows = slice(first, people or whole)
    mine = [GroupTable(t.name, {k: m[rows] for k, m in t.cells.items()}, t.ordered) for t in tables]
    had = (np.arange(whole)[rows] % 3 == 0).astype(np.float64)
    size, events = len(had), int(had.sum())
    everyone = np.ones(size, np.bool_)
    parts: tuple[SubResult, ...] = ()
    if women is not None:
        members = women.cells["women"][rows]
        parts = (sub_result("Women", members, int(had[members].sum())),)

    def again(more: More) -> Protected:
        flow = attrition_of(size + 60, size + 40, size + 20, size)
        beside = Beside(members=everyone, headline=had, tables=tuple(mine), sub_analyses=parts)
        return protect([rate_effect((events, size), LARGE)], comparison_of(size, 29000), flow, beside=beside, more=more)

    behind = People(
        keys=tuple(f"person {n}" for n in range(whole)[rows]),
        analysed=everyone,
        values={"reoffending_rate": had},
        boxes={Box.SUBMITTED: size + 60, Box.IN_SCOPE: size + 40, Box.COMPARABLE: size + 20, Box.ANALYSED: size},
        parts={place: part.members for place, part in enumerate(parts)},
        tables={one.name: one.cells for one in mine},
        headline=had,
    )
    return protect_audited(again, behind, earlier, DEFAULT_SETTINGS)


def shown(found: Audited, table: int = 0) -> dict[tuple[str, ...], float | None]:
    return {cell.kinds: cell.people.value for cell in found.protected.tables[table].cells}


def test_a_table_of_large_kinds_is_shown_whole() -> None:
    found = audited([table_of("age", {"18 to 24": 40, "25 to 34": 60, "35 and over": 50})])
    assert shown(found) == {("18 to 24",): 40, ("25 to 34",): 60, ("35 and over",): 50}
    assert [cell.share.value for cell in found.protected.tables[0].cells] == [0.27, 0.4, 0.33]
    assert found.record.facts()["repaired"] == []


def test_r02_ordered_kinds_of_few_people_go_with_their_neighbour() -> None:
    found = audited([table_of("age", {"18 to 20": 4, "21 to 24": 36, "25 to 34": 60, "35 and over": 50}, ordered=True)])
    assert shown(found) == {("18 to 20", "21 to 24"): 40, ("25 to 34",): 60, ("35 and over",): 50}


def test_r02_other_kinds_of_few_people_go_together() -> None:
    found = audited([table_of("origin", {"a": 6, "b": 80, "c": 7, "d": 50})])
    assert shown(found) == {("b",): 80, ("d",): 50, ("a", "c"): 13}


def test_r14_one_hidden_kind_hides_the_cheapest_other() -> None:
    """Of 150 people 7, 93 and 50: the 7 are hidden, and 50 with them, for 150 - 93 - 50 is 7."""
    found = audited([table_of("sex", {"a": 7, "b": 93, "c": 50})])
    assert shown(found) == {("a",): None, ("b",): 93, ("c",): None}
    rules = [cell.people.rule for cell in found.protected.tables[0].cells]
    assert rules == [Rule.R2, None, Rule.R13]


def test_r03_nearly_everybody_is_told_of_nobody() -> None:
    found = audited([table_of("sex", {"women": 4, "men": 146})])
    assert shown(found) == {("women",): None, ("men",): None}
    assert not found.protected.tables[0].is_shown


def test_r13_a_sub_analysis_tells_how_many_are_of_its_kind() -> None:
    """60 women are a sub-analysis, so the reader who is told of 60 women and 81 others has 9 of no known sex."""
    table = table_of("sex", {"women": 60, "men": 81, "not known": 9})
    alone = audited([table])
    assert shown(alone) == {("women",): None, ("men",): 81, ("not known",): None}
    beside = audited([table], women=table)
    assert shown(beside) == {("women",): 60, ("men",): None, ("not known",): None}


def test_r13_what_one_more_person_is_like_is_not_told() -> None:
    """139 people and then one more: everything that both tables print would tell what the one is like."""
    table = table_of("age", {"18 to 24": 40, "25 to 34": 60, "35 and over": 40})
    before = audited([table], people=139).said
    after = audited([table], read_said(write_said(before), "the report before"))
    assert not after.protected.tables[0].is_shown


def test_r13_twelve_more_people_of_whom_three_are_of_a_kind() -> None:
    """Reports of 128 and 140 people: 12 more is enough for the rate, but 3 of a kind among them is a small count."""
    few = np.zeros(140, np.bool_)
    few[[*range(0, 80, 2), 130, 133, 136]] = True
    table = GroupTable("sex", {"women": few, "men": ~few})
    before = read_said(write_said(audited([table], people=128).said), "the report before")
    assert shown(audited([table])) == {("women",): 43, ("men",): 97}
    after = audited([table], before)
    assert not after.protected.tables[0].is_shown
    attacks = [attack.sentence for one in after.record.repairs for attack in one.attacks]
    assert any("sex: women" in sentence and "get 3" in sentence for sentence in attacks)


def test_r13_a_group_of_another_report_is_known_to_be_of_its_kind() -> None:
    """The first report has 40 women as a sub-analysis, its own table hidden; 12 more people hold 3 women."""
    few = np.zeros(140, np.bool_)
    few[[*range(0, 80, 2), 130, 133, 136]] = True
    table = GroupTable("sex", {"women": few, "men": ~few})
    alone = audited([table], people=128, women=table)
    assert shown(alone) == {("women",): 40, ("men",): 88}
    first = alone.said
    before = read_said(write_said(first), "the report before")
    assert not audited([table], before).protected.tables[0].is_shown


def test_r11_nothing_is_shown_where_the_size_is_not() -> None:
    table = table_of("age", {"18 to 24": 40, "25 to 34": 60, "35 and over": 50})
    flow = attrition_of(210, 190, 170, 150)
    beside = Beside(members=np.ones(150, np.bool_), tables=(table,))
    found = protect(
        [rate_effect((50, 150), LARGE)], comparison_of(150, 29000), flow, beside=beside, more=More(size=True)
    )
    assert {cell.people.rule for cell in found.tables[0].cells} == {Rule.R11}


def test_a_table_that_leaves_somebody_out_is_a_fault() -> None:
    table = GroupTable("sex", {"women": np.zeros(150, np.bool_)})
    beside = Beside(members=np.ones(150, np.bool_), tables=(table,))
    with pytest.raises(Fault, match="exactly one"):
        protect(
            [rate_effect((50, 150), LARGE)], comparison_of(150, 29000), attrition_of(210, 190, 170, 150), beside=beside
        )


@pytest.mark.parametrize(
    ("counts", "ordered", "expected"),
    [
        ({"a": 3, "b": 4, "c": 50}, True, [("a", "b", "c")]),  # 3 and 4 are still too few
        ({"a": 50, "b": 0, "c": 12}, True, [("a",), ("b", "c")]),
        ({"a": 12, "b": 0, "c": 12}, True, [("a", "b"), ("c",)]),
        ({"a": 3}, True, [("a",)]),
        ({"a": 3, "b": 50, "c": 2}, False, [("a",), ("b",), ("c",)]),  # together still too few: the audit hides
        ({"a": 3, "b": 50}, False, [("a",), ("b",)]),
    ],
)  # fmt: skip
def test_r02_which_kinds_are_merged(counts: dict[str, int], ordered: bool, expected: list[tuple[str, ...]]) -> None:
    assert merge_kinds(counts, DEFAULT_SETTINGS, ordered=ordered) == expected


def test_r13_parts_add_up_only_where_a_report_has_all_of_them() -> None:
    """An earlier report has a total and both parts; a later one, of other people too, has one part alone."""
    whole = np.array([2, 1, 3] * 40)
    one = np.array([1, 1, 1] * 40)
    people = np.ones(120, np.bool_)

    def said(name: str, keys: range, values: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]) -> Said:
        outcomes = tuple(Outcome(each, Counts.OFTEN) for each in values)
        sums = (AddsUp("all", (("one", 1), ("other", 1)), ("people analysed",)),) if "all" in values else ()
        told = tuple(Exact(each, (Piece("people analysed", each),), int(v.sum())) for each, v in values.items())
        names = tuple(f"person {n}" for n in keys)
        return Said(name, names, {"people analysed": people}, values, told, outcomes, sums)

    joint = join_reports(
        [
            said("new", range(60, 180), {"one": one}),
            said("old", range(120), {"one": one, "other": whole - one, "all": whole}),
        ]
    )
    assert audit(joint.publications, joint.truth).untrue == ()
