"""R30: curves at whole months only, from protected counts; a step with fewer than T events is merged with the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.disclosure import Beside, Protected, Rule, protect
from counterfoil.disclosure.survival import merge_steps
from counterfoil.effect import Survival, survival
from lib.beside import MANY, TWELVE, survival_of
from lib.designs import design_of
from lib.results import DAYS, FREQUENCY, RATE, attrition_of, comparison_of, mean_effect, rate_effect

T = 10


@pytest.mark.parametrize(
    ("treated", "comparison", "months"),
    [
        ((10, 10, 10), (50, 50, 50), (1, 2, 3)),
        ((9, 10, 10), (50, 50, 50), (2, 3)),  # 9 in the first month: it is drawn with the second
        ((10, 3, 7, 10), (50, 50, 50, 50), (1, 3, 4)),
        ((10, 10, 9), (50, 50, 50), (1, 3)),  # what is left at the end has no next: it joins the step before
        ((10, 10, 0), (50, 50, 50), (1, 3)),  # nobody is a count too
        ((10, 10, 10), (50, 9, 50), (1, 3)),  # the comparison group's steps count as well
        ((3, 3, 3), (50, 50, 50), ()),
        ((30, 0, 0), (50, 0, 0), (3,)),
    ],
)  # fmt: skip
def test_r30_small_steps_are_merged(
    treated: tuple[int, ...], comparison: tuple[int, ...], months: tuple[int, ...]
) -> None:
    assert merge_steps(treated, comparison, T) == months


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=24))
def test_r30_no_step_has_fewer_than_t(events: list[tuple[int, int]]) -> None:
    treated, comparison = zip(*events, strict=True)
    months = merge_steps(treated, comparison, T)
    enough = min(sum(treated), sum(comparison)) >= T
    assert bool(months) is enough
    for first, last in zip((0, *months), months, strict=False):
        assert min(sum(treated[first:last]), sum(comparison[first:last])) >= T
    assert not months or months[-1] == len(events)


def _protected(found: Survival | None, *, submitted: int = 1000, events: int = 212) -> Protected:
    effects = [rate_effect((events, 820), (9100, 29_000), ess=17_000)]
    flow = attrition_of(submitted, None, None, 820)
    return protect(effects, comparison_of(820, 29_000), flow, beside=Beside(survival=found))


def test_r30_the_curve_has_only_protected_points() -> None:
    quiet = (9, *TWELVE[1:-1], TWELVE[-1] + TWELVE[0] - 9)  # the first month has 9
    shown = _protected(survival_of(quiet)).survival
    assert shown is not None
    assert [p.month.value for p in shown.points] == list(range(2, 13))
    assert shown.points[0].treated.value == 0.04  # 31 of 820 is 3.8%: whole per cent
    assert shown.points[-1].treated.value == 0.26  # 212 of 820
    assert shown.difference.difference.value == 11  # whole days


@pytest.mark.parametrize(
    ("found", "submitted", "rule"),
    [
        (survival_of((3, 3, 3), (9000, 50, 50), (820, 29_000)), 1000, Rule.R3),  # 9 events in all
        (survival_of(TWELVE, MANY, (820, 28_995)), 1000, Rule.R17),  # five people were not followed up
        (survival_of((*TWELVE[:-1], 10)), 1000, Rule.R17),  # four fewer than reoffended in the headline
        (survival_of(), 823, Rule.R7),  # the size is not shown, so nothing that bounds it is
        (survival_of((100, 100, 12), (5, 4, 9091)), 1000, None),
    ],
)  # fmt: skip
def test_r30_a_curve_that_is_not_safe_is_hidden(found: Survival, submitted: int, rule: Rule | None) -> None:
    shown = _protected(found, submitted=submitted).survival
    assert shown is not None
    assert shown.hidden is rule
    if rule is not None:
        assert shown.points == ()
        cells = (shown.treated, shown.comparison, shown.difference.low, shown.hazard.value, shown.log_rank_p)
        assert [cell.value for cell in cells] == [None] * 5


def test_r09_the_days_of_reoffenders_may_be_hidden_while_everyone_is_shown() -> None:
    """24 reoffenders: too few for their own mean, and no obstacle to a mean over all 70."""
    effects = [rate_effect((24, 70), (9100, 29_000)), mean_effect(DAYS, (24, 151, 7000), (9100, 143, 7200))]
    found = survival_of((12, 12), (5000, 4100), (70, 29_000))
    shown = protect(effects, comparison_of(70, 29_000), attrition_of(110, 91, 91, 70), beside=Beside(survival=found))
    assert shown.measures[1].hidden is Rule.R9
    assert shown.survival is not None
    assert shown.survival.hidden is None
    assert len(shown.survival.points) == 2


def test_the_curve_of_people_followed_to_the_end_is_their_plain_share() -> None:
    """Without weights and cutting off, Kaplan-Meier at a month's end is one less events over people."""
    days = np.array([10.0, 40.0, 70.0, np.nan, np.nan, 20.0, 100.0, np.nan])
    treated = np.array([True, True, True, True, False, False, False, False])
    rate = (~np.isnan(days)).astype(np.float64)
    outcomes = {"reoffending_rate": rate, "days_to_first_reoffence": days, "reoffending_frequency": rate}
    found = survival(outcomes, design_of(treated), (RATE, FREQUENCY, DAYS), months=3)
    assert found is not None
    assert found.treated.people == 4
    assert found.treated.events == (1, 1, 1)
    assert found.treated.share == pytest.approx((0.25, 0.5, 0.75))
    assert found.comparison.events == (1, 0, 0)  # day 100 is after three months
    horizon = 3 * 365.25 / 12
    assert found.estimates.restricted.treated.estimate == pytest.approx((10 + 40 + 70 + horizon) / 4)


def test_a_rate_of_another_event_says_nothing_of_who_was_followed() -> None:
    """A two-year rate is 1 for some without days to a first event in one year: no curve is drawn from it alone."""
    days = np.array([10.0, np.nan, np.nan, np.nan, 20.0, np.nan, np.nan, np.nan])
    one_year = np.array([1, 0, 0, np.nan, 1, 0, 0, 0], dtype=np.float64)
    two_years = np.array([1, 1, np.nan, np.nan, 1, 0, 0, np.nan], dtype=np.float64)
    treated = np.arange(8) < 4
    later = replace(RATE, name="two_year_rate")
    outcomes = {"two_year_rate": two_years, "reoffending_rate": one_year, "days_to_first_reoffence": days}
    assert survival(outcomes, design_of(treated), (later, DAYS), months=3) is None
    found = survival(outcomes, design_of(treated), (later, RATE, DAYS), months=3)
    assert found is not None
    assert found.treated.people == 3  # the fourth was not followed for the year
