"""The examples of the disclosure rules, as drawn. Rule numbers are those of the rule book."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.cohort.values import Attrition, Step
from counterfoil.disclosure import DEFAULT_SETTINGS, DisclosureSettings, Shown, check_gate, check_groups
from counterfoil.disclosure.cells import Box, Cell, Rule
from counterfoil.disclosure.conditional import why_conditional_hidden
from counterfoil.disclosure.flow import Sizes, count_boxes, decide_sizes, merge_boxes, protect_flow, show_size
from counterfoil.disclosure.precision import (
    counts_that_agree,
    is_rate_vague,
    is_size_vague,
    sizes_from_wald,
)
from counterfoil.disclosure.primary import is_count_safe, protect_count
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.rounding import round_half_up, round_to_base
from counterfoil.disclosure.tables import TOTAL_NOTE, check_total, protect_table
from counterfoil.disclosure.zeros import protect_line
from counterfoil.errors import Fault, Refused, UsageError
from lib.results import attrition_of, comparison_of

UK = DEFAULT_SETTINGS


def shown(cells: tuple[Cell, ...]) -> list[float | str | None]:
    """Cells as a reader sees them."""
    return [c.value if c.shown is None else c.shown.value for c in cells]


# R1


def test_r01_29_matched_is_refused_and_30_is_not() -> None:
    with pytest.raises(Refused) as refused:
        check_gate(attrition_of(100, 80, 40, 29), comparison_of(29, 5000), UK)
    assert refused.value.rule == "R1"
    assert "29" not in refused.value.reason
    check_gate(attrition_of(100, 80, 40, 30), comparison_of(30, 5000), UK)


def test_r01_a_small_comparison_group_is_refused_too() -> None:
    with pytest.raises(Refused, match="Fewer than 30 people"):
        check_gate(attrition_of(100, None, None, 80), comparison_of(80, 29), UK)


@pytest.mark.parametrize(("treated", "others"), [(0, 5000), (1, 5000), (29, 5000), (80, 0), (80, 29)])
def test_r01_before_matching_nobody_learns_how_few_are_left(treated: int, others: int) -> None:
    """Fewer people than J cannot become J by matching, and "fewer than 2 people" would be a count."""
    with pytest.raises(Refused) as refused:
        check_groups(treated, others, UK)
    assert refused.value.rule == "R1"
    assert "Fewer than 30 people could be analysed in one of the groups" in refused.value.reason


def test_r01_before_matching_thirty_in_each_group_are_enough() -> None:
    check_groups(30, 30, UK)


@pytest.mark.parametrize(("submitted", "passes"), [(59, False), (60, True)])
def test_r01_people_submitted(submitted: int, passes: bool) -> None:
    attrition = Attrition(people={Step.SUBMITTED: submitted})
    if passes:
        check_gate(attrition, None, UK)
    else:
        with pytest.raises(Refused, match="Fewer than 60 people were submitted"):
            check_gate(attrition, None, UK)


@pytest.mark.parametrize(("started", "passes"), [(100, True), (101, False), (60, True), (None, True)])
def test_r01_share_missing_from_the_upload(started: int | None, passes: bool) -> None:
    """70 submitted: 30 of 100 is just allowed, 31 of 101 (30.7%) is not."""
    attrition = Attrition(people={Step.SUBMITTED: 70}, started=started)
    if passes:
        check_gate(attrition, None, UK)
    else:
        with pytest.raises(Refused, match="More than 30% of the people who started"):
            check_gate(attrition, None, UK)


def test_r01_repeated_rows_are_not_people() -> None:
    attrition = Attrition(people={Step.SUBMITTED: 65, Step.VALID: 65, Step.ONE_ROW_A_PERSON: 58})
    with pytest.raises(Refused):
        check_gate(attrition, None, UK)


def test_r01_an_unknown_number_submitted_never_opens_the_gate() -> None:
    with pytest.raises(Fault):
        check_gate(Attrition(people={Step.MATCHED: 400}), None, UK)


# R2


@pytest.mark.parametrize(
    ("count", "safe"),
    [(9, False), (10, True), (1, False), (0, True), (-1, False), (9.5, False), (float("nan"), False),
     (float("inf"), False), (None, False)],
)  # fmt: skip
def test_r02_counts(count: float | None, safe: bool) -> None:
    assert is_count_safe(count, UK) is safe
    cell = protect_count(count, UK)
    assert cell == (Cell(value=count) if safe else Cell(value=None, shown=Shown.SUPPRESSED, rule=Rule.R2))


# R3


@pytest.mark.parametrize(
    ("events", "people", "safe"),
    [(9, 60, False), (51, 60, False), (0, 60, False), (60, 60, False), (10, 60, True), (50, 60, True),
     (21, 60, True), (None, 60, False), (20, None, False), (-1, 60, False), (70, 60, False)],
)  # fmt: skip
def test_r03_both_sides_of_a_rate(events: int | None, people: int | None, safe: bool) -> None:
    assert is_rate_safe(events, people, UK) is safe


def test_r03_a_structural_zero_may_be_shown_with_a_reason() -> None:
    reason = "There are no under-18s in an adult prison."
    assert is_rate_safe(0, 60, UK, structural_reason=reason)
    assert not is_rate_safe(0, 9, UK, structural_reason=reason)
    assert not is_rate_safe(3, 60, UK, structural_reason=reason)


# R4


def test_r04_yes_50_no_0_hides_both() -> None:
    assert shown(protect_line([50, 0], UK)) == ["[c]", "[c]"]


def test_r04_a_structural_zero_shows_z() -> None:
    assert shown(protect_line([50, 0], UK, structural=[1])) == [50, "[z]"]


def test_r04_a_zero_beside_a_hidden_count_is_hidden() -> None:
    """With the total, 50 and 0 would leave exactly the hidden one."""
    assert shown(protect_line([50, 4, 0], UK)) == [50, "[c]", "[c]"]


def test_r04_a_zero_beside_two_safe_counts_is_shown() -> None:
    assert shown(protect_line([50, 20, 0], UK)) == [50, 20, 0]


def test_r04_nothing_but_zeros_is_hidden() -> None:
    assert shown(protect_line([0, 0], UK)) == ["[c]", "[c]"]


# R5


def test_r05_suppress_then_round_then_derive() -> None:
    table = protect_table({"a": 3, "b": 8, "c": 16, "d": 23}, UK)
    assert shown(tuple(table.rows.values())) == ["[c]", "[c]", 15, 25]


@pytest.mark.parametrize(
    ("count", "base", "rounded"), [(12, 5, 10), (13, 5, 15), (25, 10, 30), (15, 10, 20), (0, 5, 0)]
)
def test_r05_halves_go_up(count: int, base: int, rounded: int) -> None:
    assert round_to_base(count, base) == rounded


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [(0.285, 2, 0.29), (2.5, 0, 3.0), (-2.5, 0, -3.0), (-0.04, 1, 0.0), (0.30555, 3, 0.306), (1794.34, 0, 1794.0)],
)
def test_r05_results_are_rounded_once_halves_away_from_zero(value: float, decimals: int, rounded: float) -> None:
    assert str(round_half_up(value, decimals)) == str(rounded)


# R6


@pytest.mark.parametrize(
    ("rate", "sizes", "only"),
    [(0.304, range(23, 28), (7, 23)), (0.364, range(20, 25), (8, 22))],
)
def test_r06_one_decimal_gives_the_count_back(rate: float, sizes: range, only: tuple[int, int]) -> None:
    """30.4% with N in 23-27 is only 7/23; 36.4% with N in 20-24 is only 8/22."""
    assert [(k, n) for n in sizes for k in counts_that_agree(rate, 3, n)] == [only]
    assert not is_rate_vague(rate, 3, sizes, UK, cleared=False)


def test_r06_35_per_cent_of_exactly_60_passes_only_as_cleared() -> None:
    assert list(counts_that_agree(0.35, 2, 60)) == [21]
    assert not is_rate_vague(0.35, 2, [60], UK, cleared=False)
    assert is_rate_vague(0.35, 2, [60], UK, cleared=is_rate_safe(21, 60, UK))


def test_r06_a_group_of_1000_is_vague_enough() -> None:
    """At 1,000 people a whole per cent is 10 people wide; a rate of 0.1 of a per cent there is 1."""
    assert is_rate_vague(0.351, 3, [1000], UK, cleared=False)
    assert not is_rate_vague(0.351, 3, [999], UK, cleared=False)


def test_r06_a_rate_that_nothing_agrees_with_is_unsafe() -> None:
    assert not is_rate_vague(0.5, 3, [3], UK, cleared=False)
    assert not is_rate_vague(0.5, 3, [], UK, cleared=False)


# R7


def test_r07_an_interval_gives_n_back() -> None:
    """25% to 45% around 35% is n of about 87."""
    found = sizes_from_wald(0.35, 0.25, 0.45, range(30, 500), decimals=2)
    assert 87 in found
    assert min(found) > 75
    assert max(found) < 100


def test_r07_a_hidden_n_must_stay_vague() -> None:
    assert not is_size_vague(range(133, 138), 140, UK)
    assert not is_size_vague([], 140, UK)
    assert not is_size_vague(range(131, 141), 140, UK)  # 0 to 9 lost: the upper end is under T
    assert is_size_vague(range(130, 141), 140, UK)


# R9


def test_r09_21_reoffenders_of_60_are_too_few() -> None:
    assert why_conditional_hidden((21, 9000), (60, 24000), UK) is Rule.R9
    assert why_conditional_hidden((9000, 21), (24000, 60), UK) is Rule.R9


def test_r09_the_support_is_a_count_beside_the_group() -> None:
    """55 reoffenders of 60 leave 5 who did not: R3 on the support itself."""
    assert why_conditional_hidden((55, 9000), (60, 24000), UK) is Rule.R3
    assert why_conditional_hidden((48, 9000), (137, 24000), UK) is None


# R11


def flow(*counts: int) -> dict[Box, int]:
    return dict(zip(Box, counts, strict=True))


def test_r11_140_137_120_must_not_bound_the_first_step() -> None:
    merged = merge_boxes({Box.SUBMITTED: 140, Box.IN_SCOPE: 137, Box.ANALYSED: 120}, UK)
    assert [n for _, n in merged] == [140, 120]


@pytest.mark.parametrize(
    ("counts", "left"),
    [
        ((140, 130, 115, 100), [140, 130, 115, 100]),  # every step 10 or more
        ((140, 131, 115, 100), [140, 115, 100]),  # 9 lost at the first
        ((140, 120, 111, 101), [140, 120, 101]),  # 9 lost in the middle
        ((140, 120, 105, 100), [140, 120, 100]),  # 5 lost at the last
        ((140, 140, 120, 120), [140, 140, 120, 120]),  # nobody lost is no small count
        ((140, 137, 134, 131), [140, 131]),
        ((140, 139, 139, 139), [140, 139]),
    ],
)
def test_r11_merging(counts: tuple[int, int, int, int], left: list[int]) -> None:
    assert [n for _, n in merge_boxes(flow(*counts), UK)] == left


def test_r11_merged_boxes_say_what_they_stand_for() -> None:
    names = [names for names, _ in merge_boxes(flow(140, 137, 120, 100), UK)]
    assert names == [(Box.SUBMITTED,), (Box.IN_SCOPE, Box.COMPARABLE), (Box.ANALYSED,)]


@pytest.mark.parametrize(("analysed", "sizes"), [(140, Sizes.EXACT), (131, Sizes.HIDDEN), (130, Sizes.EXACT)])
def test_r11_nearly_everybody_analysed_hides_how_many(analysed: int, sizes: Sizes) -> None:
    assert decide_sizes(flow(140, analysed, analysed, analysed), headline_safe=True, settings=UK) is sizes


def test_r11_the_analysed_are_exact_only_if_r3_clears() -> None:
    assert decide_sizes(flow(140, 120, 110, 98), headline_safe=False, settings=UK) is Sizes.ROUNDED
    assert show_size(98, 140, Sizes.ROUNDED, UK) == Cell(value=100, about=True)
    assert show_size(138, 138, Sizes.ROUNDED, UK) == Cell(value=138, about=True)


def test_r11_never_more_than_four_boxes_and_the_submitted_exact() -> None:
    public = protect_flow(flow(140, 137, 120, 100), 150, Sizes.EXACT, UK)
    assert [b.people.value for b in public.boxes] == [140, 120, 100]
    assert (public.submitted.value, public.analysed.value, public.started.value) == (140, 100, 150)


def test_r11_offended_before_the_start_is_never_a_box() -> None:
    steps = {Step.SUBMITTED: 400, Step.LINKED: 380, Step.ELIGIBLE: 340, Step.NO_OFFENCE_BEFORE_START: 300,
             Step.ON_SUPPORT: 290, Step.MATCHED: 280}  # fmt: skip
    counts = count_boxes(Attrition(people=steps), 280)
    assert counts == {Box.SUBMITTED: 400, Box.IN_SCOPE: 300, Box.COMPARABLE: 290, Box.ANALYSED: 280}
    assert 340 not in counts.values()


def test_r11_a_flow_that_does_not_add_up_is_a_fault() -> None:
    with pytest.raises(Fault, match="disagree"):
        count_boxes(attrition_of(140, None, None, 100), 101)
    with pytest.raises(Fault, match="gains people"):
        count_boxes(attrition_of(140, 150, None, 100), 100)
    with pytest.raises(Fault, match="does not start"):
        count_boxes(Attrition(people={}), 100)


# R16


def test_r16_35_total_35_for_a_true_38_is_rejected() -> None:
    """Suppressing 3 and adding up the rest hides nothing: 38 rounds to 40."""
    with pytest.raises(Refused) as refused:
        check_total(35, 38, UK)
    assert refused.value.rule == "R16"
    check_total(40, 38, UK)


def test_r16_the_total_is_the_rounded_true_total_and_says_so() -> None:
    table = protect_table({"a": 3, "b": 8, "c": 16, "d": 23}, UK)
    assert table.total.value == 50
    assert "may differ from the sum" in table.note == TOTAL_NOTE


def test_r16_a_total_of_hidden_counts_is_hidden() -> None:
    assert protect_table({"a": 3, "b": 4}, UK).total.shown is Shown.SUPPRESSED
    assert protect_table({"yes": 50, "no": 0}, UK, structural=["no"]).total.value == 50
    assert protect_table({"yes": 50, "no": 0}, UK).total.shown is Shown.SUPPRESSED


# settings


def test_settings_say_where_they_come_from() -> None:
    annex = UK.annex()
    assert {p.symbol: p.value for p in annex} == {
        "M": 60, "S": 0.30, "T": 10, "J": 30, "B": 5, "D": 10, "W": 10, "p": 0.10, "L": 1000,
    }  # fmt: skip
    assert all(p.meaning and p.source for p in annex)


def test_settings_that_switch_a_rule_off_are_refused_all_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        DisclosureSettings(threshold=0, min_group=-1, max_missing_share=1.0)
    assert len(refused.value.problems) == 3
    with pytest.raises(UsageError):
        replace(UK, rounding_base=0)
