"""Balance and comparison groups in the audit: what counts people is held as a count, and what does not leaves any."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Beside,
    Compared,
    More,
    People,
    Protected,
    counts_once,
    protect,
    protect_audited,
    read_said,
    write_said,
)
from counterfoil.disclosure.audited import Audited, Said
from counterfoil.disclosure.audited.joint import reached
from counterfoil.disclosure.cells import Box, Rule
from counterfoil.disclosure.intruder import Exact, Known
from counterfoil.lab.paths import MEMBERS
from counterfoil.report.tables import balance_table
from counterfoil.study.audit import Behind, Checked, keep_audit
from lib.results import RATE, attrition_of, balance_row, comparison_of, rate_effect

LARGE = (9000, 29000)
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


def audited(
    terms: Mapping[str, Bools],
    *earlier: Said,
    rows: slice = slice(None),
    weighted: bool = False,
) -> Audited:
    """A report of some rows of those who have the terms; one in three had the outcome."""
    whole = len(next(iter(terms.values())))
    mine = {name: there[rows] for name, there in terms.items()}
    had = (np.arange(whole)[rows] % 3 == 0).astype(np.float64)
    size, events = len(had), int(had.sum())
    balance = tuple(
        balance_row(name, 0.02, binary=True, people=(int(there.sum()), 9000)) for name, there in mine.items()
    )

    def again(more: More) -> Protected:
        flow = attrition_of(size + 60, size + 40, size + 20, size)
        comparison = comparison_of(size, 29000, rows=balance)
        beside = Beside(members=np.ones(size, np.bool_), headline=had)
        return protect([rate_effect((events, size), LARGE)], comparison, flow, beside=beside, more=more)

    people = People(
        keys=tuple(f"person {n}" for n in np.arange(whole)[rows]),
        analysed=np.ones(size, np.bool_),
        values={RATE.name: had},
        boxes={Box.SUBMITTED: size + 60, Box.IN_SCOPE: size + 40, Box.COMPARABLE: size + 20, Box.ANALYSED: size},
        headline=had,
        terms=mine,
        weighted=weighted,
    )
    return protect_audited(again, people, earlier, DEFAULT_SETTINGS)


def kept(found: Audited) -> Said:
    return read_said(write_said(found.said), "the report before")


def rules_of(found: Audited) -> list[Rule | None]:
    return [term.smd.rule for term in found.protected.balance.terms]


def levels(*counts: int) -> dict[str, Bools]:
    place = np.repeat(np.arange(len(counts)), counts)
    return {f"origin: {chr(97 + n)}": place == n for n in range(len(counts))}


def test_r23_three_levels_of_which_one_is_rare_hide_two() -> None:
    """Of 150 people 93, 50 and 7: a difference gives its count away, so 150 - 93 - 50 would be 7."""
    found = audited(levels(93, 50, 7))
    assert rules_of(found) == [None, Rule.R13, Rule.R3]
    words = [attack.sentence for one in found.record.repairs for attack in one.attacks]
    assert any("balance of origin: b" in one for one in words)


def test_r23_a_level_that_nobody_has_costs_the_others_nothing() -> None:
    """Its difference is hidden (R3). That nobody has it can be told from the two that are shown, and is nobody's."""
    found = audited(levels(100, 50, 0))
    assert rules_of(found) == [None, None, Rule.R3]
    assert Known("people analysed", "balance of origin: c", have=False) in found.said.known


def test_r23_three_common_levels_are_shown() -> None:
    assert rules_of(audited(levels(93, 40, 17))) == [None, None, None]


def women(more: int) -> dict[str, Bools]:
    """170 people: 40 women among the first 140, and `more` among the thirty who follow, ten of whom had the outcome."""
    few = np.zeros(170, np.bool_)
    few[[*range(0, 80, 2), *range(140, 140 + more)]] = True
    return {"sex: female": few}


@pytest.mark.parametrize(("more", "rule"), [(0, Rule.R13), (3, Rule.R13), (15, None), (27, Rule.R13)])
def test_r13_what_thirty_more_people_are_like_is_not_told_where_few_are(more: int, rule: Rule | None) -> None:
    """Their rate may be told, for it is of ten and twenty people; 3 women, or 27 and so 3 men, may not."""
    before = kept(audited(women(more), rows=slice(140)))
    found = audited(women(more), before)
    assert rules_of(found) == [rule]
    assert found.protected.measures[0].treated.value.value is not None


def test_r13_shares_of_weighted_people_are_said_to_nobody() -> None:
    """They are real numbers. Beside nearly the same people they are hidden all the same."""
    found = audited(women(3), weighted=True)
    assert not any(one.label.startswith("balance") for one in found.said.statements)
    assert rules_of(audited(women(3), kept(audited(women(3), rows=slice(169), weighted=True)), weighted=True)) != [None]


def test_r03_a_band_of_before_a_rare_characteristic_is_hidden() -> None:
    """The pool's share may be known: 10% in a pool, and a green band, tell of 100 people that 9 to 11 have it."""
    found = audited(levels(93, 50, 7)).protected.balance.terms
    assert [row[2] for row in balance_table(audited(levels(93, 50, 7)).protected).rows] == ["red", "red", "[c]"]
    assert [(term.before is None, term.before_hidden) for term in found] == [
        (False, False),
        (False, False),
        (True, True),
    ]


# what counts nobody


def test_r13_any_number_of_weighted_people_can_have_had_the_outcome() -> None:
    """A comparison rate of 31% of 140: whoever has no weights cannot say how many they were."""
    for having in range(1, 140):
        had = np.arange(140) < having
        weight = np.where(had, 0.31 / having, 0.69 / (140 - having))
        assert weight.min() > 0.0
        assert f"{np.average(had, weights=weight):.2f}" == "0.31"


def test_r13_any_total_agrees_with_a_difference_of_two_means() -> None:
    """A difference of 0.12 standard deviations of a number of 140 people: of any total, from one each to ten each.

    Neither mean is printed, nor the standard deviation; here the comparison people stand where they must.
    """
    for total in range(140, 1401):
        numbers = np.full(140, total // 140) + (np.arange(140) < total % 140) + np.tile([-1, 1], 70)
        assert numbers.sum() == total
        compared = numbers - 0.12 * numbers.std(ddof=1)
        assert f"{(numbers.mean() - compared.mean()) / numbers.std(ddof=1):.2f}" == "0.12"


def test_r13_groups_of_uneven_people_leave_the_width_open() -> None:
    """By every number that can have had the outcome: the most even weights that give the rate are even within each
    kind, and their effective size must not be under the one that is printed."""
    width = DEFAULT_SETTINGS.min_width
    seen = set()
    for people in (30, 60, 100, 400):
        for ess in np.linspace(0.5 * people, people, 26):
            open_still = not counts_once(people, float(ess), DEFAULT_SETTINGS)
            seen.add(open_still)
            for events in range(10, people - 9):
                rate = events / people
                possible = [
                    k for k in range(1, people) if 1 / (rate**2 / k + (1 - rate) ** 2 / (people - k)) >= ess - 1e-9
                ]
                assert not open_still or possible[-1] - possible[0] >= width
    assert seen == {True, False}


def test_r13_people_who_count_once_each_are_a_count() -> None:
    assert counts_once(140, 140.0, DEFAULT_SETTINGS)
    assert not counts_once(29_000, 17_000.0, DEFAULT_SETTINGS)
    assert not counts_once(0, 0.0, DEFAULT_SETTINGS)


# comparison groups


def trial(first: int, compared: slice, *earlier: Said, even: bool = True) -> Audited:
    """70 treated from number `first`, 24 of whom had the outcome, and comparison people of a row of 90."""
    others = np.arange(90)[compared]
    had = np.concatenate([np.arange(70) < 24, np.isin(others, [*range(30), 70, 71, 72])]).astype(np.float64)
    treated = np.arange(len(had)) < 70
    k, n = int(had[70:].sum()), len(others)

    def again(more: More) -> Protected:
        flow = attrition_of(130, 110, 90, 70)
        beside = Beside(members=treated, headline=had)
        return protect([rate_effect((24, 70), (k, n))], comparison_of(70, n), flow, beside=beside, more=more)

    keys = [*(f"person {first + i}" for i in range(70)), *(f"comparison {i}" for i in others)]
    whole = People(
        keys=tuple(keys),
        analysed=treated,
        values={RATE.name: had},
        boxes={Box.SUBMITTED: 130, Box.IN_SCOPE: 110, Box.COMPARABLE: 90, Box.ANALYSED: 70},
        headline=had,
        compared=Compared(~treated),
    )
    alone = replace(
        whole, keys=whole.keys[:70], analysed=treated[:70], values={RATE.name: had[:70]}, headline=had[:70],
        compared=None,
    )  # fmt: skip
    return protect_audited(again, whole if even else alone, earlier, DEFAULT_SETTINGS)


def shown(found: Audited) -> bool:
    return found.protected.measures[0].comparison.value.value is not None


def test_r13_twelve_more_comparison_people_of_whom_three_had_the_outcome_are_not_told_of() -> None:
    """30 of the first 70 had it, 33 of 82; the treated are others, so that nothing else is shared."""
    before = kept(trial(0, slice(70)))
    found = trial(100, slice(82), before)
    assert not shown(found)
    words = [attack.sentence for each in found.record.repairs for attack in each.attacks]
    assert any("comparison group" in one and "get 3" in one for one in words)


def test_r13_a_comparison_group_alone_keeps_all_that_the_rules_show() -> None:
    found = trial(0, slice(70))
    assert found.record.facts()["repaired"] == []
    assert {one.value for one in found.said.statements if isinstance(one, Exact) and "comparison" in one.label} == {
        70,
        30,
    }


def test_r13_other_comparison_people_give_nothing_away() -> None:
    assert shown(trial(100, slice(20, 90), kept(trial(0, slice(70)))))


def test_r13_a_weighted_comparison_group_is_no_target() -> None:
    """Else any two reports that draw on the same pool would collide."""
    assert shown(trial(100, slice(82), kept(trial(0, slice(70), even=False)), even=False))


def test_r18_the_linker_is_told_of_nobody_compared(tmp_path: Path) -> None:
    """Comparison people are in no list: the ledger's file of people is of those treated."""
    found = trial(0, slice(70))
    behind = Behind(seal=lambda data: data)
    keep_audit(tmp_path, "a run", {}, Checked(found, tuple(range(70))), behind)
    assert set(json.loads((tmp_path / MEMBERS).read_bytes())["populations"]) == {
        name for name in found.said.members if "comparison" not in name
    }
    assert "comparison group" in found.said.members


def test_r13_reports_that_share_comparison_people_are_found_by_way_of_others() -> None:
    first, second, third = trial(0, slice(35)).said, trial(100, slice(30, 90)).said, trial(200, slice(60, 90)).said
    assert reached(first.keys, (), (second, third)) == (second, third)
    assert reached(first.keys, (), (third,)) == ()
    assert reached(("nobody",), (first,), (second,)) == (second,)
