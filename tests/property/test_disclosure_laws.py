"""Laws of disclosure under generated data. The intruder here is written apart from the code that it attacks."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.disclosure import DEFAULT_SETTINGS, Cell, Protected, Rule, Shown, protect
from counterfoil.disclosure.cells import Box
from counterfoil.disclosure.flow import merge_boxes
from counterfoil.disclosure.primary import protect_count
from counterfoil.disclosure.tables import protect_table
from counterfoil.report.allow_list import cells_in
from lib.results import FREQUENCY, attrition_of, comparison_of, mean_effect, rate_effect

THRESHOLD = 10
WIDTH = 10
BASE = 5
POOL = 24_000


@st.composite
def runs(draw: st.DrawFn, *, most_lost: int = 40) -> tuple[int, int, int, int]:
    """Submitted, analysed, treated events, comparison events of a run that clears R1."""
    lost = draw(st.integers(0 if most_lost >= THRESHOLD else 1, most_lost))
    analysed = draw(st.integers(max(30, 60 - lost), 300))
    return analysed + lost, analysed, draw(st.integers(0, analysed)), draw(st.integers(0, POOL))


@st.composite
def one_sided_runs(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Runs in which fewer than T reoffended, or fewer than T did not."""
    submitted, analysed, _, others = draw(runs())
    few = draw(st.integers(0, THRESHOLD - 1))
    return submitted, analysed, draw(st.sampled_from((few, analysed - few))), others


def protected_of(run: tuple[int, int, int, int]) -> Protected:
    submitted, analysed, events, others = run
    effects = [
        rate_effect((events, analysed), (others, POOL)),
        mean_effect(FREQUENCY, (analysed, 1.3 * events / analysed, 3.0), (POOL, 1.1, 3.0)),
    ]
    return protect(effects, comparison_of(analysed, POOL), attrition_of(submitted, None, None, analysed))


@given(count=st.integers(min_value=-5, max_value=100_000))
def test_r02_no_small_count_survives(count: int) -> None:
    cell = protect_count(count, DEFAULT_SETTINGS)
    assert cell.shown is Shown.SUPPRESSED or cell.value == 0 or (cell.value or 0) >= THRESHOLD


@given(run=runs())
@settings(max_examples=200, deadline=None)
def test_r03_no_shown_rate_has_a_small_side(run: tuple[int, int, int, int]) -> None:
    _, analysed, events, others = run
    measure = protected_of(run).measures[0]
    if measure.treated.value.value is not None:
        assert min(events, analysed - events) >= THRESHOLD
    if measure.comparison.value.value is not None:
        assert min(others, POOL - others) >= THRESHOLD
    if measure.estimate.difference.value is not None:
        assert measure.treated.value.value is not None
        assert measure.comparison.value.value is not None


def believable_sizes(protected: Protected, submitted: int) -> list[int]:
    """Every N from 30 to the submitted that a reader of the rate, its decimals and the count could believe."""
    rate, count = (m.treated.value for m in protected.measures)
    return [
        n
        for n in range(30, submitted + 1)
        if all(
            cell.value is None
            or any(
                abs(Fraction(k, n) - Fraction(repr(cell.value))) <= Fraction(1, 2 * 10**cell.decimals)
                for k in range(int(cell.value * n) - 2, int(cell.value * n) + 3)
            )
            for cell in (rate, count)
        )
    ]


@given(run=runs(most_lost=THRESHOLD - 1))
@settings(max_examples=200, deadline=None)
def test_r11_a_small_loss_cannot_be_read_off(run: tuple[int, int, int, int]) -> None:
    submitted = run[0]
    protected = protected_of(run)
    assert all(m.treated.n.value is None for m in protected.measures)
    assert protected.attrition.analysed.value is None
    believable = believable_sizes(protected, submitted)
    assert submitted - min(believable) >= THRESHOLD
    assert max(believable) - min(believable) >= WIDTH


@given(run=runs())
@settings(max_examples=100, deadline=None)
def test_r05_a_cell_is_hidden_by_a_rule_or_has_just_its_decimals(run: tuple[int, int, int, int]) -> None:
    for cell in cells_in(protected_of(run)):
        if cell.value is None:
            assert (cell.rule is not None) is (cell.shown is Shown.SUPPRESSED)
        else:
            assert cell.value == round(cell.value, cell.decimals)


@given(counts=st.lists(st.integers(0, 400), min_size=2, max_size=6), data=st.data())
def test_r05_no_released_number_of_a_table_depends_on_unrounded_counts(counts: list[int], data: st.DataObject) -> None:
    """Any other table with the same suppressed cells and the same rounded rows and total gives the same release."""

    def kin(count: int) -> st.SearchStrategy[int]:
        if count == 0:
            return st.just(0)
        if count < THRESHOLD:
            return st.integers(1, THRESHOLD - 1)
        nearest = BASE * ((2 * count + BASE) // (2 * BASE))
        return st.integers(max(THRESHOLD, nearest - 2), nearest + 2)

    others = [data.draw(kin(count)) for count in counts]
    first, second = (
        protect_table({str(i): c for i, c in enumerate(table)}, DEFAULT_SETTINGS) for table in (counts, others)
    )
    assert first.rows == second.rows
    for cell in first.rows.values():
        assert cell.value is None or cell.value % BASE == 0
        assert not 0 < (cell.value or 0) < THRESHOLD
    assert first.total.value is None or first.total.value == BASE * ((2 * sum(counts) + BASE) // (2 * BASE))


@given(counts=st.lists(st.integers(0, 300), min_size=4, max_size=4))
def test_r11_neighbours_of_a_merged_flow_differ_by_nothing_or_by_enough(counts: list[int]) -> None:
    people = dict(zip(Box, sorted(counts, reverse=True), strict=True))
    merged = merge_boxes(people, DEFAULT_SETTINGS)
    assert [box for names, _ in merged for box in names] == list(Box)
    assert (merged[0][1], merged[-1][1]) == (people[Box.SUBMITTED], people[Box.ANALYSED])
    steps = [a - b for (_, a), (_, b) in pairwise(merged)]
    assert len(steps) == 1 or all(step == 0 or step >= WIDTH for step in steps)


@given(run=one_sided_runs())
@settings(max_examples=50, deadline=None)
def test_r03_a_hidden_headline_says_which_rule(run: tuple[int, int, int, int]) -> None:
    measure = protected_of(run).measures[0]
    assert measure.treated.value == Cell(value=None, shown=Shown.SUPPRESSED, rule=Rule.R3)
