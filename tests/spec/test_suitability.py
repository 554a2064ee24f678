"""Services that the method cannot answer for, with the reason (METHODS 2: "method not suitable")."""

from __future__ import annotations

import pytest

from counterfoil.cohort.suitability import check_suitable, unsuitable_reasons
from counterfoil.errors import Refused, UsageError

EXPECTED = {  # METHODS 2 and EVALUATION A6, and open-ended drop-in services (EVALUATION A2)
    "gangs",
    "terrorism",
    "children",
    "vulnerable",
    "substance_misuse",
    "sexual_offending",
    "domestic_violence",
    "unseen_needs",
    "no_clear_start",
}


def test_the_table_holds_every_group_once() -> None:
    names = [row.name for row in unsuitable_reasons()]
    assert (set(names), len(names)) == (EXPECTED, len(EXPECTED))


@pytest.mark.parametrize("reason", sorted(EXPECTED))
def test_each_is_refused_with_a_reason(reason: str) -> None:
    with pytest.raises(Refused, match="not suitable for a service") as refusal:
        check_suitable(reason)
    assert refusal.value.rule == "method not suitable"


def test_a_service_that_none_describes_goes_on() -> None:
    check_suitable("")


def test_a_reason_that_is_unknown_is_a_mistake_and_no_pass() -> None:
    with pytest.raises(UsageError, match="gangs, terrorism"):
        check_suitable("gang")
