"""What a number of people can show, before anyone is uploaded (EVALUATION's rule of thumb; DISCLOSURE R1, R3, R9)."""

from __future__ import annotations

import math

import pytest

from counterfoil.effect import PowerResult, people_needed, power_table
from counterfoil.errors import UsageError
from counterfoil.report.words import words_of


def said(result: PowerResult) -> tuple[str, ...]:
    """The answer in English."""
    return tuple(words_of("en")(f"powerpage.says.{case.key}", **case.filling) for case in result.cases)


@pytest.mark.parametrize(("people", "half_width"), [(100, 9.6), (500, 4.3), (3000, 1.8)])
def test_precision_rule_of_thumb_at_a_base_of_40(people: int, half_width: float) -> None:
    assert round(power_table(people, 0.4, (1.0,)).rows[0].half_width, 1) == half_width


def test_five_points_need_about_715_people() -> None:
    assert people_needed(-5.0, 0.4) == 715
    assert power_table(715, 0.4, (1.0,)).rows[0].fewer == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize("rate", [0.05, 0.27, 0.59])
def test_the_change_is_the_reach_of_its_own_error(rate: float) -> None:
    row = power_table(400, rate, (0.5,)).rows[0]
    for change in (-row.fewer, row.more):
        after = rate + change / 100
        assert abs(change) / 100 == pytest.approx(
            (1.959964 + 0.841621) * math.sqrt(after * (1 - after) / 200), rel=1e-6
        )


def test_r01_fewer_than_60_people_or_30_analysed_are_hidden_for_certain() -> None:
    assert power_table(59, 0.27, (1.0,)).rows[0].chance_rate_hidden == 1.0
    assert power_table(60, 0.27, (0.48,)).rows[0].chance_rate_hidden == 1.0  # 29 analysed
    assert power_table(60, 0.27, (0.5,)).rows[0].chance_rate_hidden < 1.0  # 30 analysed


def test_r03_chance_is_the_binomial_of_under_10_on_either_side() -> None:
    row = power_table(60, 0.5, (0.5,)).rows[0]
    under_ten = sum(math.comb(30, k) for k in range(10)) / 2**30
    assert row.chance_rate_hidden == pytest.approx(2 * under_ten, rel=1e-12)


def test_r09_days_need_30_with_the_outcome() -> None:
    row = power_table(60, 0.5, (1.0,)).rows[0]
    assert row.chance_days_hidden == pytest.approx(sum(math.comb(60, k) for k in range(30)) / 2**60, rel=1e-12)


def test_sentences_say_why_nothing_could_be_published() -> None:
    assert said(power_table(40)) == (
        "Fewer than 60 people: no result can be published. Send more people, or more years.",
    )
    few = said(power_table(80, 0.27, (1.0, 0.25)))
    assert "the smallest fall that would show is" in few[0]
    assert few[1].endswith("nothing can be published: at least 30 people must be analysed.")
    assert "27 in every 100" in few[-1]


def test_more_people_show_less_and_hide_less() -> None:
    rows = [power_table(n, 0.27, (1.0,)).rows[0] for n in (60, 120, 240, 480, 960)]
    assert [r.fewer for r in rows] == sorted((r.fewer for r in rows), reverse=True)
    assert [r.more for r in rows] == sorted((r.more for r in rows), reverse=True)
    assert [r.chance_rate_hidden for r in rows] == sorted((r.chance_rate_hidden for r in rows), reverse=True)


def test_mistakes_are_told_together() -> None:
    with pytest.raises(UsageError) as told:
        power_table(0, 1.5, ())
    assert len(told.value.problems) == 3
    with pytest.raises(UsageError):
        people_needed(0.0)
    with pytest.raises(UsageError):
        people_needed(-30.0, 0.27)


def test_when_to_come_back() -> None:
    """715 people analysed show 5 points at a base of 40; at three quarters analysed that is 715 / 0.75, rounded up."""
    result = power_table(240, 0.4, change=5.0)
    assert [(c.share, c.analysed, c.people) for c in result.come_back] == [
        (1.0, 715, 715), (0.75, 715, 954), (0.5, 715, 1430), (0.25, 715, 2860)
    ]  # fmt: skip
    assert any(each.endswith("come back when you have 1,430 people.") for each in said(result))
    assert power_table(60, 0.4, (1.0,), change=39.0).come_back[0].people == 60  # R1 asks for 60 whatever the change


def test_the_curve_passes_through_the_table_and_falls() -> None:
    curve = power_table(240, 0.4, (1.0,)).curve
    assert (curve[0].analysed, curve[-1].analysed) == (30, 715)
    assert curve[-1].fewer == pytest.approx(5.0, abs=0.01)
    assert [p.fewer for p in curve] == sorted((p.fewer for p in curve), reverse=True)
