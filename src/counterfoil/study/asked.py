"""What must be the same in two plans for their results to be of one thing. Each report says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Pairs = tuple[tuple[str, str], ...]


def asked_of(plan: Mapping[str, Any]) -> Pairs:
    """From a plan's values, every default written out: how long events are followed, from when, which, against whom."""
    outcomes, cohort = plan["outcomes"], plan["cohort"]
    return (
        ("follow_up_months", str(outcomes["follow_up_months"])),
        ("waiting_months", str(outcomes["waiting_months"])),
        ("follow_from", str(cohort["follow_from"])),
        ("index_kinds", ", ".join(sorted(cohort["index_kinds"]))),
        ("design", str(plan["comparison"]["design"])),
    )
