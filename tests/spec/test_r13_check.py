"""R13 holds the check against an outcome of before: what people did in that year is what they are like."""

from __future__ import annotations

import numpy as np
import pytest

from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Beside,
    More,
    People,
    Protected,
    TrustResult,
    WayGroup,
    WayResult,
    protect,
    protect_audited,
    read_said,
    write_said,
)
from counterfoil.disclosure.audited import Audited, Control, Said
from counterfoil.disclosure.cells import Box
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from lib.results import attrition_of, comparison_of, rate_effect

LARGE = (9000, 29000)
BEFORE = Measure("before", "Offended in the year before", Kind.RATE, noun="offended")
FIRST, WHOLE = 140, 170  # people of the first report, and of the second, whose list has thirty more


def did_before(more: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """40 of the first 140 offended in the year before, and `more` of the thirty who follow."""
    had = np.zeros(WHOLE, np.bool_)
    had[[*range(0, 80, 2), *range(FIRST, FIRST + more)]] = True
    return had


def audited(size: int, more: int, *earlier: Said, weighted: bool = False) -> Audited:
    """A third had the outcome afterwards; of before there is only the check."""
    had, before = (np.arange(size) % 3 == 0).astype(np.float64), did_before(more)[:size]
    everyone = np.ones(size, np.bool_)
    comparison = comparison_of(size, 29000)

    def again(asked: More) -> Protected:
        effect = rate_effect((int(before.sum()), size), LARGE, measure=BEFORE)
        check = WayResult("year_before", everyone, comparison, effect, "", WayGroup.CHECK)
        found = TrustResult(control=check, control_outcome=before.astype(np.float64))
        beside = Beside(members=everyone, headline=had, trust=found)
        flow = attrition_of(size + 60, size + 40, size + 20, size)
        return protect([rate_effect((int(had.sum()), size), LARGE)], comparison, flow, beside=beside, more=asked)

    people = People(
        keys=tuple(f"person {n}" for n in range(size)),
        analysed=everyone,
        values={again(More()).measures[0].measure.name: had},
        boxes={Box.SUBMITTED: size + 60, Box.IN_SCOPE: size + 40, Box.COMPARABLE: size + 20, Box.ANALYSED: size},
        headline=had,
        control=Control(everyone, ~everyone, before),
        weighted=weighted,
    )
    return protect_audited(again, people, earlier, DEFAULT_SETTINGS)


def hidden(found: Audited) -> str | None:
    trust = found.protected.trust
    assert trust is not None
    assert trust.control is not None
    return trust.control.hidden


@pytest.mark.parametrize(("more", "rule"), [(3, "R13"), (15, None), (27, "R13")])
def test_r13_what_thirty_more_people_did_before_is_not_told_where_few_did_or_did_not(
    more: int, rule: str | None
) -> None:
    """The thirty's own rate may be told (ten and twenty); 3 who offended before, or 27 and so 3 who did not, not."""
    before = read_said(write_said(audited(FIRST, more).said), "the report before")
    found = audited(WHOLE, more, before)
    assert hidden(found) == rule
    assert found.protected.measures[0].treated.value.value is not None
    words = [attack.sentence for each in found.record.repairs for attack in each.attacks]
    assert any("the check" in one for one in words) is (rule is not None)


def test_r13_a_report_alone_keeps_its_check() -> None:
    found = audited(WHOLE, 3)
    assert hidden(found) is None
    assert any(one.label == "the check" for one in found.said.statements)


def test_r13_the_check_of_weighted_people_is_no_count() -> None:
    assert not any(one.label == "the check" for one in audited(WHOLE, 3, weighted=True).said.statements)
