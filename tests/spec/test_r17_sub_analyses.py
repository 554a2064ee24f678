"""R17 among sub-analyses and the whole: complements, overlaps, and what several leave over together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.disclosure import DEFAULT_SETTINGS, Beside, Protected, SubResult, Verdict, protect
from counterfoil.disclosure.sub_analyses import find_differenced
from counterfoil.effect import holm
from lib.beside import sub_result
from lib.results import attrition_of, comparison_of, rate_effect

D = 10
Rows = np.ndarray[tuple[int], np.dtype[np.bool_]]


def _rows(first: int, last: int, n: int = 140) -> Rows:
    places = np.arange(n)
    return (places >= first) & (places < last)


def _even(n: int = 140) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (np.arange(n) % 2).astype(np.float64)


@pytest.mark.parametrize(
    ("parts", "hides"),
    [
        ([(0, 131)], [True]),  # all 140, men 131: 9 women
        ([(0, 130)], [False]),
        ([(0, 140)], [False]),  # the whole again is the same number
        ([(0, 70), (70, 135)], [False, True]),  # together they leave 5
        ([(0, 70), (70, 140)], [False, False]),
        ([(0, 70), (5, 75)], [False, True]),  # two parts that hardly differ
        ([(0, 60), (60, 100), (100, 137)], [False, False, True]),  # three that leave 3
        ([(0, 70), (40, 110)], [False, False]),
    ],
)
def test_r17_small_differences_hide_the_later_part(parts: list[tuple[int, int]], hides: list[bool]) -> None:
    whole = np.ones(140, np.bool_)
    made = [_rows(*part) for part in parts]
    assert list(find_differenced(whole, made, None, DEFAULT_SETTINGS)) == hides


def test_r17_the_complement_needs_enough_with_and_without_the_outcome() -> None:
    whole, men = np.ones(140, np.bool_), _rows(0, 100)
    outcome = np.zeros(140)
    outcome[:50] = 1.0
    outcome[100:109] = 1.0  # 9 of the 40 women: 59 of 140 less 50 of 100 gives them away
    assert find_differenced(whole, [men], outcome, DEFAULT_SETTINGS) == (True,)
    outcome[109] = 1.0
    assert find_differenced(whole, [men], outcome, DEFAULT_SETTINGS) == (False,)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 11), max_size=12), min_size=1, max_size=3), st.integers(0, 5))
def test_r17_no_pair_that_is_shown_differs_by_a_few(parts: list[list[int]], spread: int) -> None:
    """An intruder with set differences alone, who knows nothing of our algebra: blocks of 3 to 8 people."""
    block = np.repeat(np.arange(12), 3 + spread)
    whole = np.ones(len(block), np.bool_)
    made = [np.isin(block, part) for part in parts]
    hides = find_differenced(whole, made, None, DEFAULT_SETTINGS)
    shown = [whole, *(m for m, hidden in zip(made, hides, strict=True) if not hidden)]
    for a, b in itertools.permutations(shown, 2):
        assert not 0 < int((a & ~b).sum()) < D
    for chosen in itertools.combinations(shown[1:], 2):
        if not (chosen[0] & chosen[1]).any():
            assert not 0 < int((~(chosen[0] | chosen[1])).sum()) < D


def _report(parts: tuple[SubResult, ...], outcome: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Protected:
    effects = [rate_effect((int(outcome.sum()), 140), (9_100, 29_000), ess=17_000)]
    beside = Beside(members=np.ones(140, np.bool_), headline=outcome, sub_analyses=parts)
    return protect(effects, comparison_of(140, 29_000), attrition_of(300, None, None, 140), beside=beside)


def test_r17_in_a_report_the_later_part_is_hidden_with_its_rule() -> None:
    outcome = _even()
    first, second = _rows(0, 70), _rows(70, 135)
    shown = _report((sub_result("A", first, 35), sub_result("B", second, 32)), outcome).sub_analyses
    assert [part.hidden for part in shown] == [None, "R17"]
    assert shown[1].difference.value is None
    assert shown[1].p_holm.value is None
    assert shown[1].verdict is Verdict.HIDDEN


def test_r03_a_part_with_few_events_is_hidden() -> None:
    shown = _report((sub_result("A", _rows(0, 70), 9),), _even()).sub_analyses
    assert [part.hidden for part in shown] == ["R3"]


def test_r07_a_part_is_shown_in_whole_points_and_without_its_size() -> None:
    (shown,) = _report((sub_result("A", _rows(0, 70), 35),), _even()).sub_analyses
    assert shown.difference.decimals == shown.low.decimals == shown.high.decimals == 0
    assert not hasattr(shown, "n")
    assert shown.difference.value is not None
    assert abs(shown.difference.value - 100 * (35 / 70 - 9_100 / 29_000)) <= 2.5  # 18.6 points, in steps of 1, 2 or 5


def test_r25_a_part_that_is_refused_names_the_rule() -> None:
    stopped = (sub_result("A", _rows(0, 9), 0, rule="R1"), sub_result("B", _rows(0, 50), 0, rule="balance"))
    shown = _report(stopped, _even()).sub_analyses
    assert [part.hidden for part in shown] == ["R1", "balance"]
    assert all(part.difference.value is None for part in shown)


def test_the_verdict_of_a_part_is_that_of_the_corrected_p() -> None:
    """Two parts at 0.03 each: by Holm 0.06, so that neither is a finding."""
    corrected = holm((0.03, 0.03))
    assert corrected == (0.06, 0.06)
    parts = tuple(
        sub_result(name, rows, 35, p=p)
        for name, rows, p in zip("AB", (_rows(0, 70), _rows(70, 140)), corrected, strict=True)
    )
    shown = _report(parts, _even()).sub_analyses
    assert [part.verdict for part in shown] == [Verdict.NOT_ENOUGH_EVIDENCE] * 2
