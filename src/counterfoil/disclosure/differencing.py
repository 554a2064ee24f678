"""R17 inside one report: two populations that differ by a few people give those few away."""

from __future__ import annotations

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
