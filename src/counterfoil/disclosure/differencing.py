"""Two populations that differ by a few people give those few away: R17 inside one report, R18 between two."""

from __future__ import annotations

from collections.abc import Set

from counterfoil.disclosure.cells import Rule
from counterfoil.disclosure.settings import DisclosureSettings


def why_differencing_hidden(
    support: tuple[int, int], beside: tuple[int, int], settings: DisclosureSettings
) -> Rule | None:
    """R17 when a measure's people and those it is read beside differ by over 0 and under D, on either side.

    A measure over everyone is read beside the whole group; one over those with the outcome, beside the headline's
    count of them. Nothing clears such a pair.
    """
    differences = (abs(a - b) for a, b in zip(support, beside, strict=True))
    return Rule.R17 if any(0 < d < settings.min_difference for d in differences) else None


def are_nearly_alike(new: Set[str], old: Set[str], least: int) -> bool:
    """R18: whether two reports share people, by their keys, and over 0 and under `least` are in one of them alone."""
    return bool(new & old) and any(0 < len(one) < least for one in (new - old, old - new))


def nearly_alike(report: str) -> str:
    """The finding that asks a person to decide about a report ("the report RUN"), as clearance knows it (R18)."""
    return f"{report} is of nearly the same people"
